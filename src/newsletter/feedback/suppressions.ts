/** What an operator does with suppressions: add one, remove one, and remove many. */
import { localDateAt } from '../../core/calendar.ts'
import type { Actor } from '../../core/operator.ts'
import { readAddress } from '../../core/subscriber/address.ts'
import { firstDueAfterPause, nextDue } from '../../core/subscriber/due.ts'
import { maskAddress } from '../../core/subscriber/masked-address.ts'
import type { SubscriberState } from '../../core/subscriber/preferences.ts'
import { recordAct } from '../../store/audit.ts'
import type { Database, SuppressionClass } from '../../store/database.ts'
import { activate, preferencesOf, readSubscriber, stopMail, storePause } from '../../store/subscribers.ts'
import {
  readSuppression,
  readSuppressionsWhere,
  type SuppressionFilter,
  suppressAddress,
  unsuppress,
} from '../../store/suppressions.ts'

/** Who changes a suppression and why, which is logged; with `via` an operator does it, and it goes on record. */
export interface By {
  whom: string
  why: string
  via?: Actor['via'] | undefined
  /** The entry of the record that this takes back. */
  undoes?: number | undefined
}

/** Puts a change on record: of a subscriber under their id, of any other address masked. */
const record = async (
  trx: Database,
  { whom, why, via, undoes }: By,
  action: 'suppression.added' | 'suppression.removed',
  of: { email: string; class: SuppressionClass; subscriber: string | null },
): Promise<void> => {
  if (via === undefined) return
  const subject = of.subscriber === null ? `address:${maskAddress(of.email)}` : `subscriber:${of.subscriber}`
  await recordAct(trx, {
    ...{ byWhom: whom, via, action, subject, detail: { class: of.class, why } },
    ...(undoes === undefined ? {} : { undoes }),
  })
}

/**
 * Suppresses an address by hand; `added` is `false` where it was suppressed already. `problem`: what was typed is no
 * address, as a sentence that does not repeat it.
 */
export const addSuppression = async (
  db: Database,
  typed: string,
  by: By,
): Promise<{ email: string; added: boolean } | { problem: string }> => {
  const read = readAddress(typed)
  if ('problem' in read) return read
  const email = read.address.toLowerCase()
  const added = await db.transaction().execute(async (trx) => {
    const subscriber = await readSubscriber(trx, { email }, true)
    const isNew = await suppressAddress(trx, email, {
      class: 'operator',
      reason: by.why,
      code: null,
      diagnostic: null,
      source: by.whom,
    })
    if (isNew)
      await record(trx, by, 'suppression.added', { email, class: 'operator', subscriber: subscriber?.id ?? null })
    return isNew
  })
  return { email, added }
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
  by: By,
): Promise<{ email: string; state: SubscriberState | null } | null> =>
  db.transaction().execute(async (trx) => {
    const suppression = await readSuppression(trx, email)
    if (suppression === undefined) return null
    // The reader is locked before the suppression, in the same order as by feedback, or the two could deadlock.
    const reader = await readSubscriber(trx, { email }, true)
    const removed = await unsuppress(trx, email, by)
    if (removed === undefined) return null
    await record(trx, by, 'suppression.removed', {
      email: removed.email,
      class: removed.class,
      subscriber: reader?.id ?? null,
    })
    if (reader === undefined || reader.state !== 'suppressed')
      return { email: removed.email, state: reader?.state ?? null }
    const preferences = preferencesOf(reader)
    const last = { date: reader.last_local_date, at: reader.last_due_at }
    const before = removed.class === 'complaint' ? 'unsubscribed' : removed.state_before
    const today = localDateAt(now, preferences.timeZone)
    if (before === 'paused' && removed.paused_before !== null && removed.paused_before > today) {
      const due = firstDueAfterPause(preferences, removed.paused_before, now, last)
      await storePause(trx, reader.id, removed.paused_before, due)
      return { email: removed.email, state: 'paused' }
    }
    if (before === 'active' || before === 'paused') {
      await activate(trx, reader.id, reader.confirmed_at ?? now, nextDue(preferences, now, last))
      return { email: removed.email, state: 'active' }
    }
    // They were asked to confirm, and may still do so.
    const after = before === 'pending' ? 'pending' : 'unsubscribed'
    await stopMail(trx, reader.id, after)
    return { email: removed.email, state: after }
  })

/** What removing many suppressions did, or would do. */
export interface RemovedSuppressions {
  removed: number
  /** By the class of the suppression. */
  classes: Record<string, number>
  /** The subscribers by the state they have again; not told by a dry run. */
  states: Record<string, number>
  /** The first of the addresses, at most ten. */
  addresses: string[]
}

const MAX_ADDRESSES = 10
const AT_A_TIME = 500

/**
 * Removes the suppressions that a filter lets through, each in a transaction of its own, so that it may be run again when
 * it was broken off. With `dryRun` nothing changes. What becomes of the subscribers is as with one (`removeSuppression`).
 * At most `most`, by their addresses.
 */
export const removeSuppressions = async (
  db: Database,
  now: Date,
  which: SuppressionFilter,
  by: By,
  dryRun: boolean,
  most = Number.POSITIVE_INFINITY,
): Promise<RemovedSuppressions> => {
  const result: RemovedSuppressions = { removed: 0, classes: {}, states: {}, addresses: [] }
  const count = (of: Record<string, number>, key: string) => {
    of[key] = (of[key] ?? 0) + 1
  }
  for (let after = ''; ; ) {
    const some = await readSuppressionsWhere(db, which, after, Math.min(AT_A_TIME, most - result.removed))
    for (const { email, class: suppressionClass } of some) {
      const removed = dryRun ? { email, state: null } : await removeSuppression(db, now, email, by)
      if (removed === null) continue
      result.removed++
      count(result.classes, suppressionClass)
      if (removed.state !== null) count(result.states, removed.state)
      if (result.addresses.length < MAX_ADDRESSES) result.addresses.push(email)
    }
    const last = some.at(-1)
    if (last === undefined || some.length < AT_A_TIME || result.removed >= most) return result
    after = last.email
  }
}
