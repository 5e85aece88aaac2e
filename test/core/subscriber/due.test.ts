/** The local-date rule: one due moment per date, in every zone, whatever its clocks do. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDays, localDateAt, weekdayOf } from '../../../src/core/calendar.ts'
import {
  firstDueAfterPause,
  LEAST_GAP,
  latestDue,
  missedDues,
  nextDue,
  sendingInstant,
} from '../../../src/core/subscriber/due.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const slot = (timeZone: string, hour = 7, frequency: 'daily' | 'weekly' = 'daily', weekday = 6) => ({
  frequency,
  hour,
  weekday,
  atOnce: false,
  timeZone,
})
const NEVER = { date: null, at: null }
const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
const slots = fc.record({
  frequency: fc.constantFrom('daily' as const, 'weekly' as const),
  hour: fc.integer({ min: 0, max: 23 }),
  weekday: fc.integer({ min: 1, max: 7 }),
  atOnce: fc.constant(false),
  timeZone: zones,
})
const moments = fc.date({
  min: new Date('2020-01-01T00:00:00Z'),
  max: new Date('2035-12-31T00:00:00Z'),
  noInvalidDate: true,
})

describe('the sending instant of a local date', () => {
  test('is the hour on the wall', () => {
    expect(sendingInstant('2026-04-15', slot('Europe/London'))).toEqual(new Date('2026-04-15T06:00:00Z'))
  })

  test('moves forward by the gap when clocks skip the hour', () => {
    // Cairo's clocks jump from 00:00 to 01:00 on 30 April 2027.
    expect(sendingInstant('2027-04-30', slot('Africa/Cairo', 0))).toEqual(new Date('2027-04-29T22:00:00Z'))
    expect(sendingInstant('2026-03-08', slot('America/New_York', 2))).toEqual(new Date('2026-03-08T07:00:00Z'))
  })

  test('is the first of two when clocks repeat the hour', () => {
    expect(sendingInstant('2026-11-01', slot('America/New_York', 1))).toEqual(new Date('2026-11-01T05:00:00Z'))
    // Lord Howe turns back by half an hour only.
    expect(sendingInstant('2026-04-05', slot('Australia/Lord_Howe', 1))).toEqual(new Date('2026-04-04T14:00:00Z'))
  })

  test('does not exist on a date that the zone never had', () => {
    expect(sendingInstant('2011-12-30', slot('Pacific/Apia'))).toBeNull()
  })
})

describe('the next due moment', () => {
  test('comes exactly once per date, in order, whatever the zone and the year', () => {
    fc.assert(
      fc.property(slots, moments, (slot, start) => {
        let last = nextDue(slot, start, NEVER)
        expect(last.at.getTime()).toBeGreaterThan(start.getTime())
        for (let n = 0; n < 12; n++) {
          const next = nextDue(slot, last.at, { date: last.localDate, at: last.at })
          expect(next.at.getTime() - last.at.getTime()).toBeGreaterThanOrEqual(LEAST_GAP)
          expect(next.localDate).toBe(addDays(last.localDate, slot.frequency === 'daily' ? 1 : 7))
          expect(localDateAt(next.at, slot.timeZone)).toBe(next.localDate)
          if (slot.frequency === 'weekly') expect(weekdayOf(next.localDate)).toBe(slot.weekday)
          last = next
        }
      }),
      { numRuns: propertyRuns(300) },
    )
  })

  test('stays on later dates and keeps its distance when hour and zone are changed after each digest', () => {
    fc.assert(
      fc.property(fc.array(slots, { minLength: 2, maxLength: 8 }), moments, (changes, start) => {
        let last: { date: string | null; at: Date | null } = NEVER
        let now = start
        for (const slot of changes) {
          const next = nextDue(slot, now, last)
          if (last.at !== null) expect(next.at.getTime() - last.at.getTime()).toBeGreaterThanOrEqual(LEAST_GAP)
          if (last.date !== null) expect(next.localDate > last.date).toBe(true)
          last = { date: next.localDate, at: next.at }
          now = next.at
        }
      }),
    )
  })

  test('is at least 20 hours after a welcome', () => {
    const confirmed = new Date('2026-04-14T05:30:00Z')
    const due = nextDue(slot('Europe/London'), confirmed, { date: null, at: confirmed })
    expect(due).toEqual({ at: new Date('2026-04-15T06:00:00Z'), localDate: '2026-04-15' })
  })
})

describe('the latest due moment', () => {
  test('is the newest of the dates missed in an outage', () => {
    const due = latestDue(slot('Europe/London'), new Date('2026-04-13T06:00:00Z'), new Date('2026-04-16T11:00:00Z'))
    expect(due).toEqual({ at: new Date('2026-04-16T06:00:00Z'), localDate: '2026-04-16' })
  })

  test('belongs to the evening before when the tick comes after midnight', () => {
    const due = latestDue(slot('UTC', 23), new Date('2026-04-14T23:00:00Z'), new Date('2026-04-15T00:05:00Z'))
    expect(due.localDate).toBe('2026-04-14')
  })

  test('never lies after the cut-off nor before the moment that was due', () => {
    fc.assert(
      fc.property(slots, moments, fc.integer({ min: 0, max: 20 * 86_400_000 }), (slot, start, late) => {
        const first = nextDue(slot, start, NEVER)
        const cutoff = new Date(first.at.getTime() + late)
        const due = latestDue(slot, first.at, cutoff)
        expect(due.at.getTime()).toBeLessThanOrEqual(cutoff.getTime())
        expect(due.at.getTime()).toBeGreaterThanOrEqual(first.at.getTime())
        const next = nextDue(slot, cutoff, { date: due.localDate, at: due.at })
        expect(next.at.getTime()).toBeGreaterThan(cutoff.getTime())
        expect(next.localDate > due.localDate).toBe(true)
      }),
    )
  })
})

describe('what comes at once', () => {
  const atOnce = { ...slot('Europe/London', 7, 'weekly'), atOnce: true }
  const friday = { date: '2026-04-17', at: new Date('2026-04-17T21:00:00Z') }

  test('is due every day, and costs nobody the week’s digest', () => {
    expect(nextDue(atOnce, friday.at, friday).localDate).toBe('2026-04-18')
    // Without what comes at once, Friday’s was a digest of the week.
    expect(nextDue({ ...atOnce, atOnce: false }, friday.at, friday).localDate).toBe('2026-04-25')
    const saturday = { date: '2026-04-18', at: new Date('2026-04-18T21:00:00Z') }
    expect(nextDue(atOnce, saturday.at, saturday).localDate).toBe('2026-04-20')
  })

  test('goes after a weekly digest that was missed', () => {
    const due = latestDue(atOnce, new Date('2026-04-16T06:00:00Z'), new Date('2026-04-20T09:00:00Z'))
    expect(due.localDate).toBe('2026-04-18')
    expect(latestDue(atOnce, new Date('2026-04-18T06:00:00Z'), new Date('2026-04-20T09:00:00Z')).localDate).toBe(
      '2026-04-18',
    )
    expect(latestDue(atOnce, new Date('2026-04-19T06:00:00Z'), new Date('2026-04-20T09:00:00Z')).localDate).toBe(
      '2026-04-20',
    )
  })
})

test('the digests that were due and missed are the regular ones before the one that comes', () => {
  const dates = (frequency: 'daily' | 'weekly', from: string, before: string) =>
    missedDues(slot('Europe/London', 7, frequency), new Date(`${from}T06:00:00Z`), before).map((due) => due.localDate)
  expect(dates('daily', '2026-04-14', '2026-04-14')).toEqual([])
  expect(dates('daily', '2026-04-14', '2026-04-16')).toEqual(['2026-04-14', '2026-04-15'])
  expect(dates('weekly', '2026-04-11', '2026-04-25')).toEqual(['2026-04-11', '2026-04-18'])
})

test('a pause ends with the first due moment on or after its date', () => {
  const due = firstDueAfterPause(slot('Europe/London'), '2026-05-15', new Date('2026-04-15T09:00:00Z'), NEVER)
  expect(due.localDate).toBe('2026-05-15')
})
