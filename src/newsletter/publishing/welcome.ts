/** The welcome of a new subscriber: the best papers of the newest list days. */
import { localDateAt } from '../../core/calendar.ts'
import { offeredProfile } from '../../core/subscriber/offered-topics.ts'
import type { Database } from '../../store/database.ts'
import { type NewDigest, readPreviousDigests } from '../../store/digests.ts'
import { type ChosenColumns, preferencesOf, profileOf, type Subscriber } from '../../store/subscribers.ts'
import type { CandidatePool } from './candidate-pool.ts'
import { composeDigest } from './digest.ts'
import type { DigestRequest } from './digest-request.ts'

type WelcomedSubscriber = ChosenColumns & Pick<Subscriber, 'last_digest_id'>

/** What of a subscriber their welcome is composed from: while it is the same, so is the welcome. */
const welcomeBasisOf = (subscriber: WelcomedSubscriber) => ({
  profile: offeredProfile(profileOf(subscriber)).profile,
  timeZone: preferencesOf(subscriber).timeZone,
  lastDigestId: subscriber.last_digest_id,
})

/** Whether a welcome that was composed for a subscriber as they were is the welcome of the subscriber as they are. */
export const isSameWelcome = (before: Subscriber, now: Subscriber): boolean =>
  JSON.stringify(welcomeBasisOf(before)) === JSON.stringify(welcomeBasisOf(now))

/**
 * Composes the welcome of a subscriber who confirms: the best of the newest list days as they were at the last refresh, so
 * that equal profiles share one. What was sent in an earlier subscription does not come again. Stores nothing.
 */
export const composeWelcome = async (
  db: Database,
  pool: CandidatePool,
  subscriber: WelcomedSubscriber,
  now: Date,
): Promise<NewDigest> => {
  const { profile, timeZone, lastDigestId } = welcomeBasisOf(subscriber)
  const previous =
    lastDigestId === null ? [] : [...(await readPreviousDigests(db, [lastDigestId], pool.byId.keys())).values()]
  const request: DigestRequest = {
    kind: 'welcome',
    profile,
    localDate: localDateAt(now, timeZone),
    since: new Date(0),
    recentlySent: previous.flatMap((one) => one.recentlySent),
    note: null,
    news: [],
  }
  return { ...composeDigest(pool, request, null, previous), emptySince: null, untold: null }
}
