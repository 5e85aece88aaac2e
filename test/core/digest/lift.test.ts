import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLift, LIFTS } from '../../../src/core/digest/lift.ts'
import { liftedTrend, type Trend } from '../../../src/core/digest/trend.ts'

const trend = (percentile: number): Trend => ({ percentile, topPercent: null })
const NONE = { votes: 0, picked: false }
const percentiles = fc.double({ min: 0, max: 1, noNaN: true })
const voteCounts = fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 60 })
const endorsements = fc.record({ votes: fc.nat(500), picked: fc.boolean() })

/** The votes of the month with those of one paper among them. */
const lifted = (others: number[], votes: number, percentile: number, isCounted = true): number =>
  liftedTrend(createLift([...others, votes])(trend(percentile), { votes, picked: false }, isCounted))

describe('the lift by votes and picks', () => {
  it('leaves the trend of a paper without either as it is', () => {
    fc.assert(
      fc.property(voteCounts, percentiles, fc.boolean(), (counts, percentile, isCounted) => {
        const before = trend(percentile)
        expect(createLift(counts)(before, NONE, isCounted)).toBe(before)
      }),
    )
  })

  it('never lowers a trend, and keeps the share that the weights leave of what it lacks to the highest', () => {
    fc.assert(
      fc.property(voteCounts, percentiles, endorsements, fc.boolean(), (counts, percentile, endorsement, isCounted) => {
        const after = liftedTrend(createLift(counts)(trend(percentile), endorsement, isCounted))
        const most = isCounted ? LIFTS.counted : LIFTS.uncounted
        const left = (1 - percentile) * (1 - most) * (endorsement.picked ? 1 - LIFTS.pick : 1)
        expect(after).toBeGreaterThanOrEqual(percentile)
        expect(after).toBeLessThanOrEqual(1 - left + 1e-9)
      }),
    )
  })

  it('keeps the order of two papers that are endorsed alike, and never turns another vote against a paper', () => {
    fc.assert(
      fc.property(
        voteCounts,
        fc.tuple(percentiles, percentiles),
        endorsements,
        fc.boolean(),
        (counts, [a, b], endorsement, isCounted) => {
          const lift = createLift(counts)
          const of = (percentile: number, more = 0) =>
            liftedTrend(lift(trend(percentile), { ...endorsement, votes: endorsement.votes + more }, isCounted))
          if (a < b) expect(of(a)).toBeLessThanOrEqual(of(b) + 1e-9)
          expect(of(a, 1)).toBeGreaterThanOrEqual(of(a) - 1e-9)
        },
      ),
    )
  })

  it('counts as much where five read as where a hundred thousand do: by the rank among the votes of the place', () => {
    const few = lifted([1, 1, 2], 3, 0.5)
    const many = lifted([1_000, 1_000, 2_000], 3_000, 0.5)
    expect(few).toBeGreaterThan(0.54)
    expect(many).toBeGreaterThan(few)
    expect(many - few).toBeLessThan(0.08)
    // Where hundreds vote, three are hardly anything.
    expect(lifted([1_000, 1_000, 2_000, 3_000, 900, 800], 3, 0.5)).toBeLessThan(0.52)
  })

  it('lifts a paper further whose upvotes no source counts: its votes are all that is known', () => {
    expect(lifted([1, 2, 5, 9], 30, 0.1, false)).toBeGreaterThan(0.55)
    expect(lifted([1, 2, 5, 9], 30, 0.1)).toBeLessThan(0.35)
  })

  it('lets no number of votes bring a paper of few upvotes among those that trend, nor any past the most upvoted', () => {
    for (const votes of [5, 20, 50, 100_000]) {
      expect(lifted([1, 1, 2], votes, 0.4)).toBeLessThan(0.6)
      expect(lifted([1, 1, 2], votes, 0.9)).toBeLessThan(0.95)
    }
  })
})
