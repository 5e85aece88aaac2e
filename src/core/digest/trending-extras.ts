/** Trending extras: a few papers from outside a reader's topics, in a section of their own, when these brought few. */
import type { Rankable } from './ranking.ts'

const MOST_EXTRAS = 3
/** Only what stands in the upper tenth of its peers is worth leaving one's topics for. */
const LEAST_PERCENTILE = 0.9

/** Whether a paper may be one of them, whatever its readers follow. */
export const mayBeExtra = ({ upvotes, trend }: Rankable): boolean =>
  upvotes !== null && upvotes > 0 && trend.percentile >= LEAST_PERCENTILE

/**
 * At most three papers by their trend alone, the highest first, out of those that are neither chosen already nor say
 * nearly the same as one that is.
 */
export const selectTrendingExtras = <P extends Rankable>(
  papers: readonly P[],
  taken: readonly P[],
  isAlike: (id: string, other: string) => boolean,
): P[] => {
  const all = [...taken]
  const trending = papers
    .filter(mayBeExtra)
    .sort(
      (a, b) =>
        b.trend.percentile - a.trend.percentile || (b.upvotes ?? 0) - (a.upvotes ?? 0) || (a.id < b.id ? -1 : 1),
    )
  for (const paper of trending) {
    if (all.length >= taken.length + MOST_EXTRAS) break
    if (!all.some(({ id }) => id === paper.id || isAlike(id, paper.id))) all.push(paper)
  }
  return all.slice(taken.length)
}
