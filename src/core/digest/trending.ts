/** What trends in all topics, which readers may choose as they choose a topic: which papers do. */
import { TRENDING } from '../subscriber/preferences.ts'
import type { Fit, Rankable } from './ranking.ts'
import { liftedTrend } from './trend.ts'

/**
 * A paper trends with more upvotes than three in five of the month's papers had at its age: that is some ten papers of a list
 * day, as many as a digest has, and little is left for the days on which no list comes.
 */
const LEAST_PERCENTILE = 0.6

/**
 * How much that a paper trends counts beside topics: one that trends most stands beside one that fits a topic well and trends
 * as half of the papers do.
 */
const SCORE = 0.6

const isCounted = ({ upvotes }: Rankable): boolean => upvotes !== null && upvotes > 0

/** A pick is for all who want to see what is going on, however few upvotes there are. */
const trends = (paper: Rankable): boolean =>
  paper.picked === true ||
  ((isCounted(paper) || (paper.votes ?? 0) > 0) && liftedTrend(paper.trend) >= LEAST_PERCENTILE)

/**
 * The papers with what trends among their fits. Where no paper has an upvote, since no source counts them, all do: they then
 * go by how new they are.
 */
export const markTrending = <P extends Rankable & { relevance: Fit[] }>(papers: readonly P[]): P[] => {
  const isKnown = papers.some(isCounted)
  return papers.map((paper) =>
    isKnown && !trends(paper)
      ? paper
      : { ...paper, relevance: [...paper.relevance, { topic: TRENDING, score: SCORE, matches: [] }] },
  )
}
