/**
 * Proof of work for a sign-up: a puzzle of ALTCHA that costs a browser some tenths of a second and a server next to nothing, so that
 * many sign-ups cost whoever makes them. Nobody else is asked for it.
 */
import { createChallenge, randomInt, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import type { Challenge, Payload } from 'altcha-lib/types'
import { type Keys, keyedHash } from '../token.ts'

export type { Challenge }

/** PBKDF2 runs in WebCrypto, so that a script of ours needs no code of its own for it. */
const ALGORITHM = 'PBKDF2/SHA-256'
/** Iterations of a try: half a millisecond for a browser, and as much for us, who make one for each challenge. */
const COST = 1_000
/** How many tries it takes. */
const TRIES: readonly [least: number, most: number] = [100, 300]
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Characters of a solved challenge; a real one has about 700. */
const MAX_PROOF = 4_000

const secretsOf = (keys: Keys, key: Buffer) => {
  const secret = (name: string) => keyedHash([key, ...keys.slice(1)], name).toString('hex')
  return { hmacSignatureSecret: secret('challenge'), hmacKeySignatureSecret: secret('challenge key') }
}

/** A challenge for the sign-up of a ticket (a UUID), signed. Solving it proves work for that sign-up alone. */
export const createWork = (keys: Keys, ticket: string): Promise<Challenge> =>
  createChallenge({
    algorithm: ALGORITHM,
    cost: COST,
    counter: randomInt(...TRIES),
    data: { ticket },
    deriveKey,
    ...secretsOf(keys, keys[0]),
  })

/**
 * The ticket for which a text proves work: base64 of the JSON of a challenge and its solution, as ALTCHA's widgets send it.
 * `null` where it proves nothing. Whether it was used before is not known here.
 */
export const readProof = async (keys: Keys, proof: string): Promise<string | null> => {
  const payload = readPayload(proof)
  if (payload === null) return null
  const { challenge, solution } = payload
  const ticket = challenge.parameters.data?.ticket
  if (typeof ticket !== 'string' || !UUID.test(ticket)) return null
  for (const key of keys) {
    const { verified } = await verifySolution({ challenge, solution, deriveKey, ...secretsOf(keys, key) })
    if (verified) return ticket
  }
  return null
}

/** A payload as far as `verifySolution` relies on it; it refuses what is signed by nobody. */
const readPayload = (proof: string): Payload | null => {
  if (proof.length > MAX_PROOF) return null
  try {
    const read = JSON.parse(Buffer.from(proof, 'base64').toString()) as Partial<Payload> | null
    const { parameters, signature } = read?.challenge ?? {}
    const { counter, derivedKey } = read?.solution ?? {}
    const isWhole =
      typeof parameters === 'object' &&
      parameters !== null &&
      typeof signature === 'string' &&
      typeof counter === 'number' &&
      typeof derivedKey === 'string'
    return isWhole ? (read as Payload) : null
  } catch {
    // Anything may be posted here; what is no JSON proves nothing.
    return null
  }
}
