/** Settings replayed over past days: the digests that they would have brought, each chosen as publishing chooses. */
import { addDays, localDateAt } from '../../core/calendar.ts'
import type { DigestEntry } from '../../core/digest/digest.ts'
import { eligibleSince, mergeRecentlySent } from '../../core/digest/eligibility.ts'
import { NOTHING_UNTOLD, type UntoldBefore } from '../../core/digest/skipped-digests.ts'
import { isRegular, sendingInstant } from '../../core/subscriber/due.ts'
import { offeredProfile } from '../../core/subscriber/offered-topics.ts'
import type { Preferences } from '../../core/subscriber/preferences.ts'
import type { StoredTaste } from '../../store/tastes.ts'
import { composeDigest } from './digest.ts'
import type { DigestRequest } from './digest-request.ts'
import { freezeChoice } from './frozen-choice.ts'
import { choosePapers } from './paper-choice.ts'
import type { PastPools } from './past-pools.ts'
import { tasteFit } from './taste-cohorts.ts'

/** What a reader had been sent before the first day of a replay. */
export interface ReplayStart {
  /** The cut-off of the digest before, `null` where there was none. */
  cutoff: Date | null
  /** Ids of papers to the dates on which they were sent, `YYYY-MM-DD`. */
  recentlySent: Record<string, string>
  /** What the digest before left for the next to tell, the papers that wait for more among it. */
  untold: UntoldBefore
}

export interface ReplayedDigest {
  localDate: string
  entries: DigestEntry[]
}

/** The local dates of digests from `first` to `last` (`YYYY-MM-DD`, both included) that were due by `now`, and when each was. */
export const dueDates = (
  time: Preferences,
  { first, last }: { first: string; last: string },
  now: Date,
): { localDate: string; at: Date }[] => {
  const due: { localDate: string; at: Date }[] = []
  for (let date = first; date <= last; date = addDays(date, 1)) {
    if (!time.atOnce && !isRegular(date, time)) continue
    const at = sendingInstant(date, time)
    if (at !== null && at <= now) due.push({ localDate: date, at })
  }
  return due
}

/** `composeDigest` makes a key for each cohort; what is replayed is not stored, and needs none. */
const NO_KEY = Buffer.alloc(0)

/** Replays settings over some due dates, the oldest first; no paper comes twice. */
export const replay = async (
  pools: PastPools,
  preferences: Preferences,
  due: readonly { localDate: string; at: Date }[],
  start: ReplayStart,
  taste: StoredTaste | null = null,
): Promise<ReplayedDigest[]> => {
  const { frequency } = preferences
  const { profile } = offeredProfile(preferences)
  const digests: ReplayedDigest[] = []
  let { cutoff: previous, recentlySent, untold } = start
  for (const { localDate, at } of due) {
    const since = eligibleSince(frequency, at, previous)
    const pool = await pools.at(at, since)
    const request: DigestRequest = {
      kind: isRegular(localDate, preferences) ? frequency : 'at-once',
      profile,
      localDate,
      since,
      recentlySent: Object.keys(recentlySent)
        .filter((id) => (pool.byId.get(id)?.eligibleAt.getTime() ?? 0) > since.getTime())
        .sort(inStoredOrder),
      note: null,
      untold,
      news: [],
    }
    const fit = taste === null ? null : tasteFit(pool, taste, profile)
    const frozen = freezeChoice(choosePapers(pool, request, fit), pool, fit)
    const { entries } = frozen
    // Where nothing stands out nothing comes at once, and nobody is told of it.
    if (request.kind === 'at-once' && entries.length === 0) continue
    const digest = composeDigest(pool, request, null, [], NO_KEY, frozen)
    digests.push({ localDate, entries })
    recentlySent = mergeRecentlySent([recentlySent], Object.keys(digest.sent), localDate)
    untold = digest.untold ?? NOTHING_UNTOLD
    previous = digest.keepsCutoff === true ? (previous ?? since) : at
  }
  return digests
}

/** As the database keeps the keys of what was sent: the shorter first. Of two twins sent before the first is named. */
const inStoredOrder = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1)

/** The local date so many days before an instant. */
export const dateBefore = (now: Date, timeZone: string, days: number): string =>
  addDays(localDateAt(now, timeZone), -days)
