/** What came back of mails that were sent, and what that makes of their readers and editions. */
import { type Kysely, sql } from 'kysely'
import type { BounceClass } from '../core/bounces/bounce-class.ts'
import type { Returns } from '../core/bounces/edition-alarm.ts'
import type { ReturnedMail } from '../core/bounces/verp.ts'
import type { Tables } from './database.ts'

/** A mail that may come back. Times are the database's. */
export interface SentMail {
  subscriberId: string
  editionId: number | null
  /** When a server had it, or may have had it; `null` where none can. */
  handedAt: Date | null
  now: Date
}

export const readSentMail = async (db: Kysely<Tables>, { stream, id }: ReturnedMail): Promise<SentMail | null> => {
  const days = Number.parseInt(id.slice(0, 8), 16)
  // Beyond the year 2200 it is no delivery's id; a date would not hold the largest.
  if (stream === 'deliveries' && !(days < 84_000)) return null
  const edition = stream === 'deliveries' ? sql`m.edition_id` : sql`null::bigint`
  const day = stream === 'deliveries' ? sql`and m.local_date = date '1970-01-01' + ${days}::int` : sql``
  const { rows } = await sql<SentMail>`
    select m.subscriber_id as "subscriberId", ${edition} as "editionId", now() as now,
      -- An answer may overtake our own note of the sending.
      case when m.state in ('sent', 'sending', 'unknown', 'failed') then coalesce(m.sent_at, m.attempted_at, now()) end
        as "handedAt"
    from ${sql.table(stream)} m where m.id = ${id}::uuid ${day}`.execute(db)
  return rows[0] ?? null
}

/**
 * Writes down that a mail came back. Of one kind there is one fact a mail, and a worse one takes its place, so that order
 * and repetition do not matter. Returns whether anything changed.
 */
export const storeFeedback = async (
  db: Kysely<Tables>,
  mail: ReturnedMail & { subscriberId: string; editionId: number | null },
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
    insert into mail_feedback as r (mail_id, kind, stream, subscriber_id, edition_id, class, code, diagnostic, source)
    values (${mail.id}, ${what.kind}, ${mail.stream}, ${mail.subscriberId}, ${mail.editionId}, ${what.class},
      ${what.code}, ${what.diagnostic}, ${what.source})
    on conflict (mail_id, kind) do update set class = excluded.class, code = excluded.code,
      diagnostic = excluded.diagnostic, source = excluded.source
      where ${rank(sql.ref('excluded.class'))} > ${rank(sql.ref('r.class'))}
    returning 1`.execute(db)
  return rows.length > 0
}

/** One digest of a reader, as far as its arrival is known. */
export interface Sending {
  at: Date
  state: string
  code: number | null
  enhanced: string | null
  said: string | null
  returned: BounceClass | null
  /** Hours since a server took it. */
  sentAgo: number | null
}

/** A reader's last digests that were tried, the newest first. */
export const readSendings = async (db: Kysely<Tables>, subscriberId: string, most: number): Promise<Sending[]> => {
  const { rows } = await sql<Sending>`
    select coalesce(d.sent_at, d.attempted_at, d.created_at) as at, d.state, d.code, d.enhanced, d.said,
      r.class as returned, extract(epoch from now() - d.sent_at)::float8 / 3600 as "sentAgo"
    from deliveries d left join mail_feedback r on r.mail_id = d.id and r.kind = 'bounce'
    where d.subscriber_id = ${subscriberId} and d.state in ('sent', 'failed')
    order by d.local_date desc limit ${most}`.execute(db)
  return rows
}

/** Readers still written to whose digest was given up within the last minutes. */
export const readLatelyFailed = async (db: Kysely<Tables>, minutes: number): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    select distinct d.subscriber_id as id
    from editions e join deliveries d on d.edition_id = e.id and d.state = 'failed'
    join subscribers s on s.id = d.subscriber_id and s.state in ('active', 'paused')
    where e.cutoff > now() - interval '14 days' and d.attempted_at > now() - ${minutes} * interval '1 minute'`.execute(
    db,
  )
  return rows.map((row) => row.id)
}

/**
 * Editions under way that were not stopped before, with what came back of them by now: those alone of which as much came
 * back as `fewest`. Digests are counted no further than to the number at which the share of either is below `most`, so that
 * one is cheap to look at whose returns are few among a million.
 */
export const readOpenFeedback = async (
  db: Kysely<Tables>,
  fewest: { hard: number; complaints: number },
  most: { hard: number; complaints: number },
): Promise<(Returns & { id: number })[]> => {
  const { rows } = await sql<Returns & { id: number }>`
    with back as materialized (
      select e.id, count(*) filter (where r.class = 'hard')::int as hard,
        count(*) filter (where r.class = 'hard' and r.source = 'smtp')::int as refused,
        count(*) filter (where r.kind = 'complaint')::int as complaints
      from editions e join mail_feedback r on r.edition_id = e.id
      where e.completed_at is null and e.paused_at is null and e.alarmed_at is null group by e.id)
    select b.id, b.refused + h.sent as handed, b.hard, b.complaints
    from back b, lateral (select count(*)::int as sent from (
      select from deliveries d where d.edition_id = b.id and d.state = 'sent'
      limit greatest(b.hard / ${most.hard}::float8, b.complaints / ${most.complaints}::float8)::int + 1) counted) h
    where b.hard >= ${fewest.hard} or b.complaints >= ${fewest.complaints}`.execute(db)
  return rows
}

/** What came back of the editions of the last seven days, by class; complaints as one. */
export const countFeedback = async (db: Kysely<Tables>): Promise<Record<BounceClass | 'complaint', number>> => {
  const { rows } = await sql<{ of: BounceClass | 'complaint'; count: number }>`
    select coalesce(r.class, 'complaint') as of, count(*)::int as count
    from editions e join mail_feedback r on r.edition_id = e.id
    where e.cutoff > now() - interval '7 days' group by 1`.execute(db)
  const counts = Object.fromEntries(rows.map(({ of, count }) => [of, count]))
  return { hard: 0, soft: 0, ours: 0, unknown: 0, complaint: 0, ...counts }
}

/** How many digests came back within the last minutes because we were refused, by the domain of their readers. */
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

/** Remembers that an edition was stopped; `false` when it was before, or meanwhile. */
export const noteAlarm = async (db: Kysely<Tables>, editionId: number): Promise<boolean> => {
  const { rows } = await sql`update editions set alarmed_at = now()
    where id = ${editionId} and alarmed_at is null and completed_at is null returning 1`.execute(db)
  return rows.length > 0
}

/** The newest mail that a server took for an address, by an instant and in the last 30 days. */
export const readNewestMailTo = async (
  db: Kysely<Tables>,
  email: string,
  by: Date | null,
): Promise<ReturnedMail | null> => {
  const tried = sql`m.sent_at > now() - interval '30 days' and m.sent_at <= coalesce(${by}::timestamptz, now())`
  const { rows } = await sql<ReturnedMail>`
    with reader as (select id from subscribers where lower(email) = ${email.toLowerCase()})
    select stream, id from (
      select 'deliveries' as stream, m.id, m.sent_at from deliveries m join reader r on r.id = m.subscriber_id where ${tried}
      union all
      select 'letters', m.id, m.sent_at from letters m join reader r on r.id = m.subscriber_id where ${tried}) mails
    order by sent_at desc limit 1`.execute(db)
  return rows[0] ?? null
}

export const isKnownEvent = async (db: Kysely<Tables>, provider: string, event: string): Promise<boolean> =>
  (await db
    .selectFrom('provider_events')
    .select('event')
    .where('provider', '=', provider)
    .where('event', '=', event)
    .executeTakeFirst()) !== undefined

/** Remembers an event as taken, and forgets those whose mails cannot come back any more. */
export const storeEvent = async (db: Kysely<Tables>, provider: string, event: string): Promise<void> => {
  await sql`with old as (delete from provider_events where at < now() - interval '40 days')
    insert into provider_events (provider, event) values (${provider}, ${event}) on conflict do nothing`.execute(db)
}
