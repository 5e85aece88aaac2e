/**
 * When a digest is due: the instant of sending is a function of the local date, exactly one per date in every zone.
 *
 * A local time that a clock change skips moves forward by the gap; one that exists twice is the first of the two
 * (Temporal's `compatible` rule, RFC 5545 3.3.5). No cron library agrees with another on this, so none decides it.
 */
import { Temporal } from 'temporal-polyfill'
import { addDays, HOUR, localDateAt, weekdayOf } from '../calendar.ts'
import type { Preferences } from './preferences.ts'

/** Two digests of one subscriber lie at least this many milliseconds apart, whatever they change in between. */
export const LEAST_GAP = 20 * HOUR

/** A due moment: its instant, and the local date (`YYYY-MM-DD`) it belongs to. */
export interface Due {
  at: Date
  localDate: string
}

/** When a subscriber wants digests, by the clock of their zone. */
export type SendingTime = Pick<Preferences, 'frequency' | 'hour' | 'weekday' | 'timeZone'>

/** What a subscriber got last: the local date of the last digest, and the moment it was due or the welcome was sent. */
export interface LastDue {
  date: string | null
  at: Date | null
}

/** A weekly digest comes round in 7 days; a date that its zone never had can cost one more week. */
const DAYS_SEARCHED = 16

/** The sending instant of a local date; `null` for the rare date that a zone never had (Apia, 30 December 2011). */
export const sendingInstant = (date: string, { hour, timeZone }: SendingTime): Date | null => {
  const zoned = Temporal.PlainDate.from(date).toZonedDateTime({ timeZone, plainTime: new Temporal.PlainTime(hour) })
  return zoned.toPlainDate().toString() === date ? new Date(zoned.epochMilliseconds) : null
}

const servesDate = (date: string, { frequency, weekday }: SendingTime): boolean =>
  frequency === 'daily' || weekdayOf(date) === weekday

/**
 * The first due moment after `after`, on a date later than `last.date` and at least `LEAST_GAP` after `last.at`. Throws
 * when 16 days have none, which no zone and no preferences can cause.
 */
export const nextDue = (time: SendingTime, after: Date, last: LastDue): Due => {
  const earliest = Math.max(after.getTime() + 1, last.at ? last.at.getTime() + LEAST_GAP : 0)
  const start = localDateAt(new Date(earliest), time.timeZone)
  let date = last.date !== null && last.date >= start ? addDays(last.date, 1) : start
  for (let searched = 0; searched < DAYS_SEARCHED; searched++, date = addDays(date, 1)) {
    if (!servesDate(date, time)) continue
    const at = sendingInstant(date, time)
    if (at !== null && at.getTime() >= earliest) return { at, localDate: date }
  }
  throw new Error(`no due moment within ${DAYS_SEARCHED} days of ${start} in ${time.timeZone}`)
}

/**
 * The latest due moment of a subscriber who has been due since `dueAt`, seen at `cutoff`: after an outage of days one
 * digest covers the gap, and it belongs to the newest of the missed dates.
 */
export const latestDue = (time: SendingTime, dueAt: Date, cutoff: Date): Due => {
  let date = localDateAt(cutoff, time.timeZone)
  for (let searched = 0; searched < DAYS_SEARCHED; searched++, date = addDays(date, -1)) {
    if (!servesDate(date, time)) continue
    const at = sendingInstant(date, time)
    if (at === null || at > cutoff) continue
    if (at <= dueAt) break
    return { at, localDate: date }
  }
  return { at: dueAt, localDate: localDateAt(dueAt, time.timeZone) }
}

/** The first due moment once a pause has ended: on or after the local date `until`, under the limits of `nextDue`. */
export const firstDueAfterPause = (time: SendingTime, until: string, after: Date, last: LastDue): Due => {
  const dayBefore = addDays(until, -1)
  return nextDue(time, after, {
    date: last.date !== null && last.date > dayBefore ? last.date : dayBefore,
    at: last.at,
  })
}
