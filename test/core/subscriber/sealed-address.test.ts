import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openSealedAddress, SEALED_FOR, sealAddress } from '../../../src/core/subscriber/sealed-address.ts'
import type { Keys } from '../../../src/core/token.ts'

const KEYS: Keys = [Buffer.alloc(32, 7)]
const OTHER: Keys = [Buffer.alloc(32, 8)]
const NOW = new Date('2026-04-14T05:00:00Z')
const at = (email: string, returnTo = '') => ({ email, returnTo })
const later = (ms: number) => new Date(NOW.getTime() + ms)

it('a sealed address is read again for an hour, also after a change of the key, and by nobody else', () => {
  fc.assert(
    fc.property(fc.emailAddress(), (address) => {
      const sealed = sealAddress(KEYS, at(address), NOW)
      expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(openSealedAddress(KEYS, sealed, later(SEALED_FOR))).toEqual(at(address))
      expect(openSealedAddress([...OTHER, ...KEYS], sealed, NOW)).toEqual(at(address))
      expect(openSealedAddress(KEYS, sealed, later(SEALED_FOR + 1))).toBeNull()
      expect(openSealedAddress(KEYS, sealed, later(-1))).toBeNull()
      expect(openSealedAddress(OTHER, sealed, NOW)).toBeNull()
    }),
    { numRuns: 50 },
  )
})

it('neither the address nor its exact length can be told from it', () => {
  const seals = ['ada@example.org', 'grace@example.net', 'a@b.de'].map((address) => sealAddress(KEYS, at(address), NOW))
  expect(new Set(seals.map(({ length }) => length)).size).toBe(1)
  for (const sealed of seals) expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('example')
  expect(sealAddress(KEYS, at('ada@example.org'), later(1)).slice(0, 16)).not.toBe(seals[0]?.slice(0, 16))
})

it('the page to go back to goes with an address, or alone', () => {
  for (const both of [at('ada@example.org', 'https://lab.example/a?b=c'), at('', 'https://lab.example/'), at('a@b.de')])
    expect(openSealedAddress(KEYS, sealAddress(KEYS, both, NOW), NOW)).toEqual(both)
})

it('what was altered, cut or made up is not read', () => {
  const sealed = sealAddress(KEYS, at('ada@example.org'), NOW)
  for (let at = 0; at < sealed.length - 1; at++) {
    const other = sealed[at] === 'A' ? 'B' : 'A'
    expect(openSealedAddress(KEYS, sealed.slice(0, at) + other + sealed.slice(at + 1), NOW)).toBeNull()
    expect(openSealedAddress(KEYS, sealed.slice(0, at), NOW)).toBeNull()
  }
  for (const text of ['', 'x', '%00', 'a'.repeat(2000)]) expect(openSealedAddress(KEYS, text, NOW)).toBeNull()
})
