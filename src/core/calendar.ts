/**
 * When a digest is due: the instant of sending is a function of the local date, exactly one per date in every zone.
 *
 * A local time that a clock change skips moves forward by the gap; one that exists twice is the first of the two
 * (Temporal's `compatible` rule, RFC 5545 3.3.5). No cron library agrees with another on this, so none decides it.
 */
import { Temporal } from 'temporal-polyfill'
import type { Preferences } from './subscriber/preferences.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Two digests of one subscriber lie at least this far apart, whatever they change in between. */
export const LEAST_GAP = 20 * HOUR

/** A due moment: its instant, and the local date (`YYYY-MM-DD`) it belongs to. */
export interface Due {
  at: Date
  localDate: string
}

type Slot = Pick<Preferences, 'frequency' | 'hour' | 'weekday' | 'timeZone'>

const zonedNow = (at: Date, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone)

/** The date that a calendar on the wall shows in a zone at an instant, `YYYY-MM-DD`. */
export const localDateAt = (at: Date, timeZone: string): string => zonedNow(at, timeZone).toPlainDate().toString()

/** `YYYY-MM-DD` moved by whole days. */
export const addDays = (date: string, days: number): string => Temporal.PlainDate.from(date).add({ days }).toString()

/** Whole days from one date to another. */
export const daysBetween = (from: string, to: string): number =>
  Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to), { largestUnit: 'day' }).days

/** 1 (Monday) to 7. */
export const weekdayOf = (date: string): number => Temporal.PlainDate.from(date).dayOfWeek

/** Midnight UTC of a date. */
/** The ISO week of a date, such as `2026-W14`. */
export const isoWeekOf = (date: string): string => {
  const { yearOfWeek, weekOfYear } = Temporal.PlainDate.from(date)
  return `${yearOfWeek}-W${String(weekOfYear).padStart(2, '0')}`
}

export const utcMidnight = (date: string): Date => new Date(`${date}T00:00:00Z`)

/** The sending instant of a local date; `null` for the rare date that a zone never had (Apia, 30 December 2011). */
export const instantOf = (date: string, slot: Slot): Date | null => {
  const zoned = Temporal.PlainDate.from(date).toZonedDateTime({
    timeZone: slot.timeZone,
    plainTime: new Temporal.PlainTime(slot.hour),
  })
  return zoned.toPlainDate().toString() === date ? new Date(zoned.epochMilliseconds) : null
}

const servesDate = (date: string, slot: Slot): boolean => slot.frequency === 'daily' || weekdayOf(date) === slot.weekday

/**
 * The first due moment after `after`, on a date later than `lastDate`, and at least `LEAST_GAP` after `lastAt`
 * (the moment the last digest was due, or the welcome was sent).
 */
export const nextDue = (slot: Slot, after: Date, last: { date: string | null; at: Date | null }): Due => {
  const earliest = Math.max(after.getTime() + 1, last.at ? last.at.getTime() + LEAST_GAP : 0)
  const start = localDateAt(new Date(earliest), slot.timeZone)
  let date = last.date !== null && last.date >= start ? addDays(last.date, 1) : start
  // A weekly slot comes round in 7 days; a date that its zone never had can cost one more week.
  for (let tries = 0; tries < 16; tries++, date = addDays(date, 1)) {
    if (!servesDate(date, slot)) continue
    const at = instantOf(date, slot)
    if (at !== null && at.getTime() >= earliest) return { at, localDate: date }
  }
  throw new Error(`no due moment within 16 days of ${start} in ${slot.timeZone}`)
}

/**
 * The latest due moment of a subscriber who has been due since `dueAt`, seen at `cutoff`: after an outage of days one
 * digest covers the gap, and it belongs to the newest of the missed dates.
 */
export const latestDue = (slot: Slot, dueAt: Date, cutoff: Date): Due => {
  let date = localDateAt(cutoff, slot.timeZone)
  for (let tries = 0; tries < 16; tries++, date = addDays(date, -1)) {
    if (!servesDate(date, slot)) continue
    const at = instantOf(date, slot)
    if (at === null || at > cutoff) continue
    if (at <= dueAt) break
    return { at, localDate: date }
  }
  return { at: dueAt, localDate: localDateAt(dueAt, slot.timeZone) }
}

/** The first due moment once a pause has ended: on or after the local date `until`. */
export const firstDueAfterPause = (
  slot: Slot,
  until: string,
  after: Date,
  last: { date: string | null; at: Date | null },
): Due => {
  const dayBefore = addDays(until, -1)
  return nextDue(slot, after, {
    date: last.date !== null && last.date > dayBefore ? last.date : dayBefore,
    at: last.at,
  })
}
