/** Whether a process can do its work. */
import type { Queue } from '../src/adapters/queue/queue.ts'
import { MINUTE } from '../src/core/calendar.ts'
import type { Health } from '../src/http/health.ts'
import { describeHold } from '../src/newsletter/service-hold.ts'
import type { Database } from '../src/store/database.ts'
import { readLastTick } from '../src/store/last-tick.ts'
import { isReadOnly } from '../src/store/read-only.ts'
import { readHold } from '../src/store/service-hold.ts'
import type { Role } from './roles/role.ts'

/** A scheduler without a tick for so long has lost its queue, or hangs in an edition. */
const MAX_TICK_AGE = 5 * MINUTE

interface ReadinessPorts {
  db: Database
  queue: Pick<Queue, 'ping'>
  roles: ReadonlySet<Role>
  now: () => Date
  /** Rejects while there is too little space to take more. */
  requireSpace: () => Promise<void>
}

/**
 * The check of a process: it resolves when its roles have what they need, and rejects with what they lack. A hold is no
 * lack: the site goes on, and another process would be held, too.
 */
export const createReadiness = ({ db, queue, roles, now, requireSpace }: ReadinessPorts): Health['ready'] => {
  const begun = now().getTime()
  return async () => {
    // A query that fails says that the database is away, as a ping would.
    const hold = await readHold(db)
    const found = hold === null ? undefined : { held: describeHold(hold) }
    await requireSpace()
    // The site works without the queue: the next tick finds what the site would have woken others for.
    if (roles.has('scheduler') || roles.has('mailer')) await queue.ping()
    // Nothing can tick, and no other process could.
    if (!roles.has('scheduler') || (await isReadOnly(db))) return found
    const last = await readLastTick(db)
    const age = now().getTime() - Math.max(begun, last?.getTime() ?? 0)
    if (age > MAX_TICK_AGE) throw new Error(`no tick for ${Math.floor(age / MINUTE)} minutes`)
    return found
  }
}
