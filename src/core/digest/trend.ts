/** How a paper's upvotes compare with those of other papers when they were as old. */

/** With how many list days a paper is compared. */
export const TREND_LIST_DAYS = 28

/** Hours since the first sighting at which one age ends and the next begins; the last age has no end. */
export const AGE_BUCKETS: readonly number[] = [6, 12, 24, 48]

/** Papers of an age that make a rank; where there are fewer, those a little older or younger join them. */
const ENOUGH_TO_RANK = 30
/** Papers that make a claim about "the month": some ten list days of it at least, else it would speak of a few days. */
const ENOUGH_TO_CLAIM = 200
/** "Top 40 %" is no reason to read anything. */
const LAST_CLAIM = 30

export interface Trend {
  /** 0 to 1: the share of peers with fewer upvotes, and half of those with as many (mid-rank); 0 without counts. */
  percentile: number
  /**
   * At most this share of the peers, the paper among them, has as many upvotes or more, in percent from 1 to 30; `null`
   * where too little is known to say so, or where it would be no praise.
   */
  topPercent: number | null
  /** How far votes and picks of this site raise it for the ranking (`lift`); absent where there are none. */
  lift?: number
}

/** The trend as the ranking sees it, 0 to 1. */
export const liftedTrend = ({ percentile, lift = 0 }: Trend): number => percentile + lift

interface UpvotesAtAge {
  paperId: string
  ageHours: number
  upvotes: number
}

const bucketOf = (ageHours: number): number => {
  const at = AGE_BUCKETS.findIndex((end) => ageHours < end)
  return at === -1 ? AGE_BUCKETS.length : at
}

/** How many of ascending numbers are smaller than `value`, or with `orEqual` not greater. */
const countBelow = (sorted: readonly number[], value: number, orEqual: boolean): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const one = sorted[middle] ?? 0
    if (one < value || (orEqual && one === value)) low = middle + 1
    else high = middle
  }
  return low
}

/** The share of ascending numbers that are smaller than `value`, and half of those as great; 0 where there are none. */
export const midRank = (sorted: readonly number[], value: number): number =>
  sorted.length === 0 ? 0 : (countBelow(sorted, value, false) + countBelow(sorted, value, true)) / (2 * sorted.length)

/** Ascending upvotes of papers of one age, joined one age after another until there are enough. */
const poolOf = (ages: ReadonlyMap<string, number>[], order: number[], enough: number): number[] => {
  const pool = new Map<string, number>()
  for (const at of order) {
    if (pool.size >= enough) break
    // One count a paper: that of the nearest age.
    for (const [paperId, upvotes] of ages[at] ?? []) if (!pool.has(paperId)) pool.set(paperId, upvotes)
  }
  return [...pool.values()].sort((a, b) => a - b)
}

/**
 * The trend of papers against a history: one count for each paper and age, of the last `TREND_LIST_DAYS` list days and
 * with the judged papers among them. Because only counts at the same age since first seen are compared, a paper of this
 * morning has the chances of one of yesterday, and a slow day those of a busy one.
 */
export const createTrend = (
  history: readonly UpvotesAtAge[],
): ((ageHours: number, upvotes: number | null) => Trend) => {
  const ages = Array.from({ length: AGE_BUCKETS.length + 1 }, () => new Map<string, number>())
  for (const { paperId, ageHours, upvotes } of history) ages[bucketOf(ageHours)]?.set(paperId, upvotes)
  const pools = ages.map((_, age) => {
    const others = ages.map((_, at) => at).filter((at) => at !== age)
    // Of two neighbours the older first: a paper held against older ones has too low a rank, never too high a one.
    const nearest = others.toSorted((a, b) => Math.abs(a - age) - Math.abs(b - age) || b - a)
    const older = others.filter((at) => at > age)
    return {
      ranked: poolOf(ages, [age, ...nearest], ENOUGH_TO_RANK),
      claimed: poolOf(ages, [age, ...older], ENOUGH_TO_CLAIM),
    }
  })
  return (ageHours, upvotes) => {
    const pool = pools[bucketOf(ageHours)]
    if (upvotes === null || pool === undefined) return { percentile: 0, topPercent: null }
    const { ranked, claimed } = pool
    const percentile = midRank(ranked, upvotes)
    if (claimed.length < ENOUGH_TO_CLAIM) return { percentile, topPercent: null }
    // A count that no peer has is of a paper outside the history: it joins its peers, so that nothing is "top 0 %".
    const atLeast = claimed.length - countBelow(claimed, upvotes, false)
    const joins = countBelow(claimed, upvotes, true) === claimed.length - atLeast ? 1 : 0
    const topPercent = Math.ceil((100 * (atLeast + joins)) / (claimed.length + joins))
    return { percentile, topPercent: topPercent <= LAST_CLAIM ? topPercent : null }
  }
}

/** How far freshness and breadth, which are no popularity, may lift a paper: as far as the least upvoted fifth. */
const LIFT = { fresh: 0.1, broad: 0.1 }
/** Hours after which a paper is no longer fresh, and categories beyond which it is no broader. */
const FRESH = 72
const BROAD = 4

/**
 * Stands in for the trend of a paper whose upvotes no source counts, such as one of arXiv alone: by how new it is and to
 * how many categories it was announced. It claims no rank; the paper has a trend once Hugging Face lists it.
 */
export const estimateTrend = ({ ageHours, categories }: { ageHours: number; categories: number }): Trend => {
  const fresh = Math.min(1, Math.max(0, 1 - ageHours / FRESH))
  const broad = Math.min(1, Math.max(0, (categories - 1) / (BROAD - 1)))
  return { percentile: LIFT.fresh * fresh + LIFT.broad * broad, topPercent: null }
}
