/** Refusals that readers have in common: the mails that had them, and taking back what that did to these mails. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { MailStream, Tables } from '../database.ts'
import { isSameMail, LETTER_ADDRESSEE, OWED_BY, wasRefusedLikeOthers } from './conditions.ts'

/** A mail that a server refused lately, finally or for now. */
export interface RefusedMail {
  id: string
  /** Of a delivery alone. */
  localDate: string | null
  email: string
  /** Whether its reader is suppressed for this refusal. */
  suppressed: boolean
  said: string
}

/** The relays that refuse everybody in the same words, with what they said to the last. */
export const readCommonRefusals = async (db: Kysely<Tables>): Promise<{ relay: string; reason: string }[]> =>
  db
    .selectFrom('throttled_routes')
    .select(['name as relay', 'reason'])
    .where('kind', '=', 'relay')
    .where('cause', '=', 'common')
    .execute()

/**
 * The mails that were refused since shortly before a relay was found to refuse everybody, and whose refusal counted: they
 * failed, or are deferred with the attempt counted.
 */
export const readRefused = async (db: Kysely<Tables>, stream: MailStream, relay: string): Promise<RefusedMail[]> => {
  const isRefused = sql`m.state in ('failed', 'deferred') and m.said is not null and m.attempts > 0
    and m.attempted_at > r.since - interval '15 minutes' and not ${wasRefusedLikeOthers(sql`m.reason`)}`
  const facts = sql`m.said, m.attempted_at from relay r`
  const recent = sql`> now() - interval '14 days' or e.completed_at is null`
  const mails = {
    letters: sql`select m.id, null::date as local_date, m.subscriber_id, m.curator_id, ${facts} join letters m on ${isRefused}`,
    deliveries: sql`select m.id, m.local_date, m.subscriber_id, null::uuid as curator_id, ${facts}
      join editions e on e.cutoff ${recent} join deliveries m on m.edition_id = e.id and ${isRefused}`,
    announcement_mails: sql`select m.id, null::date as local_date, m.subscriber_id, null::uuid as curator_id, ${facts}
      join announcements e on e.send_at ${recent} join announcement_mails m on m.announcement_id = e.id and ${isRefused}`,
  }[stream]
  const { rows } = await sql<RefusedMail>`
    with relay as (select since from throttled_routes where kind = 'relay' and name = ${relay} and cause = 'common')
    select m.id, m.local_date::text as "localDate", s.email, m.said,
      exists (select from suppressions x where x.email = lower(s.email) and x.source = 'smtp' and x.class = 'hard'
        and x.diagnostic = m.said and x.created_at >= m.attempted_at - interval '5 minutes') as suppressed
    from (${mails}) m join ${LETTER_ADDRESSEE} where s.email is not null`.execute(db)
  return rows
}

/**
 * Puts refused mails back in the queue as if they had not been tried, forgets the bounces that they were recorded as, and
 * opens what owes them again. `reason` says why. Returns how many mails there were.
 */
export const requeueRefused = async (
  db: Kysely<Tables>,
  stream: MailStream,
  mails: readonly RefusedMail[],
  reason: string,
): Promise<number> => {
  const ids = mails.map(({ id }) => id)
  await sql`delete from mail_feedback where mail_id = any(${ids}::uuid[]) and kind = 'bounce' and source = 'smtp'`.execute(
    db,
  )
  const back = sql`state = 'queued', reason = ${reason}, attempts = greatest(m.attempts - 1, 0), fence = m.fence + 1,
    next_attempt_at = now(), waits_for = null`
  const refused = sql`unnest(${ids}::uuid[], ${mails.map(({ localDate }) => localDate)}::date[]) as u(id, local_date)`
  const requeue = (owner: RawBuilder<unknown>) => sql`update ${sql.table(stream)} m set ${back} from ${refused}
    where ${isSameMail(stream, 'u')} and m.state in ('failed', 'deferred') returning ${owner} as owner`
  if (stream === 'letters') return (await requeue(sql`null`).execute(db)).rows.length
  const { table, column } = OWED_BY[stream]
  const { rows } = await sql`
    with back as (${requeue(column)}),
      opened as (update ${sql.table(table)} set completed_at = null, missing = 0
        where id in (select owner from back) and completed_at is not null)
    select 1 from back`.execute(db)
  return rows.length
}
