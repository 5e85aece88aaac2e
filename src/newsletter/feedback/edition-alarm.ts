/** Pauses editions and announcements with too many bounces or complaints. */
import { alarmReason, MAX_SHARES, MIN_COUNTS } from '../../core/bounces/edition-alarm.ts'
import { SECOND } from '../../core/calendar.ts'
import { markAnnouncementPaused } from '../../store/announcements.ts'
import { markPaused } from '../../store/editions.ts'
import { type Mailing, markAlarmed, readOpenFeedback } from '../../store/feedback.ts'
import type { FeedbackContext } from './feedback.ts'

/** Editions are checked no more often than this after feedback; each tick checks them too. */
const CHECK_EVERY = 10 * SECOND

/**
 * Pauses the editions and announcements under way that have too many hard bounces or complaints; an operator decides whether
 * they go on, and one that was resumed is not paused again. Returns how many were paused.
 */
export const checkEditions = async (context: FeedbackContext): Promise<number> =>
  (await checkMailing(context, 'editions')) + (await checkMailing(context, 'announcements'))

const checkMailing = async ({ db, log }: FeedbackContext, mailing: Mailing): Promise<number> => {
  let paused = 0
  const pause = mailing === 'editions' ? markPaused : markAnnouncementPaused
  for (const { id, ...feedback } of await readOpenFeedback(db, mailing, MIN_COUNTS, MAX_SHARES)) {
    const why = alarmReason(feedback)
    if (why === null) continue
    const changed = await db.transaction().execute(async (trx) => {
      if (!(await markAlarmed(trx, mailing, id))) return false
      await pause(trx, id, { by: 'alarm', why })
      return true
    })
    if (!changed) continue
    paused++
    if (mailing === 'editions') log.error({ edition: id, ...feedback }, `an edition was paused: ${why}`)
    else log.error({ announcement: id, ...feedback }, `an announcement was paused: ${why}`)
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
