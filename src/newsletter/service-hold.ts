/** What an operator does with the whole service: hold it, so that nothing is published or sent, and let it go on. */
import type { Actor } from '../core/operator.ts'
import { recordAct } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
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
  const passed = skipDue ? await passOverDue(db, now, now) : 0
  await db.transaction().execute(async (trx) => {
    if (!(await deleteHold(trx))) throw new UnusableHold('the service was resumed by somebody else')
    await recordAct(trx, { ...actor, action: 'service.resumed', subject: null, detail: skipDue ? { passed } : {} })
  })
  return passed
}
