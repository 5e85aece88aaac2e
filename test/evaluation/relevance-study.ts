/** Measures relevance: the order of each week's papers for each topic, and which of them pass the gate. */
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import type { EvaluatedPaper } from './judged-papers.ts'
import { type Estimate, estimate, gainOf, mean, ndcgByScore } from './metrics.ts'

/** A method's scores: by paper (in their order), then by topic (in the order of `DEFAULT_TOPICS.all`). Higher is better. */
export type Scores = readonly ArrayLike<number>[]

/** Fewer relevant papers make no order. */
const MIN_RELEVANT = 2
/** A topic with fewer relevant papers in all is not reported as the weakest. */
const ENOUGH_JUDGED = 5

/** The order of one topic's papers in one week. */
export interface Cell {
  topic: string
  week: string
  relevant: number
  ndcg10: number
  /** Of the first five the share squarely about the topic, as a share of what could be; `null` where no paper is. */
  squarely5: number | null
}

/** How many papers lead a digest. */
const LEADING = 5

const squarelyLeading = (items: readonly { score: number; gain: number }[]): number | null => {
  const squarely = items.filter(({ gain }) => gain === gainOf(2)).length
  const leading = items.toSorted((a, b) => b.score - a.score).slice(0, LEADING)
  return squarely === 0 ? null : leading.filter(({ gain }) => gain === gainOf(2)).length / Math.min(LEADING, squarely)
}

/** A cell for every topic and ISO week with two or more relevant papers among those judged. */
export const cellsOf = (papers: readonly EvaluatedPaper[], scores: Scores): Cell[] => {
  const weeks = Map.groupBy(papers.keys(), (at) => (papers[at]?.grades == null ? '' : papers[at].week))
  weeks.delete('')
  return DEFAULT_TOPICS.all.flatMap(({ slug }, topic) =>
    [...weeks].flatMap(([week, members]) => {
      const items = members.map((at) => ({
        score: scores[at]?.[topic] ?? 0,
        gain: gainOf(papers[at]?.grades?.[slug] ?? 0),
      }))
      const relevant = items.filter(({ gain }) => gain > 0).length
      return relevant < MIN_RELEVANT
        ? []
        : [{ topic: slug, week, relevant, ndcg10: ndcgByScore(items), squarely5: squarelyLeading(items) }]
    }),
  )
}

export interface RelevanceResult {
  /** Mean over cells, and its 95 % interval; `null` without cells. */
  ndcg10: number | null
  ci: Estimate['ci']
  /** Mean of the cells' `squarely5`, and its 95 % interval; `null` without any. */
  squarely5: number | null
  squarely5Ci: Estimate['ci']
  cells: number
  /** Mean over a topic's cells; topics without cells are absent. */
  byTopic: Record<string, number>
  /** The topic with the lowest mean among those with five or more relevant papers; `null` without cells. */
  weakest: { topic: string; ndcg10: number } | null
}

export const studyRelevance = (papers: readonly EvaluatedPaper[], scores: Scores): RelevanceResult => {
  const cells = cellsOf(papers, scores)
  const byTopic = Object.fromEntries(
    [...Map.groupBy(cells, ({ topic }) => topic)].map(([topic, ofTopic]) => [
      topic,
      mean(ofTopic.map(({ ndcg10 }) => ndcg10)),
    ]),
  )
  const judged = (topic: string): number => papers.filter(({ grades }) => (grades?.[topic] ?? 0) > 0).length
  const [weakest = null] = Object.entries(byTopic)
    .filter(([topic]) => judged(topic) >= ENOUGH_JUDGED)
    .map(([topic, ndcg10]) => ({ topic, ndcg10 }))
    .sort((a, b) => a.ndcg10 - b.ndcg10)
  const { mean: ndcg10, ci } = estimate(cells.map((cell) => cell.ndcg10))
  const squarely = estimate(cells.flatMap(({ squarely5 }) => squarely5 ?? []))
  return { ndcg10, ci, squarely5: squarely.mean, squarely5Ci: squarely.ci, cells: cells.length, byTopic, weakest }
}

export interface GateResult {
  gate: number
  /** Of the pairs of paper and topic that pass, the share that is relevant, and of the relevant pairs the share that passes. */
  precision: number | null
  precisionCi: Estimate['ci']
  recall: number | null
  recallCi: Estimate['ci']
  /** Pairs that pass, a paper in the mean. */
  topicsPerPaper: number
  /** Mean of (probability − relevant)²: 0 is best; what a constant would get is `brierOfConstant`. */
  brier: number
  brierOfConstant: number
  byTopic: Record<string, TopicGate>
}

export interface TopicGate {
  relevant: number
  /** How many would be relevant if each score were its probability. */
  expected: number
  passed: number
  precision: number | null
  /** The precision that the scores of those passing promise: their mean. */
  promised: number | null
  recall: number | null
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** Measures who passes the gate, over all pairs of a judged paper and a topic. */
export const studyGate = (papers: readonly EvaluatedPaper[], scores: Scores, gate: number): GateResult | null => {
  const pairs = papers.flatMap(({ grades }, at) =>
    grades === null
      ? []
      : DEFAULT_TOPICS.all.map(({ slug }, topic) => {
          const score = scores[at]?.[topic] ?? 0
          return { topic: slug, score, passes: score >= gate, relevant: (grades[slug] ?? 0) > 0 }
        }),
  )
  if (pairs.length === 0) return null
  const passed = pairs.filter(({ passes }) => passes)
  const relevant = pairs.filter((pair) => pair.relevant)
  const precision = estimate(passed.map((pair) => Number(pair.relevant)))
  const recall = estimate(relevant.map(({ passes }) => Number(passes)))
  const share = relevant.length / pairs.length
  return {
    gate,
    precision: precision.mean,
    precisionCi: precision.ci,
    recall: recall.mean,
    recallCi: recall.ci,
    topicsPerPaper: passed.length / (pairs.length / DEFAULT_TOPICS.all.length),
    brier: mean(pairs.map((pair) => (pair.score - Number(pair.relevant)) ** 2)),
    brierOfConstant: share * (1 - share),
    byTopic: Object.fromEntries(
      [...Map.groupBy(pairs, ({ topic }) => topic)].map(([topic, ofTopic]) => {
        const passing = ofTopic.filter(({ passes }) => passes)
        const wanted = ofTopic.filter((pair) => pair.relevant)
        const hits = passing.filter((pair) => pair.relevant).length
        return [
          topic,
          {
            relevant: wanted.length,
            expected: ofTopic.reduce((sum, { score }) => sum + score, 0),
            passed: passing.length,
            precision: ratio(hits, passing.length),
            promised: ratio(
              passing.reduce((sum, { score }) => sum + score, 0),
              passing.length,
            ),
            recall: ratio(hits, wanted.length),
          },
        ]
      }),
    ),
  }
}
