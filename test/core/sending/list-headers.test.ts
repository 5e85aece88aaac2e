/** The headers of a list, and the address to unsubscribe at. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { addressToken, listHeaders, readUnsubscribeAddress } from '../../../src/core/sending/list-headers.ts'
import { deriveToken, type Keys, TOKEN_PLACEHOLDERS } from '../../../src/core/token.ts'

const KEYS: Keys = [Buffer.alloc(32, 7)]
const DIGEST = { kind: 'daily', localDate: '2026-04-15' }
const URL = 'https://round.example.org/unsubscribe/T'

test('without a domain for incoming mail there is the URL alone, with one the URL first', () => {
  expect(listHeaders(DIGEST, 'example.org', URL, null, 'Paper Round')['List-Unsubscribe']).toBe(`<${URL}>`)
  expect(listHeaders(DIGEST, 'example.org', URL, 'b.example.org', 'Paper Round')['List-Unsubscribe']).toBe(
    `<${URL}>, <mailto:u-${TOKEN_PLACEHOLDERS.unsubscribeAddress}@b.example.org?subject=unsubscribe>`,
  )
})

test('an address holds its token whole, in 64 octets before the @ and in any case', () => {
  for (let n = 0; n < 200; n++) {
    const token = deriveToken(KEYS, 'unsubscribe', randomUUID())
    const address = `u-${addressToken(token)}@b.example.org`
    expect(address.indexOf('@')).toBeLessThanOrEqual(64)
    expect(readUnsubscribeAddress(address, 'B.example.org')).toBe(token)
    expect(readUnsubscribeAddress(address.toUpperCase(), 'b.example.org')).toBe(token)
    for (const other of [address.slice(1), address.replace('u-', 'b-'), address.replace('@', 'a@')])
      expect(readUnsubscribeAddress(other, 'b.example.org')).toBeNull()
    expect(readUnsubscribeAddress(address, 'example.org')).toBeNull()
  }
})
