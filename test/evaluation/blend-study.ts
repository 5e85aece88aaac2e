/** Measures the blend: what weekly digests of simulated subscribers are worth to them, by several methods of choosing. */

import { type Rankable, rankPapers, selectPapers } from '../../src/core/digest/ranking.ts'
import { GATE } from '../../src/core/relevance/gate.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import type { EvaluatedPaper } from './judged-papers.ts'
import { CUTOFF, type Estimate, estimate, gainOf, ndcg } from './metrics.ts'
import { simulateSubscribers } from './subscribers.ts'

/** A paper as the ranking sees it, with what is known afterwards. */
export type JudgedCandidate = Rankable & Pick<EvaluatedPaper, 'listDay' | 'week' | 'grades' | 'settled'>

const SUBSCRIBERS = 200
/** The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009). */
const RRF = 60

/** A paper's relevance to a subscriber's topics, and its trend. */
interface Standing {
  paper: JudgedCandidate
  relevance: number
  trend: number
}

type Method = (papers: readonly Standing[], topics: readonly string[]) => JudgedCandidate[]

const byScore =
  (scoreOf: (one: Standing, all: readonly Standing[]) => number): Method =>
  (papers) =>
    papers
      .map((one) => ({ one, score: scoreOf(one, papers) }))
      .sort((a, b) => b.score - a.score || (a.one.paper.id < b.one.paper.id ? -1 : 1))
      .slice(0, CUTOFF)
      .map(({ one }) => one.paper)

const fused: Method = (papers, topics) => {
  const rankBy = (worthBy: (one: Standing) => number): Map<string, number> =>
    new Map(papers.toSorted((a, b) => worthBy(b) - worthBy(a)).map(({ paper }, rank) => [paper.id, rank + 1]))
  const byRelevance = rankBy(({ relevance }) => relevance)
  const byTrend = rankBy(({ trend }) => trend)
  const reciprocal = (ranks: Map<string, number>, id: string): number => 1 / (RRF + (ranks.get(id) ?? papers.length))
  return byScore(({ paper }) => reciprocal(byRelevance, paper.id) + reciprocal(byTrend, paper.id))(papers, topics)
}

/** The method of the service, with any gate. */
const blended =
  (gate: number): Method =>
  (papers, topics) => {
    const ranked = rankPapers(
      papers.map(({ paper }) => paper),
      topics,
      gate,
    )
    return selectPapers(ranked, topics, CUTOFF, gate).map(({ paper }) => paper)
  }

/** `blend` is the method of the service; the others are what it is compared with. */
const METHODS = {
  blend: blended,
  relevance: () => byScore(({ relevance }) => relevance),
  trend: () => byScore(({ trend }) => trend),
  'linear 0.3': () => byScore(({ relevance, trend }) => 0.7 * relevance + 0.3 * trend),
  'linear 0.5': () => byScore(({ relevance, trend }) => 0.5 * relevance + 0.5 * trend),
  rrf: () => fused,
} satisfies Record<string, (gate: number) => Method>

/** A gate that every scored paper passes. */
const NO_GATE = Number.MIN_VALUE

export const gradeFor = ({ grades }: JudgedCandidate, topics: readonly string[]): number =>
  Math.max(0, ...topics.map((topic) => grades?.[topic] ?? 0))

/** Utility of a paper: its relevance times the upvotes that it got in the end. */
const worthOf = (paper: JudgedCandidate, topics: readonly string[]): number =>
  gainOf(gradeFor(paper, topics)) * Math.log2(2 + (paper.settled ?? 0))

export interface BlendRow {
  /** nDCG@10 of digests, with gains relevance × log2(2 + settled upvotes). */
  utility: number | null
  utilityCi: Estimate['ci']
  /** By how much the blend is ahead on utility, digest by digest. */
  behind: number | null
  behindCi: Estimate['ci']
  /** Relevant papers among those chosen. */
  precision: number | null
  precisionCi: Estimate['ci']
  /** Of a subscriber's topics with a relevant paper that week, the share that got one. */
  coverage: number | null
  coverageCi: Estimate['ci']
}

export interface BlendResult {
  /** All methods filling ten places, whatever fits; and "gate, then trend", as keyword filters do. */
  methods: Record<string, BlendRow>
  /** All of them choosing among the papers past the gate only, as digests do: `blend` is what is sent. */
  pastGate: Record<string, BlendRow>
  subscribers: number
  weeks: number
  /** Digests measured: those of weeks with anything relevant to the subscriber. */
  digests: number
}

/** Of each digest its utility and precision, and for each topic with a relevant paper whether it got one. */
interface Measured {
  utility: number[]
  precision: number[]
  coverage: number[]
}

const measure = (
  method: Method,
  gate: number,
  weeks: readonly JudgedCandidate[][],
  subscribers: readonly string[][],
): Measured => {
  const measured: Measured = { utility: [], precision: [], coverage: [] }
  for (const topics of subscribers) {
    for (const papers of weeks) {
      const worths = papers.map((paper) => worthOf(paper, topics))
      if (!worths.some((worth) => worth > 0)) continue
      const standings = papers
        .map((paper) => ({
          paper,
          relevance: Math.max(
            0,
            ...paper.relevance.filter(({ topic }) => topics.includes(topic)).map(({ score }) => score),
          ),
          trend: paper.trend.percentile,
        }))
        .filter(({ relevance }) => relevance >= gate)
      const chosen = method(standings, topics)
      const gains = chosen.map((paper) => worthOf(paper, topics))
      measured.utility.push(ndcg(gains, worths))
      if (chosen.length > 0) measured.precision.push(gains.filter((gain) => gain > 0).length / chosen.length)
      const serves = (among: readonly JudgedCandidate[], topic: string): boolean =>
        among.some(({ grades }) => (grades?.[topic] ?? 0) > 0)
      for (const topic of topics) if (serves(papers, topic)) measured.coverage.push(Number(serves(chosen, topic)))
    }
  }
  return measured
}

const rowOf = ({ utility, precision, coverage }: Measured, blend: Measured): BlendRow => {
  const worth = estimate(utility)
  const behind = estimate(utility.map((value, at) => (blend.utility[at] ?? 0) - value))
  const right = estimate(precision)
  const served = estimate(coverage)
  return {
    utility: worth.mean,
    utilityCi: worth.ci,
    behind: behind.mean,
    behindCi: behind.ci,
    precision: right.mean,
    precisionCi: right.ci,
    coverage: served.mean,
    coverageCi: served.ci,
  }
}

/**
 * Measured on judged papers with settled upvotes; of a week in which any was counted in the morning, on those that were.
 * `null` where there is no such paper.
 */
export const studyBlend = (papers: readonly JudgedCandidate[]): BlendResult | null => {
  const known = papers.filter(({ grades, settled }) => grades !== null && settled !== null)
  const weeks = [...Map.groupBy(known, ({ week }) => week).values()]
    .map((week) =>
      week.some(({ upvotes }) => upvotes !== null) ? week.filter(({ upvotes }) => upvotes !== null) : week,
    )
    .filter((week) => week.length > 0)
  const topics = DEFAULT_TOPICS.all
    .map(({ slug }) => slug)
    .filter((slug) => known.some(({ grades }) => (grades?.[slug] ?? 0) > 0))
  if (weeks.length === 0 || topics.length === 0) return null
  const subscribers = simulateSubscribers(topics, SUBSCRIBERS)
  const measureAll = (gate: number, slotGate: number): Record<string, BlendRow> => {
    const of = (method: (gate: number) => Method): Measured => measure(method(slotGate), gate, weeks, subscribers)
    const blend = of(blended)
    const rows = Object.fromEntries(Object.entries(METHODS).map(([name, method]) => [name, rowOf(of(method), blend)]))
    const gated = measure(METHODS.trend(), GATE, weeks, subscribers)
    return gate === 0 ? { ...rows, 'gate, then trend': rowOf(gated, blend) } : rows
  }
  const digests = subscribers.reduce(
    (sum, chosen) => sum + weeks.filter((week) => week.some((paper) => worthOf(paper, chosen) > 0)).length,
    0,
  )
  return {
    methods: measureAll(0, NO_GATE),
    pastGate: measureAll(GATE, GATE),
    subscribers: SUBSCRIBERS,
    weeks: weeks.length,
    digests,
  }
}
