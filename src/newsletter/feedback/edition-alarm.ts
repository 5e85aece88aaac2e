/** Pauses editions with too many bounces or complaints. */
import { alarmReason, MAX_SHARES, MIN_COUNTS } from '../../core/bounces/edition-alarm.ts'
import { SECOND } from '../../core/calendar.ts'
import { markPaused } from '../../store/editions.ts'
import { markAlarmed, readOpenFeedback } from '../../store/feedback.ts'
import type { FeedbackContext } from './feedback.ts'

/** Editions are checked no more often than this after feedback; each tick checks them too. */
const CHECK_EVERY = 10 * SECOND

/**
 * Pauses the editions under way that have too many hard bounces or complaints; an operator decides whether they go on, and
 * one that was resumed is not paused again. Returns how many were paused.
 */
export const checkEditions = async ({ db, log }: FeedbackContext): Promise<number> => {
  let paused = 0
  for (const { id, ...feedback } of await readOpenFeedback(db, MIN_COUNTS, MAX_SHARES)) {
    const why = alarmReason(feedback)
    if (why === null) continue
    const changed = await db.transaction().execute(async (trx) => {
      if (!(await markAlarmed(trx, id))) return false
      await markPaused(trx, id, { by: 'alarm', why })
      return true
    })
    if (!changed) continue
    paused++
    log.error({ edition: id, ...feedback }, `an edition was paused: ${why}`)
  }
  return paused
}

/** Returns a `checkEditions` that runs at most once in ten seconds. `monotonic`: milliseconds of a clock that never jumps. */
export const createEditionCheck = (ports: FeedbackContext, monotonic: () => number): (() => Promise<void>) => {
  let checkedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (monotonic() - checkedAt < CHECK_EVERY) return
    checkedAt = monotonic()
    await checkEditions(ports)
  }
}
