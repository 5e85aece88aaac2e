/**
 * How fast a way that is in trouble may be used. A way is what a mail must pass: the relay, or the destination behind it.
 *
 * A destination that says it is given too much gets half of what it got, after a rest; while it goes on saying so, the
 * rests grow. Each so many mails that it takes it gets one more at a time, until it gets as much as any other and the
 * trouble is forgotten. Google asks for more (4.7.28): ten minutes of rest, then one at a time. A way that does not work
 * at all rests too, is tried with one mail, and is open again as soon as that goes through.
 */
import { HOUR, MINUTE, SECOND } from '../calendar.ts'
import type { Blame } from './smtp-outcome.ts'

/** Why a way is in trouble: it takes less than it is given, or nothing. */
export type ThrottleCause = Exclude<Blame, 'none' | 'recipient'>

export interface Pace {
  cause: ThrottleCause
  /** Mails that may be under way at a time, over all mailers. */
  concurrency: number
  /** Mails taken in a row, since it got its last seat. */
  successes: number
  /** Rests in a row without a mail taken. */
  failures: number
}

/** As many seats as one mailer has connections; with more it is treated like any other. */
export const FREE = 16
/** Mails that must be taken for one more seat. */
export const MAILS_PER_STEP = 20

const LONGEST_BACK_OFF = { throttled: HOUR, limited: HOUR, closed: 30 * MINUTE, relay: 5 * MINUTE }
const FIRST_BACK_OFF = { throttled: MINUTE, limited: 10 * MINUTE, closed: MINUTE, relay: 30 * SECOND }

const kindOf = (cause: ThrottleCause): keyof typeof FIRST_BACK_OFF => {
  if (cause === 'throttled' || cause === 'limited') return cause
  return cause === 'away' || cause === 'policy' || cause === 'lost' ? 'closed' : 'relay'
}

/** Whether a way works, only not as fast as we would. */
export const isSlow = (cause: ThrottleCause): boolean => cause === 'throttled' || cause === 'limited'

/** The pace after trouble, `before` being that of a way already in trouble, and how long to leave it alone. */
export const slower = (before: Pace | null, cause: ThrottleCause, whole = false): { pace: Pace; backOffMs: number } => {
  const failures = (before?.failures ?? 0) + 1
  const half = Math.max(1, Math.floor((before?.concurrency ?? FREE) / 2))
  const concurrency = cause === 'throttled' ? half : 1
  // What closes the relay closes everything, so it is looked at again sooner than a single destination.
  const kind = whole ? 'relay' : kindOf(cause)
  const backOffMs = Math.min(FIRST_BACK_OFF[kind] * 2 ** Math.min(failures - 1, 20), LONGEST_BACK_OFF[kind])
  return { pace: { cause, concurrency, successes: 0, failures }, backOffMs }
}

/** The pace after mails that were taken; `null` when the way is free again. */
export const faster = (before: Pace, taken: number): Pace | null => {
  if (!isSlow(before.cause)) return null
  const successes = before.successes + taken
  if (successes < MAILS_PER_STEP) return { ...before, successes, failures: 0 }
  // However many were taken at once, one seat is added at a time.
  const concurrency = before.concurrency + 1
  return concurrency > FREE ? null : { ...before, concurrency, successes: 0, failures: 0 }
}
