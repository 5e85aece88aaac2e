/** The line about empty digests: they are not mailed, and the next digest with papers says so. */
import { addDays, DAY, daysBetween } from '../calendar.ts'
import type { Due } from '../subscriber/due.ts'
import type { Frequency } from '../subscriber/preferences.ts'
import { followsList } from '../subscriber/schedule.ts'
import { onDays } from './headline.ts'

/** Why most empty digests are empty; a clause without a full stop. */
export const NOTHING_NEW = 'no new papers matched what you follow'

/** Empty digests in a row: the dates of the first and of the last, and how often they were due. */
export interface EmptyDigests {
  from: string
  to: string
  frequency: Frequency
}

/** The dates of empty digests that could have had papers: a daily one of a day on which no list came is not missed. */
const missedDates = ({ from, to, frequency }: EmptyDigests, now: Due): string[] => {
  const step = frequency === 'weekly' ? 7 : 1
  const steps = Math.round(daysBetween(from, to) / step)
  // The last as it was: the weekday may have been changed in between.
  const dates = Array.from({ length: steps + 1 }, (_, n) => (n === steps ? to : addDays(from, n * step)))
  if (frequency === 'weekly') return dates
  return dates.filter((date) => followsList(new Date(now.at.getTime() - daysBetween(date, now.localDate) * DAY)))
}

/**
 * "No digest on Tuesday 14 and Wednesday 15 April: no new papers matched what you follow."; `now` is the moment of the
 * digest that says it. `null` where no list of papers came in all that time: nobody misses a digest at a weekend.
 */
export const emptyDigestLine = (empty: EmptyDigests, now: Due, why: string): string | null => {
  const missed = missedDates(empty, now)
  return missed.length === 0 ? null : `No digest ${onDays(missed)}: ${why}.`
}
