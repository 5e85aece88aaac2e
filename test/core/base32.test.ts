/** Base32, against the examples of RFC 4648 (section 10), and for any bytes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase32, encodeBase32 } from '../../src/core/base32.ts'

test('the examples of the RFC are spelled as there, in lower case and without padding', () => {
  for (const [text, encoded] of Object.entries({ '': '', f: 'my', fo: 'mzxq', foo: 'mzxw6', foobar: 'mzxw6ytboi' })) {
    expect(encodeBase32(Buffer.from(text))).toBe(encoded)
    expect(decodeBase32(encoded)?.toString()).toBe(text)
  }
})

test('any bytes come back, in any case of the letters, and no second spelling is read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.string({ maxLength: 12 }), (bytes, other) => {
      expect(decodeBase32(encodeBase32(bytes).toUpperCase())).toEqual(Buffer.from(bytes))
      const read = decodeBase32(other)
      if (read !== null) expect(encodeBase32(read)).toBe(other.toLowerCase())
    }),
  )
  for (const text of ['mz', 'm', 'my======', 'm1', 'm y']) expect(decodeBase32(text)).toBeNull()
})
