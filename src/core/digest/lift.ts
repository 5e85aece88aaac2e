/** How far votes of readers here, and picks of curators, lift the trend of a paper. */
import { midRank, type Trend } from './trend.ts'

/**
 * The most that votes take of what a trend lacks to 1, by whether a source counts the paper's upvotes, and what a pick takes.
 * From `npm run eval` (503 papers of April and May 2026; readers and curators are simulated, so the figures compare weights
 * and promise nothing), as changes of nDCG@10 with 500 who vote for a third of their digests:
 *
 * `counted`: where half of the readers' taste is their own, 0.3 adds 0.002 [0.002, 0.003] to what digests are worth to
 * readers here and takes 0.002 [0.001, 0.002] by settled upvotes; where they share the crowd's taste both differ by less than
 * 0.001, and so they do with 50 voters or 5. A weight of 0.5 adds 0.005, but then 50 who collude bring a paper from below the
 * middle of its day among those that trend in half of all cases. With 0.3 it is one in eight; they gain it 3 places of 20, at
 * most 11, never the first, and no reader whom it does not fit.
 *
 * `uncounted`: with 30 % of the papers without upvotes 0.7 adds 0.04 to 0.05 to the order of the morning against settled
 * upvotes, with 50 voters 0.008 to 0.009; 0.3 half of that or less. 0.9 adds more, but five votes in a quiet place would
 * nearly bring such a paper among those that trend; with 0.7 twenty do, to their end.
 *
 * `pick`: of one paper a day, by a curator who is half sure what readers like, 0.5 adds 0.001 [0.000, 0.002] where the taste
 * is their own and 0.0003 where it is not; 0.7 takes 0.016 of the order of the morning.
 */
export const LIFTS = { counted: 0.3, uncounted: 0.7, pick: 0.5 }

/** So many votes count half of what the rank among votes alone would: one or two prove little, however few others have. */
const HALF = 3

/** What is known here of a paper. */
export interface Endorsement {
  votes: number
  /** Whether a curator picked or pinned it. */
  picked: boolean
}

/**
 * Lifts trends by votes and picks; `voteCounts` are those of all papers of the last `TREND_LIST_DAYS` list days that have
 * any, in any order. Each takes a share of what the trend lacks to 1, so that nothing passes the most upvoted, and a paper
 * without votes loses nothing: only what was in a digest is voted for. `isCounted`: whether a source counts its upvotes.
 */
export const createLift = (
  voteCounts: readonly number[],
  { counted, uncounted, pick } = LIFTS,
): ((trend: Trend, endorsement: Endorsement, isCounted: boolean) => Trend) => {
  const sorted = voteCounts.toSorted((a, b) => a - b)
  return (trend, { votes, picked }, isCounted) => {
    if (votes === 0 && !picked) return trend
    const standing = votes === 0 ? 0 : midRank(sorted, votes) * (votes / (votes + HALF))
    const weight = isCounted ? counted : uncounted
    const left = (1 - weight * standing) * (picked ? 1 - pick : 1)
    return { ...trend, lift: (1 - trend.percentile) * (1 - left) }
  }
}
