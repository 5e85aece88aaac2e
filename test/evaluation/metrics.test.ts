import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/core/relevance/regression.ts'
import { estimate, gainOf, mean, ndcg, ndcgByScore } from './metrics.ts'

const discounts = Array.from({ length: 10 }, (_, place) => 1 / Math.log2(place + 2))

describe('nDCG@10', () => {
  it('is 1 for a perfect order', () => {
    const gains = fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }).filter((all) => all.some((gain) => gain > 0))
    fc.assert(
      fc.property(gains, (all) => {
        expect(ndcg(all.toSorted((a, b) => b - a))).toBe(1)
        expect(ndcgByScore(all.map((gain) => ({ score: gain, gain })))).toBeCloseTo(1, 12)
      }),
    )
  })

  it('is the value calculated by hand for three papers', () => {
    // Order: relevant (1), nothing (0), squarely (3); the best order has 3 first and 1 second.
    const got = 1 / Math.log2(2) + 0 + 3 / Math.log2(4)
    const best = 3 / Math.log2(2) + 1 / Math.log2(3)
    expect(ndcg([1, 0, 3])).toBeCloseTo(got / best, 12)
    expect(ndcg([1, 0, 3])).toBeCloseTo(0.6885, 4)
  })

  it('counts ten places only, and what could have stood there', () => {
    expect(ndcg([...new Array<number>(10).fill(0), 3])).toBe(0)
    expect(ndcg([1], [1, 3])).toBeCloseTo(1 / (3 + 1 / Math.log2(3)), 12)
    expect(ndcg([0, 0])).toBe(0)
    expect(ndcg([])).toBe(0)
  })

  it('gives a random order what chance would', () => {
    const grades = Array.from({ length: 60 }, (_, at) => (at < 4 ? 2 : at < 10 ? 1 : 0))
    const gains = grades.map(gainOf)
    const random = createRandom(5)
    const rounds = Array.from({ length: 4_000 }, () => ndcgByScore(gains.map((gain) => ({ score: random(), gain }))))
    const best = gains.toSorted((a, b) => b - a)
    const chance =
      discounts.reduce((sum, discount) => sum + discount * mean(gains), 0) /
      discounts.reduce((sum, discount, place) => sum + discount * (best[place] ?? 0), 0)
    expect(Math.abs(mean(rounds) - chance)).toBeLessThan(0.01)
    // Scores that are all equal say nothing, whatever order the papers come in.
    expect(ndcgByScore(gains.map((gain) => ({ score: 0, gain })))).toBeCloseTo(chance, 12)
  })

  it('does not depend on the order of the input', () => {
    const items = fc.array(fc.record({ score: fc.nat(3), gain: fc.nat(3) }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(items, (all) => {
        expect(ndcgByScore(all.toReversed())).toBeCloseTo(ndcgByScore(all), 12)
      }),
    )
  })
})

describe('an estimate', () => {
  it('holds the mean within its interval, the narrower the more values there are', () => {
    const random = createRandom(3)
    const few = estimate(Array.from({ length: 20 }, random))
    const many = estimate(Array.from({ length: 2_000 }, random))
    for (const { mean, ci } of [few, many]) {
      expect(ci?.[0]).toBeLessThan(mean ?? 0)
      expect(ci?.[1]).toBeGreaterThan(mean ?? 1)
    }
    const width = ({ ci }: typeof few): number => (ci?.[1] ?? 0) - (ci?.[0] ?? 0)
    // 1.96 standard errors to either side, of numbers spread evenly from 0 to 1.
    expect(width(many)).toBeCloseTo((2 * 1.96) / Math.sqrt(12 * 2_000), 2)
    expect(width(many)).toBeLessThan(width(few) / 5)
  })

  it('is the same each time, and null for no values', () => {
    expect(estimate([1, 2, 5])).toEqual(estimate([1, 2, 5]))
    expect(estimate([])).toEqual({ mean: null, ci: null })
  })
})
