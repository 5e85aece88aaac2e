/** How many sign-ups are answered at once, by where they come from and where their mail goes, before they are held. */
import { type Keys, keyedHash } from '../token.ts'
import { recipientDomain } from './mailbox.ts'

/** Sign-ups in an hour, as a sliding window. */
export interface SignUpLimits {
  /** From one client. */
  client: number
  /** To the addresses of one domain, but for providers of mailboxes for everybody. */
  domain: number
  all: number
}

/** A lecture hall subscribes within them by proof of work; a list of three hundred strangers does not. */
export const STANDARD_LIMITS: SignUpLimits = { client: 10, domain: 20, all: 300 }
export const NO_LIMITS: SignUpLimits = { client: 1e9, domain: 1e9, all: 1e9 }

/** So many times as many are answered of those for which work was proven. */
export const PROVEN_FACTOR = 10
/** Work is asked for from this share of a limit on, so that readers rarely reach it unasked. */
export const NEAR = 0.8

/** What a sign-up is counted under. */
export interface SignUpScope {
  /** A keyed hash: nobody can read a client or a domain from it. */
  scope: Buffer
  most: number
  /** The window that is counted over, seconds. */
  within: number
  /** Whether it is one of all sign-ups. */
  ofAll: boolean
}

const HOUR = 3_600
const MINUTE = 60
/** The share of an hour's sign-ups that one minute may have: their letters go one after the other, and others wait behind. */
const OF_A_MINUTE = 0.1

/** A client under its keyed hash. `network`: of `clientNetwork`. */
export const clientScope = (keys: Keys, network: string): Buffer => keyedHash(keys, `client\0${network}`)

/**
 * The limits that apply to a sign-up, in the order in which they are counted: a client that is over its own uses up
 * nobody else's. `client`: of `clientScope`; `null` where it is not known.
 */
export const signUpScopes = (
  keys: Keys,
  limits: SignUpLimits,
  { email, client }: { email: string; client: Buffer | null },
): SignUpScope[] => {
  const domain = recipientDomain(email)
  return [
    ...(client === null ? [] : [{ scope: client, most: limits.client, within: HOUR, ofAll: false }]),
    ...(domain === null
      ? []
      : [{ scope: keyedHash(keys, `domain\0${domain}`), most: limits.domain, within: HOUR, ofAll: false }]),
    { scope: keyedHash(keys, 'minute'), most: limits.all * OF_A_MINUTE, within: MINUTE, ofAll: true },
    { scope: keyedHash(keys, 'all'), most: limits.all, within: HOUR, ofAll: true },
  ]
}
