/** When readers are due next who are passed over: their next regular time, as if no digest had been due before. */
import { localDateAt } from '../core/calendar.ts'
import { isMissed } from '../core/digest/empty-digest.ts'
import { type SkippedDigests, skippedFor } from '../core/digest/skipped-digests.ts'
import { type LastDue, missedDues, nextDue, type SendingTime } from '../core/subscriber/due.ts'
import { servedZone } from '../core/subscriber/time-zone.ts'
import type { Database } from '../store/database.ts'
import { lockStillDue, storeNextDue } from '../store/subscribers.ts'

/** Results that are kept: those who had only a welcome are each due by their own. */
const MAX_KEPT = 10_000
const AT_A_TIME = 2_500

/** Returns `nextDue` after an instant, computed once for each distinct preference of time and past. */
export const createNextDue = (after: Date): ((time: SendingTime, last: LastDue) => Date) => {
  const known = new Map<string, Date>()
  return (time, last) => {
    const { frequency, hour, weekday, atOnce } = time
    const key = `${frequency}|${hour}|${weekday}|${atOnce}|${time.timeZone}|${last.date}|${last.at?.getTime()}`
    const due =
      known.get(key) ??
      nextDue({ frequency, hour, weekday, atOnce, timeZone: servedZone(time.timeZone) }, after, last).at
    if (known.size < MAX_KEPT) known.set(key, due)
    return due
  }
}

/** The regular digests of a reader that do not come, from the one due first to the next that does. */
const skippedUntil = (times: SendingTime, dueAt: Date, nextDueAt: Date, why: string): SkippedDigests[] => {
  const time = { ...times, timeZone: servedZone(times.timeZone) }
  return missedDues(time, dueAt, localDateAt(nextDueAt, time.timeZone))
    .filter(({ at }) => isMissed(at, time.frequency))
    .map(({ localDate }) => skippedFor(localDate, why))
}

/**
 * Moves everybody who is due by an instant on to their next regular time after `now`, without a digest; the next one tells of it, and `why` (a clause). `onMoved` hears
 * when each is due then. Returns how many there were; killed half-way it has moved some, and may be run again.
 */
export const passOverDue = async (
  db: Database,
  by: Date,
  now: Date,
  why: string,
  onMoved: (nextDueAt: Date) => void = () => undefined,
): Promise<number> => {
  const dueAfter = createNextDue(now)
  for (let passed = 0; ; ) {
    const some = await db.transaction().execute(async (trx) => {
      const readers = await lockStillDue(trx, by, AT_A_TIME)
      const moved = readers.map(({ subscriberId, lastLocalDate, lastDueAt, dueAt, ...time }) => {
        const nextDueAt = dueAfter(time, { date: lastLocalDate, at: lastDueAt })
        return { subscriberId, nextDueAt, missed: skippedUntil(time, dueAt, nextDueAt, why) }
      })
      await storeNextDue(trx, moved)
      for (const { nextDueAt } of moved) onMoved(nextDueAt)
      return moved.length
    })
    if (some === 0) return passed
    passed += some
  }
}
