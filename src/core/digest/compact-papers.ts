/** Which papers of a digest are shown in short, at its end: those that are about their topic only in part. */
import { kindOfInterest } from './interests.ts'
import type { Rankable, RankedPaper } from './ranking.ts'

/**
 * Papers that are less likely squarely about their topic are shown in short, and from the other share on those of few
 * upvotes as well. Of 1,360 pairs of April and May 2026, scored by a model that had not seen them, 341 lie below the first:
 * of these 38 % are squarely about the topic and 21 % not at all, of those above 83 % and 3 %.
 */
export const LEAST_IN_FULL = 0.55
const LEAST_UNVOTED = 0.7
const FEW_UPVOTES = 2
/** So many of the best stay whatever they have: a digest of nothing but titles would be none. */
const STAY = 1

/** Whether a keyword or an author of the reader's own is in the paper. */
const isOwn = ({ relevance }: Rankable): boolean =>
  relevance.some(({ topic }) => ['keyword', 'author'].includes(kindOfInterest(topic)))

/** The papers of a digest that are shown in short, of papers in its order. No source's count of upvotes is as good as none. */
export const selectCompact = <P extends Rankable>(chosen: readonly RankedPaper<P>[]): ReadonlySet<P> => {
  const isCompact = ({ paper, squarely }: RankedPaper<P>): boolean => {
    const isUnvoted = (paper.upvotes ?? 0) + (paper.votes ?? 0) <= FEW_UPVOTES
    return squarely < (isUnvoted ? LEAST_UNVOTED : LEAST_IN_FULL) && !isOwn(paper) && paper.picked !== true
  }
  const full = chosen.filter((one) => !isCompact(one))
  const compact = chosen.filter(isCompact)
  const best = compact.toSorted((a, b) => b.squarely - a.squarely).slice(0, Math.max(0, STAY - full.length))
  return new Set(compact.filter((one) => !best.includes(one)).map(({ paper }) => paper))
}
