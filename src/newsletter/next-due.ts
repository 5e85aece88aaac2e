/** When readers are due next who are passed over: their next regular time, as if no digest had been due before. */
import { type LastDue, nextDue, type SendingTime } from '../core/subscriber/due.ts'
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
    const { frequency, hour, weekday } = time
    const key = `${frequency}|${hour}|${weekday}|${time.timeZone}|${last.date}|${last.at?.getTime()}`
    const due =
      known.get(key) ?? nextDue({ frequency, hour, weekday, timeZone: servedZone(time.timeZone) }, after, last).at
    if (known.size < MAX_KEPT) known.set(key, due)
    return due
  }
}

/**
 * Moves everybody who is due by an instant on to their next regular time after `now`, without a digest. `onMoved` hears
 * when each is due then. Returns how many there were; killed half-way it has moved some, and may be run again.
 */
export const passOverDue = async (
  db: Database,
  by: Date,
  now: Date,
  onMoved: (nextDueAt: Date) => void = () => undefined,
): Promise<number> => {
  const dueAfter = createNextDue(now)
  for (let passed = 0; ; ) {
    const some = await db.transaction().execute(async (trx) => {
      const readers = await lockStillDue(trx, by, AT_A_TIME)
      const moved = readers.map(({ subscriberId, lastLocalDate, lastDueAt, ...time }) => ({
        subscriberId,
        nextDueAt: dueAfter(time, { date: lastLocalDate, at: lastDueAt }),
      }))
      await storeNextDue(trx, moved)
      for (const { nextDueAt } of moved) onMoved(nextDueAt)
      return moved.length
    })
    if (some === 0) return passed
    passed += some
  }
}
