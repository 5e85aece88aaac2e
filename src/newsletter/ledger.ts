/** What an operator asks of editions and does with them: who got it, who did not and why, send it to them, pause, resume. */
import { balance, type Equation, type MailState, type StateCount } from '../core/sending/ledger.ts'
import type { Database } from '../store/database.ts'
import { readLastTick } from '../store/digests.ts'
import {
  countStates,
  type EditionRow,
  holdsAllDeliveries,
  type MissedDelivery,
  type OpenEdition,
  pauseEdition,
  readEdition,
  readEditions,
  readLetterFigures,
  readOpenEditions,
  requeueMissed,
  resumeEdition,
  streamDeliveries,
} from '../store/editions.ts'
import { countFeedback } from '../store/feedback.ts'
import { readMailsOn } from '../store/mail-records.ts'
import { readSubscriber } from '../store/subscribers.ts'

export interface EditionSummary {
  id: number
  cutoff: Date
  /** `broken`: its deliveries do not add up to what was due. */
  status: 'publishing' | 'sending' | 'paused' | 'complete' | 'broken'
  begunAt: Date
  publishedAt: Date | null
  completedAt: Date | null
  paused: { at: Date; by: string | null; why: string | null } | null
  /** Of one that is not complete `sent` is what is left of `due`: only `readAccount` counts it. */
  equation: Equation
}

export interface EditionAccount extends EditionSummary {
  /** By state and kind of reason, the most first. */
  counts: StateCount[]
  /** Deliveries that may have arrived twice. */
  resent: number
  /** From the beginning of publishing to completion, or to the last mail sent so far; `null` before any. */
  seconds: number | null
  /** Mails sent a second, from the first to the last; `null` where that cannot be said. */
  perSecond: number | null
}

/** Nothing can be done with the edition; the message says why. */
export class UnusableEdition extends Error {}

/** Who did not get it, as far as can be known. */
export const MISSED = ['failed', 'skipped', 'unknown'] as const

const summarize = (row: EditionRow, equation: Equation): EditionSummary => ({
  id: row.id,
  cutoff: row.cutoff,
  status: statusOf(row, equation),
  begunAt: row.begunAt,
  publishedAt: row.publishedAt,
  completedAt: row.completedAt,
  paused: row.pausedAt === null ? null : { at: row.pausedAt, by: row.pausedBy, why: row.pausedWhy },
  equation,
})

const statusOf = (row: EditionRow, { missing }: Equation): EditionSummary['status'] => {
  if (missing !== 0) return 'broken'
  if (row.completedAt !== null) return 'complete'
  if (row.pausedAt !== null) return 'paused'
  return row.publishedAt === null ? 'publishing' : 'sending'
}

const equationOfOpen = (open: OpenEdition): Equation => {
  const { due, failed, skipped, unknown, missing } = open
  const pending = open.queued + open.deferred + open.sending
  return { due, sent: due - failed - skipped - unknown - pending - missing, failed, skipped, pending, unknown, missing }
}

export const createLedger = (db: Database) => ({
  /** The newest editions first. */
  async list(most: number): Promise<EditionSummary[]> {
    const rows = await readEditions(db, most)
    const open = new Map((await readOpenEditions(db)).map((one) => [one.id, one]))
    return rows.map((row) => {
      const still = open.get(row.id)
      return summarize(still ?? row, still === undefined ? balance(row.due, row.totals ?? []) : equationOfOpen(still))
    })
  },

  /** All of one edition, every delivery counted; `null` when there is none of this id. */
  readAccount: (id: number): Promise<EditionAccount | null> =>
    // At one moment: what is due and what there is belong together while it is published.
    db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (trx) => {
        const row = await readEdition(trx, id)
        if (row === undefined) return null
        const counted = await countStates(trx, id)
        const held = balance(row.due, counted)
        // Of a complete edition whose deliveries were dropped with their month, what they had added up to stands.
        const gone = row.completedAt !== null && held.missing > 0
        const counts = gone ? (row.totals ?? []) : counted.map(({ firstSentAt, lastSentAt, ...count }) => count)
        const equation = balance(row.due, counts)
        const first = Math.min(...counted.map((one) => one.firstSentAt?.getTime() ?? Number.POSITIVE_INFINITY))
        const last = Math.max(...counted.map((one) => one.lastSentAt?.getTime() ?? Number.NEGATIVE_INFINITY))
        const end = row.completedAt?.getTime() ?? last
        return {
          ...summarize(row, equation),
          counts,
          resent: counts.reduce((sum, one) => sum + one.resent, 0),
          seconds: Number.isFinite(end) ? (end - row.begunAt.getTime()) / 1000 : null,
          perSecond: !gone && last > first ? (held.sent * 1000) / (last - first) : null,
        }
      }),

  /** Hands over who did not get it, some at a time. Throws `UnusableEdition` when there is no such edition. */
  async streamMissed(
    id: number,
    which: { states: MailState[]; reason: string | null },
    take: (rows: MissedDelivery[]) => Promise<void>,
  ): Promise<void> {
    if ((await readEdition(db, id)) === undefined) throw new UnusableEdition(`there is no edition ${id}`)
    await streamDeliveries(db, id, which, take)
  },

  /**
   * Puts those that did not get it back in the queue; what is no longer wanted is skipped again when it is claimed.
   * Returns how many of each state. Throws `UnusableEdition`.
   */
  resend: (
    id: number,
    which: { states: MailState[]; address: string | null },
  ): Promise<{ requeued: number; from: Record<string, number>; paused: boolean }> =>
    db.transaction().execute(async (trx) => {
      const edition = await readEdition(trx, id, true)
      if (edition === undefined) throw new UnusableEdition(`there is no edition ${id}`)
      if (edition.completedAt !== null && !(await holdsAllDeliveries(trx, id)))
        throw new UnusableEdition(`deliveries of edition ${id} were dropped with their month: it is too old`)
      const subscriber = which.address === null ? undefined : await readSubscriber(trx, { email: which.address })
      if (which.address !== null && subscriber === undefined)
        throw new UnusableEdition(`there is no subscriber ${which.address}`)
      const back = await requeueMissed(trx, id, { states: which.states, subscriberId: subscriber?.id ?? null })
      return {
        requeued: back.reduce((sum, one) => sum + one.count, 0),
        from: Object.fromEntries(back.map(({ state, count }) => [state, count])),
        paused: edition.pausedAt !== null,
      }
    }),

  /** Nothing more of it is claimed from now on; what was claimed is finished. Throws `UnusableEdition`. */
  pause: (id: number, why: { by: string | null; why: string | null }): Promise<void> =>
    db.transaction().execute(async (trx) => {
      const edition = await readEdition(trx, id, true)
      if (edition === undefined) throw new UnusableEdition(`there is no edition ${id}`)
      if (edition.completedAt !== null) throw new UnusableEdition(`edition ${id} is complete: nothing of it waits`)
      await pauseEdition(trx, id, why)
    }),

  /** Throws `UnusableEdition` for one that is not paused. */
  resume: (id: number): Promise<void> =>
    db.transaction().execute(async (trx) => {
      const edition = await readEdition(trx, id, true)
      if (edition === undefined) throw new UnusableEdition(`there is no edition ${id}`)
      if (edition.pausedAt === null) throw new UnusableEdition(`edition ${id} is not paused`)
      await resumeEdition(trx, id)
    }),

  /** Every mail of a subscriber's local date, and what became of it; `null` when nobody has the address. */
  async readDay(address: string, date: string) {
    const subscriber = await readSubscriber(db, { email: address })
    if (subscriber === undefined) return null
    return { email: subscriber.email, state: subscriber.state, mails: await readMailsOn(db, subscriber.id, date) }
  },

  /** What is measured: cheap enough to be asked for again and again. Ages in seconds; `null`: nothing waits. */
  async readFigures(now: Date): Promise<Figures> {
    const open = await readOpenEditions(db)
    const letters = await readLetterFigures(db)
    const lastTick = await readLastTick(db)
    const sum = (of: (one: OpenEdition) => number) => open.reduce((total, one) => total + of(one), 0)
    const ages = open.flatMap((one) => one.oldestWaiting ?? [])
    return {
      openEditions: open.length,
      pausedEditions: open.filter((one) => one.pausedAt !== null).length,
      brokenEditions: open.filter((one) => one.missing !== 0).length,
      deliveries: {
        queued: sum((one) => one.queued),
        sending: sum((one) => one.sending),
        deferred: sum((one) => one.deferred),
        sent: sum((one) => equationOfOpen(one).sent),
        failed: sum((one) => one.failed),
        skipped: sum((one) => one.skipped),
        unknown: sum((one) => one.unknown),
      },
      resentDeliveries: sum((one) => one.resent),
      oldestDelivery: ages.length === 0 ? null : Math.max(...ages),
      letters: letters.states,
      oldestLetter: letters.oldestWaiting,
      returns: await countFeedback(db),
      sinceTick: lastTick === null ? null : Math.max(0, (now.getTime() - lastTick.getTime()) / 1000),
    }
  },
})

export type EditionLedger = ReturnType<typeof createLedger>
export type { MissedDelivery } from '../store/editions.ts'
export type { MailRecord } from '../store/mail-records.ts'

export interface Figures {
  openEditions: number
  pausedEditions: number
  brokenEditions: number
  /** Of the editions that are not complete. */
  deliveries: Record<MailState, number>
  resentDeliveries: number
  oldestDelivery: number | null
  /** Of the last 24 hours, and whatever waits. */
  letters: Record<Exclude<MailState, 'unknown'>, number>
  oldestLetter: number | null
  /** What came back of the editions of the last seven days, by class. */
  returns: Record<string, number>
  sinceTick: number | null
}
