import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveReturnPath, readReturnPath } from '../../../src/core/bounces/verp.ts'
import type { Keys } from '../../../src/core/token.ts'

const KEYS: Keys = [Buffer.alloc(32, 7)]
const DOMAIN = 'bounces.example.org'
const mails = fc.record({ stream: fc.constantFrom('letters' as const, 'deliveries' as const), id: fc.uuid() })

test('an envelope sender names its mail, in any case of its letters, and by a key that was changed since', () => {
  fc.assert(
    fc.property(mails, (mail) => {
      const address = deriveReturnPath(KEYS, mail, DOMAIN)
      expect(address).toMatch(/^b-[a-z2-7]{40}@bounces\.example\.org$/)
      expect(readReturnPath(KEYS, address, DOMAIN)).toEqual(mail)
      expect(readReturnPath(KEYS, address.toUpperCase(), DOMAIN)).toEqual(mail)
      expect(readReturnPath([Buffer.alloc(32, 8), ...KEYS], address, DOMAIN)).toEqual(mail)
    }),
  )
})

test('one that was altered, shortened, of another domain or of another key names nothing', () => {
  fc.assert(
    fc.property(mails, fc.nat(39), fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'), (mail, at, letter) => {
      const address = deriveReturnPath(KEYS, mail, DOMAIN)
      const place = 2 + at
      const altered = address.slice(0, place) + letter + address.slice(place + 1)
      if (altered !== address) expect(readReturnPath(KEYS, altered, DOMAIN)).toBeNull()
      expect(readReturnPath(KEYS, address.slice(0, place) + address.slice(42), DOMAIN)).toBeNull()
      expect(readReturnPath([Buffer.alloc(32, 9)], address, DOMAIN)).toBeNull()
      expect(readReturnPath(KEYS, address, 'bounces.example.net')).toBeNull()
    }),
  )
})

test('no other text is an envelope sender of ours', () => {
  fc.assert(fc.property(fc.string(), (text) => readReturnPath(KEYS, text, DOMAIN) === null))
  expect(() => deriveReturnPath(KEYS, { stream: 'letters', id: randomUUID().slice(1) }, DOMAIN)).toThrow()
})
