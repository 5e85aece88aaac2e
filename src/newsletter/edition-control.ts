/** What an operator does with an edition: see who did not get it, send it to them, pause it and resume it. */
import type { MailState } from '../core/sending/ledger.ts'
import type { Database } from '../store/database.ts'
import { type EditionRow, markPaused, markResumed, readEdition } from '../store/editions.ts'
import { holdsAllDeliveries } from '../store/outbox/mail-counts.ts'
import { type MissedDelivery, requeueMissed, streamDeliveries } from '../store/outbox/missed-deliveries.ts'
import { readSubscriber } from '../store/subscribers.ts'

export type { MissedDelivery } from '../store/outbox/missed-deliveries.ts'

/** Nothing can be done with the edition; the message says why. */
export class UnusableEdition extends Error {}

/** The states of deliveries that did not arrive, as far as can be known. */
export const MISSED = ['failed', 'skipped', 'unknown'] as const

/**
 * Hands over the deliveries in these states, up to a thousand at a time; `reason` is any part of a delivery's reason.
 * Throws `UnusableEdition` when there is no such edition.
 */
export const streamMissed = async (
  db: Database,
  id: number,
  which: { states: MailState[]; reason: string | null },
  take: (rows: MissedDelivery[]) => Promise<void>,
): Promise<void> => {
  if ((await readEdition(db, id)) === undefined) throw new UnusableEdition(`there is no edition ${id}`)
  await streamDeliveries(db, id, which, take)
}

/**
 * Puts deliveries in these states back in the queue, of all subscribers or of one address; what is no longer wanted is
 * skipped again when it is claimed. `from` says how many of each state. Throws `UnusableEdition`.
 */
export const resendMissed = (
  db: Database,
  id: number,
  which: { states: MailState[]; address: string | null },
): Promise<{ requeued: number; from: Record<string, number>; paused: boolean }> =>
  db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, id)
    refuseCanceled(edition)
    if (edition.completedAt !== null && !(await holdsAllDeliveries(trx, id)))
      throw new UnusableEdition(`deliveries of edition ${id} were dropped with their month: it is too old`)
    const subscriber = which.address === null ? undefined : await readSubscriber(trx, { email: which.address })
    if (which.address !== null && subscriber === undefined)
      throw new UnusableEdition(`there is no subscriber ${which.address}`)
    const requeued = await requeueMissed(trx, id, { states: which.states, subscriberId: subscriber?.id ?? null })
    return {
      requeued: requeued.reduce((sum, one) => sum + one.count, 0),
      from: Object.fromEntries(requeued.map(({ state, count }) => [state, count])),
      paused: edition.pausedAt !== null,
    }
  })

/** From now on nothing more of the edition is claimed; what was claimed is finished. Throws `UnusableEdition`. */
export const pauseEdition = (db: Database, id: number, why: { by: string | null; why: string | null }): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, id)
    refuseCanceled(edition)
    if (edition.completedAt !== null) throw new UnusableEdition(`edition ${id} is complete: nothing of it waits`)
    await markPaused(trx, id, why)
  })

/** Throws `UnusableEdition` for an edition that is not paused. */
export const resumeEdition = (db: Database, id: number): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, id)
    refuseCanceled(edition)
    if (edition.pausedAt === null) throw new UnusableEdition(`edition ${id} is not paused`)
    await markResumed(trx, id)
  })

const lockEdition = async (trx: Database, id: number): Promise<EditionRow> => {
  const edition = await readEdition(trx, id, true)
  if (edition === undefined) throw new UnusableEdition(`there is no edition ${id}`)
  return edition
}

const refuseCanceled = ({ id, canceledAt }: EditionRow): void => {
  if (canceledAt !== null)
    throw new UnusableEdition(`edition ${id} is canceled: its readers get the papers with a later edition`)
}
