/**
 * The ledger's equation of an edition: `due = sent + failed + skipped + pending + unknown + canceled`. What is due was
 * counted when the edition was published, what is canceled when it was called off; the rest is what its deliveries add up
 * to now.
 */

export const MAIL_STATES = [
  'queued',
  'sending',
  'deferred',
  'sent',
  'failed',
  'skipped',
  'unknown',
  'canceled',
] as const
/** Of a delivery or a letter; a letter is never `unknown` or `canceled`. */
export type MailState = (typeof MAIL_STATES)[number]
export type LetterState = Exclude<MailState, 'unknown' | 'canceled'>

/** Deliveries of one edition that share their state and the kind of their reason. */
export interface StateCount {
  state: MailState
  /** Such as `refused at rcpt 550 5.1.1`, without the server's text; `null` where a state has no reason. */
  reason: string | null
  count: number
  /** How many of them may have arrived twice. */
  resent: number
}

export interface Equation {
  due: number
  sent: number
  failed: number
  skipped: number
  /** Queued, being sent, or deferred. */
  pending: number
  /** The server may have taken them; held until somebody releases them. */
  unknown: number
  /** Called off with their edition before they were sent. */
  canceled: number
  /** `due` less all the others: 0, or something is wrong. Below 0: there are more deliveries than were due. */
  missing: number
}

const PART: Record<MailState, Exclude<keyof Equation, 'due' | 'missing'>> = {
  queued: 'pending',
  sending: 'pending',
  deferred: 'pending',
  sent: 'sent',
  failed: 'failed',
  skipped: 'skipped',
  unknown: 'unknown',
  canceled: 'canceled',
}

/** Adds counts up by state and compares them with what was due. */
export const balance = (due: number, counts: readonly Pick<StateCount, 'state' | 'count'>[]): Equation => {
  const equation: Equation = { due, sent: 0, failed: 0, skipped: 0, pending: 0, unknown: 0, canceled: 0, missing: due }
  for (const { state, count } of counts) {
    equation[PART[state]] += count
    equation.missing -= count
  }
  return equation
}
