/** Empty digests: they are not mailed, and the next digest with papers says so. */
import { addDays, DAY, daysBetween } from '../calendar.ts'
import type { Due } from '../subscriber/due.ts'
import type { Frequency } from '../subscriber/preferences.ts'
import { followsList } from '../subscriber/schedule.ts'
import { type SkippedDigests, skippedFor } from './skipped-digests.ts'

/** Why most empty digests are empty; a clause without a full stop. */
export const NOTHING_NEW = 'no new papers matched what you follow'

/** Whether anybody misses a digest: nobody does a daily one of a day on which no list came. */
export const isMissed = (at: Date, frequency: Frequency): boolean => frequency === 'weekly' || followsList(at)

/** Empty digests in a row: the dates of the first and of the last, and how often they were due. */
export interface EmptyDigests {
  from: string
  to: string
  frequency: Frequency
}

/**
 * The digests that were not sent of empty ones of which the release before noted the first and the last; `now` is the moment
 * of the digest that tells. None where no list of papers came in all that time.
 */
export const skippedAsEmpty = ({ from, to, frequency }: EmptyDigests, now: Due, why: string): SkippedDigests[] => {
  const step = frequency === 'weekly' ? 7 : 1
  const steps = Math.round(daysBetween(from, to) / step)
  // The last as it was: the weekday may have been changed in between.
  const dates = Array.from({ length: steps + 1 }, (_, n) => (n === steps ? to : addDays(from, n * step)))
  const missed = dates.filter((date) =>
    isMissed(new Date(now.at.getTime() - daysBetween(date, now.localDate) * DAY), frequency),
  )
  const [first, last] = [missed[0], missed.at(-1)]
  if (first === undefined || last === undefined) return []
  return [{ ...skippedFor(first, why), to: last, days: missed.length }]
}
