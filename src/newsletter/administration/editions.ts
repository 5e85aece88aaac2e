/** What operators read of editions and do with them. Whoever is to send is woken, and each change is on record. */
import type { Log } from '../../core/log.ts'
import type { Actor } from '../../core/operator.ts'
import type { MailState } from '../../core/sending/ledger.ts'
import { type FeedbackRow, readEditionFeedback } from '../../store/bounce-list.ts'
import type { Database } from '../../store/database.ts'
import { readOpenEditions } from '../../store/outbox/mail-counts.ts'
import {
  type CommonReply,
  type MissedDelivery,
  type MissedPlace,
  readCommonReplies,
  readMissedPage,
} from '../../store/outbox/missed-deliveries.ts'
import { type CancellationResult, cancelEdition, markEditionCanceled } from '../edition-cancellation.ts'
import { pauseEdition, planResend, type Resend, type Resent, resendMissed, resumeEdition } from '../edition-control.ts'
import { type EditionAccount, type EditionSummary, listEditions, readEditionBalance } from '../editions.ts'
import { pageOf } from './page.ts'

export type { MissedDelivery, MissedPlace } from '../../store/outbox/missed-deliveries.ts'
export type { CancellationResult } from '../edition-cancellation.ts'
export { UnusableEdition } from '../edition-control.ts'
export type { EditionAccount, EditionSummary } from '../editions.ts'

export interface EditionPorts {
  db: Database
  log: Log
  now: () => Date
  wake: (queueName: 'deliveries' | 'tick') => Promise<void>
}

/** All that change something throw `UnusableEdition` where it cannot be done. */
export interface EditionAdministration {
  /** The newest first, those before `before`; `older` is where the next page begins, `null` on the last. */
  list(before: Date | null): Promise<{ editions: EditionSummary[]; older: Date | null }>
  /** `null` where there is no such edition. */
  read(id: number): Promise<EditionDetails | null>
  /** Who missed it, in pages; `more` is where the next one begins. */
  readMissed(
    id: number,
    which: { states: readonly MailState[]; reason: string | null },
    after: MissedPlace | null,
  ): Promise<{ rows: MissedDelivery[]; more: MissedPlace | null }>
  planResend(id: number, which: Resend): Promise<Resent & { unwanted: number }>
  resend(actor: Actor, id: number, which: Resend): Promise<Resent>
  pause(actor: Actor, id: number, why: string | null): Promise<void>
  resume(actor: Actor, id: number): Promise<void>
  /** What canceling it would do; `null` where its readers are too many to be gone through now. */
  planCancellation(id: number, again: boolean): Promise<CancellationResult | null>
  /** It is stopped at once; `null`: what waits is called off within minutes, for there is much. */
  cancel(actor: Actor, id: number, how: { why: string; again: boolean }): Promise<CancellationResult | null>
}

export interface EditionDetails extends EditionAccount {
  /** What servers said to those who did not get it, the most first. */
  replies: CommonReply[]
  /** The newest bounces and complaints, at most 50. */
  feedback: FeedbackRow[]
}

const EDITIONS_A_PAGE = 30
const MISSED_A_PAGE = 50
const MOST_REPLIES = 12
const MOST_FEEDBACK = 50
/** Deliveries that a cancellation goes through while its operator waits: some seconds' work. */
const MOST_AT_ONCE = 20_000

export const createEditionAdministration = ({ db, log, now, wake }: EditionPorts): EditionAdministration => {
  /** Whether so much of an edition waits, or did not arrive, that nobody should wait for its readers to be gone through. */
  const isLarge = async (id: number): Promise<boolean> => {
    const [open] = (await readOpenEditions(db)).filter((one) => one.id === id)
    return open !== undefined && open.queued + open.deferred + open.failed + open.skipped > MOST_AT_ONCE
  }
  return {
    async list(before) {
      const { rows, more } = pageOf(await listEditions(db, EDITIONS_A_PAGE + 1, before), EDITIONS_A_PAGE)
      return { editions: rows, older: more?.cutoff ?? null }
    },
    async read(id) {
      const account = await readEditionBalance(db, id)
      if (account === null) return null
      const replies = account.equation.failed === 0 ? [] : await readCommonReplies(db, id, MOST_REPLIES)
      const isQuiet = Object.values(account.returned).every((count) => count === 0)
      return { ...account, replies, feedback: isQuiet ? [] : await readEditionFeedback(db, id, MOST_FEEDBACK) }
    },
    async readMissed(id, which, after) {
      return pageOf(await readMissedPage(db, id, which, after, MISSED_A_PAGE + 1), MISSED_A_PAGE)
    },
    planResend: (id, which) => planResend(db, id, which),
    async resend(actor, id, which) {
      const result = await resendMissed(db, id, which, actor)
      if (result.requeued > 0) await wake('deliveries')
      return result
    },
    pause: (actor, id, why) => pauseEdition(db, id, { by: actor.byWhom, why }, actor),
    async resume(actor, id) {
      await resumeEdition(db, id, actor)
      await wake('deliveries')
    },
    async planCancellation(id, again) {
      if (await isLarge(id)) return null
      return cancelEdition({ db, log, now }, id, { by: null, why: null, again, dryRun: true })
    },
    async cancel(actor, id, { why, again }) {
      const how = { by: actor.byWhom, why, again, actor }
      const result = (await isLarge(id))
        ? await markEditionCanceled({ db, now }, id, how)
        : await cancelEdition({ db, log, now }, id, { ...how, dryRun: false })
      // The tick finishes a large one; with `again` it publishes for the readers, who are due now.
      await wake('tick')
      return result
    },
  }
}
