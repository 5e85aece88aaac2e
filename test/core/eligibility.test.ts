/** What counts as news, what is remembered as sent, and when a list day is taken for whole. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDays, DAY } from '../../src/core/calendar.ts'
import { CARRY_DAYS, carryOn, eligibleAt, isPartial, sinceOf } from '../../src/core/eligibility.ts'

const at = (text: string): Date => new Date(text)

describe('a paper is news', () => {
  test('from its sighting, on its list day and for three days after', () => {
    expect(eligibleAt('2026-04-14', at('2026-04-14T09:00:00Z'))).toEqual(at('2026-04-14T09:00:00Z'))
    expect(eligibleAt('2026-04-14', at('2026-04-17T23:00:00Z'))).toEqual(at('2026-04-17T23:00:00Z'))
  })

  test('of its own day when its list was first read much later', () => {
    expect(eligibleAt('2026-03-02', at('2026-04-14T09:00:00Z'))).toEqual(at('2026-03-02T12:00:00Z'))
  })
})

describe('a digest chooses', () => {
  const cutoff = at('2026-04-15T06:00:00Z')

  test('from the last three days at least, so that late risers get their chance', () => {
    expect(sinceOf('daily', cutoff, at('2026-04-14T06:00:00Z'))).toEqual(at('2026-04-12T06:00:00Z'))
  })

  test('from all since the previous one, when that is longer ago', () => {
    expect(sinceOf('weekly', cutoff, at('2026-04-08T06:00:00Z'))).toEqual(at('2026-04-08T06:00:00Z'))
    expect(sinceOf('weekly', cutoff, null)).toEqual(at('2026-04-08T06:00:00Z'))
  })

  test('from nothing older than the carry remembers', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('daily' as const, 'weekly' as const),
        fc.integer({ min: 0, max: 400 }),
        (frequency, days) => {
          const since = sinceOf(frequency, cutoff, new Date(cutoff.getTime() - days * DAY))
          expect(cutoff.getTime() - since.getTime()).toBeLessThan(CARRY_DAYS * DAY)
        },
      ),
    )
  })
})

test('a carry holds what was sent in the last 14 days, by all its members, and nothing older', () => {
  const ids = fc.constantFrom('a', 'b', 'c', 'd')
  const carries = fc.array(
    fc.dictionary(
      ids,
      fc.integer({ min: -30, max: 0 }).map((days) => addDays('2026-04-15', days)),
    ),
  )
  fc.assert(
    fc.property(carries, fc.uniqueArray(ids), (earlier, sent) => {
      const carry = carryOn(earlier, sent, '2026-04-15')
      for (const id of sent) expect(carry[id]).toBe('2026-04-15')
      for (const day of Object.values(carry)) expect(day > addDays('2026-04-15', -CARRY_DAYS)).toBe(true)
      for (const one of earlier)
        for (const [id, day] of Object.entries(one))
          if (day > addDays('2026-04-15', -CARRY_DAYS)) expect((carry[id] ?? '') >= day).toBe(true)
    }),
  )
})

test('a list is partial below 30 % of what its weekday usually has, and never by guesswork', () => {
  expect(isPartial(5, [20, 22, 25, 24])).toBe(true)
  expect(isPartial(7, [20, 22, 25, 24])).toBe(false)
  expect(isPartial(1, [30])).toBe(false)
  expect(isPartial(1, [0, 0, 0, 0])).toBe(false)
  expect(isPartial(0, [])).toBe(false)
})
