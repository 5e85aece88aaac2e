/**
 * When a digest is due: the instant of sending is a function of the local date, exactly one per date in every zone.
 *
 * A local time that a clock change skips moves forward by the gap; one that exists twice is the first of the two
 * (Temporal's `compatible` rule, RFC 5545 3.3.5). No cron library agrees with another on this, so none decides it.
 */
import { Temporal } from 'temporal-polyfill'
import { addDays, HOUR, localDateAt, weekdayOf } from '../calendar.ts'
import type { Preferences } from './preferences.ts'

/**
 * Two digests of one subscriber lie at least this many milliseconds apart, whatever they change in between. What is sent at
 * once does not count: it may not cost anybody the week's digest.
 */
export const LEAST_GAP = 20 * HOUR

/** A due moment: its instant, and the local date (`YYYY-MM-DD`) it belongs to. */
export interface Due {
  at: Date
  localDate: string
}

/** When a subscriber wants digests, by the clock of their zone. */
export type SendingTime = Pick<Preferences, 'frequency' | 'hour' | 'weekday' | 'timeZone' | 'atOnce'>

/** What a subscriber got last: the local date of the last digest, and the moment it was due or the welcome was sent. */
export interface LastDue {
  date: string | null
  at: Date | null
}

/** A weekly digest comes round in 7 days; a date that its zone never had can cost one more week. */
const DAYS_SEARCHED = 16

/** Of an outage as long as a month nobody needs each date. */
const MOST_MISSED = 31

/** The sending instant of a local date; `null` for the rare date that a zone never had (Apia, 30 December 2011). */
export const sendingInstant = (
  date: string,
  { hour, timeZone }: Pick<SendingTime, 'hour' | 'timeZone'>,
): Date | null => {
  const zoned = Temporal.PlainDate.from(date).toZonedDateTime({ timeZone, plainTime: new Temporal.PlainTime(hour) })
  return zoned.toPlainDate().toString() === date ? new Date(zoned.epochMilliseconds) : null
}

/** Whether a digest of a local date is a regular one: any of a daily reader, that of their weekday of a weekly one. */
export const isRegular = (date: string, { frequency, weekday }: Pick<SendingTime, 'frequency' | 'weekday'>): boolean =>
  frequency === 'daily' || weekdayOf(date) === weekday

const servesDate = (date: string, time: SendingTime): boolean => time.atOnce || isRegular(date, time)

/**
 * The first due moment after `after`, on a date later than `last.date` and at least `LEAST_GAP` after `last.at`. Throws
 * when 16 days have none, which no zone and no preferences can cause.
 */
export const nextDue = (time: SendingTime, after: Date, last: LastDue): Due => {
  const earliest = after.getTime() + 1
  const afterGap = Math.max(earliest, last.at ? last.at.getTime() + LEAST_GAP : 0)
  const cameAtOnce = time.atOnce && last.date !== null && !isRegular(last.date, time)
  const start = localDateAt(new Date(cameAtOnce ? earliest : afterGap), time.timeZone)
  let date = last.date !== null && last.date >= start ? addDays(last.date, 1) : start
  for (let searched = 0; searched < DAYS_SEARCHED; searched++, date = addDays(date, 1)) {
    if (!servesDate(date, time)) continue
    const at = sendingInstant(date, time)
    const least = cameAtOnce && isRegular(date, time) ? earliest : afterGap
    if (at !== null && at.getTime() >= least) return { at, localDate: date }
  }
  throw new Error(`no due moment within ${DAYS_SEARCHED} days of ${start} in ${time.timeZone}`)
}

/** The last date after `dueAt`, and by `cutoff`, that is served; `null` where there is none. */
const lastServed = (time: SendingTime, dueAt: Date, cutoff: Date): Due | null => {
  let date = localDateAt(cutoff, time.timeZone)
  for (let searched = 0; searched < DAYS_SEARCHED; searched++, date = addDays(date, -1)) {
    if (!servesDate(date, time)) continue
    const at = sendingInstant(date, time)
    if (at === null || at > cutoff) continue
    return at <= dueAt ? null : { at, localDate: date }
  }
  return null
}

/**
 * The latest due moment of a subscriber who has been due since `dueAt`, seen at `cutoff`: after an outage of days one
 * digest covers the gap, and it belongs to the newest of the missed dates. A regular one that was missed goes before what
 * would come at once since.
 */
export const latestDue = (time: SendingTime, dueAt: Date, cutoff: Date): Due => {
  const first = { at: dueAt, localDate: localDateAt(dueAt, time.timeZone) }
  const regular = lastServed({ ...time, atOnce: false }, dueAt, cutoff)
  return regular ?? (isRegular(first.localDate, time) ? first : (lastServed(time, dueAt, cutoff) ?? first))
}

/** The regular digests that were due from `dueAt` on, before the one of the date `before`, oldest first; none mostly. */
export const missedDues = (time: SendingTime, dueAt: Date, before: string): Due[] => {
  const missed: Due[] = []
  const first = localDateAt(dueAt, time.timeZone)
  for (let date = addDays(before, -1); date >= first && missed.length < MOST_MISSED; date = addDays(date, -1)) {
    const at = isRegular(date, time) ? sendingInstant(date, time) : null
    if (at !== null && at >= dueAt) missed.unshift({ at, localDate: date })
  }
  return missed
}

/** The first due moment once a pause has ended: on or after the local date `until`, under the limits of `nextDue`. */
export const firstDueAfterPause = (time: SendingTime, until: string, after: Date, last: LastDue): Due => {
  const dayBefore = addDays(until, -1)
  return nextDue(time, after, {
    date: last.date !== null && last.date > dayBefore ? last.date : dayBefore,
    at: last.at,
  })
}
