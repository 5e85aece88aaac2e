/** Pauses editions with too many bounces or complaints, and tells the operator when many destinations refuse us. */
import { alarmReason, MAX_SHARES, MIN_COUNTS } from '../../core/bounces/edition-alarm.ts'
import { HOUR, MINUTE, SECOND } from '../../core/calendar.ts'
import { isSystemic } from '../../core/sending/breaker.ts'
import { destinationOfDomain } from '../../core/sending/destination.ts'
import { markPaused } from '../../store/editions.ts'
import { countRefusalsOfUs, markAlarmed, readOpenFeedback } from '../../store/feedback.ts'
import type { FeedbackContext } from './feedback.ts'

/** Editions are checked no more often than this after feedback; each tick checks them too. */
const CHECK_EVERY = 10 * SECOND
const REFUSALS_WITHIN = HOUR
const MAX_DESTINATIONS_NAMED = 10

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

/**
 * Returns a function that tells the operator, at most once an hour, that many destinations refuse us: as many as would
 * throttle the relay, had they refused at once. It returns whether it did.
 */
export const createRefusalAlert = ({ db, log }: FeedbackContext, monotonic: () => number): (() => Promise<boolean>) => {
  let alertedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (monotonic() - alertedAt < REFUSALS_WITHIN) return false
    const refusals = await countRefusalsOfUs(db, REFUSALS_WITHIN / MINUTE)
    const mails = refusals.reduce((sum, { count }) => sum + count, 0)
    const destinations = new Set(refusals.map(({ domain }) => destinationOfDomain(domain).name))
    if (!isSystemic(mails, destinations.size)) return false
    alertedAt = monotonic()
    log.error(
      { mails, destinations: [...destinations].slice(0, MAX_DESTINATIONS_NAMED) },
      'many destinations refuse our mail for who we are or what we send: look at the reasons, at SPF, DKIM and DMARC of MAIL_FROM',
    )
    return true
  }
}
