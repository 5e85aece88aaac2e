/** What an operator reads of one subscriber and of one mail: state and preferences, and what became of the mail. */

import type { Preferences, SubscriberState } from '../core/subscriber/preferences.ts'
import { isUuid } from '../core/uuid.ts'
import type { Database } from '../store/database.ts'
import { readFeedbackOf } from '../store/feedback.ts'
import { type MailRecord, readMailRecord, readMailsOf, readMailsOn } from '../store/outbox/mail-records.ts'
import { preferencesOf, readSubscriber } from '../store/subscribers.ts'
import { readSuppression } from '../store/suppressions.ts'

export type { MailRecord } from '../store/outbox/mail-records.ts'

export interface Account {
  /** As logs name the subscriber. */
  id: string
  email: string
  state: SubscriberState
  preferences: Preferences
  requestedAt: Date
  confirmedAt: Date | null
  pausedUntil: string | null
  nextDueAt: Date | null
  /** Why nothing may be sent to the address; `null` when it may. */
  suppressed: string | null
  /** The newest mails first, at most 20. */
  mails: { what: string; state: string; attempts: number; resent: number; reason: string | null; at: Date }[]
}

/** By an address, or by the id that logs name; `null` when nobody subscribed with it, or they are erased. */
export const readAccount = async (db: Database, of: string): Promise<Account | null> => {
  const subscriber = await readSubscriber(db, isUuid(of) ? { id: of } : { email: of })
  if (subscriber === undefined || subscriber.email === null) return null
  return {
    id: subscriber.id,
    email: subscriber.email,
    state: subscriber.state,
    preferences: preferencesOf(subscriber),
    requestedAt: subscriber.requested_at,
    confirmedAt: subscriber.confirmed_at,
    pausedUntil: subscriber.paused_until,
    nextDueAt: subscriber.next_due_at,
    suppressed: (await readSuppression(db, subscriber.email))?.reason ?? null,
    mails: (await readMailsOf(db, subscriber.id, 20)).map(
      ({ what, localDate, state, attempts, resent, reason, createdAt }) => ({
        what: localDate === null ? what : `digest of ${localDate}`,
        ...{ state, attempts, resent, reason, at: createdAt },
      }),
    ),
  }
}

/** Every mail of a subscriber's local date (`YYYY-MM-DD`), and what became of it; `null` when nobody has the address. */
export const readMailDay = async (
  db: Database,
  email: string,
  date: string,
): Promise<{ email: string | null; state: SubscriberState; mails: MailRecord[] } | null> => {
  const subscriber = await readSubscriber(db, { email })
  if (subscriber === undefined) return null
  return { email: subscriber.email, state: subscriber.state, mails: await readMailsOn(db, subscriber.id, date) }
}

/** A mail by the id that logs and Message-IDs name, with what came back of it; `null` where there is none. */
export const readMail = async (db: Database, id: string) => {
  const mail = isUuid(id) ? await readMailRecord(db, id) : undefined
  if (mail === undefined) return null
  return { ...mail, feedback: await readFeedbackOf(db, id) }
}
