/**
 * The pace of a throttled route: how many mails it may be given at a time, and how long it is left alone. A route is what a
 * mail passes through: the relay, or the destination behind it.
 *
 * A destination that says it is given too much gets half the concurrency, after a back-off; the back-offs grow while it
 * goes on saying so. For each so many mails that it takes, its concurrency grows by one, until it has as much as any other
 * destination and is not throttled any more. Google asks for more (4.7.28): a back-off of ten minutes, then one mail at a
 * time. A route that does not work at all is closed: after its back-off it gets one mail as a probe, and it is open again
 * as soon as that is taken.
 *
 * A relay may be slowed, too: by its `rate`, or because it bears fewer `connections`. The latter is found out by trying, so
 * its back-off is of a second and its concurrency one less than what it last bore. A relay whose quota is used up is closed,
 * for longer than one that is merely away: an hour's or a day's quota does not come back in seconds.
 */
import { HOUR, MINUTE, SECOND } from '../calendar.ts'
import type { OutcomeCause } from './smtp-outcome.ts'

/** Why a route is throttled. With `throttled` and `limited` it takes less than it is given, with the others nothing. */
export type ThrottleCause = Exclude<OutcomeCause, 'none' | 'recipient'>

export interface Pace {
  cause: ThrottleCause
  /** Mails that may be in flight at a time, over all mailers. */
  concurrency: number
  /** Mails taken since the concurrency last changed. */
  successes: number
  /** Back-offs in a row without a mail taken. */
  failures: number
}

/** The concurrency from which on a destination counts as unthrottled: as many as one mailer has connections. */
export const FULL_CONCURRENCY = 16
/** Mails that must be taken before the concurrency grows by one. */
export const MAILS_PER_STEP = 20
/** How many connections a relay bears hardly changes, and each try costs a back-off. */
const MAILS_PER_CONNECTION = 100

/** Where `first` doubles with each back-off in a row up to `longest`. */
const BACK_OFFS = {
  throttled: { first: MINUTE, longest: HOUR },
  limited: { first: 10 * MINUTE, longest: HOUR },
  closed: { first: MINUTE, longest: 30 * MINUTE },
  // One connection now and then is no burden, and confirmations wait: after an hour as after a minute mail flows half a
  // minute after its return.
  unreachable: { first: 5 * SECOND, longest: 30 * SECOND },
  // Servers lock out who insists on a login.
  relay: { first: 30 * SECOND, longest: 5 * MINUTE },
  quota: { first: 2 * MINUTE, longest: HOUR },
  rate: { first: 5 * SECOND, longest: 15 * MINUTE },
  connections: { first: SECOND, longest: MINUTE },
}

const backOffKind = (cause: ThrottleCause, isRelay: boolean): keyof typeof BACK_OFFS => {
  if (cause === 'rate' || cause === 'connections' || cause === 'quota') return cause
  if (cause === 'account' || cause === 'common') return 'quota'
  if (isRelay) return cause === 'relay' || cause === 'lost' ? 'unreachable' : 'relay'
  if (cause === 'throttled' || cause === 'limited') return cause
  return cause === 'away' || cause === 'policy' || cause === 'lost' ? 'closed' : 'relay'
}

const SLOW: ReadonlySet<ThrottleCause> = new Set(['throttled', 'limited', 'rate', 'connections'])

/** Whether the route takes mail, only less than it is given. */
export const isSlow = (cause: ThrottleCause): boolean => SLOW.has(cause)

/**
 * The pace after a failure, and the back-off in milliseconds. `before` is the pace of a route that is throttled already,
 * else `null`. `isRelay` because a closed relay closes everything: it is probed sooner than a single destination.
 */
export const slowDown = (
  before: Pace | null,
  cause: ThrottleCause,
  isRelay = false,
): { pace: Pace; backOffMs: number } => {
  const failures = (before?.failures ?? 0) + 1
  const { first, longest } = BACK_OFFS[backOffKind(cause, isRelay)]
  const backOffMs = Math.min(first * 2 ** Math.min(failures - 1, 20), longest)
  const concurrency = slowedConcurrency(before, cause)
  return { pace: { cause, concurrency, successes: 0, failures }, backOffMs }
}

const slowedConcurrency = (before: Pace | null, cause: ThrottleCause): number => {
  if (cause === 'limited' || !isSlow(cause)) return 1
  const known = before?.concurrency ?? FULL_CONCURRENCY
  // Mails were taken since it last changed, so it bears nearly as many.
  if (cause === 'connections' && before?.cause === cause && before.failures === 0) return Math.max(1, known - 1)
  return Math.max(1, Math.floor(known / 2))
}

/** The pace after `taken` mails were taken; `null` when the route is not throttled any more. */
export const speedUp = (before: Pace, taken: number): Pace | null => {
  if (!isSlow(before.cause)) return null
  const successes = before.successes + taken
  if (successes < (before.cause === 'connections' ? MAILS_PER_CONNECTION : MAILS_PER_STEP))
    return { ...before, successes, failures: 0 }
  // However many were taken at once, the concurrency grows by one at a time.
  const concurrency = before.concurrency + 1
  return concurrency > FULL_CONCURRENCY ? null : { ...before, concurrency, successes: 0, failures: 0 }
}
