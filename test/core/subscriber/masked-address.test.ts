/** An address as a stranger with a forwarded digest sees it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maskAddress } from '../../../src/core/subscriber/masked-address.ts'

test.each([
  ['ada@example.org', 'a•••@example.org'],
  ['Ada.Lovelace@Example.ORG', 'a•••@example.org'],
  ['grace+papers@gmail.com', 'g•••@gmail.com'],
  ['emmy@math.uni-goettingen.de', 'e•••@math.uni-goettingen.de'],
  // A domain that names its owner is hidden, too.
  ['ada@lovelace.name', 'a•••@l•••.name'],
  ['ada.lovelace@mail.lovelace.co.uk', 'a•••@l•••.co.uk'],
  ['ada@adalovelace.org', 'a•••@adalovelace.org'],
  ['lovelace@adalovelace.org', 'l•••@a•••.org'],
  ['me@adalovelace.org', 'm•••@a•••.org'],
  ['a@adalovelace.org', 'a•••@a•••.org'],
  ['ada@localhost', 'a•••@localhost'],
])('%s is shown as %s', (address, masked) => {
  expect(maskAddress(address)).toBe(masked)
})

test('nothing of the local part but its first character is shown', () => {
  const names = fc.stringMatching(/^[b-y][0-9]{6,20}$/)
  fc.assert(
    fc.property(names, (name) => {
      const masked = maskAddress(`${name}@example.org`)
      expect(masked).toBe(`${name[0]}•••@example.org`)
    }),
  )
})
