/** The service's clock may not run backwards across restarts: days would be lived twice. */
import { SECOND } from '../core/calendar.ts'
import type { Database } from '../store/database.ts'
import { readLastTick } from '../store/last-tick.ts'

/** Clocks of two machines may differ by this much without a day being lived twice. */
const CLOCKS_DIFFER = 30 * SECOND

/** What is wrong with a service that starts at `now`, for its operator; `null` when nothing is. */
export const clockError = async (db: Database, now: Date): Promise<string | null> => {
  const last = await readLastTick(db)
  if (last === null || now.getTime() >= last.getTime() - CLOCKS_DIFFER) return null
  return (
    `the clock says ${now.toISOString()}, but this data has already seen ${last.toISOString()}; ` +
    `set the clock (or CLOCK) to that time or later, or use another DATA_DIR`
  )
}
