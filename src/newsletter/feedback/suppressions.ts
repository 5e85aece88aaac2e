/** What an operator does with suppressions: add one, and remove one. */

import { localDateAt } from '../../core/calendar.ts'
import { readAddress } from '../../core/subscriber/address.ts'
import { firstDueAfterPause, nextDue } from '../../core/subscriber/due.ts'
import type { SubscriberState } from '../../core/subscriber/preferences.ts'
import type { Database } from '../../store/database.ts'
import { activate, preferencesOf, readSubscriber, stopMail, storePause } from '../../store/subscribers.ts'
import { readSuppression, suppressAddress, unsuppress } from '../../store/suppressions.ts'

/**
 * Suppresses an address by hand; `added` is `false` where it was suppressed already. `problem`: what was typed is no
 * address, as a sentence that does not repeat it.
 */
export const addSuppression = async (
  db: Database,
  typed: string,
  by: { whom: string; why: string },
): Promise<{ email: string; added: boolean } | { problem: string }> => {
  const read = readAddress(typed)
  if ('problem' in read) return read
  const added = await suppressAddress(db, read.address, {
    class: 'operator',
    reason: by.why,
    code: null,
    diagnostic: null,
    source: by.whom,
  })
  return { email: read.address.toLowerCase(), added }
}

/**
 * Removes a suppression and restores the subscriber's former state; `state` is `null` where the address has no subscriber.
 * After a complaint they stay unsubscribed: only they can change that, by subscribing. `null` where the address is not
 * suppressed.
 */
export const removeSuppression = (
  db: Database,
  now: Date,
  email: string,
  by: { whom: string; why: string },
): Promise<{ email: string; state: SubscriberState | null } | null> =>
  db.transaction().execute(async (trx) => {
    const suppression = await readSuppression(trx, email)
    if (suppression === undefined) return null
    // The reader is locked before the suppression, in the same order as by feedback, or the two could deadlock.
    const reader = await readSubscriber(trx, { email }, true)
    const removed = await unsuppress(trx, email, by)
    if (removed === undefined) return null
    if (reader === undefined || reader.state !== 'suppressed')
      return { email: removed.email, state: reader?.state ?? null }
    const preferences = preferencesOf(reader)
    const last = { date: reader.last_local_date, at: reader.last_due_at }
    const before = removed.class === 'complaint' ? 'unsubscribed' : removed.state_before
    const today = localDateAt(now, reader.time_zone)
    if (before === 'paused' && removed.paused_before !== null && removed.paused_before > today) {
      const due = firstDueAfterPause(preferences, removed.paused_before, now, last)
      await storePause(trx, reader.id, removed.paused_before, due)
      return { email: removed.email, state: 'paused' }
    }
    if (before === 'active' || before === 'paused') {
      await activate(trx, reader.id, reader.confirmed_at ?? now, nextDue(preferences, now, last))
      return { email: removed.email, state: 'active' }
    }
    await stopMail(trx, reader.id, 'unsubscribed')
    return { email: removed.email, state: 'unsubscribed' }
  })
