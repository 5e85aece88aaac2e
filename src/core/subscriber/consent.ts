/** Consent: the sentences that readers agree to, and what is recorded of it. */
import { createHash } from 'node:crypto'
import { cleanLine } from '../text/text.ts'

export type ConsentEvent = 'requested' | 'confirmed' | 'unsubscribed' | 'erased'

/** Where a request came from: what its record of consent says. */
export interface ConsentOrigin {
  /** `form`, `api`, `link`, `one-click`, `mailto`, `command`, … */
  source: string
  /** The route of the form or link, such as `/subscribe`; `null` where there was none. */
  form: string | null
  /** The client's address on the internet, behind trusted proxies; `null` where it is not known. */
  client: string | null
}

/** A sentence as it was shown. The record names it by `hash`, and holds its text once. */
export interface Wording {
  /** Raised with every change of the text. */
  version: string
  text: string
  /** SHA-256 of the text. */
  hash: Buffer
}

const wording = (version: string, text: string): Wording => ({
  version,
  text,
  hash: createHash('sha256').update(text).digest(),
})

/** The language of all pages and emails. */
export const LANGUAGE = 'en'

/** What every form shows from which somebody asks for digests, word for word; templates print it. */
export const REQUESTED = wording(
  'subscribe-1',
  'We’ll email you a link to confirm. No tracking pixels, no click tracking. Unsubscribe at any time.',
)

/** What the pages that confirm show, likewise; it names whom the reader agrees to be mailed by. */
export const confirmedWording = (serviceName: string): Wording =>
  wording(
    'confirm-2',
    `By confirming you ask ${serviceName} to email you these digests, and now and then news about the service, until you unsubscribe. Each email has a link for that.`,
  )

/** Shorter ones say neither where nor when. */
const LEAST_STATEMENT = 12
const LONGEST_STATEMENT = 1_000

/**
 * What an operator says of where and when the readers of a list agreed, for the records of an import; `null` where the text
 * is too short to say either.
 */
export const statedConsent = (text: string): Wording | null => {
  const statement = cleanLine(text, LONGEST_STATEMENT)
  return statement.length < LEAST_STATEMENT ? null : wording(STATED, statement)
}

/** The version of a sentence that no page of ours showed. */
export const STATED = 'stated'
