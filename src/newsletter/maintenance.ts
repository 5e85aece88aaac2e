/**
 * Maintenance: the months of deliveries that are to come are made, and those that are old enough are dropped. Nothing
 * else in the service makes or drops a table, so the other roles need no right to.
 *
 * There is no partition for "all other dates": what fell into it would have to be moved by hand before its month could
 * be made, and a month could not be dropped any more without stopping all mail. An edition whose month is missing is not
 * published, says so at each tick, and goes on once the month is there; nothing is lost by it.
 */
import { addDays } from '../core/calendar.ts'
import type { Database } from '../store/database.ts'
import { countUnsettled, createMonth, dropMonth, monthAfter, readMonths, withMonths } from '../store/months.ts'

/** So many months beyond the present one stand ready: a maintenance that fails has weeks to be noticed. */
const MONTHS_AHEAD = 2
const LOCK_TRIES = 10
const LOCK_TIMEOUT = '55P03'

export interface MaintenanceOptions {
  now: Date
  /** Deliveries are kept for at least so many days; then their month goes. */
  keepDays: number
  /** Months to make beside those that are due, such as `2026-04`. */
  months?: string[]
  /** Says what would be done and does nothing. */
  dryRun?: boolean
}

export interface Maintained {
  created: string[]
  dropped: string[]
  /** Old months that stay because mail of theirs is not settled. */
  kept: { month: string; unsettled: number }[]
}

/** Tries again when a lock could not be had: somebody's long transaction must not hold up everybody else's. */
const patiently = async (work: () => Promise<void>): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_TIMEOUT || tries >= LOCK_TRIES) throw error
    }
  }
}

/** Does what is due; a second time it finds nothing to do. `null` when another process is at it. */
export const maintain = (db: Database, options: MaintenanceOptions): Promise<Maintained | null> =>
  withMonths(db, async (connection) => {
    const { now, keepDays, months = [], dryRun = false } = options
    const today = now.toISOString().slice(0, 10)
    // Somewhere it is yesterday still.
    const wanted = new Set([...months, addDays(today, -1).slice(0, 7)])
    for (let next = today.slice(0, 7), ahead = 0; ahead <= MONTHS_AHEAD; next = monthAfter(next), ahead++)
      wanted.add(next)

    const done: Maintained = { created: [], dropped: [], kept: [] }
    const standing = await readMonths(connection)
    const there = new Set(standing.map((one) => one.month))
    for (const missing of [...wanted].filter((one) => !there.has(one)).sort()) {
      if (!dryRun) await patiently(() => createMonth(connection, missing))
      done.created.push(missing)
    }
    const oldest = addDays(today, -keepDays)
    for (const one of standing) {
      // The first day after it must be old enough, too.
      if (wanted.has(one.month) || `${monthAfter(one.month)}-01` > oldest) continue
      const unsettled = one.stands === 'in use' ? await countUnsettled(connection, one.month) : 0
      if (unsettled > 0) {
        done.kept.push({ month: one.month, unsettled })
        continue
      }
      if (!dryRun) await dropPatiently(connection, one.month)
      done.dropped.push(one.month)
    }
    return done
  })

/** A try that was broken off may have begun the dropping, so each begins with what stands. */
const dropPatiently = (connection: Database, month: string): Promise<void> =>
  patiently(async () => {
    const standing = (await readMonths(connection)).find((one) => one.month === month)
    if (standing !== undefined) await dropMonth(connection, standing)
  })
