/**
 * Reconciles the outbox: requeues mails whose mailer died, closes editions that are finished, and wakes mailers for mails
 * whose wake-up job was lost. Of several schedulers one does it at a time, and the others pass. An edition that was begun
 * and not published completely is left to `publishDue`, which any number of schedulers may run at once.
 */
import type { Log } from '../../core/log.ts'
import { type Database, MAIL_STREAMS, type MailQueue } from '../../store/database.ts'
import { balanceEdition, lockReconciling, readEditionsToBalance } from '../../store/edition-balance.ts'
import { readEdition } from '../../store/editions.ts'
import { anyReady } from '../../store/outbox/claims.ts'
import { type OnUnknown, requeueExpired } from '../../store/outbox/leases.ts'
import { hasSignUps } from '../../store/sign-ups.ts'

export interface ReconcilerPorts {
  db: Database
  log: Log
  wake: (queueName: MailQueue) => Promise<void>
  /** `resend` by default. */
  onUnknown?: OnUnknown
}

/** Resolves to whether it was done here; `false`: another process is doing it. */
export const reconcile = async ({ db, log, wake, onUnknown = 'resend' }: ReconcilerPorts): Promise<boolean> => {
  const done = await db.transaction().execute(async (trx) => {
    if (!(await lockReconciling(trx))) return false
    for (const stream of MAIL_STREAMS) {
      const mails = await requeueExpired(trx, stream, { onUnknown })
      if (mails > 0) log.warn({ stream, mails, onUnknown }, 'leases ran out: nobody knows whether these were sent')
    }
    for (const id of await readEditionsToBalance(trx)) {
      await readEdition(trx, id, true)
      const { due, missing, complete } = await balanceEdition(trx, id)
      if (complete) log.info({ edition: id, due }, 'edition complete')
      else if (missing !== 0) log.error({ edition: id, due, missing }, 'an edition does not add up')
    }
    return true
  })
  if (!done) return false
  // The queue of letters also wakes the process that works off sign-ups.
  if ((await anyReady(db, 'letters')) || (await hasSignUps(db))) await wake('letters')
  if ((await anyReady(db, 'deliveries')) || (await anyReady(db, 'announcement_mails'))) await wake('deliveries')
  return true
}
