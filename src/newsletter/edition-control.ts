/** What an operator does with an edition: see who did not get it, send it to them, pause it and resume it. */

import type { Actor } from '../core/operator.ts'
import type { MailState } from '../core/sending/ledger.ts'
import { recordAct } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { type EditionRow, markPaused, markResumed, readEdition } from '../store/editions.ts'
import { holdsAllDeliveries } from '../store/outbox/mail-counts.ts'
import {
  countRequeueable,
  type MissedDelivery,
  requeueMissed,
  streamDeliveries,
} from '../store/outbox/missed-deliveries.ts'
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

/** Which missed deliveries of an edition are sent again: of all subscribers, or of one, by their id or address. */
export interface Resend {
  states: readonly MailState[]
  subscriber: { id: string } | { email: string } | null
}

/** What putting deliveries back in the queue did, or would do. */
export interface Resent {
  requeued: number
  /** How many were in which state. */
  from: Partial<Record<MailState, number>>
  /** The edition is paused: nothing is sent until it is resumed. */
  paused: boolean
}

/**
 * Puts deliveries in these states back in the queue, of all subscribers or of one; what is no longer wanted is
 * skipped again when it is claimed. Recorded as done by `actor`. Throws `UnusableEdition`.
 */
export const resendMissed = (db: Database, id: number, which: Resend, actor: Actor | null = null): Promise<Resent> =>
  db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, id)
    const subscriberId = await readResendable(trx, edition, which)
    const requeued = await requeueMissed(trx, id, { states: which.states, subscriberId })
    const result = {
      requeued: requeued.reduce((sum, one) => sum + one.count, 0),
      from: Object.fromEntries(requeued.map(({ state, count }) => [state, count])),
      paused: edition.pausedAt !== null,
    }
    if (actor !== null && result.requeued > 0)
      await recordAct(trx, {
        ...actor,
        ...actOn(id, 'edition.resent'),
        detail: { ...result.from, ...(subscriberId === null ? {} : { subscriber: subscriberId }) },
      })
    return result
  })

/** What `resendMissed` would do; `unwanted` of them would be skipped again. Throws `UnusableEdition`. */
export const planResend = async (db: Database, id: number, which: Resend): Promise<Resent & { unwanted: number }> => {
  const edition = await readEdition(db, id)
  if (edition === undefined) throw new UnusableEdition(`there is no edition ${id}`)
  const subscriberId = await readResendable(db, edition, which)
  const counted = await countRequeueable(db, id, { states: which.states, subscriberId })
  return {
    requeued: counted.reduce((sum, one) => sum + one.count, 0),
    unwanted: counted.reduce((sum, one) => sum + one.unwanted, 0),
    from: Object.fromEntries(counted.map(({ state, count }) => [state, count])),
    paused: edition.pausedAt !== null,
  }
}

/** The id of the one subscriber whom it is for, if it is for one. Throws where nothing of the edition can be sent again. */
const readResendable = async (db: Database, edition: EditionRow, { subscriber }: Resend): Promise<string | null> => {
  refuseCanceled(edition)
  if (edition.completedAt !== null && !(await holdsAllDeliveries(db, edition.id)))
    throw new UnusableEdition(`deliveries of edition ${edition.id} were dropped with their month: it is too old`)
  if (subscriber === null) return null
  const found = await readSubscriber(db, subscriber)
  if (found === undefined)
    throw new UnusableEdition(`there is no subscriber ${'email' in subscriber ? subscriber.email : subscriber.id}`)
  return found.id
}

/** From now on nothing more of the edition is claimed; what was claimed is finished. Throws `UnusableEdition`. */
export const pauseEdition = (
  db: Database,
  id: number,
  why: { by: string | null; why: string | null },
  actor: Actor | null = null,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, id)
    refuseCanceled(edition)
    if (edition.completedAt !== null) throw new UnusableEdition(`edition ${id} is complete: nothing of it waits`)
    await markPaused(trx, id, why)
    if (actor !== null) await recordAct(trx, { ...actor, ...actOn(id, 'edition.paused'), detail: { why: why.why } })
  })

/** Throws `UnusableEdition` for an edition that is not paused. */
export const resumeEdition = (db: Database, id: number, actor: Actor | null = null): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, id)
    refuseCanceled(edition)
    if (edition.pausedAt === null) throw new UnusableEdition(`edition ${id} is not paused`)
    await markResumed(trx, id)
    if (actor !== null) await recordAct(trx, { ...actor, ...actOn(id, 'edition.resumed') })
  })

const actOn = (id: number, action: string) => ({ action, subject: `edition:${id}` })

const lockEdition = async (trx: Database, id: number): Promise<EditionRow> => {
  const edition = await readEdition(trx, id, true)
  if (edition === undefined) throw new UnusableEdition(`there is no edition ${id}`)
  return edition
}

const refuseCanceled = ({ id, canceledAt }: EditionRow): void => {
  if (canceledAt !== null)
    throw new UnusableEdition(`edition ${id} is canceled: its readers get the papers with a later edition`)
}
