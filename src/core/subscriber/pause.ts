/** How long a pause may be: it ends on a date, and never later than a year from today. */
import { Temporal } from 'temporal-polyfill'

export const LONGEST_PAUSE_DAYS = 365

/** The last local date that a pause begun on `today` may run to. */
export const latestPause = (today: string): string =>
  Temporal.PlainDate.from(today).add({ days: LONGEST_PAUSE_DAYS }).toString()

/** The dates that a page offers with one press: a week, a month and three months from `today`, `YYYY-MM-DD`. */
export const pauseChoices = (today: string): string[] =>
  [{ weeks: 1 }, { months: 1 }, { months: 3 }].map((time) => Temporal.PlainDate.from(today).add(time).toString())

/** The first date with mail again, as somebody gave it; later than `today`, at most a year ahead, a real date. */
export const readPause = (text: unknown, today: string): { until: string } | { problem: string } => {
  if (text === undefined || text === '') return { problem: 'Choose the day on which digests begin again.' }
  if (typeof text !== 'string' || !isDate(text)) {
    return { problem: `Write a date as year, month and day, such as ${pauseChoices(today)[0]}.` }
  }
  if (text <= today) return { problem: 'Choose a day after today.' }
  if (text > latestPause(today)) return { problem: `Choose a day within a year, up to ${latestPause(today)}.` }
  return { until: text }
}

/** Whether a text is a date of the calendar, `YYYY-MM-DD`. */
export const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number)
  if (month < 1 || month > 12 || day < 1) return false
  return day <= Temporal.PlainYearMonth.from({ year, month }).daysInMonth
}
