/** What came back of mails, and what servers refused, with their words: listed by edition and by reader. */
import { type Kysely, sql } from 'kysely'
import type { BounceClass } from '../core/bounces/bounce-class.ts'
import type { MailStream, Tables } from './database.ts'

/** A bounce, a complaint, or a final refusal in the conversation with the server. */
export interface ReturnedMail {
  at: Date
  /** `null` when the subscriber is erased. */
  email: string | null
  kind: 'bounce' | 'complaint' | 'refusal'
  /** Of a bounce; a refusal has none yet, and a complaint never has one. */
  class: BounceClass | null
  /** As it was told: `550 5.1.1`, `5.1.1`. */
  code: string | null
  /** What was said, without addresses. */
  said: string | null
  /** The server's code of a refusal, from which its class follows. */
  reply: { code: number; enhanced: string | null } | null
  /** Who said so: a provider, `mail`, `feedback loop` or `smtp`. */
  source: string
  stream: MailStream
  /** The mail's id. */
  mail: string
  edition: number | null
}

const AT_A_TIME = 1_000

/**
 * Hands over what came back of an edition, of a reader or of both, up to a thousand at a time in one snapshot, in the order
 * of time. Refusals of which feedback was stored as well come once.
 */
export const streamReturned = async (
  db: Kysely<Tables>,
  of: { editionId: number | null; subscriberId: string | null },
  take: (rows: ReturnedMail[]) => Promise<void>,
): Promise<void> => {
  const { editionId, subscriberId } = of
  const ofReader = subscriberId === null ? sql`true` : sql`x.subscriber_id = ${subscriberId}`
  const ofEdition = editionId === null ? sql`true` : sql`x.edition_id = ${editionId}`
  const refused = (stream: MailStream) => sql`
    select x.attempted_at, x.subscriber_id, 'refusal', null, concat_ws(' ', x.code, x.enhanced), x.said, x.code, x.enhanced,
      'smtp', ${sql.lit(stream)}, x.id, ${stream === 'deliveries' ? sql`x.edition_id` : sql`null::bigint`}
    from ${sql.table(stream)} x
    where x.state = 'failed' and x.code is not null and ${ofReader}
      and ${stream === 'deliveries' ? ofEdition : sql.lit(editionId === null)}
      and not exists (select from mail_feedback f where f.mail_id = x.id and f.kind = 'bounce')`
  await db.transaction().execute(async (trx) => {
    await sql`declare returned no scroll cursor for
      select b.at, s.email, b.kind, b.class, b.code, b.said, case when b.kind = 'refusal'
          then jsonb_build_object('code', b.reply_code, 'enhanced', b.reply_enhanced) end as reply,
        b.source, b.stream, b.mail, b.edition
      from (
        select x.at, x.subscriber_id, x.kind, x.class, x.code, x.diagnostic as said, null::smallint as reply_code,
          null::text as reply_enhanced, x.source, x.stream, x.mail_id as mail, x.edition_id as edition
        from mail_feedback x where ${ofReader} and ${ofEdition}
        union all ${refused('deliveries')}
        union all ${refused('letters')}) b
      join subscribers s on s.id = b.subscriber_id order by b.at, b.mail`.execute(trx)
    for (;;) {
      const { rows } = await sql<ReturnedMail>`fetch ${sql.lit(AT_A_TIME)} from returned`.execute(trx)
      if (rows.length === 0) return
      await take(rows)
    }
  })
}

/** How many mails of an edition came back, by the class of their bounce; complaints as one class. */
export const countReturned = async (
  db: Kysely<Tables>,
  editionId: number,
): Promise<Record<BounceClass | 'complaint', number>> => {
  const { rows } = await sql<{ of: BounceClass | 'complaint'; count: number }>`
    select coalesce(class, 'complaint') as of, count(*)::int as count from mail_feedback
    where edition_id = ${editionId} group by 1`.execute(db)
  const counts = Object.fromEntries(rows.map(({ of, count }) => [of, count]))
  return { hard: 0, soft: 0, ours: 0, unknown: 0, complaint: 0, ...counts }
}

/** A bounce or a complaint of an edition, with its reader. */
export interface FeedbackRow {
  at: Date
  kind: 'bounce' | 'complaint'
  class: BounceClass | null
  code: string | null
  /** What was said, without addresses. */
  diagnostic: string | null
  source: string
  /** A UUID. */
  subscriber: string
  /** `null` when the subscriber is erased. */
  email: string | null
}

/** The newest bounces and complaints of an edition, at most `most`. */
export const readEditionFeedback = async (
  db: Kysely<Tables>,
  editionId: number,
  most: number,
): Promise<FeedbackRow[]> => {
  const { rows } = await sql<FeedbackRow>`
    select f.at, f.kind, f.class, f.code, f.diagnostic, f.source, s.id as subscriber, s.email
    from (select * from mail_feedback where edition_id = ${editionId} order by at desc, mail_id limit ${most}) f
      join subscribers s on s.id = f.subscriber_id order by f.at desc, f.mail_id`.execute(db)
  return rows
}
