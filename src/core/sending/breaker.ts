/**
 * The circuit breaker: when failures in a row mean that a route is to be throttled, and which one: the destination, or the
 * relay before it.
 *
 * A refused login or sender closes the relay at once, and one of its own limits closes or slows it. Other failures must
 * come several times in a row with no mail taken in between. What one destination refuses may concern that destination
 * alone; what several refuse in a row concerns us or the relay. So do refusals of single recipients that all use the same
 * words: a relay that is out of something may say anything, even that each of its customer's readers is unknown.
 */
import { isSlow, type ThrottleCause } from './pace.ts'
import type { OutcomeCause } from './smtp-outcome.ts'

/** Failures in a row, since a mail was last taken. */
export interface Streak {
  /** Failures of the relay itself. */
  relay: number
  /** Failures that may be the relay's or a destination's, and the destinations that had them. */
  shared: number
  sharedBy: ReadonlySet<string>
  /** Failures in a row by destination. */
  destinations: ReadonlyMap<string, number>
  /** Refusals by their words: the readers and destinations that had them. */
  refusals: ReadonlyMap<string, { readers: ReadonlySet<string>; destinations: ReadonlySet<string> }>
}

export const NO_STREAK: Streak = {
  relay: 0,
  shared: 0,
  sharedBy: new Set(),
  destinations: new Map(),
  refusals: new Map(),
}

const RELAY_FAILURES = 5
const DESTINATION_FAILURES = 5
const SYSTEMIC = { failures: 10, destinations: 3 }
/** Refusals in the same words, and the destinations that they come from. */
const COMMON = { readers: 6, destinations: 3 }
/** Domains come from subscribers, and words from servers, so the breaker remembers no more than this many. */
const MAX_DESTINATIONS = 1_000
const MAX_WORDS = 50

/** Whether so many failures at so many destinations can no longer be explained by the destinations. */
export const isSystemic = (failures: number, destinations: number): boolean =>
  failures >= SYSTEMIC.failures && destinations >= SYSTEMIC.destinations

/** A route that is to be throttled, and why. */
export interface Throttle {
  route: 'relay' | 'destination'
  cause: ThrottleCause
}

/**
 * The streak after one more outcome, and the route that this outcome throttles, if any. `refusal`: the words of one that
 * would count against its reader (`refusal-words`), and who that is; left out where nobody else can have been refused so.
 */
export const countOutcome = (
  before: Streak,
  destination: string,
  cause: OutcomeCause,
  refusal: { words: string; reader: string } | null = null,
): { streak: Streak; throttle: Throttle | null } => {
  if (refusal === null || !COUNTS_AGAINST_READER.has(cause)) return countCause(before, destination, cause)
  const known = before.refusals.get(refusal.words)
  const enough = known !== undefined && isCommon(known)
  const same = enough
    ? known
    : {
        readers: new Set(known?.readers).add(refusal.reader),
        destinations: new Set(known?.destinations).add(destination),
      }
  const refusals = new Map(before.refusals.size >= MAX_WORDS ? [] : before.refusals).set(refusal.words, same)
  const { streak, throttle } = countCause(before, destination, cause)
  // It goes on being common until a mail is taken: what is still in flight is told the same.
  return { streak: { ...streak, refusals }, throttle: isCommon(same) ? { route: 'relay', cause: 'common' } : throttle }
}

const isCommon = ({ readers, destinations }: { readers: ReadonlySet<string>; destinations: ReadonlySet<string> }) =>
  readers.size >= COMMON.readers && destinations.size >= COMMON.destinations

const COUNTS_AGAINST_READER: ReadonlySet<OutcomeCause> = new Set(['recipient', 'away'])

const countCause = (
  before: Streak,
  destination: string,
  cause: OutcomeCause,
): { streak: Streak; throttle: Throttle | null } => {
  switch (cause) {
    case 'none':
    case 'recipient': {
      // The case of nearly every mail allocates nothing.
      if (before === NO_STREAK) return { streak: before, throttle: null }
      const destinations = new Map(before.destinations)
      destinations.delete(destination)
      // Only a mail that is taken shows that the relay does not refuse everybody.
      const refusals = cause === 'none' ? NO_STREAK.refusals : before.refusals
      const isEmpty = destinations.size + refusals.size === 0
      return { streak: isEmpty ? NO_STREAK : { ...NO_STREAK, destinations, refusals }, throttle: null }
    }
    case 'login':
    case 'sender':
    case 'quota':
    case 'account':
    case 'rate':
    case 'connections':
    case 'common':
      return { streak: before, throttle: { route: 'relay', cause } }
    case 'tls':
    case 'relay': {
      const relay = before.relay + 1
      const throttle: Throttle | null = relay >= RELAY_FAILURES ? { route: 'relay', cause } : null
      return { streak: { ...before, relay: throttle === null ? relay : 0 }, throttle }
    }
    default:
      return isSlow(cause)
        ? { streak: before, throttle: { route: 'destination', cause } }
        : countFailure(before, destination, cause)
  }
}

const countFailure = (
  before: Streak,
  destination: string,
  cause: 'away' | 'policy' | 'lost' | 'throttled' | 'limited',
): { streak: Streak; throttle: Throttle | null } => {
  const destinations = new Map(before.destinations)
  const failures = (destinations.get(destination) ?? 0) + 1
  if (destinations.size >= MAX_DESTINATIONS) destinations.clear()
  destinations.set(destination, failures)
  if (cause !== 'away') {
    const shared = before.shared + 1
    const sharedBy = new Set(before.sharedBy).add(destination)
    if (isSystemic(shared, sharedBy.size)) return { streak: NO_STREAK, throttle: { route: 'relay', cause } }
    before = { ...before, shared, sharedBy }
  }
  if (failures < DESTINATION_FAILURES) return { streak: { ...before, destinations }, throttle: null }
  destinations.delete(destination)
  return { streak: { ...before, destinations }, throttle: { route: 'destination', cause } }
}
