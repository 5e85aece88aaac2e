/** How long a pause may be: it ends on a date, and never later than a year from today. */
import { Temporal } from 'temporal-polyfill'
import { isDate } from '../calendar.ts'

export const LONGEST_PAUSE_DAYS = 365

/** The last local date that a pause begun on `today` may run to. */
export const latestPause = (today: string): string =>
  Temporal.PlainDate.from(today).add({ days: LONGEST_PAUSE_DAYS }).toString()

/** The dates that a page offers, one button each: a week, a month and three months from `today`, `YYYY-MM-DD`. */
export const pauseChoices = (today: string): string[] =>
  [{ weeks: 1 }, { months: 1 }, { months: 3 }].map((time) => Temporal.PlainDate.from(today).add(time).toString())

/** The first date with mail again, as somebody gave it; later than `today`, at most a year ahead, a real date. */
export const readPause = (text: unknown, today: string): { until: string } | { problem: string } => {
  if (text === undefined || text === '') return { problem: 'Choose the date when digests start again.' }
  if (typeof text !== 'string' || !isDate(text)) {
    return { problem: `Enter a date as year-month-day, such as ${pauseChoices(today)[0]}.` }
  }
  if (text <= today) return { problem: 'Choose a date after today.' }
  if (text > latestPause(today)) return { problem: `Choose a date within a year, up to ${latestPause(today)}.` }
  return { until: text }
}
