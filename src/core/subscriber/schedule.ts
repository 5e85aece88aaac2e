/** When digests come, in words: lists of papers come out on weekdays, so that a day after none brings nothing new. */
import { Temporal } from 'temporal-polyfill'
import { HOUR, localDateAt, utcMidnight, weekdayOf } from '../calendar.ts'
import { type Due, isRegular, nextDue, type SendingTime } from './due.ts'
import type { Preferences } from './preferences.ts'
import { placeOf } from './time-zone.ts'

/**
 * By this hour of a weekday, UTC, its list is in: arXiv has announced by 05:00, and two thirds of what Hugging Face lists on
 * a day stand there between 08:00 and 11:00.
 */
const LIST_IS_IN = 9 * HOUR

const NEAR_DATE = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' })
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: 'UTC' })

/** `Tuesday 21 April`, of a date that is near. */
const nearDate = (date: string): string => NEAR_DATE.format(utcMidnight(date))

/** `Tuesday` for 2. 1 January 2024 was a Monday. */
export const weekdayInWords = (weekday: number): string => WEEKDAY.format(new Date(Date.UTC(2024, 0, weekday)))

/** `07:00` */
export const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`

const inZone = (timeZone: string): string => (timeZone === 'UTC' ? 'UTC' : `${placeOf(timeZone)} time`)

/** What a weekly reader gets besides who chose so, after the time of the week's digest. */
export const AT_ONCE = 'and at once what is in the top 1 %'

/**
 * `every Saturday at 07:00 London time`, of some with `, and at once what is in the top 1 %`; daily: `at 07:00 London time, on
 * days with new papers`, or `… with at least 3 new papers`.
 */
export const sendingTimes = ({
  frequency,
  hour,
  weekday,
  timeZone,
  atOnce,
  leastPapers,
}: SendingTime & Pick<Preferences, 'leastPapers'>): string => {
  const time = `at ${clock(hour)} ${inZone(timeZone)}`
  if (frequency === 'daily')
    return `${time}, on days with ${leastPapers > 1 ? `at least ${leastPapers} ` : ''}new papers`
  return `every ${weekdayInWords(weekday)} ${time}${atOnce ? `, ${AT_ONCE}` : ''}`
}

/** Whether the list of a weekday has come in within the day before an instant. */
export const followsList = (at: Date): boolean =>
  weekdayOf(localDateAt(new Date(at.getTime() - LIST_IS_IN), 'UTC')) <= 5

/** Weekends are over by then. */
const MOST_DAYS_WITHOUT_LIST = 4

/**
 * The first due moment, from that of `dueAt` on, before which a list comes in. `later`: it is not that of `dueAt`; a digest
 * may come before it all the same, of papers that are left over.
 */
const expectedDue = (time: SendingTime, dueAt: Date): Due & { later: boolean } => {
  let due: Due = { at: dueAt, localDate: localDateAt(dueAt, time.timeZone) }
  // Who gets at once what stands out is due daily, and expects the week's digest.
  if (time.atOnce && !isRegular(due.localDate, time))
    return { ...nextDue({ ...time, atOnce: false }, dueAt, { date: null, at: null }), later: false }
  for (let days = 0; time.frequency === 'daily' && !followsList(due.at) && days < MOST_DAYS_WITHOUT_LIST; days++)
    due = nextDue(time, due.at, { date: due.localDate, at: null })
  return { ...due, later: due.at > dueAt }
}

/** `on Tuesday 21 April at 07:00 London time`; `by 07:00 London time on …` where a weekend without lists comes first. */
export const expectedTime = (dueAt: Date, time: SendingTime): string => {
  const { at, localDate, later } = expectedDue(time, dueAt)
  const local = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(time.timeZone).toPlainTime()
  const hour = `${local.toString({ smallestUnit: 'minute' })} ${inZone(time.timeZone)}`
  return later ? `by ${hour} on ${nearDate(localDate)}` : `on ${nearDate(localDate)} at ${hour}`
}

/** What a digest ends with: when the next is to be expected by a reader who is due next at `dueAt`. */
export const nextDigestSentence = (dueAt: Date, time: SendingTime): string => {
  const expected = expectedTime(dueAt, time)
  const next = `Your next digest is expected ${expected}, if there are new papers for you.`
  return expected.startsWith('by ') ? `No papers are listed at weekends. ${next}` : next
}
