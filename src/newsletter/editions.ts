/** What an operator reads of editions: how far each is, its equation, and what its deliveries came to. */
import type { BounceClass } from '../core/bounces/bounce-class.ts'
import { balance, type Equation, type StateCount } from '../core/sending/ledger.ts'
import { countReturned } from '../store/bounce-list.ts'
import type { Database } from '../store/database.ts'
import { type EditionRow, readEdition, readEditions, readEditionsSince } from '../store/editions.ts'
import { countStates, type OpenEdition, readOpenEditions } from '../store/outbox/mail-counts.ts'
import { foreseeEditions } from './sending/limits.ts'

export interface EditionSummary {
  id: number
  cutoff: Date
  /** `broken`: its deliveries do not add up to what was due. */
  status: 'publishing' | 'sending' | 'paused' | 'canceled' | 'complete' | 'broken'
  begunAt: Date
  publishedAt: Date | null
  completedAt: Date | null
  paused: { at: Date; by: string | null; why: string | null } | null
  /** Called off for good: what had not been sent is `canceled` in the equation. */
  canceled: { at: Date; by: string | null; why: string | null } | null
  /** When all of it is sent at the earliest under the operator's caps; `null` where nothing caps it, or for over a year. */
  expectedAt: Date | null
  /** While the edition is not complete `sent` is what remains of `due`: only `readEditionAccount` counts it. */
  equation: Equation
}

export interface EditionAccount extends EditionSummary {
  /** By state and kind of reason, the most first. */
  counts: StateCount[]
  /** Deliveries that may have arrived twice. */
  resent: number
  /** What came back of it: bounces by their class, and complaints. */
  returned: Record<BounceClass | 'complaint', number>
  /** From the beginning of publishing to completion, or to the last mail sent so far; `null` before any. */
  seconds: number | null
  /** Mails sent a second, from the first to the last; `null` where that cannot be said. */
  perSecond: number | null
}

/** What pages and programs may read of editions. */
export interface EditionReader {
  list(most: number): Promise<EditionSummary[]>
  readAccount(id: number): Promise<EditionAccount | null>
}

export const createEditionReader = (db: Database): EditionReader => ({
  list: (most) => listEditions(db, most),
  readAccount: (id) => readEditionAccount(db, id),
})

/** The newest editions first, at most `most`, those whose cut-off is before `before`. */
export const listEditions = async (db: Database, most: number, before: Date | null = null): Promise<EditionSummary[]> =>
  summarizeAll(db, await readEditions(db, most, before), await readOpenEditions(db))

/** Those of an instant or later, and all that are open, the newest first; `openEditions`: of `readOpenEditions`. */
export const listEditionsSince = async (
  db: Database,
  since: Date,
  openEditions: OpenEdition[],
): Promise<EditionSummary[]> => summarizeAll(db, await readEditionsSince(db, since), openEditions)

const summarizeAll = async (
  db: Database,
  rows: EditionRow[],
  openEditions: OpenEdition[],
): Promise<EditionSummary[]> => {
  const open = new Map(openEditions.map((one) => [one.id, one]))
  const expected = await foreseeEditions(db, async () => openEditions)
  return rows.map((row) => {
    const still = open.get(row.id)
    return still === undefined
      ? summarize(row, balance(row.due, row.totals ?? []), null)
      : summarize(still, equationOfOpen(still), expected.get(row.id) ?? null)
  })
}

/**
 * All of one edition as its balance was drawn, where it is complete: no delivery is counted again, so it takes a moment
 * whatever their number. `perSecond` is then its average over `seconds`. Every other edition is counted.
 */
export const readEditionBalance = async (db: Database, id: number): Promise<EditionAccount | null> => {
  const row = await readEdition(db, id)
  if (row === undefined || row.completedAt === null || row.totals === null) return readEditionAccount(db, id)
  const equation = balance(row.due, row.totals)
  const seconds = (row.completedAt.getTime() - row.begunAt.getTime()) / 1000
  return {
    ...summarize(row, equation, null),
    counts: row.totals,
    resent: row.totals.reduce((sum, one) => sum + one.resent, 0),
    returned: await countReturned(db, id),
    seconds,
    perSecond: seconds > 0 && equation.sent > 0 ? equation.sent / seconds : null,
  }
}

/** All of one edition, every delivery counted; `null` when no edition has this id. */
export const readEditionAccount = (db: Database, id: number): Promise<EditionAccount | null> =>
  // In one snapshot: what is due and what there is belong together while it is published.
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const row = await readEdition(trx, id)
      if (row === undefined) return null
      const counted = await countStates(trx, id)
      const held = balance(row.due, counted)
      // Of a complete edition whose deliveries were dropped with their month, what they had added up to stands.
      const isDropped = row.completedAt !== null && held.missing > 0
      const counts = isDropped ? (row.totals ?? []) : counted.map(({ firstSentAt, lastSentAt, ...count }) => count)
      const equation = balance(row.due, counts)
      const expected = row.completedAt === null ? await foreseeEditions(trx, () => readOpenEditions(trx)) : new Map()
      const first = Math.min(...counted.map((one) => one.firstSentAt?.getTime() ?? Number.POSITIVE_INFINITY))
      const last = Math.max(...counted.map((one) => one.lastSentAt?.getTime() ?? Number.NEGATIVE_INFINITY))
      const end = row.completedAt?.getTime() ?? last
      return {
        ...summarize(row, equation, expected.get(id) ?? null),
        counts,
        resent: counts.reduce((sum, one) => sum + one.resent, 0),
        returned: await countReturned(trx, id),
        seconds: Number.isFinite(end) ? (end - row.begunAt.getTime()) / 1000 : null,
        perSecond: !isDropped && last > first ? (held.sent * 1000) / (last - first) : null,
      }
    })

/** The equation of an edition that is not complete: what was sent is not counted, but is what remains of `due`. */
export const equationOfOpen = (open: OpenEdition): Equation => {
  const { due, failed, skipped, unknown, canceled, missing } = open
  const pending = open.queued + open.deferred + open.sending
  const sent = due - failed - skipped - unknown - pending - canceled - missing
  return { due, sent, failed, skipped, pending, unknown, canceled, missing }
}

const summarize = (row: EditionRow, equation: Equation, expectedAt: Date | null): EditionSummary => ({
  id: row.id,
  cutoff: row.cutoff,
  status: statusOf(row, equation),
  begunAt: row.begunAt,
  publishedAt: row.publishedAt,
  completedAt: row.completedAt,
  paused:
    row.pausedAt === null || row.canceledAt !== null
      ? null
      : { at: row.pausedAt, by: row.pausedBy, why: row.pausedWhy },
  canceled: row.canceledAt === null ? null : { at: row.canceledAt, by: row.canceledBy, why: row.canceledWhy },
  expectedAt,
  equation,
})

const statusOf = (row: EditionRow, { missing }: Equation): EditionSummary['status'] => {
  if (missing !== 0) return 'broken'
  if (row.canceledAt !== null) return 'canceled'
  if (row.completedAt !== null) return 'complete'
  if (row.pausedAt !== null) return 'paused'
  return row.publishedAt === null ? 'publishing' : 'sending'
}
