/** The service's name: what it may hold, and how a header holds it. */
import fc from 'fast-check'
import PostalMime from 'postal-mime'
import { describe, expect, test } from 'vitest'
import { compileMessage } from '../../../src/adapters/smtp/message.ts'
import { headerPhrase, NAME_LENGTH, nameProblem } from '../../../src/core/branding/service-name.ts'
import { octetsOf } from '../../support/fixtures/octets.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

test.each(['Paper Round', 'Lab Letters & Co <x>', 'Institut für Papier', '論文だより', 'R2', '“Proofs”, weekly'])(
  'a service can be called %s',
  (name) => {
    expect(nameProblem(name)).toBeNull()
  },
)

test.each([
  ['Lab\r\nBcc: all@example.org', 'line break'],
  ['Lab\u2028Letters', 'line break'],
  ['Lab \u202esretteL', 'control character'],
  ['Lab \ud800', 'control character'],
  ['x'.repeat(NAME_LENGTH + 1), 'has 41 characters; 40 are the most'],
  ['…', 'no letter or digit'],
  ['support@bank.example', 'looks like an email address'],
])('a service cannot be called %j', (name, problem) => {
  expect(nameProblem(name)).toContain(problem)
})

/** The name before the brackets of List-Id, as a mail program reads it from the octets of a mail. */
const listNameOf = async (name: string) => {
  const template = await compileMessage({
    from: { name, address: 'round@example.org' },
    subject: `Welcome to ${name}: your first paper`,
    headers: { 'List-Id': `${headerPhrase(name)} <digest.example.org>` },
    text: 'x',
  })
  const own = { to: 'ada@example.net', messageId: '1@example.org', date: new Date(0), values: {} }
  const octets = octetsOf(await template.render(own)).toString('latin1')
  const read = await PostalMime.parse(octets)
  const unfolded = octets.slice(0, octets.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  const [, listId = ''] = /^list-id: (.*)$/im.exec(unfolded) ?? []
  return { listId, from: read.from, subject: read.subject, names: [...unfolded.matchAll(/^([\w-]+):/gm)].length }
}

describe('in the headers of a mail', () => {
  test('plain words stand as they are', () => {
    expect(headerPhrase('Paper Round')).toBe('Paper Round')
    expect(headerPhrase('Lab Letters & Co')).toBe('Lab Letters & Co')
  })

  test('any name that a service can have comes through whole, adds no header and leaves the id in its brackets', async () => {
    const { names: usual } = await listNameOf('Paper Round')
    const character = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      fc.constantFrom(...'a1 <>"\\,;:()'),
    )
    const name = fc
      .array(character, { minLength: 1, maxLength: 30 })
      .map((parts) => parts.join('').trim().replace(/ +/g, ' '))
      .filter((text) => nameProblem(text) === null)
    await fc.assert(
      fc.asyncProperty(name, async (text) => {
        const { listId, from, subject, names } = await listNameOf(text)
        expect(listId.endsWith(' <digest.example.org>')).toBe(true)
        const phrase = listId.slice(0, listId.lastIndexOf(' <'))
        const words = phrase.split(' ').map((word) => /^=\?UTF-8\?B\?(.*)\?=$/.exec(word)?.[1])
        const shown = words.every((word) => word !== undefined)
          ? words.map((word) => Buffer.from(word ?? '', 'base64').toString()).join('')
          : phrase
        expect(shown).toBe(text)
        expect(phrase).not.toMatch(/[<>"]/)
        expect(from).toMatchObject({ name: text, address: 'round@example.org' })
        expect(subject).toBe(`Welcome to ${text}: your first paper`)
        expect(names).toBe(usual)
      }),
      { numRuns: propertyRuns(100) },
    )
  })
})
