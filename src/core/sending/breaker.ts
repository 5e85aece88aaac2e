/**
 * When failures in a row mean that a way is closed, and which one: of the destination, or of the relay before it.
 *
 * A refused login or sender stops the relay at once. Other trouble must come several times in a row with no mail going
 * through in between. What one destination refuses may be its own affair; what many in a row refuse is ours or the relay's.
 */
import { isSlow, type ThrottleCause } from './pace.ts'
import type { Blame } from './smtp-outcome.ts'

/** What went wrong since a mail last went through. */
export interface Streak {
  /** Failures of the relay itself. */
  relay: number
  /** Failures that may be the relay's or a destination's, and the destinations that had them. */
  shared: number
  sharedBy: ReadonlySet<string>
  /** Failures in a row by destination. */
  destinations: ReadonlyMap<string, number>
}

export const NO_STREAK: Streak = { relay: 0, shared: 0, sharedBy: new Set(), destinations: new Map() }

const RELAY_FAILURES = 5
const DESTINATION_FAILURES = 5
const SHARED = { failures: 10, destinations: 3 }
/** Domains come from subscribers: more than this many are not kept in mind. */
const MOST_DESTINATIONS = 1_000

/** Whether so many failures at so many destinations are no matter of the destinations any more. */
export const areOfUs = (failures: number, destinations: number): boolean =>
  failures >= SHARED.failures && destinations >= SHARED.destinations

/** A way that is to rest. */
export interface Closing {
  route: 'relay' | 'destination'
  cause: ThrottleCause
}

/** The streak after one more outcome, and what is to be closed or slowed by it. */
export const countOutcome = (
  before: Streak,
  destination: string,
  blame: Blame,
): { streak: Streak; closing: Closing | null } => {
  switch (blame) {
    case 'none':
    case 'recipient': {
      // The usual case makes nothing new.
      if (before === NO_STREAK) return { streak: before, closing: null }
      const destinations = new Map(before.destinations)
      destinations.delete(destination)
      return { streak: destinations.size === 0 ? NO_STREAK : { ...NO_STREAK, destinations }, closing: null }
    }
    case 'login':
    case 'sender':
      return { streak: before, closing: { route: 'relay', cause: blame } }
    case 'tls':
    case 'relay': {
      const relay = before.relay + 1
      const closing: Closing | null = relay >= RELAY_FAILURES ? { route: 'relay', cause: blame } : null
      return { streak: { ...before, relay: closing === null ? relay : 0 }, closing }
    }
    default:
      return isSlow(blame)
        ? { streak: before, closing: { route: 'destination', cause: blame } }
        : countFailure(before, destination, blame)
  }
}

const countFailure = (
  before: Streak,
  destination: string,
  cause: 'away' | 'policy' | 'lost' | 'throttled' | 'limited',
): { streak: Streak; closing: Closing | null } => {
  const destinations = new Map(before.destinations)
  const failures = (destinations.get(destination) ?? 0) + 1
  if (destinations.size >= MOST_DESTINATIONS) destinations.clear()
  destinations.set(destination, failures)
  if (cause !== 'away') {
    const shared = before.shared + 1
    const sharedBy = new Set(before.sharedBy).add(destination)
    if (areOfUs(shared, sharedBy.size)) return { streak: NO_STREAK, closing: { route: 'relay', cause } }
    before = { ...before, shared, sharedBy }
  }
  if (failures < DESTINATION_FAILURES) return { streak: { ...before, destinations }, closing: null }
  destinations.delete(destination)
  return { streak: { ...before, destinations }, closing: { route: 'destination', cause } }
}
