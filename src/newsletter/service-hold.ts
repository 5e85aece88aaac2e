/** What an operator does with the whole service: hold it, so that nothing is published or sent, and let it go on. */
import { NOT_IN_TIME } from '../core/digest/skipped-digests.ts'
import type { Actor } from '../core/operator.ts'
import { recordAct } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { countLeased } from '../store/outbox/leases.ts'
import { inWritableSession, isReadOnly, setReadOnly } from '../store/read-only.ts'
import { deleteHold, readHold, type ServiceHold, storeHold } from '../store/service-hold.ts'
import { passOverDue } from './next-due.ts'

export type { ServiceHold } from '../store/service-hold.ts'

/** The service is held, or is not; the message says what to do. */
export class UnusableHold extends Error {}

/** The hold in a sentence, for logs and commands. */
export const describeHold = ({ heldAt, by, why }: ServiceHold): string =>
  `the service is held since ${heldAt.toISOString()}${by === null ? '' : ` by ${by}`} (${why}): nothing is published or sent`

/** Holds the service; what mailers have claimed is finished. */
export const holdService = (db: Database, actor: Actor, why: string): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await storeHold(trx, { by: actor.byWhom, why, restoredFrom: null })
    await recordAct(trx, { ...actor, action: 'service.held', subject: null, detail: { why } })
  })

/** How long what mailers have claimed may take to be finished, milliseconds; a lease that ends is renewed while a server answers. */
const FINISH_WITHIN = 90_000
const LOOK_EVERY = 200

/**
 * Makes the database read-only, for maintenance: the site shows all pages and changes nothing. The service is held first, and
 * what mailers have claimed is finished, so that no outcome is lost. Returns how many sessions of others could not be ended
 * and go on writing; throws `UnusableHold` where mailers do not finish in time.
 */
export const makeReadOnly = async (db: Database, actor: Actor, why: string): Promise<number> => {
  await db.transaction().execute(async (trx) => {
    await storeHold(trx, { by: actor.byWhom, why, restoredFrom: null })
    await recordAct(trx, { ...actor, action: 'service.made-read-only', subject: null, detail: { why } })
  })
  const until = performance.now() + FINISH_WITHIN
  while ((await countLeased(db)) > 0) {
    if (performance.now() > until)
      throw new UnusableHold('mailers have not finished what they claimed: the service is held, and not read-only')
    await new Promise((resume) => setTimeout(resume, LOOK_EVERY))
  }
  return db.connection().execute((connection) => setReadOnly(connection, true))
}

/**
 * Ends the hold, and makes a database writable again that `makeReadOnly` made read-only. Returns besides how many sessions
 * could not be ended, and stay read-only.
 */
export const endHold = async (
  db: Database,
  actor: Actor,
  now: Date,
  options: { skipDue: boolean },
): Promise<{ passedOver: number; left: number }> => {
  if (!(await isReadOnly(db))) return { passedOver: await resumeService(db, actor, now, options), left: 0 }
  return inWritableSession(db, async (connection) => {
    const left = await setReadOnly(connection, false)
    return { passedOver: await resumeService(connection, actor, now, options), left }
  })
}

/**
 * Ends the hold. With `skipDue` those who are due by now get no digest for it: they move on to their next regular time,
 * as after a restore when they had it before. Returns how many did. Throws `UnusableHold` where there is no hold.
 */
export const resumeService = async (
  db: Database,
  actor: Actor,
  now: Date,
  { skipDue }: { skipDue: boolean },
): Promise<number> => {
  if ((await readHold(db)) === null) throw new UnusableHold('the service is not held: there is nothing to resume')
  // Before the hold ends: the next tick would publish them.
  const passed = skipDue ? await passOverDue(db, now, now, NOT_IN_TIME) : 0
  await db.transaction().execute(async (trx) => {
    if (!(await deleteHold(trx))) throw new UnusableHold('the service was resumed by somebody else')
    await recordAct(trx, { ...actor, action: 'service.resumed', subject: null, detail: skipDue ? { passed } : {} })
  })
  return passed
}
