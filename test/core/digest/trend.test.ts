import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AGE_BUCKETS, createTrend, estimateTrend, TREND_LIST_DAYS } from '../../../src/core/digest/trend.ts'

type History = Parameters<typeof createTrend>[0]

/** One paper for each count, all of one age. */
const papers = (counts: number[], ageHours = 3, prefix = 'p'): History =>
  counts.map((upvotes, at) => ({ paperId: `${prefix}${at}`, ageHours, upvotes }))

const upTo = (most: number): number[] => Array.from({ length: most }, (_, at) => at + 1)

describe('the trend of a paper', () => {
  it('is its mid-rank among papers of the same age', () => {
    const trend = createTrend(papers(upTo(100)))
    expect(trend(3, 1).percentile).toBeCloseTo(0.005)
    expect(trend(3, 50).percentile).toBeCloseTo(0.495)
    expect(trend(3, 100).percentile).toBeCloseTo(0.995)
  })

  it('gives papers with as many upvotes the same rank, in the middle of them', () => {
    const trend = createTrend(papers([...Array<number>(60).fill(0), ...Array<number>(40).fill(7)]))
    expect(trend(3, 0).percentile).toBeCloseTo(0.3)
    expect(trend(3, 7).percentile).toBeCloseTo(0.8)
  })

  it('says nothing of a paper without counts', () => {
    expect(createTrend(papers(upTo(300)))(3, null)).toEqual({ percentile: 0, topPercent: null })
    expect(createTrend([])(3, null)).toEqual({ percentile: 0, topPercent: null })
  })

  it('compares with papers of the same age alone where there are enough', () => {
    const trend = createTrend([
      ...papers(upTo(50), 3, 'young'),
      ...papers(
        upTo(50).map((one) => one * 100),
        60,
        'old',
      ),
    ])
    expect(trend(5, 50).percentile).toBeCloseTo(0.99)
    expect(trend(48, 50).percentile).toBe(0)
  })

  it('adds neighbouring ages where there are too few papers, each paper once', () => {
    const trend = createTrend([
      ...papers([10, 20], 8),
      ...papers(
        upTo(28).map((one) => one + 100),
        14,
        'older',
      ),
      ...papers(
        upTo(500).map(() => 0),
        60,
        'far',
      ),
      ...papers([1, 2], 14),
    ])
    // p0 and p1 count with their own age's 10 and 20, and the far ones are not needed.
    expect(trend(8, 10).percentile).toBeCloseTo(0.5 / 30)
    expect(trend(8, 1000).percentile).toBe(1)
  })

  it('ranks among the few papers there are, and claims nothing', () => {
    const trend = createTrend(papers([1, 5, 9]))
    expect(trend(3, 9)).toEqual({ percentile: 2.5 / 3, topPercent: null })
    expect(createTrend([])(3, 9)).toEqual({ percentile: 0, topPercent: null })
  })

  it('claims a place among the best of the month once there is something like a month', () => {
    expect(createTrend(papers(upTo(199)))(3, 199).topPercent).toBeNull()
    const trend = createTrend(papers(upTo(500)))
    expect(trend(3, 500).topPercent).toBe(1)
    expect(trend(3, 496).topPercent).toBe(1)
    expect(trend(3, 495).topPercent).toBe(2)
    expect(trend(3, 351).topPercent).toBe(30)
    expect(trend(3, 350).topPercent).toBeNull()
  })

  it('claims nothing against younger papers, which have had less time', () => {
    const counts = upTo(300)
    expect(createTrend(papers(counts, 3))(30, 300).topPercent).toBeNull()
    expect(createTrend(papers(counts, 60))(30, 300).topPercent).toBe(1)
  })

  it('counts a paper that is not in the history among its peers', () => {
    expect(createTrend(papers(upTo(200)))(3, 900).topPercent).toBe(1)
  })

  it('has ascending age buckets, as the query of the history needs', () => {
    expect(AGE_BUCKETS).toEqual([6, 12, 24, 48])
    expect(TREND_LIST_DAYS).toBe(28)
  })

  it('never falls with more upvotes, and is true as a statement of the history', () => {
    const history = fc.array(fc.record({ ageHours: fc.constantFrom(0, 5.9, 6, 30, 500), upvotes: fc.nat(60) }), {
      minLength: 0,
      maxLength: 600,
      size: 'max',
    })
    fc.assert(
      fc.property(history, fc.constantFrom(0, 7, 24, 100), (rows, ageHours) => {
        const trend = createTrend(rows.map((row, at) => ({ ...row, paperId: `p${at}` })))
        let before = 0
        for (let upvotes = 0; upvotes <= 60; upvotes += 3) {
          const { percentile, topPercent } = trend(ageHours, upvotes)
          expect(percentile).toBeGreaterThanOrEqual(before)
          expect(percentile).toBeLessThanOrEqual(1)
          before = percentile
          if (topPercent !== null) {
            expect(topPercent).toBeGreaterThanOrEqual(1)
            expect(topPercent).toBeLessThanOrEqual(30)
          }
        }
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.nat(80), { minLength: 200, maxLength: 500, size: 'max' }), fc.nat(), (counts, pick) => {
        const own = counts[pick % counts.length] ?? 0
        const { topPercent } = createTrend(papers(counts))(3, own)
        const share = (100 * counts.filter((count) => count >= own).length) / counts.length
        if (topPercent === null) expect(share).toBeGreaterThan(30)
        else expect(share).toBeLessThanOrEqual(topPercent)
      }),
    )
  })
})

describe('the estimated trend of a paper that no source counts', () => {
  it('is higher for a newer one and for one in more categories', () => {
    const at = (ageHours: number, categories: number) => estimateTrend({ ageHours, categories }).percentile
    expect(at(1, 1)).toBeGreaterThan(at(30, 1))
    expect(at(1, 3)).toBeGreaterThan(at(1, 1))
    expect(at(0, 4)).toBe(at(-5, 9))
    expect(at(200, 0)).toBe(0)
  })

  it('is never as high as that of a paper with upvotes, and claims no rank', () => {
    fc.assert(
      fc.property(fc.double({ min: -10, max: 1000, noNaN: true }), fc.nat(20), (ageHours, categories) => {
        const { percentile, topPercent } = estimateTrend({ ageHours, categories })
        expect(percentile).toBeGreaterThanOrEqual(0)
        expect(percentile).toBeLessThanOrEqual(0.2)
        expect(topPercent).toBeNull()
      }),
    )
  })
})
