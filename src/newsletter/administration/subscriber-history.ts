/** One subscriber as an operator sees them: what holds now, and in one time line all that was agreed, sent and answered. */
import { addressHashes } from '../../core/subscriber/address-hash.ts'
import type { ChangeByLink } from '../../core/subscriber/change-by-link.ts'
import type { Preferences, SubscriberState } from '../../core/subscriber/preferences.ts'
import type { Keys } from '../../core/token.ts'
import { type Act, readActs } from '../../store/audit.ts'
import { type ConsentRecord, readConsent } from '../../store/consent.ts'
import type { Database } from '../../store/database.ts'
import { readLegacyLinks } from '../../store/legacy-links.ts'
import { type MailOfSubscriber, readMailsOf } from '../../store/outbox/mail-records.ts'
import { readFeedbackTo } from '../../store/personal-data.ts'
import { readSetAsideOf } from '../../store/set-aside-subscribers.ts'
import { preferencesOf, readSubscriber, type Subscriber } from '../../store/subscribers.ts'
import { readSuppression, readSuppressionLog, type Suppression } from '../../store/suppressions.ts'

/** What a time line holds; each at a moment. */
export type HistoryEntry = { at: Date } & (
  | { of: 'consent'; record: ConsentRecord }
  | { of: 'mail'; mail: MailOfSubscriber }
  | { of: 'feedback'; feedback: Awaited<ReturnType<typeof readFeedbackTo>>[number] }
  | { of: 'suppression'; change: Awaited<ReturnType<typeof readSuppressionLog>>[number] }
  /** The unsubscribe link of a former system was imported. */
  | { of: 'former link' }
  /** What an operator did. */
  | { of: 'act'; act: Act }
)

export interface SubscriberDetails {
  id: string
  /** `null` when they are erased. */
  email: string | null
  state: SubscriberState
  preferences: Preferences
  requestedAt: Date
  confirmedAt: Date | null
  leftAt: Date | null
  pausedUntil: string | null
  nextDueAt: Date | null
  suppression: Suppression | null
  /** Settings that were changed by a link of a digest, of which the next digest tells. */
  changed: ChangeByLink | null
  /** Why they get no digest for now. */
  setAside: { reason: string; since: Date; retryAt: Date } | null
  /** The subscribers (their ids) whose address this subscription had before, and has now. */
  movedFrom: string | null
  movedTo: string | null
  /** The newest first: one page of it. */
  history: HistoryEntry[]
  /** How many entries there are, and how many pages. */
  entries: number
  pages: number
}

/** Mails of a subscriber that are read: more than are kept of anybody, at one a day. */
const MOST_MAILS = 1_000
const MOST_ACTS = 200
const A_PAGE = 100

/** `page` counts from 1; `null` where there is no such subscriber. */
export const readSubscriberDetails = async (
  { db, keys }: { db: Database; keys: Keys },
  id: string,
  page: number,
): Promise<SubscriberDetails | null> => {
  const subscriber = await readSubscriber(db, { id })
  if (subscriber === undefined) return null
  const history = await readHistory(db, keys, subscriber)
  const { email, changed_by_link_on: on, changed_by_link: what } = subscriber
  return {
    id,
    email,
    state: subscriber.state,
    preferences: preferencesOf(subscriber),
    requestedAt: subscriber.requested_at,
    confirmedAt: subscriber.confirmed_at,
    leftAt: subscriber.left_at,
    pausedUntil: subscriber.paused_until,
    nextDueAt: subscriber.next_due_at,
    suppression: email === null ? null : ((await readSuppression(db, email)) ?? null),
    changed: on === null ? null : { on, what: what ?? [] },
    setAside: await readSetAsideOf(db, id),
    movedFrom: subscriber.moved_from,
    movedTo: subscriber.moved_to,
    history: history.slice((page - 1) * A_PAGE, page * A_PAGE),
    entries: history.length,
    pages: Math.max(1, Math.ceil(history.length / A_PAGE)),
  }
}

/** All of it, the newest first. */
const readHistory = async (db: Database, keys: Keys, { id, email }: Subscriber): Promise<HistoryEntry[]> => {
  const hashes = email === null ? [] : addressHashes(keys, email)
  const consent = await readConsent(db, { subscriberId: id, hashes })
  const mails = await readMailsOf(db, id, MOST_MAILS)
  const feedback = await readFeedbackTo(db, id)
  const changes = email === null ? [] : await readSuppressionLog(db, email)
  const links = await readLegacyLinks(db, id)
  const acts = await readActs(db, { byWhom: null, action: null, subject: `subscriber:${id}` }, null, MOST_ACTS)
  // In the order in which they came about: of what has the same moment the later one stands above.
  const entries: HistoryEntry[] = [
    ...consent.map((record) => ({ of: 'consent' as const, at: record.at, record })),
    ...mails
      .toReversed()
      .map((mail) => ({ of: 'mail' as const, at: mail.sentAt ?? mail.attemptedAt ?? mail.createdAt, mail })),
    ...feedback.map((one) => ({ of: 'feedback' as const, at: one.at, feedback: one })),
    ...changes.map((change) => ({ of: 'suppression' as const, at: change.at, change })),
    ...links.map(({ at }) => ({ of: 'former link' as const, at })),
    ...acts.toReversed().map((act) => ({ of: 'act' as const, at: act.at, act })),
  ]
  return entries.sort((one, other) => one.at.getTime() - other.at.getTime()).reverse()
}
