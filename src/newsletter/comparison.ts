/** What a change of settings would have done: both replayed over the last 30 days of papers, side by side. */
import { LRUCache } from 'lru-cache'
import { addDays, daysBetween, HOUR, localDateAt } from '../core/calendar.ts'
import type { DigestEntry } from '../core/digest/digest.ts'
import { digestReasonOf } from '../core/digest/reason.ts'
import { NOTHING_UNTOLD } from '../core/digest/skipped-digests.ts'
import { isSubscribed, type Preferences } from '../core/subscriber/preferences.ts'
import { plainTitle } from '../core/text/latex.ts'
import type { Keys } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { readDigest } from '../store/digests.ts'
import { readFoundPapers } from '../store/papers/paper-record.ts'
import { readFirstSeen } from '../store/papers/papers.ts'
import { readDigestsOfReader } from '../store/reader-digests.ts'
import { preferencesOf, type Subscriber } from '../store/subscribers.ts'
import { readTaste } from '../store/tastes.ts'
import { keepResult } from './kept-results.ts'
import type { PastPools } from './publishing/past-pools.ts'
import { dateBefore, dueDates, type ReplayedDigest, type ReplayStart, replay } from './publishing/replay.ts'
import { findTokenOwner } from './subscription/token-owner.ts'

/** How many days are looked back. */
export const DAYS_COMPARED = 30
/** Papers that are named of those gained, and of those lost. */
const MOST_NAMED = 10

/** What settings would have brought. */
export interface Brought {
  /** Digests with papers, and those that would have been due and had none. */
  digests: number
  empty: number
  papers: number
  /** The papers of each date with a digest due, `YYYY-MM-DD`, the oldest first. */
  byDate: { date: string; papers: number }[]
}

export interface ComparedPaper {
  id: string
  title: string
  /** The date of the digest with it. */
  date: string
  reason: string
  upvotes: number | null
}

export interface Comparison {
  /** The dates that are compared, both included, `YYYY-MM-DD`, and how many they are: fewer than 30 where no papers are held from before. */
  first: string
  last: string
  days: number
  stored: Brought
  /** `null` where nothing is typed that differs from what is stored. */
  typed: Brought | null
  /** Papers that the typed settings bring and the stored do not, and the other way round: how many, and the best. */
  gained: { count: number; best: ComparedPaper[] }
  lost: { count: number; best: ComparedPaper[] }
}

export interface Comparisons {
  /** `typed`: settings to compare with those that are stored; `null` for these alone. `no-papers`: none are held yet. */
  compare(token: string, typed: Preferences | null): Promise<Comparison | 'no-papers' | 'not-subscribed' | null>
}

interface ComparisonPorts {
  db: Database
  keys: Keys
  now: () => Date
  pools: PastPools
}

export const createComparisons = ({ db, keys, now, pools }: ComparisonPorts): Comparisons => {
  const firstSeen = new LRUCache<string, Promise<Date | null>>({ max: 1, ttl: HOUR })
  return {
    async compare(token, typed) {
      const owner = await findTokenOwner(db, keys, 'preferences', token)
      if (owner === null) return null
      if (!isSubscribed(owner.state)) return 'not-subscribed'
      const held = await keepResult(firstSeen, 'first', () => readFirstSeen(db))
      if (held === null || held > now()) {
        firstSeen.clear()
        return 'no-papers'
      }
      return compareFor({ db, pools }, owner, typed, { now: now(), heldSince: held })
    },
  }
}

/** What a reader had been sent before a date, as it is on record. */
export const readStart = async (db: Database, subscriberId: string, first: string): Promise<ReplayStart> => {
  const before = (await readDigestsOfReader(db, subscriberId)).findLast(({ localDate }) => localDate < first)
  const digest = before === undefined ? undefined : await readDigest(db, before.digestId)
  return {
    cutoff: digest?.cutoff ?? null,
    recentlySent: digest?.recently_sent ?? {},
    untold: digest?.untold ?? NOTHING_UNTOLD,
  }
}

const compareFor = async (
  { db, pools }: { db: Database; pools: PastPools },
  owner: Subscriber,
  typed: Preferences | null,
  { now, heldSince }: { now: Date; heldSince: Date },
): Promise<Comparison> => {
  const stored = preferencesOf(owner)
  const { timeZone } = stored
  const last = localDateAt(now, timeZone)
  const held = localDateAt(heldSince, timeZone)
  const month = addDays(dateBefore(now, timeZone, DAYS_COMPARED), 1)
  const first = held > month ? held : month
  const start = await readStart(db, owner.id, first)
  const taste = owner.has_taste ? await readTaste(db, owner.id) : null
  const replayed = (preferences: Preferences) =>
    replay(pools, preferences, dueDates(preferences, { first, last }, now), start, taste)
  const before = await replayed(stored)
  const after = typed === null ? null : await replayed(typed)
  const [was, becomes] = [papersOf(before), papersOf(after ?? before)]
  const gained = [...becomes.values()].filter(({ entry }) => !was.has(entry.paperId))
  const lost = [...was.values()].filter(({ entry }) => !becomes.has(entry.paperId))
  return {
    first,
    last,
    days: daysBetween(first, last) + 1,
    stored: broughtBy(before),
    typed: after === null ? null : broughtBy(after),
    gained: { count: gained.length, best: await nameBest(db, gained) },
    lost: { count: lost.length, best: await nameBest(db, lost) },
  }
}

interface DatedEntry {
  date: string
  entry: DigestEntry
}

/** The papers that come by themselves, by their ids: what is only named as a repetition is none. */
const papersOf = (digests: readonly ReplayedDigest[]): Map<string, DatedEntry> =>
  new Map(
    digests.flatMap(({ localDate, entries }) =>
      entries.filter(isShown).map((entry) => [entry.paperId, { date: localDate, entry }] as const),
    ),
  )

const isShown = ({ twinOf }: DigestEntry): boolean => twinOf === undefined

const broughtBy = (digests: readonly ReplayedDigest[]): Brought => {
  const byDate = digests.map(({ localDate, entries }) => ({ date: localDate, papers: entries.filter(isShown).length }))
  const papers = byDate.reduce((sum, one) => sum + one.papers, 0)
  const empty = byDate.filter((one) => one.papers === 0).length
  return { digests: byDate.length - empty, empty, papers, byDate }
}

/** Those that rank highest among the papers of their month, then by upvotes; the newest first where they are equal. */
const nameBest = async (db: Database, papers: readonly DatedEntry[]): Promise<ComparedPaper[]> => {
  const best = papers
    .toSorted(
      (a, b) =>
        (a.entry.topPercent ?? 101) - (b.entry.topPercent ?? 101) ||
        (b.entry.upvotes ?? 0) - (a.entry.upvotes ?? 0) ||
        (a.date > b.date ? -1 : 1),
    )
    .slice(0, MOST_NAMED)
  const found = await readFoundPapers(
    db,
    best.map(({ entry }) => entry.paperId),
  )
  const titles = new Map(found.map(({ id, title, hiddenAt }) => [id, hiddenAt === null ? plainTitle(title) : null]))
  return best.flatMap(({ date, entry }) => {
    const title = titles.get(entry.paperId) ?? null
    // It was hidden a moment ago.
    if (title === null) return []
    return { id: entry.paperId, title, date, reason: digestReasonOf(entry), upvotes: entry.upvotes }
  })
}
