/** Tokens: 43 characters, valid for one purpose, one id and one epoch, and nothing else. */
import { randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  deriveToken,
  type Keys,
  PURPOSES,
  provesToken,
  readTokenId,
  TOKEN_LENGTH,
  TOKEN_PLACEHOLDERS,
} from '../../src/core/token.ts'

const KEYS: Keys = [Buffer.alloc(32, 1)]
const purposes = fc.constantFrom(...PURPOSES)
const epochs = fc.integer({ min: 0, max: 1_000_000 })

test('a token is valid for its own purpose, id and epoch, and contains its id', () => {
  fc.assert(
    fc.property(fc.uuid(), purposes, epochs, (id, purpose, epoch) => {
      const token = deriveToken(KEYS, purpose, id, epoch)
      expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(readTokenId(token)).toBe(id)
      expect(provesToken(KEYS, purpose, token, epoch)).toBe(true)
    }),
  )
})

test('a token of one purpose or epoch is valid for no other', () => {
  fc.assert(
    fc.property(fc.uuid(), purposes, purposes, epochs, epochs, (id, purpose, other, epoch, later) => {
      fc.pre(purpose !== other || epoch !== later)
      expect(provesToken(KEYS, other, deriveToken(KEYS, purpose, id, epoch), later)).toBe(false)
    }),
  )
})

test('an altered, shortened or lengthened token is not valid', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.integer({ min: 0, max: TOKEN_LENGTH - 1 }),
      fc.constantFrom(...alphabet),
      fc.string({ minLength: 1, maxLength: 3 }),
      (id, at, character, tail) => {
        const token = deriveToken(KEYS, 'unsubscribe', id)
        const altered = token.slice(0, at) + character + token.slice(at + 1)
        // Only one spelling of the 32 octets is a token: the spare bits of the last character do not matter silently.
        expect(provesToken(KEYS, 'unsubscribe', altered)).toBe(altered === token)
        expect(provesToken(KEYS, 'unsubscribe', token.slice(0, at))).toBe(false)
        expect(provesToken(KEYS, 'unsubscribe', token + tail)).toBe(false)
      },
    ),
  )
})

test('any text at all gets a verdict, and never an error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(provesToken(KEYS, 'confirm', text)).toBe(false)
    }),
  )
})

test('links in delivered mail survive a rotation of keys, and stop working when their key is dropped', () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)]
  const token = deriveToken([old], 'unsubscribe', randomUUID())
  expect(provesToken([fresh, old], 'unsubscribe', token)).toBe(true)
  expect(provesToken([fresh], 'unsubscribe', token)).toBe(false)
})

test('a placeholder has the length and alphabet of a token, and is none', () => {
  for (const placeholder of Object.values(TOKEN_PLACEHOLDERS)) {
    expect(placeholder).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(placeholder).toHaveLength(placeholder === TOKEN_PLACEHOLDERS.unsubscribeAddress ? 52 : 43)
    expect(PURPOSES.some((purpose) => provesToken(KEYS, purpose, placeholder))).toBe(false)
  }
  expect(new Set(Object.values(TOKEN_PLACEHOLDERS)).size).toBe(Object.keys(TOKEN_PLACEHOLDERS).length)
})
