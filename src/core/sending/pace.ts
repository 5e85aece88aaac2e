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
export type Trouble = Exclude<Blame, 'none' | 'recipient'>

export interface Pace {
  trouble: Trouble
  /** Mails that may be under way at a time, over all mailers. */
  seats: number
  /** Mails taken in a row, since it got its last seat. */
  successes: number
  /** Rests in a row without a mail taken. */
  strikes: number
}

/** As many seats as one mailer has connections; with more it is treated like any other. */
export const FREE = 16
/** Mails that must be taken for one more seat. */
export const MAILS_A_SEAT = 20

const LONGEST_REST = { throttled: HOUR, limited: HOUR, closed: 30 * MINUTE, relay: 5 * MINUTE }
const FIRST_REST = { throttled: MINUTE, limited: 10 * MINUTE, closed: MINUTE, relay: 30 * SECOND }

const kindOf = (trouble: Trouble): keyof typeof FIRST_REST => {
  if (trouble === 'throttled' || trouble === 'limited') return trouble
  return trouble === 'away' || trouble === 'policy' || trouble === 'lost' ? 'closed' : 'relay'
}

/** Whether a way works, only not as fast as we would. */
export const isSlow = (trouble: Trouble): boolean => trouble === 'throttled' || trouble === 'limited'

/** The pace after trouble, `before` being that of a way already in trouble, and how long to leave it alone. */
export const slower = (before: Pace | null, trouble: Trouble, whole = false): { pace: Pace; restMs: number } => {
  const strikes = (before?.strikes ?? 0) + 1
  const half = Math.max(1, Math.floor((before?.seats ?? FREE) / 2))
  const seats = trouble === 'throttled' ? half : 1
  // What closes the relay closes everything, so it is looked at again sooner than a single destination.
  const kind = whole ? 'relay' : kindOf(trouble)
  const restMs = Math.min(FIRST_REST[kind] * 2 ** Math.min(strikes - 1, 20), LONGEST_REST[kind])
  return { pace: { trouble, seats, successes: 0, strikes }, restMs }
}

/** The pace after mails that were taken; `null` when the way is free again. */
export const faster = (before: Pace, taken: number): Pace | null => {
  if (!isSlow(before.trouble)) return null
  const successes = before.successes + taken
  if (successes < MAILS_A_SEAT) return { ...before, successes, strikes: 0 }
  // However many were taken at once, one seat is added at a time.
  const seats = before.seats + 1
  return seats > FREE ? null : { ...before, seats, successes: 0, strikes: 0 }
}
