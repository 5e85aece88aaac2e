/**
 * Measures what votes and picks of this site do to the ranking, on real papers with simulated readers and curators: their
 * tastes are made up, so the figures compare weights with each other and promise nothing.
 */
import { createLift, LIFTS } from '../../src/core/digest/lift.ts'
import { rankPapers, selectPapers } from '../../src/core/digest/ranking.ts'
import { liftedTrend, TREND_LIST_DAYS, type Trend } from '../../src/core/digest/trend.ts'
import { markTrending } from '../../src/core/digest/trending.ts'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { TRENDING } from '../../src/core/subscriber/preferences.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { gradeFor, type JudgedCandidate } from './blend-study.ts'
import { CUTOFF, type Estimate, estimate, gainOf, mean, ndcg, ndcgByScore } from './metrics.ts'
import { simulateSubscribers } from './subscribers.ts'
import { createTaste, type SettledPaper, simulatePicks, simulateVotes, type Taste } from './votes-simulation.ts'

const SUBSCRIBERS = 200
const VOTERS = [5, 50, 500] as const
const COUNTED = [0.1, 0.3, 0.5] as const
const UNCOUNTED = [0.3, 0.5, 0.7, 0.9] as const
const PICKS = [0.3, 0.5, 0.7] as const
const COLLUDERS = [5, 20, 50] as const
/** How far readers here share the taste of the crowd. */
const TASTES = { "the crowd's": 1, 'half their own': 0.6 } as const
/** This share of papers loses its upvotes where it is measured what votes do for papers that no source counts. */
const HIDDEN = 0.3
/** What such a paper's estimated trend is about. */
const ESTIMATED = 0.1
/** A day with fewer papers has no meaningful order. */
const MIN_PAPERS = 5

/** What a weight changes against none, digest by digest or day by day. */
export interface Change {
  /** nDCG@10 of the morning's order against settled upvotes. */
  settled: Estimate
  /** Utility nDCG@10 of weekly digests, by settled upvotes, and by the taste of the readers here. */
  utility: Estimate
  here: Estimate
}

interface Setting {
  voters: number
  taste: string
  weight: number
}

export interface CollusionRow {
  colluders: number
  /** Honest voters beside them. */
  honest: number
  /** Of papers below the middle: places gained in the order of their day, on average and at most, of how many on average. */
  places: number
  mostPlaces: number
  ofPlaces: number
  /** How many of them came first of their day. */
  first: number
  /** The share of them that readers of what trends would get, before and after. */
  trending: [before: number, after: number]
  /** Of the subscribers whom the paper fits, the share who have it first in that day's digest, before and after. */
  firstForReaders: [before: number, after: number]
  /** Subscribers whom it does not fit who got it; must be 0. */
  misfits: number
}

export interface VotesResult {
  votes: (Setting & Change)[]
  /** Of papers that no source counts, nDCG@10 of the morning's order where they are 30 % of the papers. */
  uncounted: (Setting & { settled: Estimate })[]
  picks: (Omit<Setting, 'voters'> & Change)[]
  collusion: CollusionRow[]
}

type TrendOf = (paper: SettledPaper) => Trend
type Votes = ReadonlyMap<string, number>

const NOTHING: Votes = new Map()
const sourceTrend: TrendOf = ({ trend }) => trend

const difference = (after: readonly number[], before: readonly number[]): Estimate =>
  estimate(after.map((value, at) => value - (before[at] ?? 0)))

/** By list day the votes of the papers of the days before and its own that have any. */
const voteCountsByDay = (days: readonly (readonly SettledPaper[])[], votes: Votes): Map<string, number[]> =>
  new Map(
    days.map((papers, at) => [
      papers[0]?.listDay ?? '',
      days
        .slice(Math.max(0, at + 1 - TREND_LIST_DAYS), at + 1)
        .flat()
        .flatMap(({ id }) => votes.get(id) ?? []),
    ]),
  )

const lifted = (
  days: readonly (readonly SettledPaper[])[],
  { votes = NOTHING, picks = new Set() }: { votes?: Votes; picks?: ReadonlySet<string> },
  weights: typeof LIFTS,
  isCounted: (paper: SettledPaper) => boolean = () => true,
): TrendOf => {
  const lifts = new Map([...voteCountsByDay(days, votes)].map(([day, counts]) => [day, createLift(counts, weights)]))
  return (paper) => {
    const counts = isCounted(paper)
    const trend = counts ? paper.trend : { percentile: ESTIMATED, topPercent: null }
    const endorsement = { votes: votes.get(paper.id) ?? 0, picked: picks.has(paper.id) }
    return lifts.get(paper.listDay)?.(trend, endorsement, counts) ?? trend
  }
}

/** Of each day with enough papers nDCG@10 of the order by trend. */
const orderDays = (days: readonly (readonly SettledPaper[])[], trendOf: TrendOf): number[] =>
  days
    .filter(({ length }) => length >= MIN_PAPERS)
    .map((papers) => ndcgByScore(papers.map((paper) => ({ score: liftedTrend(trendOf(paper)), gain: paper.settled }))))

/** Of each subscriber and week with anything for them, the utility of the digest. */
const composeWeeks = (
  weeks: readonly (readonly SettledPaper[])[],
  subscribers: readonly string[][],
  trendOf: TrendOf,
  countOfs: readonly ((paper: SettledPaper) => number)[],
): number[][] => {
  const utilities: number[][] = countOfs.map(() => [])
  const ranked = weeks.map((papers) => papers.map((paper) => ({ ...paper, trend: trendOf(paper) })))
  for (const topics of subscribers)
    for (const papers of ranked) {
      if (!papers.some((paper) => gradeFor(paper, topics) > 0)) continue
      const chosen = selectPapers(rankPapers(papers, topics), topics, CUTOFF)
      for (const [at, countOf] of countOfs.entries()) {
        const worthOf = (paper: SettledPaper) => gainOf(gradeFor(paper, topics)) * Math.log2(2 + countOf(paper))
        utilities[at]?.push(
          ndcg(
            chosen.map(({ paper }) => worthOf(paper)),
            papers.map(worthOf),
          ),
        )
      }
    }
  return utilities
}

/** How a trend compares with that of the sources alone. */
const createComparison = (days: readonly SettledPaper[][], subscribers: readonly string[][], taste: Taste) => {
  const weeks = [...Map.groupBy(days.flat(), ({ week }) => week).values()]
  const measure = (trendOf: TrendOf) => ({
    settled: orderDays(days, trendOf),
    utilities: composeWeeks(weeks, subscribers, trendOf, [({ settled }) => settled, taste.countOf]),
  })
  const before = measure(sourceTrend)
  return (trendOf: TrendOf): Change => {
    const after = measure(trendOf)
    return {
      settled: difference(after.settled, before.settled),
      utility: difference(after.utilities[0] ?? [], before.utilities[0] ?? []),
      here: difference(after.utilities[1] ?? [], before.utilities[1] ?? []),
    }
  }
}

/** Lets colluders vote for one paper below the middle after another. */
const studyCollusion = (
  days: readonly SettledPaper[][],
  subscribers: readonly string[][],
  honest: { voters: number; votes: Votes },
  colluders: number,
): CollusionRow => {
  const row = { places: [] as number[], of: [] as number[], first: 0, misfits: 0 }
  const trending: number[][] = [[], []]
  const firstFor: number[][] = [[], []]
  for (const [at, papers] of days.entries()) {
    const target = papers.find(({ trend, relevance }) => trend.percentile < 0.5 && relevance.length > 0)
    if (target === undefined || papers.length < MIN_PAPERS) continue
    const votes = new Map([...honest.votes, [target.id, (honest.votes.get(target.id) ?? 0) + colluders]])
    const peers = days.slice(0, at + 1)
    const orders = [honest.votes, votes].map((some) => {
      const trendOf = lifted(peers, { votes: some }, LIFTS)
      return papers.map((paper) => ({
        ...paper,
        trend: trendOf(paper),
        votes: some.get(paper.id) ?? 0,
        relevance: [...paper.relevance],
      }))
    })
    const placeIn = (order: readonly JudgedCandidate[] = []): number => {
      const own = order.find(({ id }) => id === target.id)
      return own === undefined ? 0 : 1 + order.filter(({ trend }) => liftedTrend(trend) > liftedTrend(own.trend)).length
    }
    const [before, after] = [placeIn(orders[0]), placeIn(orders[1])]
    row.places.push(before - after)
    row.of.push(papers.length)
    row.first += Number(after === 1)
    for (const [n, order] of orders.entries()) {
      const own = markTrending(order).find(({ id }) => id === target.id)
      trending[n]?.push(Number(own?.relevance.some(({ topic }) => topic === TRENDING)))
    }
    for (const topics of subscribers) {
      const fits = target.relevance.some(({ topic }) => topics.includes(topic))
      for (const [n, order] of orders.entries()) {
        const chosen = selectPapers(rankPapers(order, topics), topics, CUTOFF)
        const isFirst = chosen[0]?.paper.id === target.id
        if (fits) firstFor[n]?.push(Number(isFirst))
        else row.misfits += chosen.filter(({ paper }) => paper.id === target.id).length
      }
    }
  }
  return {
    colluders,
    honest: honest.voters,
    places: mean(row.places),
    mostPlaces: Math.max(0, ...row.places),
    ofPlaces: mean(row.of),
    first: row.first,
    trending: [mean(trending[0] ?? []), mean(trending[1] ?? [])],
    firstForReaders: [mean(firstFor[0] ?? []), mean(firstFor[1] ?? [])],
    misfits: row.misfits,
  }
}

/** Measured on judged papers with settled upvotes and a count of the morning; `null` where there is none. */
export const studyVotes = (papers: readonly JudgedCandidate[]): VotesResult | null => {
  const known = papers.filter(
    (paper): paper is SettledPaper => paper.grades !== null && paper.settled !== null && paper.upvotes !== null,
  )
  if (known.length === 0) return null
  const days = [...Map.groupBy(known, ({ listDay }) => listDay)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, of]) => of)
  const subscribers = simulateSubscribers(
    DEFAULT_TOPICS.all.map(({ slug }) => slug),
    SUBSCRIBERS,
  )
  const random = createRandom(5)
  const hidden = new Set(known.filter(() => random() < HIDDEN).map(({ id }) => id))
  const isCounted = ({ id }: SettledPaper): boolean => !hidden.has(id)
  const result: VotesResult = { votes: [], uncounted: [], picks: [], collusion: [] }
  const honest: { voters: number; votes: Votes }[] = [{ voters: 0, votes: NOTHING }]
  for (const [name, shared] of Object.entries(TASTES)) {
    const taste = createTaste(known, shared)
    const compare = createComparison(days, subscribers, taste)
    for (const voters of VOTERS) {
      const votes = simulateVotes(days, voters, taste)
      if (shared === 1) honest.push({ voters, votes })
      for (const counted of COUNTED)
        result.votes.push({
          ...{ voters, taste: name, weight: counted },
          ...compare(lifted(days, { votes }, { ...LIFTS, counted })),
        })
      const unlifted = orderDays(days, lifted(days, {}, LIFTS, isCounted))
      for (const uncounted of UNCOUNTED) {
        const after = orderDays(days, lifted(days, { votes }, { ...LIFTS, uncounted }, isCounted))
        result.uncounted.push({ voters, taste: name, weight: uncounted, settled: difference(after, unlifted) })
      }
    }
    const picks = simulatePicks(days, taste)
    for (const pick of PICKS)
      result.picks.push({ taste: name, weight: pick, ...compare(lifted(days, { picks }, { ...LIFTS, pick })) })
  }
  for (const some of honest)
    for (const colluders of COLLUDERS) result.collusion.push(studyCollusion(days, subscribers, some, colluders))
  return result
}
