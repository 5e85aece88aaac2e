/**
 * The clocks of the service under test, so that time passes when the runner says so: the calendar's and the monotonic
 * clock of every role, by a file that each reads, and the database's clock, by moving what is compared with it.
 */
import { join } from 'node:path'
import { sql, type Transaction } from 'kysely'
import type { Database, Tables } from '../../src/store/database.ts'
import { retryDeadlocks } from '../support/databases/deadlocks.ts'
import { type ClockFile, openClockFile } from '../support/processes/clock-file.ts'
import type { RoleName } from './supervisor.ts'

const OPEN = sql`where state in ('queued', 'sending', 'deferred')`
/** What the database's clock is compared with, ahead of it and behind: it moves when time passes. */
const TIMES = [
  // In the order in which mailers lock them.
  { table: 'throttled_routes', columns: ['since', 'changed_at', 'not_before'], which: sql`` },
  { table: 'letters', columns: ['created_at', 'lease_until', 'next_attempt_at'], which: OPEN },
  { table: 'deliveries', columns: ['created_at', 'lease_until', 'next_attempt_at'], which: OPEN },
]

/** Where a process was stopped that holds a lock, the wait for it ends with this error. */
const LOCK_NOT_AVAILABLE = '55P03'
export const isLockTimeout = (error: unknown): boolean => (error as { code?: string }).code === LOCK_NOT_AVAILABLE

interface Options {
  db: Database
  /** Where the files lie that the roles read. */
  folder: string
  /** Where the service's clock stands at first. */
  at: Date
}

export const openServiceClocks = ({ db, folder, at }: Options) => {
  /** How far the clocks of the service are from those of the machine, milliseconds. */
  const moved = { calendar: at.getTime() - Date.now(), monotonic: 0 }
  const files = new Map<RoleName, ClockFile & { skew: number }>()
  const set = () => {
    for (const file of files.values()) file.move({ calendar: moved.calendar + file.skew, monotonic: moved.monotonic })
  }

  return {
    /** The file by which a role reads its clocks. */
    fileOf(name: RoleName): string {
      const file = files.get(name) ?? { ...openClockFile(join(folder, `${name}.clock`)), skew: 0 }
      files.set(name, file)
      set()
      return file.path
    },
    /** Milliseconds of a clock that `pass` moves along, and nothing else does. */
    elapsed: () => performance.now() + moved.monotonic,
    /** What the service's clock says. */
    now: () => new Date(Date.now() + moved.calendar),
    /** Moves the calendar of all roles, and nothing else. */
    setCalendar(to: Date) {
      moved.calendar = to.getTime() - Date.now()
      set()
    },
    /** Lets the calendar of one role be wrong by this many milliseconds. */
    skew(name: RoleName, ms: number) {
      const file = files.get(name)
      if (file !== undefined) file.skew = ms
      set()
    },
    /**
     * Milliseconds pass, for every clock: those of the roles, and what lies ahead in the database. Resolves to whether
     * any mail was being sent meanwhile. Fails, and nothing has passed, where a lock cannot be had for five seconds.
     */
    async pass(ms: number): Promise<boolean> {
      let sending = true
      const after = `${ms} milliseconds`
      const move = async (trx: Transaction<Tables>) => {
        await sql`set local lock_timeout = '5s'`.execute(trx)
        for (const { table, columns, which } of TIMES) {
          const moves = columns.map((column) => sql`${sql.ref(column)} = ${sql.ref(column)} - ${after}::interval`)
          await sql`update ${sql.table(table)} set ${sql.join(moves)} ${which}`.execute(trx)
        }
        // What is not claimed by now is locked by us.
        const { rows } = await sql<{ sending: boolean }>`
          select exists (select from letters where state = 'sending')
            or exists (select from deliveries where state = 'sending') as sending`.execute(trx)
        sending = rows[0]?.sending !== false
      }
      await retryDeadlocks(() => db.transaction().execute(move))
      moved.calendar += ms
      moved.monotonic += ms
      set()
      return sending
    },
    close() {
      for (const file of files.values()) file.close()
    },
  }
}
