/** The tokens of operators and of their sessions: random, told once, and kept as a hash alone. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const BITS = 256
/** So that a token is known for what it is where it turns up, as by a scanner of secrets. */
const PREFIX = 'paper-round-'

/** 256 random bits, 43 characters. */
export const createSessionToken = (): string => randomBytes(BITS / 8).toString('base64url')
export const createOperatorToken = (): string => PREFIX + createSessionToken()

/** SHA-256 (32 octets). Nobody can guess 256 random bits from it, so it needs neither salt nor slowness. */
export const hashOfToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/** Compares in constant time. */
export const sameHash = (one: Buffer, other: Buffer): boolean =>
  one.length === other.length && timingSafeEqual(one, other)

/** What every form of a session carries: derived from what its cookie holds, so that nothing else need be kept. */
export const formTokenOf = (session: string): string => hashOfToken(`form of\0${session}`).toString('base64url')
