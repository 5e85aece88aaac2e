/** Composing digests: from the papers that may be chosen to the frozen list of a cohort, and from there to the reader. */
import { localDateAt } from '../core/calendar.ts'
import { cohortKey } from '../core/cohort.ts'
import type { DigestEntry, DigestIssue, DigestKind } from '../core/digest.ts'
import { carryOn, isPartial } from '../core/eligibility.ts'
import { cardOf } from '../core/paper-card.ts'
import { quietLine } from '../core/quiet.ts'
import { type RankedPaper, rankPapers, selectPapers } from '../core/ranking.ts'
import { reasonOf } from '../core/reason.ts'
import { topicBySlug } from '../core/topics.ts'
import { AGE_BUCKETS, createTrend, TREND_LIST_DAYS } from '../core/trend.ts'
import type { Database } from '../store/database.ts'
import { type Digest, type NewDigest, type Past, readPasts, storeDigests } from '../store/digests.ts'
import {
  readCandidates,
  readFill,
  readListDays,
  readNewestObservation,
  readTexts,
  readTrendHistory,
} from '../store/papers.ts'
import { readStaleSources } from '../store/refreshes.ts'
import type { Subscriber } from '../store/subscribers.ts'

/** How many papers a digest of a kind holds at most. */
export const MOST_PAPERS: Record<DigestKind, number> = { daily: 10, weekly: 15, welcome: 10 }
const WELCOME_LIST_DAYS = 7
/** A source without success for this long is said to be unreadable when a digest has nothing. */
const STALE_AFTER = 36 * 3_600_000

type Choosable = Awaited<ReturnType<typeof readCandidates>>[number] & {
  trend: { percentile: number; topPercent: number | null }
}

/** The papers that may be chosen at a cut-off, each with its trend; loaded once for all cohorts of an edition. */
export interface Choice {
  cutoff: Date
  papers: Choosable[]
  /** Why a digest without papers has none, should one turn out so. */
  whyQuiet: string
  /** The list day left out because it has come in only in part. */
  partialDay: string | null
}

/** Loads what may be chosen: papers that became news since an instant, or those of some list days. */
export const loadChoice = async (
  db: Database,
  cutoff: Date,
  of: { since: Date } | { listDays: string[] },
): Promise<Choice> => {
  const today = cutoff.toISOString().slice(0, 10)
  const candidates = await readCandidates(db, cutoff, of)
  const fill = await readFill(db, today, cutoff)
  // Only the day that is still open is held back; once it is over, what it has is what it is.
  const partialDay = 'since' in of && fill.count > 0 && isPartial(fill.count, fill.earlier) ? today : null
  const trend = createTrend(await readTrendHistory(db, cutoff, TREND_LIST_DAYS, AGE_BUCKETS))
  const stale = await readStaleSources(db, new Date(cutoff.getTime() - STALE_AFTER))
  return {
    cutoff,
    papers: candidates
      .filter((paper) => paper.listDay !== partialDay)
      .map((paper) => ({ ...paper, trend: trend(paper.ageHours, paper.upvotes) })),
    whyQuiet:
      partialDay !== null
        ? 'the list of the day was still coming in'
        : stale.length > 0
          ? 'the source of papers could not be read'
          : 'no new papers in your topics',
    partialDay,
  }
}

const entryOf = (ranked: RankedPaper<Choosable>): DigestEntry => ({
  paperId: ranked.paper.id,
  revision: ranked.paper.revision,
  topic: ranked.topic,
  matches: ranked.matches,
  upvotes: ranked.paper.upvotes,
  comments: ranked.paper.comments,
  observedAt: ranked.paper.upvotes === null ? null : ranked.paper.observedAt.toISOString(),
  hourKnown: ranked.paper.hourKnown,
  topPercent: ranked.paper.trend.topPercent,
})

/** What a cohort is composed from: the wish, and what its members were sent before. */
export interface Wish {
  kind: DigestKind
  topics: string[]
  localDate: string
  since: Date
  /** Paper ids sent before that are still among the papers to choose from. */
  carried: string[]
  /** The line about digests that had nothing before this one. */
  note: string | null
}

/** Freezes the digest of one cohort. `pasts` are those of its members: their carries go on together. */
export const composeDigest = (choice: Choice, wish: Wish, editionId: number | null, pasts: Past[]): NewDigest => {
  const carried = new Set(wish.carried)
  const open = choice.papers.filter(
    (paper) => !carried.has(paper.id) && (wish.kind === 'welcome' || paper.eligibleAt > wish.since),
  )
  const chosen = selectPapers(rankPapers(open, wish.topics), wish.topics, MOST_PAPERS[wish.kind])
  const entries = chosen.map(entryOf)
  const quietSince = pasts.map((past) => past.quietFrom).find((day) => day !== null)
  return {
    editionId,
    cohortKey: cohortKey({ ...wish, cutoff: choice.cutoff }),
    kind: wish.kind,
    localDate: wish.localDate,
    topics: wish.topics,
    cutoff: choice.cutoff,
    entries,
    listDays: [...new Set(open.map((paper) => paper.listDay))].sort(),
    considered: open.length,
    carry: carryOn(
      pasts.map((past) => past.carry),
      entries.map((entry) => entry.paperId),
      wish.localDate,
    ),
    quietFrom: entries.length > 0 ? null : (quietSince ?? wish.localDate),
    note: entries.length > 0 ? wish.note : choice.whyQuiet,
    sample: open.some((paper) => paper.source === 'sample'),
  }
}

/** The line that a digest begins with when the one before it had nothing; its own note then holds why. */
export const noteAfter = (past: Past | undefined): string | null =>
  past?.quietFrom == null
    ? null
    : quietLine(past.quietFrom, past.localDate, past.note ?? 'no new papers in your topics')

/**
 * The welcome of somebody who just confirmed: the best of the seven newest list days, as they were at the last refresh,
 * so that equal profiles share one. What they were sent in an earlier subscription does not come again.
 */
export const composeWelcome = async (
  db: Database,
  subscriber: Subscriber,
  now: Date,
): Promise<{ digestId: number; cutoff: Date }> => {
  const cutoff = (await readNewestObservation(db, now)) ?? now
  const listDays = await readListDays(db, cutoff, WELCOME_LIST_DAYS)
  const choice = await loadChoice(db, cutoff, { listDays })
  const past =
    subscriber.last_digest_id === null ? [] : [...(await readPasts(db, [subscriber.last_digest_id])).values()]
  const known = new Set(choice.papers.map((paper) => paper.id))
  const wish: Wish = {
    kind: 'welcome',
    topics: subscriber.topics,
    localDate: localDateAt(now, subscriber.time_zone),
    since: new Date(0),
    carried: past.flatMap((one) => Object.keys(one.carry).filter((id) => known.has(id))),
    note: null,
  }
  const [digestId] = await storeDigests(db, [{ ...composeDigest(choice, wish, null, past), quietFrom: null }])
  if (digestId === undefined) throw new Error('a welcome was not stored')
  return { digestId, cutoff }
}

/** A digest as its readers see it: the frozen list, with the texts of the revisions it was composed from. */
export const readIssue = async (
  db: Database,
  digest: Pick<Digest, 'kind' | 'local_date' | 'topics' | 'entries' | 'list_days' | 'considered' | 'note' | 'sample'>,
): Promise<DigestIssue> => {
  const texts = await readTexts(db, digest.entries)
  return {
    kind: digest.kind,
    localDate: digest.local_date,
    listDays: digest.list_days,
    topics: digest.topics.map((slug) => topicBySlug(slug)?.label ?? slug),
    cards: digest.entries.map((entry) => {
      const paper = texts.get(entry.paperId)
      if (paper === undefined) throw new Error(`paper ${entry.paperId} has no revision ${entry.revision}`)
      return cardOf(paper, {
        reason: reasonOf(entry, digest.local_date),
        upvotes: entry.upvotes,
        comments: entry.comments,
      })
    }),
    considered: digest.considered,
    note: digest.note,
    sample: digest.sample,
  }
}
