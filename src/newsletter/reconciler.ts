/**
 * Puts right what went astray: mails whose mailer died, editions that are over and not called so, mails whose bell was
 * never heard. Of several schedulers one does it at a time, the others move on. An edition that was begun and not
 * published to its end is `publishDue`'s to finish, which any number may do at once.
 */
import type { Log } from '../core/log.ts'
import type { Database } from '../store/database.ts'
import { anyReady, type MailStream, type OnUnknown, requeueExpired } from '../store/deliveries.ts'
import { balanceEdition, lockReconciling, readEdition, readEditionsToBalance } from '../store/editions.ts'
import { hasSignUps } from '../store/sign-ups.ts'

export interface ReconcilerPorts {
  db: Database
  log: Log
  wake: (queueName: 'letters' | 'deliveries') => Promise<void>
  /** `resend` unless told otherwise. */
  onUnknown?: OnUnknown
}

const MAIL_STREAMS: MailStream[] = ['letters', 'deliveries']

/** Resolves to whether it was done here; `false`: another process is at it. */
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
  // Whoever works off the sign-ups is woken by the bell of the letters.
  if ((await anyReady(db, 'letters')) || (await hasSignUps(db))) await wake('letters')
  if (await anyReady(db, 'deliveries')) await wake('deliveries')
  return true
}
