import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createReplyReader } from '../../../src/adapters/smtp/reply-reader.ts'

const readAll = (pieces: Buffer[]): string[] => {
  const reader = createReplyReader()
  return pieces.flatMap((piece) => reader.read(piece))
}

const code = fc.constantFrom('220', '250', '354', '421', '450', '550')
const words = fc.string({ unit: fc.constantFrom('a', '5', ' ', '-', 'é', '漢', '.'), maxLength: 12 })
const reply = fc
  .tuple(code, fc.array(words, { minLength: 1, maxLength: 4 }), fc.constantFrom('\r\n', '\n'))
  .map(([number, texts, end]) => {
    const lines = texts.map((text, n) => `${number}${n < texts.length - 1 ? '-' : ' '}${text}`)
    return { sent: lines.map((line) => line + end).join(''), lines }
  })

it('gives the same replies in whatever pieces their octets arrive', () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), fc.array(fc.nat(200)), (replies, cuts) => {
      const octets = Buffer.from(replies.map(({ sent }) => sent).join(''))
      const ends = [...cuts.filter((cut) => cut < octets.length), octets.length].toSorted((a, b) => a - b)
      const pieces = ends.map((end, n) => octets.subarray(ends[n - 1] ?? 0, end))
      expect(readAll(pieces)).toEqual(replies.map(({ lines }) => lines.join('\n')))
    }),
  )
})

it('passes over empty lines between replies, and takes a line without a code for a whole reply', () => {
  expect(readAll([Buffer.from('\r\n \r\nwhat?\r\n250-a\r\n250 b\r\n25')])).toEqual(['what?', '250-a\n250 b'])
})

it('tells what came of a line that has not ended, and that it is too long once it is a megabyte', () => {
  const reader = createReplyReader()
  expect(reader.read(Buffer.from('250 ok\r\n550 5.1.1 No su'))).toEqual(['250 ok'])
  expect(reader.unfinished()).toBe('550 5.1.1 No su')
  expect(reader.isTooLong()).toBe(false)
  reader.read(Buffer.alloc(1024 * 1024, 'x'))
  expect(reader.isTooLong()).toBe(true)
})
