/** The papers that a digest may be chosen from: loaded once for all cohorts of an edition. */
import { LRUCache } from 'lru-cache'
import { addDays, HOUR } from '../../core/calendar.ts'
import { isPartial } from '../../core/digest/eligibility.ts'
import { NOTHING_NEW } from '../../core/digest/empty-digest.ts'
import type { Endorsements } from '../../core/digest/endorsement.ts'
import { createLift } from '../../core/digest/lift.ts'
import { createSimilarityCheck } from '../../core/digest/near-duplicates.ts'
import { createPaperIndex, type PaperIndex } from '../../core/digest/paper-index.ts'
import { explainedFits } from '../../core/digest/quoted-phrases.ts'
import type { Fit } from '../../core/digest/ranking.ts'
import { findTopicPapers, type TopicPapers, WEEK_DAYS } from '../../core/digest/topic-offer.ts'
import { AGE_BUCKETS, createTrend, estimateTrend, TREND_LIST_DAYS, type Trend } from '../../core/digest/trend.ts'
import { markTrending } from '../../core/digest/trending.ts'
import type { Paper } from '../../core/papers/paper.ts'
import { GATE } from '../../core/relevance/gate.ts'
import { type PaperTerm, paperTerms } from '../../core/taste/paper-terms.ts'
import { createTermIndex, type TermIndex } from '../../core/taste/term-index.ts'
import type { Database } from '../../store/database.ts'
import {
  type ListedDay,
  readCandidates,
  readFill,
  readListDays,
  readListedDays,
  readNewestObservation,
  readTexts,
  readTrendHistory,
} from '../../store/papers/papers.ts'
import { readStaleSources } from '../../store/refreshes.ts'
import { countVotesOfDays } from '../../store/votes.ts'
import { readEndorsements } from '../endorsements.ts'

/** List days that a welcome is chosen from. */
const WELCOME_LIST_DAYS = 7
/** A source without success for this long is said to be unreadable when a digest has nothing. */
const STALE_AFTER = 36 * HOUR

export type DigestCandidate = Omit<ReadCandidate, 'relevance'> & {
  trend: Trend
  relevance: Fit[]
  votes: number
  picked: boolean
  endorsements: Endorsements
  /** The list day to which a curator pinned it, `YYYY-MM-DD`. */
  pinnedTo: string | null
}

export interface CandidatePool {
  cutoff: Date
  papers: DigestCandidate[]
  byId: ReadonlyMap<string, DigestCandidate>
  /** Where keywords, authors and muted words stand in them. */
  index: PaperIndex
  /** Their terms, for tastes; found when they are first asked for. */
  terms: () => TermIndex
  /** What was listed on each list day that they come from, and on those between: chosen from or not. */
  listed: ReadonlyMap<string, ListedDay>
  /** The papers of a week of list days, by the topics of which there are several. */
  topicPapers: TopicPapers
  /** Whether two of them, by their ids, say nearly the same. */
  isAlike: (id: string, other: string) => boolean
  /** Why a digest without papers has none, should one turn out so; a clause without a full stop. */
  whyEmpty: string
  /** The list day left out because it has come in only in part, `YYYY-MM-DD`. */
  partialDay: string | null
}

/**
 * Loads the papers that became eligible since an instant, or those of some list days, as they were at the cut-off. `known`: the
 * words of these papers, where they are prepared already: then they are for a choice alone, without offers.
 */
export const loadCandidatePool = async (
  db: Database,
  cutoff: Date,
  of: { since: Date } | { listDays: string[] },
  known?: PoolWords,
): Promise<CandidatePool> => {
  const today = cutoff.toISOString().slice(0, 10)
  const candidates = await readCandidates(db, cutoff, of)
  const fill = await readFill(db, today, cutoff)
  // Only the day that is still open is held back; once it is over, what it has is what it is.
  const partialDay = 'since' in of && fill.count > 0 && isPartial(fill.count, fill.earlier) ? today : null
  const trend = createTrend(await readTrendHistory(db, cutoff, TREND_LIST_DAYS, AGE_BUCKETS))
  const lift = createLift(await countVotesOfDays(db, await readListDays(db, cutoff, TREND_LIST_DAYS), cutoff))
  const words = known ?? (await readWords(db, candidates))
  const stale = await readStaleSources(db, new Date(cutoff.getTime() - STALE_AFTER))
  const prepare = async (some: readonly ReadCandidate[]): Promise<DigestCandidate[]> => {
    const endorsementsOf = await readEndorsements(db, some, cutoff)
    return markTrending(
      some
        .filter((paper) => paper.listDay !== partialDay && !paper.withdrawn)
        .map((paper) => {
          const { pinnedTo, ...endorsements } = endorsementsOf(paper.id)
          const endorsement = {
            votes: endorsements.votes,
            picked: endorsements.pick !== null || endorsements.pin !== null,
          }
          return {
            ...paper,
            ...endorsement,
            endorsements,
            pinnedTo,
            // Every cohort looks at these; a topic that the paper hardly touches, or that nothing explains, brings it to nobody.
            relevance: explainedFits(paper.relevance.filter(({ score }) => score >= GATE)),
            trend: lift(trendOf(paper, trend, cutoff), endorsement, paper.upvotes !== null),
          }
        }),
    )
  }
  const papers = await prepare(candidates)
  const week = known !== undefined ? [] : weekOf(await readListDays(db, cutoff, WEEK_DAYS), cutoff)
  const days = papers.map(({ listDay }) => listDay).sort()
  const [first, last] = [days[0], days.at(-1)]
  return {
    cutoff,
    papers,
    listed: first === undefined || last === undefined ? new Map() : await readListedDays(db, cutoff, first, last),
    topicPapers: findTopicPapers(
      week.length === 0 ? [] : await prepare(await readCandidates(db, cutoff, { listDays: week })),
    ),
    byId: new Map(papers.map((paper) => [paper.id, paper])),
    ...words,
    whyEmpty: whyEmptyOf(partialDay, stale.length > 0),
    partialDay,
  }
}

/** What is prepared of the texts of papers, and is the same whenever they are chosen from. */
export type PoolWords = Pick<CandidatePool, 'index' | 'terms' | 'isAlike'>

const readWords = async (db: Database, candidates: readonly ReadCandidate[]): Promise<PoolWords> => {
  const revisions = candidates.map(({ id, revision }) => ({ paperId: id, revision }))
  const texts = [...(await readTexts(db, revisions)).values()]
  return {
    index: createPaperIndex(texts),
    terms: createTerms(candidates, texts),
    isAlike: createSimilarityCheck(texts),
  }
}

/** The words of all papers that became eligible since an instant, for pools of several days. */
export const loadWords = async (db: Database, now: Date, since: Date): Promise<PoolWords> =>
  readWords(db, await readCandidates(db, now, { since }))

type ReadCandidate = Awaited<ReturnType<typeof readCandidates>>[number]

/** Finding the terms of a paper takes a millisecond, and the pools of an edition, and of the next, have mostly the same papers. */
const MOST_KEPT = 2_000
const keptTerms = new LRUCache<string, PaperTerm[]>({ max: MOST_KEPT })

const termsOf = (paper: Paper, { revision, relevance }: ReadCandidate): PaperTerm[] => {
  const topics = relevance.flatMap(({ topic, score }) => (score >= GATE ? [{ topic, score }] : []))
  const key = JSON.stringify([paper.id, revision, topics])
  const terms = keptTerms.get(key) ?? paperTerms({ ...paper, topics })
  keptTerms.set(key, terms)
  return terms
}

/** Most editions have nobody with a taste, and then no terms are looked for. */
const createTerms = (candidates: readonly ReadCandidate[], texts: readonly Paper[]): (() => TermIndex) => {
  let index: TermIndex | null = null
  return () => {
    if (index !== null) return index
    const byId = new Map(candidates.map((one) => [one.id, one]))
    index = createTermIndex(
      texts.flatMap((paper) => {
        const candidate = byId.get(paper.id)
        return candidate === undefined ? [] : [{ id: paper.id, terms: termsOf(paper, candidate) }]
      }),
    )
    return index
  }
}

const trendOf = (paper: ReadCandidate, trend: ReturnType<typeof createTrend>, cutoff: Date): Trend =>
  paper.upvotes === null
    ? estimateTrend({
        ageHours: (cutoff.getTime() - paper.eligibleAt.getTime()) / HOUR,
        categories: paper.categories,
      })
    : trend(paper.ageHours, paper.upvotes)

/** Of list days those of the week before an instant. */
const weekOf = (listDays: readonly string[], cutoff: Date): string[] => {
  const before = addDays(cutoff.toISOString().slice(0, 10), -WEEK_DAYS)
  return listDays.filter((day) => day > before)
}

const whyEmptyOf = (partialDay: string | null, isStale: boolean): string => {
  if (partialDay !== null) return 'that day’s papers were still coming in'
  return isStale ? 'the source of papers could not be read' : NOTHING_NEW
}

/** The last refresh by an instant, which welcomes know nothing later than; `null` before the first. */
export const readWelcomeCutoff = (db: Database, now: Date): Promise<Date | null> => readNewestObservation(db, now)

/** What welcomes are chosen from: the seven newest list days, as they were at the last refresh. */
export const loadWelcomePool = async (db: Database, now: Date): Promise<CandidatePool> => {
  const cutoff = (await readWelcomeCutoff(db, now)) ?? now
  return loadCandidatePool(db, cutoff, { listDays: await readListDays(db, cutoff, WELCOME_LIST_DAYS) })
}
