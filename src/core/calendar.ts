/** Units of time and calendar dates. A date is a `YYYY-MM-DD` text without a zone; an instant is a `Date`. */
import { Temporal } from 'temporal-polyfill'

/** Milliseconds. */
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The date that a calendar shows in an IANA zone at an instant. Throws a `RangeError` for a zone that does not exist. */
export const localDateAt = (at: Date, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone).toPlainDate().toString()

/** A date moved by whole days, back by negative ones. */
export const addDays = (date: string, days: number): string => Temporal.PlainDate.from(date).add({ days }).toString()

/** Whole days from one date to another; negative when the second is the earlier. */
export const daysBetween = (from: string, to: string): number =>
  Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to), { largestUnit: 'day' }).days

/** The ISO weekday, 1 (Monday) to 7. */
export const weekdayOf = (date: string): number => Temporal.PlainDate.from(date).dayOfWeek

/** The ISO week of a date, such as `2026-W14`. */
export const isoWeekOf = (date: string): string => {
  const { yearOfWeek, weekOfYear } = Temporal.PlainDate.from(date)
  return `${String(yearOfWeek).padStart(4, '0')}-W${String(weekOfYear).padStart(2, '0')}`
}

/**
 * The seven dates of an ISO week such as `2026-W14`, Monday first; `null` for a text that is no week, and for the last one of
 * the year 9999, which ends on days that are no dates of ours.
 */
export const datesOfWeek = (week: string): string[] | null => {
  const [, year, number] = /^(\d{4})-W(\d\d)$/.exec(week) ?? []
  if (year === undefined || Number(year) < 1) return null
  // The 4th of January is always in the first week.
  const fourth = `${year}-01-04`
  const monday = addDays(fourth, 7 * (Number(number) - 1) + 1 - weekdayOf(fourth))
  const dates = Array.from({ length: 7 }, (_, day) => addDays(monday, day))
  return isoWeekOf(monday) === week && dates.every(isDate) ? dates : null
}

/** Midnight UTC of a date. */
export const utcMidnight = (date: string): Date => new Date(`${date}T00:00:00Z`)

/**
 * Whether a text is a date that the calendar has: JavaScript would read the 31st of February as the 3rd of March. There is no
 * year 0: ISO 8601 has one, but Postgres refuses it.
 */
export const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number)
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  return day <= Temporal.PlainYearMonth.from({ year, month }).daysInMonth
}

/** A timestamp of RFC 3339, whose seconds may be left out; `null` for any other text, and for one without an offset. */
export const readTimestamp = (text: string): Date | null => {
  const [, date = ''] = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? []
  const instant = new Date(text)
  return isDate(date) && !Number.isNaN(instant.getTime()) ? instant : null
}

/** The Monday and the Sunday of an ISO week such as `2026-W14`; `null` for a text that is none. */
export const daysOfWeek = (week: string): { first: string; last: string } | null => {
  const [first, ...rest] = datesOfWeek(week) ?? []
  const last = rest.at(-1)
  return first === undefined || last === undefined ? null : { first, last }
}

/** The first and the last day of a month such as `2026-03`; `null` for a text that is none. */
export const daysOfMonth = (month: string): { first: string; last: string } | null => {
  const first = `${month}-01`
  if (!isDate(first)) return null
  const { daysInMonth } = Temporal.PlainDate.from(first)
  return { first, last: `${month}-${daysInMonth}` }
}
