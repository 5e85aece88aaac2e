/** Metrics: how good an order is (nDCG@10), and the confidence interval of a mean. */
import { createRandom } from '../../src/core/relevance/regression.ts'

/** How many places of an order count. */
export const CUTOFF = 10

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** The gain of a paper by its grade: 3 for one squarely about the topic, 1 for a relevant one, else nothing. */
export const gainOf = (grade: number): number => 2 ** grade - 1

/** Gains in the order of the places, each worth less the later it comes. */
const discounted = (gains: readonly number[]): number =>
  gains.slice(0, CUTOFF).reduce((sum, gain, place) => sum + gain / Math.log2(place + 2), 0)

/**
 * nDCG@10 (Järvelin and Kekäläinen, TOIS 2002): 1 for the best order there could be, 0 where nothing worth anything is
 * among the first ten. `gains` are in the order to be judged; `all` are those of everything that could have been chosen.
 */
export const ndcg = (gains: readonly number[], all: readonly number[] = gains): number => {
  const best = discounted(all.toSorted((a, b) => b - a))
  return best === 0 ? 0 : discounted(gains) / best
}

/** nDCG@10 of an order by score. Equal scores share what their places are worth, so that no order of input helps. */
export const ndcgByScore = (items: readonly { score: number; gain: number }[]): number => {
  const groups = Map.groupBy(items, ({ score }) => score)
  const gains = [...groups]
    .sort(([a], [b]) => b - a)
    .flatMap(([, group]) => {
      const shared = mean(group.map(({ gain }) => gain))
      return group.map(() => shared)
    })
  return ndcg(
    gains,
    items.map(({ gain }) => gain),
  )
}

/** A mean with its 95 % interval, both `null` where there is nothing to take it of. */
export interface Estimate {
  mean: number | null
  ci: readonly [number, number] | null
}

const ROUNDS = 1_000

/** The mean of values, and its 95 % interval by bootstrap (1,000 resamples, percentiles); the same values and seed give the same interval. */
export const estimate = (values: readonly number[], seed = 1): Estimate => {
  if (values.length === 0) return { mean: null, ci: null }
  const random = createRandom(seed)
  const means = Array.from({ length: ROUNDS }, () => {
    let sum = 0
    for (let draw = 0; draw < values.length; draw++) sum += values[Math.floor(random() * values.length)] ?? 0
    return sum / values.length
  }).sort((a, b) => a - b)
  return { mean: mean(values), ci: [means[Math.floor(ROUNDS * 0.025)] ?? 0, means[Math.floor(ROUNDS * 0.975)] ?? 0] }
}
