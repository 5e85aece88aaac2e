/** What counts as news, what is remembered as sent, and when a list day is taken for whole. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDays, DAY, HOUR } from '../../../src/core/calendar.ts'
import {
  eligibleAgainAt,
  eligibleAt,
  eligibleSince,
  isPartial,
  mergeRecentlySent,
  RECENTLY_SENT_DAYS,
} from '../../../src/core/digest/eligibility.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const at = (text: string): Date => new Date(text)

describe('a paper is eligible', () => {
  test('from its sighting, on its list day and for three days after', () => {
    expect(eligibleAt('2026-04-14', at('2026-04-14T09:00:00Z'))).toEqual(at('2026-04-14T09:00:00Z'))
    expect(eligibleAt('2026-04-14', at('2026-04-17T23:00:00Z'))).toEqual(at('2026-04-17T23:00:00Z'))
  })

  test('of its own day when its list was first read much later', () => {
    expect(eligibleAt('2026-03-02', at('2026-04-14T09:00:00Z'))).toEqual(at('2026-03-02T12:00:00Z'))
  })
})

describe('a paper that was known is eligible again', () => {
  const seen = at('2026-04-14T08:00:00Z')

  test('at its first Hugging Face listing', () => {
    expect(eligibleAgainAt('2026-04-16', at('2026-04-16T07:00:00Z'), seen)).toEqual(at('2026-04-16T07:00:00Z'))
  })

  test('unless it was sighted there first, or is no longer counted as recently sent', () => {
    expect(eligibleAgainAt('2026-04-14', seen, seen)).toBeNull()
    expect(eligibleAgainAt('2026-04-24', at('2026-04-24T08:00:00Z'), seen)).not.toBeNull()
    expect(eligibleAgainAt('2026-04-24', at('2026-04-24T08:00:01Z'), seen)).toBeNull()
  })

  test('and is sent once, whenever digests fall between its two days', () => {
    const plan = fc.record({
      listedAfterHours: fc.integer({ min: 1, max: 24 * 16 }),
      digests: fc.array(
        fc.record({
          // Day after day for the most part, with a pause now and then.
          hours: fc.oneof(
            { weight: 12, arbitrary: fc.integer({ min: 22, max: 26 }) },
            { weight: 1, arbitrary: fc.integer({ min: 20, max: 24 * 25 }) },
          ),
          frequency: fc.constantFrom('daily' as const, 'weekly' as const),
          takes: fc.boolean(),
        }),
        { minLength: 2, maxLength: 40, size: 'max' },
      ),
    })
    fc.assert(
      fc.property(plan, ({ listedAfterHours, digests }) => {
        const listedAt = new Date(seen.getTime() + listedAfterHours * HOUR)
        const again = eligibleAgainAt(listedAt.toISOString().slice(0, 10), listedAt, seen)
        let previous: Date | null = null
        let recentlySent: Record<string, string> = {}
        let times = 0
        let cutoff = new Date(seen.getTime() - 2 * DAY)
        for (const { hours, frequency, takes } of digests) {
          cutoff = new Date(cutoff.getTime() + hours * HOUR)
          const since = eligibleSince(frequency, cutoff, previous)
          const isNews = [seen, again].some((from) => from !== null && from > since && from <= cutoff)
          const sends = takes && isNews && !('paper' in recentlySent)
          if (sends) times += 1
          recentlySent = mergeRecentlySent([recentlySent], sends ? ['paper'] : [], cutoff.toISOString().slice(0, 10))
          previous = cutoff
        }
        expect(times).toBeLessThan(2)
      }),
      { numRuns: propertyRuns(3000) },
    )
  })
})

describe('a digest chooses', () => {
  const cutoff = at('2026-04-15T06:00:00Z')

  test('from the last three days at least, so that papers which rise late have a chance', () => {
    expect(eligibleSince('daily', cutoff, at('2026-04-14T06:00:00Z'))).toEqual(at('2026-04-12T06:00:00Z'))
  })

  test('from everything since the previous cut-off, when that is longer ago', () => {
    expect(eligibleSince('weekly', cutoff, at('2026-04-08T06:00:00Z'))).toEqual(at('2026-04-08T06:00:00Z'))
    expect(eligibleSince('weekly', cutoff, null)).toEqual(at('2026-04-08T06:00:00Z'))
  })

  test('from nothing older than what counts as recently sent', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('daily' as const, 'weekly' as const),
        fc.integer({ min: 0, max: 400 }),
        (frequency, days) => {
          const since = eligibleSince(frequency, cutoff, new Date(cutoff.getTime() - days * DAY))
          expect(cutoff.getTime() - since.getTime()).toBeLessThan(RECENTLY_SENT_DAYS * DAY)
        },
      ),
    )
  })
})

test('what is recently sent is all that members were sent in the last 14 days, and nothing older', () => {
  const ids = fc.constantFrom('a', 'b', 'c', 'd')
  const earlierSent = fc.array(
    fc.dictionary(
      ids,
      fc.integer({ min: -30, max: 0 }).map((days) => addDays('2026-04-15', days)),
    ),
  )
  fc.assert(
    fc.property(earlierSent, fc.uniqueArray(ids), (earlier, sent) => {
      const recentlySent = mergeRecentlySent(earlier, sent, '2026-04-15')
      for (const id of sent) expect(recentlySent[id]).toBe('2026-04-15')
      for (const day of Object.values(recentlySent)) expect(day > addDays('2026-04-15', -RECENTLY_SENT_DAYS)).toBe(true)
      for (const one of earlier)
        for (const [id, day] of Object.entries(one))
          if (day > addDays('2026-04-15', -RECENTLY_SENT_DAYS)) expect((recentlySent[id] ?? '') >= day).toBe(true)
    }),
  )
})

test('a list is partial below 30 % of what its weekday usually has, and never with fewer than two to compare', () => {
  expect(isPartial(5, [20, 22, 25, 24])).toBe(true)
  expect(isPartial(7, [20, 22, 25, 24])).toBe(false)
  expect(isPartial(1, [30])).toBe(false)
  expect(isPartial(1, [0, 0, 0, 0])).toBe(false)
  expect(isPartial(0, [])).toBe(false)
})
