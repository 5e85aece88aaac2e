/** The requests by which digests of one reader were composed, or will be: of the past from what is on record. */
import { localDateAt } from '../../core/calendar.ts'
import type { DigestEntry } from '../../core/digest/digest.ts'
import { eligibleSince } from '../../core/digest/eligibility.ts'
import type { GroupSection } from '../../core/groups/group-list.ts'
import type { Due } from '../../core/subscriber/due.ts'
import { offeredProfile } from '../../core/subscriber/offered-topics.ts'
import type { Frequency } from '../../core/subscriber/preferences.ts'
import type { TasteFit } from '../../core/taste/term-index.ts'
import type { Database } from '../../store/database.ts'
import { type Digest, readDigest, readPreviousDigests } from '../../store/digests.ts'
import type { ReaderDigest } from '../../store/reader-digests.ts'
import { preferencesOf, profileOf, type Subscriber } from '../../store/subscribers.ts'
import { readTaste } from '../../store/tastes.ts'
import type { CandidatePool } from './candidate-pool.ts'
import { type DigestRequest, untoldBefore } from './digest-request.ts'
import { choosePapers } from './paper-choice.ts'
import type { PastPools } from './past-pools.ts'
import { tasteFit } from './taste-cohorts.ts'

/** What a digest is chosen from and by what. */
export interface Composition {
  pool: CandidatePool
  request: DigestRequest
  /** How well the papers fit what its reader seems to like; `null` where that counts for nothing. */
  taste: TasteFit | null
}

const tasteOf = async (db: Database, subscriber: Subscriber, pool: CandidatePool): Promise<TasteFit | null> => {
  const taste = subscriber.has_taste ? await readTaste(db, subscriber.id) : null
  return taste === null ? null : tasteFit(pool, taste, subscriber)
}

/** What a digest must know of the one before it. */
const readBefore = async (
  db: Database,
  previousId: number | null,
  { byId }: CandidatePool,
  { since, frequency, now }: { since: Date; frequency: Frequency; now: Due },
): Promise<Pick<DigestRequest, 'recentlySent' | 'untold'>> => {
  if (previousId === null) return { recentlySent: [] }
  const previous = (await readPreviousDigests(db, [previousId], byId.keys())).get(previousId)
  return {
    recentlySent: (previous?.recentlySent ?? []).filter(
      (id) => (byId.get(id)?.eligibleAt.getTime() ?? 0) > since.getTime(),
    ),
    untold: untoldBefore(previous, [], frequency, now),
  }
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
  const localDate = localDateAt(now, timeZone)
  return {
    pool,
    taste: await tasteOf(db, subscriber, pool),
    request: {
      kind: frequency,
      profile: offeredProfile(profileOf(subscriber)).profile,
      localDate,
      since,
      ...(await readBefore(db, subscriber.last_digest_id, pool, { since, frequency, now: { at: now, localDate } })),
      note: null,
      news: [],
    },
  }
}

/**
 * A past digest of a subscriber as it was composed after those before it. What its readers followed is on record; muted words, the number of
 * papers and what its reader seems to like are taken as they are now. `isExact`: whether the same papers are chosen by this as were then.
 */
export const recompose = async (
  { db, pools }: { db: Database; pools: PastPools },
  subscriber: Subscriber,
  made: ReaderDigest,
  before: readonly ReaderDigest[],
): Promise<Composition & { isExact: boolean }> => {
  const digest = await readDigest(db, made.digestId)
  if (digest === undefined) throw new Error(`there is no digest ${made.digestId}`)
  const { kind, cutoff } = digest
  const frequency = kind === 'daily' ? 'daily' : 'weekly'
  const last = before.findLast(({ keepsCutoff }) => !keepsCutoff)
  const since = kind === 'welcome' ? new Date(0) : eligibleSince(frequency, cutoff, last?.cutoff ?? null)
  const pool = kind === 'welcome' ? await pools.welcomeAt(cutoff) : await pools.at(cutoff, since)
  const { trending, topics, keywords, authors, local_date: localDate } = digest
  const request: DigestRequest = {
    kind,
    profile: offeredProfile({ ...profileOf(subscriber), trending, topics, keywords, authors }).profile,
    localDate,
    since,
    ...(await readBefore(db, before.at(-1)?.digestId ?? null, pool, {
      since,
      frequency,
      now: { at: cutoff, localDate },
    })),
    note: null,
    news: [],
    // What a group brought is not among those of one's own.
    sections: sectionsOf(digest),
  }
  const taste = kind === 'welcome' ? null : await tasteOf(db, subscriber, pool)
  return { pool, request, taste, isExact: isSameChoice(choosePapers(pool, request, taste), digest) }
}

const sectionsOf = ({ entries }: Digest): GroupSection[] =>
  [...Map.groupBy(entries, ({ group }) => group?.name)].flatMap(([name, own]) =>
    name === undefined ? [] : [{ name, entries: own }],
  )

const isSameChoice = ({ chosen, extras, waits }: ReturnType<typeof choosePapers>, { entries }: Digest): boolean => {
  const now = waits ? [] : [...chosen.map(({ paper }) => paper.id), ...extras.map(({ id }) => id)]
  const then = entries
    .filter((entry: DigestEntry) => entry.twinOf === undefined && entry.group === undefined)
    .map(({ paperId }) => paperId)
  return now.join() === then.join()
}
