/** The requests by which digests of one reader were composed, or will be: of the past from what is on record. */
import { localDateAt } from '../../core/calendar.ts'
import type { DigestEntry } from '../../core/digest/digest.ts'
import { eligibleSince } from '../../core/digest/eligibility.ts'
import { offeredProfile } from '../../core/subscriber/offered-topics.ts'
import type { Database } from '../../store/database.ts'
import { type Digest, readDigest, readPreviousDigests } from '../../store/digests.ts'
import type { ReaderDigest } from '../../store/reader-digests.ts'
import { preferencesOf, profileOf, type Subscriber } from '../../store/subscribers.ts'
import type { CandidatePool } from './candidate-pool.ts'
import { choosePapers, type DigestRequest } from './digest.ts'
import type { PastPools } from './past-pools.ts'

/** What a digest is chosen from and by what. */
export interface Composition {
  pool: CandidatePool
  request: DigestRequest
}

const recentlySentOf = async (
  db: Database,
  previousId: number | null,
  { byId }: CandidatePool,
  since: Date,
): Promise<string[]> => {
  if (previousId === null) return []
  const previous = (await readPreviousDigests(db, [previousId], byId.keys())).get(previousId)
  return (previous?.recentlySent ?? []).filter((id) => (byId.get(id)?.getTime() ?? 0) > since.getTime())
}

/** The next digest of a subscriber, as if it were due at `now`. */
export const composeNext = async (
  { db, pools }: { db: Database; pools: PastPools },
  subscriber: Subscriber,
  now: Date,
): Promise<Composition> => {
  const { frequency, timeZone } = preferencesOf(subscriber)
  const since = eligibleSince(frequency, now, subscriber.last_cutoff)
  const pool = await pools.at(now, since)
  return {
    pool,
    request: {
      kind: frequency,
      profile: offeredProfile(profileOf(subscriber)).profile,
      localDate: localDateAt(now, timeZone),
      since,
      recentlySent: await recentlySentOf(db, subscriber.last_digest_id, pool, since),
      note: null,
      news: [],
    },
  }
}

/**
 * A past digest of a subscriber as it was composed. What its readers followed is on record; muted words and the number of
 * papers are taken as they are now. `isExact`: whether the same papers are chosen by this as were then.
 */
export const recompose = async (
  { db, pools }: { db: Database; pools: PastPools },
  subscriber: Subscriber,
  made: ReaderDigest,
  previous: ReaderDigest | undefined,
): Promise<Composition & { isExact: boolean }> => {
  const digest = await readDigest(db, made.digestId)
  if (digest === undefined) throw new Error(`there is no digest ${made.digestId}`)
  const { kind, cutoff } = digest
  const since =
    kind === 'welcome'
      ? new Date(0)
      : eligibleSince(kind === 'daily' ? 'daily' : 'weekly', cutoff, previous?.cutoff ?? null)
  const pool = kind === 'welcome' ? await pools.welcomeAt(cutoff) : await pools.at(cutoff, since)
  const { trending, topics, keywords, authors, local_date: localDate } = digest
  const request: DigestRequest = {
    kind,
    profile: offeredProfile({ ...profileOf(subscriber), trending, topics, keywords, authors }).profile,
    localDate,
    since,
    recentlySent: await recentlySentOf(db, previous?.digestId ?? null, pool, since),
    note: null,
    news: [],
  }
  return { pool, request, isExact: isSameChoice(choosePapers(pool, request), digest) }
}

const isSameChoice = ({ chosen, extras }: ReturnType<typeof choosePapers>, { entries }: Digest): boolean => {
  const now = [...chosen.map(({ paper }) => paper.id), ...extras.map(({ id }) => id)]
  const then = entries.filter((entry: DigestEntry) => entry.twinOf === undefined).map(({ paperId }) => paperId)
  return now.join() === then.join()
}
