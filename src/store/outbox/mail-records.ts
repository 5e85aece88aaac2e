/** Looks up one mail, or all mails of one subscriber, and what became of each. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { ChangeByLink } from '../../core/subscriber/change-by-link.ts'
import { type Preferences, STANDARD } from '../../core/subscriber/preferences.ts'
import type { MailStream, Tables } from '../database.ts'
import { LETTER_ADDRESSEE } from './conditions.ts'
import { localDateOfDelivery } from './delivery-id.ts'
import type { ServerReply } from './outcomes.ts'

/** The letter to a subscriber with this id (a UUID); `undefined` when there is none. */
export const readLetter = async (db: Kysely<Tables>, id: string) => {
  const letter = await db
    .selectFrom('letters')
    .selectAll()
    .where('id', '=', id)
    .where('subscriber_id', 'is not', null)
    .$narrowType<{ subscriber_id: string }>()
    .executeTakeFirst()
  return letter === undefined ? undefined : { ...letter, preferences: complete(letter.preferences) }
}

/** Those that were stored before a preference was offered do not have it. */
const complete = (preferences: Preferences | null): Preferences | null => preferences && { ...STANDARD, ...preferences }

/** The delivery with this id (a UUID); `undefined` when there is none, or its month was dropped. */
export const readDelivery = async (db: Kysely<Tables>, id: string) => {
  const localDate = localDateOfDelivery(id)
  if (localDate === null) return undefined
  return db
    .selectFrom('deliveries')
    .selectAll()
    .where('local_date', '=', localDate)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** A mail, and what became of it. */
export interface MailRecord extends ServerReply {
  /** A UUID. */
  id: string
  /** `digest`, `announcement` and its number, or the kind of letter. */
  what: string
  /** The edition of a digest; `null` for all others. */
  edition: number | null
  /** When it was due: the edition's cut-off, or when the letter was asked for. */
  dueAt: Date
  state: string
  reason: string | null
  /** The kind of reason of its first failure, of a digest that was put back in the queue since. */
  failedBefore: string | null
  attempts: number
  resent: number
  attemptedAt: Date | null
  sentAt: Date | null
}

const OUTCOME = sql`m.attempts, m.resent, m.attempted_at as "attemptedAt", m.sent_at as "sentAt", m.code, m.enhanced, m.said`

/** The columns of a `MailRecord`, of a mail `m` and the edition or announcement `e` that owes it. */
const FACTS: Record<MailStream, RawBuilder<unknown>> = {
  deliveries: sql`m.id, 'digest' as what, m.edition_id as edition, e.cutoff as "dueAt", m.state, m.reason,
    m.failed_before as "failedBefore", ${OUTCOME}`,
  letters: sql`m.id, m.kind as what, null::bigint as edition, m.requested_at as "dueAt", m.state, m.reason,
    null as "failedBefore", ${OUTCOME}`,
  announcement_mails: sql`m.id, 'announcement ' || m.announcement_id as what, null::bigint as edition, e.send_at as "dueAt",
    m.state, m.reason, m.failed_before as "failedBefore", ${OUTCOME}`,
}

/** A mail by its id (a UUID), with its reader (of a letter to a curator the curator) and its digest; `undefined` where there is none. */
export const readMailRecord = async (db: Kysely<Tables>, id: string) => {
  const more = sql`, s.id as subscriber, s.email, m.digest_id as digest`
  const localDate = localDateOfDelivery(id)
  const { rows } = await sql<MailRecord & { subscriber: string; email: string | null; digest: number | null }>`
    select ${FACTS.letters} ${more} from letters m join ${LETTER_ADDRESSEE} where m.id = ${id}::uuid
    union all
    select ${FACTS.deliveries} ${more} from deliveries m join editions e on e.id = m.edition_id
      join subscribers s on s.id = m.subscriber_id
    where m.local_date = ${localDate}::date and m.id = ${id}::uuid
    union all
    select ${FACTS.announcement_mails}, s.id, s.email, null from announcement_mails m
      join announcements e on e.id = m.announcement_id join subscribers s on s.id = m.subscriber_id
    where m.id = ${id}::uuid`.execute(db)
  return rows[0]
}

/** One of all the mails of a subscriber. */
export interface MailOfSubscriber extends MailRecord {
  /** The local date of a digest, `YYYY-MM-DD`; `null` for all others. */
  localDate: string | null
  /** When it was written down. */
  createdAt: Date
  /** Of a digest or a welcome. */
  digest: number | null
  /** The change of settings that it told of. */
  toldChange: ChangeByLink | null
  /** When the link of a letter was used, where it works once. */
  usedAt: Date | null
}

/** The newest `most` mails of a subscriber, of all streams together, the newest first. */
export const readMailsOf = async (
  db: Kysely<Tables>,
  subscriberId: string,
  most: number,
): Promise<MailOfSubscriber[]> => {
  const more = sql`, m.created_at as "createdAt", m.digest_id as digest, m.told_change as "toldChange"`
  const { rows } = await sql<MailOfSubscriber>`
    select ${FACTS.letters} ${more}, null::date as "localDate", m.used_at as "usedAt"
    from letters m where m.subscriber_id = ${subscriberId}
    union all
    select ${FACTS.deliveries} ${more}, m.local_date, null from deliveries m join editions e on e.id = m.edition_id
    where m.subscriber_id = ${subscriberId}
    union all
    select ${FACTS.announcement_mails}, m.created_at, null, null, null, null
    from announcement_mails m join announcements e on e.id = m.announcement_id
    where m.subscriber_id = ${subscriberId}
    order by "createdAt" desc, id limit ${most}`.execute(db)
  return rows
}

/**
 * The mails of a subscriber on one local date (`YYYY-MM-DD`), the oldest first. A letter belongs to the date on which it was
 * asked for, an announcement to that from which on it was sent, in the subscriber's time zone.
 */
export const readMailsOn = async (db: Kysely<Tables>, subscriberId: string, date: string): Promise<MailRecord[]> => {
  const { rows } = await sql<MailRecord>`
    select ${FACTS.deliveries} from deliveries m join editions e on e.id = m.edition_id
    where m.subscriber_id = ${subscriberId} and m.local_date = ${date}::date
    union all
    select ${FACTS.letters} from letters m join subscribers s on s.id = m.subscriber_id
    where m.subscriber_id = ${subscriberId} and (m.requested_at at time zone s.time_zone)::date = ${date}::date
    union all
    select ${FACTS.announcement_mails} from announcement_mails m join announcements e on e.id = m.announcement_id
      join subscribers s on s.id = m.subscriber_id
    where m.subscriber_id = ${subscriberId} and (e.send_at at time zone s.time_zone)::date = ${date}::date
    order by "dueAt"`.execute(db)
  return rows
}

export interface NewestLetter {
  /** It is `waiting` to be sent, it `left` (or may have), or it `never left` and is not tried any more. */
  became: 'waiting' | 'left' | 'never left'
  /** What it confirms, of a confirmation. */
  preferences: Preferences | null
}

/** The newest letter of a kind to a subscriber; `null` where there was none. */
export const readNewestLetter = async (
  db: Kysely<Tables>,
  subscriberId: string,
  kind: Tables['letters']['kind'],
): Promise<NewestLetter | null> => {
  const letter = await db
    .selectFrom('letters')
    .select(['state', 'resent', 'preferences'])
    .where('subscriber_id', '=', subscriberId)
    .where('kind', '=', kind)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (letter === undefined) return null
  const preferences = complete(letter.preferences)
  if (letter.state === 'queued' || letter.state === 'sending' || letter.state === 'deferred')
    return { became: 'waiting', preferences }
  const neverLeft = (letter.state === 'failed' || letter.state === 'skipped') && letter.resent === 0
  return { became: neverLeft ? 'never left' : 'left', preferences }
}

/** How many letters of a kind a subscriber was owed in the last 24 hours and 30 days, by the database's clock; those that never left do not count. */
export const countLetters = async (
  db: Kysely<Tables>,
  subscriberId: string,
  kind: Tables['letters']['kind'],
): Promise<{ day: number; month: number }> => {
  const { rows } = await sql<{ day: number; month: number }>`
    select (count(*) filter (where created_at > now() - interval '24 hours'))::int as day, count(*)::int as month
    from letters where subscriber_id = ${subscriberId} and kind = ${kind}
      and created_at > now() - interval '30 days' and not (state in ('failed', 'skipped') and resent = 0)`.execute(db)
  return rows[0] ?? { day: 0, month: 0 }
}
