/** Proof of work: what proves it, and for which sign-up. */
import { randomUUID } from 'node:crypto'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import { expect, test } from 'vitest'
import { createWork, readProof } from '../../../src/core/subscriber/proof-of-work.ts'
import type { Keys } from '../../../src/core/token.ts'

const KEYS: Keys = [Buffer.alloc(32, 7)]
const encode = (proof: unknown) => Buffer.from(JSON.stringify(proof)).toString('base64')

test('a solved challenge proves work for its own sign-up, by a key that was changed since, too', async () => {
  const ticket = randomUUID()
  const challenge = await createWork(KEYS, ticket)
  const solution = await solveChallenge({ challenge, deriveKey })
  const proof = encode({ challenge, solution })
  expect(await readProof(KEYS, proof)).toBe(ticket)
  expect(await readProof([Buffer.alloc(32, 8), ...KEYS], proof)).toBe(ticket)
  expect(await readProof([Buffer.alloc(32, 8)], proof)).toBeNull()
  const other = { ...challenge, parameters: { ...challenge.parameters, data: { ticket: randomUUID() } } }
  const easier = { ...challenge, parameters: { ...challenge.parameters, keySignature: undefined, keyPrefix: '00' } }
  for (const altered of [other, easier])
    expect(await readProof(KEYS, encode({ challenge: altered, solution }))).toBeNull()
  const wrong = { ...solution, derivedKey: '00'.repeat(32) }
  expect(await readProof(KEYS, encode({ challenge, solution: wrong }))).toBeNull()
})

test('nothing else proves anything, whatever is sent', async () => {
  const { parameters } = await createWork(KEYS, randomUUID())
  const deep = JSON.parse(`${'['.repeat(900)}${']'.repeat(900)}`)
  for (const text of [
    '',
    'null',
    encode(null),
    encode([]),
    encode({ challenge: { parameters, signature: 7 }, solution: { counter: 1, derivedKey: '00' } }),
    encode({ challenge: { parameters: {}, signature: '00' }, solution: { counter: 1, derivedKey: '00' } }),
    encode({ challenge: { parameters: { ...parameters, data: { ticket: deep } }, signature: '0' }, solution: {} }),
    'A'.repeat(100_000),
  ])
    expect(await readProof(KEYS, text)).toBeNull()
})
