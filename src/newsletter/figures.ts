/** What is measured of the newsletter, for metrics: cheap enough to be read again and again. */
import type { MailState } from '../core/sending/ledger.ts'
import type { Database } from '../store/database.ts'
import { countFeedback } from '../store/feedback.ts'
import { readLastTick } from '../store/last-tick.ts'
import { type OpenEdition, readLetterFigures, readOpenEditions } from '../store/outbox/mail-counts.ts'
import { equationOfOpen } from './editions.ts'

export interface Figures {
  openEditions: number
  pausedEditions: number
  brokenEditions: number
  /** Of the editions that are not complete. */
  deliveries: Record<MailState, number>
  resentDeliveries: number
  /** For how long the oldest delivery that may be claimed has been ready, seconds; `null` when none waits. */
  oldestDelivery: number | null
  /** Of the last 24 hours, and all that wait. */
  letters: Record<Exclude<MailState, 'unknown'>, number>
  /** The same of letters. */
  oldestLetter: number | null
  /** Feedback on the editions of the last seven days, by class. */
  feedback: Record<string, number>
  /** Seconds since the last tick, never negative; `null` before the first. */
  sinceTick: number | null
}

export const readFigures = async (db: Database, now: Date): Promise<Figures> => {
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
    feedback: await countFeedback(db),
    sinceTick: lastTick === null ? null : Math.max(0, (now.getTime() - lastTick.getTime()) / 1000),
  }
}
