/** Subscribing, confirming, changing, pausing and leaving: what a person can do by the site and the links in their mail. */
import { localDateAt } from '../../core/calendar.ts'
import type { Frequency, Preferences, SubscriberState } from '../../core/subscriber/preferences.ts'
import { storeSignUp } from '../../store/sign-ups.ts'
import { type CandidateCache, createCandidateCache } from '../publishing/candidate-cache.ts'
import { confirm, readConfirmation } from './confirmation.ts'
import { changePause, changePreferences, type OwnPreferences, readOwnPreferences } from './preferences.ts'
import type { LinkPorts } from './token-owner.ts'
import { optOut, readOptOut, readUnsubscription, reduceMail, unsubscribe } from './unsubscription.ts'

/** The use cases behind the pages. `null` always means: that link is unknown, altered, of another purpose or dead. */
export interface Subscriptions {
  /** Stores a sign-up and answers at once, whatever is known of the address; what follows comes by mail. */
  requestSubscription(email: string, preferences: Preferences): Promise<void>
  /** Stores that somebody lost their mail; fresh links go to the address if it may be mailed. */
  requestLinks(email: string): Promise<void>
  readConfirmation(token: string): Promise<{ email: string; preferences: Preferences; confirmed: boolean } | null>
  confirm(token: string): Promise<'confirmed' | 'already' | null>
  readPreferences(token: string): Promise<OwnPreferences | null>
  /** Stores new preferences; those of somebody who has left cannot be changed (they subscribe again). */
  changePreferences(token: string, preferences: Preferences): Promise<OwnPreferences | null>
  /** No digest before `until` (local date, after today, at most a year ahead); `null` as `until` ends the pause. */
  pause(token: string, until: string | null): Promise<OwnPreferences | null>
  readUnsubscription(token: string): Promise<{ email: string; state: SubscriberState; frequency: Frequency } | null>
  /** Stops all digests at once; again and again gives the same answer. */
  unsubscribe(token: string): Promise<'unsubscribed' | null>
  /** Whose confirmation's second link this is: it takes an address out of all mail. */
  readOptOut(token: string): Promise<{ email: string } | null>
  /** No mail of any kind to the address again, whoever enters it, until an operator lifts it. */
  optOut(token: string): Promise<{ email: string } | null>
  /** Less instead of nothing, by the unsubscribe link: it can only reduce mail. */
  reduce(
    token: string,
    to: { frequency: 'weekly' } | { pauseUntil: string },
  ): Promise<'reduced' | 'not-subscribed' | null>
  /** The local date now in a zone, by which pages offer dates to pause until. */
  localToday(timeZone: string): string
}

export interface SubscriptionPorts extends LinkPorts {
  /** Rejects while there is too little space for more requests; left out where that cannot be known. */
  requireSpace?: () => Promise<void>
  /** Wakes the mailers; what waits is in the database, so the owner logs a failure, which costs a minute at most. */
  wake: (queueName: 'letters') => Promise<void>
  /** What welcomes are chosen from, shared with previews. */
  candidates?: CandidateCache
}

export const createSubscriptions = ({
  wake,
  requireSpace = async () => undefined,
  ...ports
}: SubscriptionPorts): Subscriptions => {
  const { db, now, candidates = createCandidateCache(ports) } = ports
  return {
    async requestSubscription(email, preferences) {
      await requireSpace()
      await storeSignUp(db, { kind: 'subscribe', email, preferences, requestedAt: now() })
      await wake('letters')
    },
    async requestLinks(email) {
      await requireSpace()
      await storeSignUp(db, { kind: 'links', email, preferences: null, requestedAt: now() })
      await wake('letters')
    },
    readConfirmation: (token) => readConfirmation(ports, token),
    async confirm(token) {
      const outcome = await confirm({ ...ports, candidates }, token)
      if (outcome === 'confirmed') await wake('letters')
      return outcome
    },
    readPreferences: (token) => readOwnPreferences(ports, token),
    changePreferences: (token, preferences) => changePreferences(ports, token, preferences),
    pause: (token, until) => changePause(ports, token, until),
    readUnsubscription: (token) => readUnsubscription(ports, token),
    unsubscribe: (token) => unsubscribe(ports, token),
    readOptOut: (token) => readOptOut(ports, token),
    optOut: (token) => optOut(ports, token),
    reduce: (token, to) => reduceMail(ports, token, to),
    localToday: (timeZone) => localDateAt(now(), timeZone),
  }
}
