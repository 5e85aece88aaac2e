/** Feedback on sent mails (bounces and complaints), what it says of readers and editions, and which events were taken. */
import { type Kysely, sql } from 'kysely'
import type { BounceClass } from '../core/bounces/bounce-class.ts'
import type { EditionFeedback } from '../core/bounces/edition-alarm.ts'
import type { EditionFailures } from '../core/bounces/soft-bounces.ts'
import type { MailReference } from '../core/bounces/verp.ts'
import type { Tables } from './database.ts'
import { storeEvent } from './event-webhooks.ts'
import { localDateOfDelivery } from './outbox/delivery-id.ts'

/** A mail that feedback may be about. Times are the database's. */
export interface SentMail {
  /** `null` of a letter to a curator. */
  subscriberId: string | null
  /** Of a letter to a curator, while they are one. */
  curatorAddress: string | null
  editionId: number | null
  announcementId: number | null
  /** When a server took it, or may have; `null` where none can have. */
  handedAt: Date | null
  now: Date
}

/** A mail by its id; `null` where there is none, or the id is no delivery's. */
export const readSentMail = async (db: Kysely<Tables>, { stream, id }: MailReference): Promise<SentMail | null> => {
  const localDate = localDateOfDelivery(id)
  if (stream === 'deliveries' && localDate === null) return null
  const edition = stream === 'deliveries' ? sql`m.edition_id` : sql`null::bigint`
  const announcement = stream === 'announcement_mails' ? sql`m.announcement_id` : sql`null::bigint`
  const curator = stream === 'letters' ? sql`(select u.address from curators u where u.id = m.curator_id)` : sql`null`
  const day = stream === 'deliveries' ? sql`and m.local_date = ${localDate}::date` : sql``
  const { rows } = await sql<SentMail>`
    select m.subscriber_id as "subscriberId", ${curator} as "curatorAddress", ${edition} as "editionId",
      ${announcement} as "announcementId", now() as now,
      -- Feedback may arrive before the outcome of the attempt is recorded.
      case when m.state in ('sent', 'sending', 'unknown', 'failed') then coalesce(m.sent_at, m.attempted_at, now()) end
        as "handedAt"
    from ${sql.table(stream)} m where m.id = ${id}::uuid ${day}`.execute(db)
  return rows[0] ?? null
}

/**
 * Stores feedback on a mail, and owes it to the webhooks that are told of it. There is one row per mail and kind, and a
 * worse class replaces a better one, so that order and repetition do not matter. Returns whether anything changed.
 */
export const storeFeedback = async (
  db: Kysely<Tables>,
  mail: MailReference & { subscriberId: string } & Pick<SentMail, 'editionId' | 'announcementId'>,
  what: {
    kind: 'bounce' | 'complaint'
    class: BounceClass | null
    code: string | null
    diagnostic: string | null
    source: string
  },
): Promise<boolean> => {
  const rank = (of: ReturnType<typeof sql.ref>) => sql`array_position(array['unknown', 'soft', 'ours', 'hard'], ${of})`
  const { rows } = await sql`
    insert into mail_feedback as r
      (mail_id, kind, stream, subscriber_id, edition_id, announcement_id, class, code, diagnostic, source)
    values (${mail.id}, ${what.kind}, ${mail.stream}, ${mail.subscriberId}, ${mail.editionId}, ${mail.announcementId},
      ${what.class}, ${what.code}, ${what.diagnostic}, ${what.source})
    on conflict (mail_id, kind) do update set class = excluded.class, code = excluded.code,
      diagnostic = excluded.diagnostic, source = excluded.source
      where ${rank(sql.ref('excluded.class'))} > ${rank(sql.ref('r.class'))}
    returning 1`.execute(db)
  if (rows.length === 0) return false
  const { kind, class: bounceClass, code, diagnostic, source } = what
  await storeEvent(db, {
    event: kind === 'complaint' ? 'email.complained' : 'email.bounced',
    subscriberId: mail.subscriberId,
    data: {
      email: mail.id,
      edition: mail.editionId,
      ...(kind === 'complaint' ? {} : { class: bounceClass }),
      code,
      diagnostic,
      source,
    },
  })
  return true
}

/** What came back of one mail. */
export const readFeedbackOf = (db: Kysely<Tables>, mailId: string) =>
  db
    .selectFrom('mail_feedback')
    .select(['at', 'kind', 'class', 'code', 'diagnostic', 'source'])
    .where('mail_id', '=', mailId)
    .orderBy('at')
    .execute()

/** One digest of a reader, as far as its arrival is known. */
export interface SentDigest {
  /** When it was sent or, failing that, last attempted. */
  at: Date
  editionId: number
  state: string
  code: number | null
  enhanced: string | null
  said: string | null
  /** The class of its bounce; `null` where it has none. */
  bounce: BounceClass | null
  /** Hours since a server took it. */
  sentAgo: number | null
}

/** The last `max` digests of a reader that were sent or failed, the newest first. */
export const readRecentDigests = async (
  db: Kysely<Tables>,
  subscriberId: string,
  max: number,
): Promise<SentDigest[]> => {
  const { rows } = await sql<SentDigest>`
    select coalesce(d.sent_at, d.attempted_at, d.created_at) as at, d.edition_id as "editionId",
      d.state, d.code, d.enhanced, d.said,
      r.class as bounce, extract(epoch from now() - d.sent_at)::float8 / 3600 as "sentAgo"
    from deliveries d left join mail_feedback r on r.mail_id = d.id and r.kind = 'bounce'
    where d.subscriber_id = ${subscriberId} and d.state in ('sent', 'failed')
    order by d.local_date desc limit ${max}`.execute(db)
  return rows
}

/**
 * Of each of these editions, how many digests failed at a server or bounced, for other reasons than ours, and at how many
 * domains; counted up to `most` of its `due`.
 */
export const readEditionFailures = async (
  db: Kysely<Tables>,
  editionIds: readonly number[],
  most: (due: number) => number,
): Promise<(EditionFailures & { id: number })[]> => {
  const found: (EditionFailures & { id: number })[] = []
  for (const id of editionIds) {
    const { due } = await db.selectFrom('editions').select('due').where('id', '=', id).executeTakeFirstOrThrow()
    const { rows } = await sql<{ failed: number; destinations: number }>`
      select count(*)::int as failed, count(distinct split_part(lower(s.email), '@', -1))::int as destinations
      from ((select subscriber_id from deliveries d
          where d.edition_id = ${id} and d.state = 'failed' and d.code is not null limit ${most(due)})
        union (select subscriber_id from mail_feedback f
          where f.edition_id = ${id} and f.kind = 'bounce' and f.class <> 'ours' limit ${most(due)})) x
      join subscribers s on s.id = x.subscriber_id where s.email is not null`.execute(db)
    found.push({ id, due, failed: rows[0]?.failed ?? 0, destinations: rows[0]?.destinations ?? 0 })
  }
  return found
}

/** The ids of active and paused readers whose digest failed finally within the last `minutes`. */
export const readRecentlyFailed = async (db: Kysely<Tables>, minutes: number): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    select distinct d.subscriber_id as id
    from editions e join deliveries d on d.edition_id = e.id and d.state = 'failed'
    join subscribers s on s.id = d.subscriber_id and s.state in ('active', 'paused')
    where e.cutoff > now() - interval '14 days' and d.attempted_at > now() - ${minutes} * interval '1 minute'`.execute(
    db,
  )
  return rows.map((row) => row.id)
}

/** What owes many mails, with the table of these and their column that names it. */
const MAILINGS = {
  editions: { mails: 'deliveries', column: 'edition_id' },
  announcements: { mails: 'announcement_mails', column: 'announcement_id' },
} as const
export type Mailing = keyof typeof MAILINGS

/**
 * The editions or announcements under way that were not paused before and have at least `minCounts` hard bounces or complaints, with their
 * feedback so far. Sent digests are counted only up to the number at which both shares are below `maxShares`, so that an
 * edition with little feedback among a million digests is cheap to check.
 */
export const readOpenFeedback = async (
  db: Kysely<Tables>,
  mailing: Mailing,
  minCounts: { hard: number; complaints: number },
  maxShares: { hard: number; complaints: number },
): Promise<(EditionFeedback & { id: number })[]> => {
  const { mails, column } = MAILINGS[mailing]
  const { rows } = await sql<EditionFeedback & { id: number }>`
    with back as materialized (
      select e.id, count(*) filter (where r.class = 'hard')::int as hard,
        count(*) filter (where r.class = 'hard' and r.source = 'smtp')::int as refused,
        count(*) filter (where r.kind = 'complaint')::int as complaints
      from ${sql.table(mailing)} e join mail_feedback r on r.${sql.id(column)} = e.id
      where e.completed_at is null and e.paused_at is null and e.canceled_at is null and e.alarmed_at is null group by e.id)
    select b.id, b.refused + h.sent as handed, b.hard, b.complaints
    from back b, lateral (select count(*)::int as sent from (
      select from ${sql.table(mails)} d where d.${sql.id(column)} = b.id and d.state = 'sent'
      limit greatest(b.hard / ${maxShares.hard}::float8, b.complaints / ${maxShares.complaints}::float8)::int + 1) counted) h
    where b.hard >= ${minCounts.hard} or b.complaints >= ${minCounts.complaints}`.execute(db)
  return rows
}

/**
 * How many mails of the editions since an instant (by default seven days before the database's now) have feedback, by class of
 * bounce; complaints as one class.
 */
export const countFeedback = async (
  db: Kysely<Tables>,
  since: Date | null = null,
): Promise<Record<BounceClass | 'complaint', number>> => {
  const { rows } = await sql<{ of: BounceClass | 'complaint'; count: number }>`
    select coalesce(r.class, 'complaint') as of, count(*)::int as count
    from editions e join mail_feedback r on r.edition_id = e.id
    where e.cutoff > coalesce(${since}::timestamptz, now() - interval '7 days') group by 1`.execute(db)
  const counts = Object.fromEntries(rows.map(({ of, count }) => [of, count]))
  return { hard: 0, soft: 0, ours: 0, unknown: 0, complaint: 0, ...counts }
}

/** How many digests of the last seven days bounced with class `ours` within the last `minutes`, by their readers' domain. */
export const countRefusalsOfUs = async (
  db: Kysely<Tables>,
  minutes: number,
): Promise<{ domain: string; count: number }[]> => {
  const { rows } = await sql<{ domain: string; count: number }>`
    select split_part(lower(s.email), '@', -1) as domain, count(*)::int as count
    from editions e join mail_feedback r on r.edition_id = e.id join subscribers s on s.id = r.subscriber_id
    where e.cutoff > now() - interval '7 days' and r.class = 'ours' and r.at > now() - ${minutes} * interval '1 minute'
      and s.email is not null group by 1`.execute(db)
  return rows
}

/** Marks an edition or announcement as paused by the alarm; `false` where it is marked already, or complete. */
export const markAlarmed = async (db: Kysely<Tables>, mailing: Mailing, id: number): Promise<boolean> => {
  const { rows } = await sql`update ${sql.table(mailing)} set alarmed_at = now()
    where id = ${id} and alarmed_at is null and completed_at is null returning 1`.execute(db)
  return rows.length > 0
}

/** The newest mail to an address that a server took within the last 30 days and not after `by`; `null` where there is none. */
export const readNewestMailTo = async (
  db: Kysely<Tables>,
  email: string,
  by: Date | null,
): Promise<MailReference | null> => {
  const sent = sql`m.sent_at > now() - interval '30 days' and m.sent_at <= coalesce(${by}::timestamptz, now())`
  const { rows } = await sql<MailReference>`
    with reader as (select id from subscribers where lower(email) = ${email.toLowerCase()})
    select stream, id from (
      select 'deliveries' as stream, m.id, m.sent_at from deliveries m join reader r on r.id = m.subscriber_id where ${sent}
      union all
      select 'letters', m.id, m.sent_at from letters m join reader r on r.id = m.subscriber_id where ${sent}
      union all
      select 'announcement_mails', m.id, m.sent_at from announcement_mails m join reader r on r.id = m.subscriber_id
      where ${sent}) mails
    order by sent_at desc limit 1`.execute(db)
  return rows[0] ?? null
}

/** Whether an event of a provider was stored before. */
export const isKnownEvent = async (db: Kysely<Tables>, provider: string, event: string): Promise<boolean> =>
  (await db
    .selectFrom('provider_events')
    .select('event')
    .where('provider', '=', provider)
    .where('event', '=', event)
    .executeTakeFirst()) !== undefined

/** Stores an event as taken, and deletes events of more than 40 days ago, whose mails are too old for feedback. */
export const storeProviderEvent = async (db: Kysely<Tables>, provider: string, event: string): Promise<void> => {
  await sql`with old as (delete from provider_events where at < now() - interval '40 days')
    insert into provider_events (provider, event) values (${provider}, ${event}) on conflict do nothing`.execute(db)
}
