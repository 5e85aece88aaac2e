/** Announcements: what they say, who they are for, and owing each of these a mail. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { AnnouncementText } from '../core/announcement.ts'
import type { StateCount } from '../core/sending/ledger.ts'
import type { Tables } from './database.ts'
import { WANTED } from './outbox/conditions.ts'

/** Whom an announcement is for. */
export interface Audience {
  /** The slugs of topics whose readers it is for; `null` for all readers. */
  topics: string[] | null
  /** Whether who was sent the same text before gets it again. */
  again: boolean
}

export interface AnnouncementRow extends AnnouncementText, Audience {
  id: number
  /** It went to one address, to be looked at. */
  isTest: boolean
  /** From when on it is sent, by the service's clock. */
  sendAt: Date
  writtenAt: Date
  writtenBy: string | null
  /** When everybody it is for had a mail; `null` while some have none. */
  publishedAt: Date | null
  /** How many mails it owes. */
  due: number
  completedAt: Date | null
  /** What the mails added up to when it was completed last. */
  totals: StateCount[] | null
  missing: number
  pausedAt: Date | null
  pausedBy: string | null
  pausedWhy: string | null
  canceledAt: Date | null
  canceledBy: string | null
}

const COLUMNS = sql`a.id, a.subject, a.body, a.topics, a.again, a.is_test as "isTest", a.send_at as "sendAt",
  a.written_at as "writtenAt", a.written_by as "writtenBy", a.published_at as "publishedAt", a.due,
  a.completed_at as "completedAt", a.totals, a.missing, a.paused_at as "pausedAt", a.paused_by as "pausedBy",
  a.paused_why as "pausedWhy", a.canceled_at as "canceledAt", a.canceled_by as "canceledBy"`

/** With `lock`, in a transaction: those who address, complete, pause and cancel an announcement do so one after the other. */
export const readAnnouncement = async (
  db: Kysely<Tables>,
  id: number,
  lock = false,
): Promise<AnnouncementRow | undefined> => {
  const { rows } = await sql<AnnouncementRow>`
    select ${COLUMNS} from announcements a where a.id = ${id} ${lock ? sql`for no key update` : sql``}`.execute(db)
  return rows[0]
}

/** At most `most`, the newest first. */
export const readAnnouncements = async (db: Kysely<Tables>, most: number): Promise<AnnouncementRow[]> => {
  const { rows } = await sql<AnnouncementRow>`
    select ${COLUMNS} from announcements a order by a.id desc limit ${most}`.execute(db)
  return rows
}

/** Of two that write the same text at a time one waits for the other, to the end of its transaction. */
export const lockAnnouncing = async (db: Kysely<Tables>): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtext('paper-round announcing'))`.execute(db)
}

/** The announcement of a text that is still to be addressed to some of its readers; `undefined` where there is none. */
export const readUnaddressedText = async (db: Kysely<Tables>, hash: Buffer): Promise<{ id: number } | undefined> =>
  db
    .selectFrom('announcements')
    .select('id')
    .where('content_hash', '=', hash)
    .where('published_at', 'is', null)
    .where('canceled_at', 'is', null)
    .executeTakeFirst()

export interface NewAnnouncement extends AnnouncementText, Audience {
  contentHash: Buffer
  sendAt: Date
  writtenBy: string
}

export const storeAnnouncement = async (db: Kysely<Tables>, one: NewAnnouncement): Promise<number> => {
  const { subject, body, topics, again, contentHash, sendAt, writtenBy } = one
  const row = { subject, body, topics, again, content_hash: contentHash, send_at: sendAt, written_by: writtenBy }
  return (await db.insertInto('announcements').values(row).returning('id').executeTakeFirstOrThrow()).id
}

/** Stores an announcement that one subscriber alone is owed. */
export const storeTest = async (db: Kysely<Tables>, one: NewAnnouncement, subscriberId: string): Promise<number> => {
  const id = await storeAnnouncement(db, one)
  await sql`insert into announcement_mails (id, announcement_id, subscriber_id)
    values (gen_random_uuid(), ${id}, ${subscriberId})`.execute(db)
  await sql`update announcements set is_test = true, published_at = now(), due = 1 where id = ${id}`.execute(db)
  return id
}

/** Of a subscriber `s`: whether an announcement is for them, by what they follow. */
const isAudience = (topics: RawBuilder<unknown>) => sql`(${topics}::text[] is null or s.topics && ${topics}::text[])`

/** Of a subscriber `s`: whether they were sent a text before, or will be. */
const wasSent = (hash: RawBuilder<unknown>) => sql`exists (
    select from announcement_mails x join announcements o on o.id = x.announcement_id
    where x.subscriber_id = s.id and o.content_hash = ${hash} and not o.is_test
      and x.state not in ('failed', 'skipped', 'canceled'))`

/** Somebody whose subscription moved here was a reader before. */
const wasReaderBy = (at: RawBuilder<unknown>) => sql`(s.confirmed_at <= ${at} or s.moved_from is not null)`

/** How many of those an announcement is for get it, and why the others do not. */
export interface Reach {
  owed: number
  /** They were sent the same text before. */
  hadIt: number
  /** They stopped announcements. */
  stopped: number
  paused: number
  /** They have not confirmed yet. */
  pending: number
  suppressed: number
}

/** Counts whom an announcement would reach now. Reads every subscriber. */
export const countReach = async (
  db: Kysely<Tables>,
  { topics, again }: Audience,
  contentHash: Buffer,
): Promise<Reach> => {
  const had = again ? sql`false` : wasSent(sql`${contentHash}`)
  const { rows } = await sql<Reach>`
    select count(*) filter (where wanted and not had)::int as owed,
      count(*) filter (where wanted and had)::int as "hadIt",
      count(*) filter (where state = 'active' and not announcements)::int as stopped,
      count(*) filter (where state = 'paused')::int as paused,
      count(*) filter (where state = 'pending')::int as pending,
      count(*) filter (where state = 'suppressed' or (state = 'active' and announcements and not wanted))::int as suppressed
    from (select s.state, s.announcements, ${WANTED.announcement_mails} as wanted, ${had} as had
      from subscribers s where ${isAudience(sql`${topics}`)} and s.state not in ('unsubscribed', 'erased')) s`.execute(
    db,
  )
  return rows[0] ?? { owed: 0, hadIt: 0, stopped: 0, paused: 0, pending: 0, suppressed: 0 }
}

/** The ids of announcements whose time has come by `now` and of which not everybody has a mail, the oldest first. */
export const readUnaddressed = async (db: Kysely<Tables>, now: Date): Promise<number[]> => {
  const { rows } = await sql<{ id: number }>`
    select id from announcements where completed_at is null and published_at is null and canceled_at is null
      and paused_at is null and send_at <= ${now} order by send_at, id`.execute(db)
  return rows.map(({ id }) => id)
}

/**
 * Owes an announcement to the readers among the next `most` subscribers, in the order of ids, in one statement; who has it
 * keeps it, so it may be broken off anywhere and done again. Resolves to how many are owed it and whether these were the
 * last; `null` where somebody else is at it, or there is nothing to do.
 */
export const addressNext = async (
  db: Kysely<Tables>,
  id: number,
  most: number,
): Promise<{ owed: number; done: boolean } | null> => {
  const mailId = sql`left(encode(sha256(a.content_hash || int8send(a.id) || uuid_send(s.id)), 'hex'), 32)::uuid`
  const { rows } = await sql<{ owed: number; done: boolean }>`
    with a as (
        select * from announcements where id = ${id} and published_at is null and canceled_at is null and paused_at is null
        for no key update skip locked),
      next as materialized (
        select s.* from a, lateral (select * from subscribers s
          where s.id > coalesce(a.addressed_to, '00000000-0000-0000-0000-000000000000') order by s.id limit ${most}) s),
      owed as (
        insert into announcement_mails (id, announcement_id, subscriber_id)
        select ${mailId}, a.id, s.id from a cross join next s
        where ${WANTED.announcement_mails} and ${isAudience(sql`a.topics`)} and ${wasReaderBy(sql`a.send_at`)}
          and (a.again or not ${wasSent(sql`a.content_hash`)})
        on conflict do nothing returning 1)
    update announcements m set due = m.due + (select count(*) from owed)::int,
      addressed_to = coalesce((select id from next order by id desc limit 1), m.addressed_to),
      published_at = case when (select count(*) from next) < ${most} then now() end
    from a where m.id = a.id
    returning (select count(*) from owed)::int as owed, m.published_at is not null as done`.execute(db)
  return rows[0] ?? null
}

export const markAnnouncementPaused = async (
  db: Kysely<Tables>,
  id: number,
  { by, why }: { by: string | null; why: string | null },
): Promise<void> => {
  await sql`update announcements set paused_at = coalesce(paused_at, now()), paused_by = ${by}, paused_why = ${why}
    where id = ${id}`.execute(db)
}

export const markAnnouncementResumed = async (db: Kysely<Tables>, id: number): Promise<void> => {
  await sql`update announcements set paused_at = null, paused_by = null, paused_why = null where id = ${id}`.execute(db)
}

export const markAnnouncementCanceled = async (db: Kysely<Tables>, id: number, by: string): Promise<void> => {
  await sql`update announcements set canceled_at = now(), canceled_by = ${by} where id = ${id}`.execute(db)
}

/** The ids of announcements that were canceled and of which something may wait. */
export const readCanceledAnnouncements = async (db: Kysely<Tables>): Promise<number[]> => {
  const { rows } = await sql<{ id: number }>`
    select id from announcements where completed_at is null and canceled_at is not null order by id`.execute(db)
  return rows.map(({ id }) => id)
}

/** Stores whether a subscriber wants announcements; `false` where that is so already. */
export const storeWantsAnnouncements = async (db: Kysely<Tables>, id: string, wants: boolean): Promise<boolean> => {
  const { rows } = await sql`update subscribers set announcements = ${wants}
    where id = ${id} and announcements <> ${wants} returning 1`.execute(db)
  return rows.length > 0
}
