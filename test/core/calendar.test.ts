import { describe, expect, it } from 'vitest'
import {
  addDays,
  datesOfWeek,
  daysBetween,
  isDate,
  isoWeekOf,
  localDateAt,
  readTimestamp,
  utcMidnight,
  weekdayOf,
} from '../../src/core/calendar.ts'

describe('a timestamp', () => {
  it('is read with its offset, to the minute or finer', () => {
    expect(readTimestamp('2026-04-14T07:00:00+02:00')).toEqual(new Date('2026-04-14T05:00:00Z'))
    expect(readTimestamp('2026-04-14T05:00Z')).toEqual(new Date('2026-04-14T05:00:00Z'))
    expect(readTimestamp('2026-04-14T05:00:00.250Z')).toEqual(new Date('2026-04-14T05:00:00.250Z'))
  })

  it.each([
    ['2026-04-14'],
    ['2026-04-14T05:00:00'],
    ['2026-04-14 05:00:00Z'],
    ['2026-02-31T05:00:00Z'],
    ['2026-04-14T25:00:00Z'],
    ['tomorrow'],
    [''],
  ])('is not %j', (text) => {
    expect(readTimestamp(text)).toBeNull()
  })
})

describe('a date', () => {
  it.each([
    ['2026-13-01'],
    ['2026-00-10'],
    ['2026-01-00'],
    ['2026-04-31'],
    ['2025-02-29'],
    ['26-01-01'],
    ['2026-1-1'],
    [' 2026-01-01'],
    ['2026-01-01T00:00:00Z'],
  ])('is not %j', (text) => {
    expect(isDate(text)).toBe(false)
  })

  it.each([['2024-02-29'], ['2026-12-31']])('is %s', (text) => {
    expect(isDate(text)).toBe(true)
  })

  it('moves by days over the ends of months and years', () => {
    expect(addDays('2026-02-28', 1)).toBe('2026-03-01')
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31')
    expect(daysBetween('2025-12-31', '2026-03-01')).toBe(60)
    expect(daysBetween('2026-04-15', '2026-04-13')).toBe(-2)
  })

  it('has an ISO weekday and an ISO week, which may belong to the year beside it', () => {
    expect(weekdayOf('2026-04-13')).toBe(1)
    expect(isoWeekOf('2026-04-05')).toBe('2026-W14')
    expect(isoWeekOf('2027-01-01')).toBe('2026-W53')
  })

  it('begins at midnight UTC, whatever zone the machine is in', () => {
    expect(utcMidnight('2026-04-15').toISOString()).toBe('2026-04-15T00:00:00.000Z')
  })

  it('depends on the zone at one instant', () => {
    const at = new Date('2026-04-15T11:30:00Z')
    expect(localDateAt(at, 'Pacific/Kiritimati')).toBe('2026-04-16')
    expect(localDateAt(at, 'Pacific/Niue')).toBe('2026-04-15')
  })
})

it.each([
  ['2026-W14', '2026-03-30', '2026-04-05'],
  ['2026-W01', '2025-12-29', '2026-01-04'],
  ['2020-W53', '2020-12-28', '2021-01-03'],
])('the dates of %s are from %s to %s', (week, monday, sunday) => {
  const dates = datesOfWeek(week)
  expect([dates?.length, dates?.[0], dates?.[6]]).toEqual([7, monday, sunday])
})

it.each(['9999-W52', '2025-W53', '2026-W00', '2026-W99', '0000-W01', '2026-W1', '2026-04-13', '٢٠٢٦-W14', ''])(
  '%s is no week',
  (text) => {
    expect(datesOfWeek(text)).toBeNull()
  },
)
