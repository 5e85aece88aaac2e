import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isDate } from '../../../src/core/calendar.ts'
import { latestPause, pauseChoices, readPause } from '../../../src/core/subscriber/pause.ts'

const TODAY = '2026-04-15'

describe('a pause', () => {
  it('is offered for a week, a month and three months', () => {
    expect(pauseChoices(TODAY)).toEqual(['2026-04-22', '2026-05-15', '2026-07-15'])
    expect(pauseChoices('2026-01-31')).toEqual(['2026-02-07', '2026-02-28', '2026-04-30'])
  })

  it.each([['2026-04-16'], ['2026-12-31'], ['2027-04-15']])('may run to %s', (until) => {
    expect(readPause(until, TODAY)).toEqual({ until })
  })

  it.each([
    ['', 'Choose the date when digests start again.'],
    [undefined, 'Choose the date when digests start again.'],
    ['2026-04-15', 'Choose a date after today.'],
    ['2020-01-01', 'Choose a date after today.'],
    ['2027-04-16', 'Choose a date within a year, up to 2027-04-15.'],
    ['2026-02-30', 'Enter a date as year-month-day, such as 2026-04-22.'],
    ['tomorrow', 'Enter a date as year-month-day, such as 2026-04-22.'],
    [['2026-04-22'], 'Enter a date as year-month-day, such as 2026-04-22.'],
  ])('to %j is refused in words', (until, problem) => {
    expect(readPause(until, TODAY)).toEqual({ problem })
  })

  it('is accepted for every day that is offered, whatever today is', () => {
    const day = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(day, (date) => {
        const today = date.toISOString().slice(0, 10)
        for (const until of [...pauseChoices(today), latestPause(today)]) {
          expect(isDate(until)).toBe(true)
          expect(readPause(until, today)).toEqual({ until })
        }
      }),
    )
  })
})
