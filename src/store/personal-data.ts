/** What is held of one subscriber: read as a whole, and erased from every table. */
import { type Kysely, sql } from 'kysely'
import { STANDARD } from '../core/subscriber/preferences.ts'
import type { SuppressionClass, Tables } from './database.ts'
import { deleteMemberships } from './groups.ts'
import { deleteLegacyLinks } from './legacy-links.ts'
import { columnsOf } from './subscribers.ts'
import { deleteTaste } from './tastes.ts'

/** Digests to a subscriber, the oldest first. */
export const readDeliveriesOf = (db: Kysely<Tables>, subscriberId: string) =>
  db
    .selectFrom('deliveries')
    .select(['id', 'local_date', 'digest_id', 'state', 'reason', 'created_at', 'sent_at', 'code', 'said'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('local_date')
    .execute()

/** Letters to a subscriber, the oldest first. */
export const readLettersOf = (db: Kysely<Tables>, subscriberId: string) =>
  db
    .selectFrom('letters')
    .select(['id', 'kind', 'digest_id', 'state', 'reason', 'requested_at', 'sent_at', 'code', 'said', 'preferences'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('requested_at')
    .execute()

/** Announcements to a subscriber, the oldest first. */
export const readAnnouncementsTo = (db: Kysely<Tables>, subscriberId: string) =>
  db
    .selectFrom('announcement_mails as m')
    .innerJoin('announcements as a', 'a.id', 'm.announcement_id')
    .select(['a.subject', 'm.state', 'm.reason', 'm.sent_at as sentAt', 'm.said as reply'])
    .where('m.subscriber_id', '=', subscriberId)
    .orderBy('a.id')
    .execute()

/** Bounces and complaints of a subscriber, the oldest first. */
export const readFeedbackTo = (db: Kysely<Tables>, subscriberId: string) =>
  db
    .selectFrom('mail_feedback')
    .select(['mail_id', 'kind', 'class', 'code', 'diagnostic', 'source', 'at'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('at')
    .execute()

/** Sign-ups with an address that are not answered yet. */
export const readSignUpsOf = (db: Kysely<Tables>, email: string) =>
  db
    .selectFrom('sign_ups')
    .select(['kind', 'email', 'preferences', 'requested_at', 'origin'])
    .where(sql`lower(email)`, '=', email.toLowerCase())
    .orderBy('id')
    .execute()

/** Deletes sign-ups with an address that are not answered yet. */
export const deleteSignUps = async (db: Kysely<Tables>, email: string): Promise<void> => {
  await sql`delete from sign_ups where lower(email) = ${email.toLowerCase()}`.execute(db)
}

/**
 * Erases a locked subscriber: the address and everything that was chosen goes, and what is left of their row and their
 * mails tells nobody who they are. Digests and announcements stay counted. What no mail is under way of is deleted.
 */
export const eraseSubscriber = async (db: Kysely<Tables>, id: string, email: string, at: Date): Promise<void> => {
  const settled = sql`state not in ('sending', 'unknown')`
  await sql`delete from letters where subscriber_id = ${id} and ${settled}`.execute(db)
  await sql`update letters set preferences = null, said = null, told_change = null where subscriber_id = ${id}`.execute(
    db,
  )
  // Nothing is owed any more; a mail that is under way is its mailer's, who looks again before it begins.
  for (const stream of ['deliveries', 'announcement_mails'] as const)
    await sql`update ${sql.table(stream)} set said = null, waits_for = null, told_change = null,
        state = case when state in ('queued', 'deferred') then 'skipped' else state end,
        reason = case when state in ('queued', 'deferred') then 'no longer wanted' else reason end
      where subscriber_id = ${id} and ${settled}`.execute(db)
  await sql`update mail_feedback set diagnostic = null where subscriber_id = ${id}`.execute(db)
  await sql`delete from set_aside_subscribers where subscriber_id = ${id}`.execute(db)
  await sql`delete from votes where subscriber_id = ${id}`.execute(db)
  await sql`delete from taste_proposals where subscriber_id = ${id}`.execute(db)
  await sql`delete from saved_papers where subscriber_id = ${id}`.execute(db)
  await deleteTaste(db, id)
  await deleteMemberships(db, id)
  await deleteLegacyLinks(db, id)
  await deleteSignUps(db, email)
  await db
    .updateTable('subscribers')
    .set({
      state: 'erased',
      email: null,
      // Whatever a reader can choose, also what is offered later.
      ...columnsOf({ ...STANDARD, topics: [] }),
      announcements: true,
      epoch: sql<number>`epoch + 1`,
      requested_at: at,
      confirmed_at: null,
      left_at: sql<Date>`coalesce(left_at, ${at})`,
      paused_until: null,
      next_due_at: null,
      last_digest_id: null,
      last_cutoff: null,
      last_due_at: null,
      last_local_date: null,
      previous_digest_id: null,
      previous_cutoff: null,
      previous_due_at: null,
      previous_local_date: null,
      moved_to: null,
      moved_from: null,
      changed_by_link_on: null,
      changed_by_link: null,
      proposal_id: null,
      before_reduction: null,
      missed_digests: null,
    })
    .where('id', '=', id)
    .execute()
}

/**
 * Puts a keyed hash on the list of suppressions in the place of an address: of one that was suppressed with the class of
 * that, so that nobody who enters it has it mailed.
 */
export const hashSuppression = async (
  db: Kysely<Tables>,
  email: string,
  hash: Buffer,
  at: Date,
): Promise<SuppressionClass | 'erased'> => {
  const address = email.toLowerCase()
  const { rows } = await sql<{ class: SuppressionClass | 'erased' }>`
    with removed as (delete from suppressions where email = ${address} returning class),
      forgotten as (delete from suppression_log where email = ${address})
    insert into erased_addresses as e (address_hash, class, erased_at)
    values (${hash}, coalesce((select class from removed), 'erased'), ${at})
    on conflict (address_hash) do update set erased_at = excluded.erased_at,
      class = case when excluded.class = 'erased' then e.class else excluded.class end
    returning class`.execute(db)
  return rows[0]?.class ?? 'erased'
}

/**
 * Deletes those digests with keywords, authors or a group, or that a taste ordered, of these that nobody was sent who is not
 * erased: such words may tell who somebody is. One that a mail under way needs stays until its month goes.
 */
export const deletePersonalDigests = async (db: Kysely<Tables>, digestIds: readonly number[]): Promise<number> => {
  const { rows } = await sql`
    with shown as materialized (select last_digest_id as id from subscribers where last_digest_id = any(${digestIds}::bigint[])
        union select previous_digest_id from subscribers where previous_digest_id = any(${digestIds}::bigint[]))
    delete from digests d where d.id = any(${digestIds}::bigint[])
      and (d.by_taste or cardinality(d.keywords) + cardinality(d.authors) > 0
        or jsonb_path_exists(d.entries, '$[*].group'))
      and d.id not in (select id from shown)
      and not exists (select from letters m where m.digest_id = d.id)
      and not exists (select from deliveries m join subscribers s on s.id = m.subscriber_id
        where m.local_date = d.local_date and m.digest_id = d.id
          and (s.email is not null or m.state in ('sending', 'unknown')))
    returning 1`.execute(db)
  return rows.length
}
