/** Calling an edition off: its deliveries are canceled, and its readers go back to what they had before it. */
import { type Kysely, sql } from 'kysely'
import type { SkippedDigests } from '../core/digest/skipped-digests.ts'
import type { MailState } from '../core/sending/ledger.ts'
import type { SendingTime } from '../core/subscriber/due.ts'
import type { Tables } from './database.ts'
import { missedWith } from './subscribers.ts'

/** An edition that was called off, and whose balance is not drawn yet. */
export interface Cancellation {
  id: number
  cutoff: Date
  publishedAt: Date | null
  /** Its readers are due again at once. */
  dueAgain: boolean
}

/**
 * Marks an edition as canceled, and opens one that was complete again; its caller holds the edition's lock. From the
 * commit on nothing of it is claimed or published.
 */
export const markCanceled = async (
  db: Kysely<Tables>,
  id: number,
  how: { by: string | null; why: string | null; dueAgain: boolean },
): Promise<void> => {
  await sql`update editions set canceled_at = now(), canceled_by = ${how.by}, canceled_why = ${how.why},
      due_again = ${how.dueAgain}, paused_at = coalesce(paused_at, now()), completed_at = null, missing = 0
    where id = ${id}`.execute(db)
}

/** The cancellations under way, oldest cut-off first; of one edition only, where `id` is given. */
export const readCancellations = async (db: Kysely<Tables>, id?: number): Promise<Cancellation[]> => {
  const { rows } = await sql<Cancellation>`
    select id, cutoff, published_at as "publishedAt", due_again as "dueAgain" from editions
    where completed_at is null and canceled_at is not null ${id === undefined ? sql`` : sql`and id = ${id}`}
    order by cutoff`.execute(db)
  return rows
}

/** How many of its mails a mailer has claimed. */
export const countClaimed = async (db: Kysely<Tables>, editionId: number): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from deliveries where state = 'sending' and edition_id = ${editionId}`.execute(db)
  return rows[0]?.count ?? 0
}

/** A delivery of an edition, by its reader. */
export interface DeliveryKey {
  subscriberId: string
  localDate: string
}

const AT_A_TIME = 2_500

/** Hands over the deliveries of an edition in some states, up to 2,500 at a time, in one snapshot. */
export const streamKeys = async (
  db: Kysely<Tables>,
  editionId: number,
  states: MailState[],
  take: (keys: DeliveryKey[]) => Promise<void>,
): Promise<void> => {
  await db.transaction().execute(async (trx) => {
    await sql`declare called_off no scroll cursor for
      select subscriber_id as "subscriberId", local_date as "localDate" from deliveries
      where edition_id = ${editionId} and state = any(${states})`.execute(trx)
    for (;;) {
      const { rows } = await sql<DeliveryKey>`fetch ${sql.lit(AT_A_TIME)} from called_off`.execute(trx)
      if (rows.length === 0) return
      await take(rows)
    }
  })
}

/** A reader of a canceled edition, with their delivery. */
export interface AffectedReader extends DeliveryKey, SendingTime {
  /** Of the delivery. */
  state: MailState
  /** An earlier copy of the delivery may have arrived. */
  mayHaveArrived: boolean
  /** Whether they are active; others are due when their own state says so. */
  active: boolean
  /** No later digest or welcome has taken the place of this one. */
  isLast: boolean
  /** Whether it is known what they had before; not of editions that were published by an older version. */
  hasPrevious: boolean
  /** When this digest was due, and for which date. */
  dueAt: Date | null
  /** The same of the digest or welcome before. */
  previousDueAt: Date | null
  previousLocalDate: string | null
}

/** Locks readers, in one order everywhere. A publisher that has locked one is waited for. */
export const lockReaders = async (db: Kysely<Tables>, keys: DeliveryKey[]): Promise<void> => {
  await sql`select from subscribers where id = any(${keys.map((key) => key.subscriberId)}::uuid[])
    order by id for update`.execute(db)
}

const keyRows = (keys: readonly DeliveryKey[]) =>
  sql`unnest(${keys.map((key) => key.subscriberId)}::uuid[], ${keys.map((key) => key.localDate)}::date[])
    as k(subscriber_id, local_date)`

/** Reads the readers of some deliveries of an edition as they are now; deliveries that another edition has are left out. */
export const readAffected = async (
  db: Kysely<Tables>,
  editionId: number,
  keys: DeliveryKey[],
): Promise<AffectedReader[]> => {
  const { rows } = await sql<AffectedReader>`
    select k.subscriber_id as "subscriberId", k.local_date as "localDate", m.state, m.resent > 0 as "mayHaveArrived",
      s.frequency, s.hour, s.weekday, s.time_zone as "timeZone", s.at_once as "atOnce", s.state = 'active' as active,
      coalesce(s.last_digest_id = m.digest_id and s.last_local_date = m.local_date, false) as "isLast",
      s.previous_digest_id is not null as "hasPrevious", s.last_due_at as "dueAt",
      s.previous_due_at as "previousDueAt", s.previous_local_date as "previousLocalDate"
    from ${keyRows(keys)} join deliveries m on m.subscriber_id = k.subscriber_id and m.local_date = k.local_date
      join subscribers s on s.id = m.subscriber_id
    where m.edition_id = ${editionId}`.execute(db)
  return rows
}

/** What becomes of a reader whose delivery is canceled, or did not arrive. */
export interface Return extends DeliveryKey {
  /** Whether what they were sent before counts as their last again. */
  history: boolean
  /** When they are due next; `null` leaves it as it is. */
  nextDueAt: Date | null
  /** Whether their delivery waits still: then they return only if it can be canceled. */
  waiting: boolean
  /** The digest that does not come, of which a later one tells; `null` where it comes, or nobody misses it. */
  missed: SkippedDigests | null
}

/**
 * Cancels those of these deliveries that wait still, and returns their readers, and those of deliveries that did not
 * arrive, to what they had before; their caller has locked them. What such a delivery told is to be told again. Of a delivery of which an earlier copy may have arrived
 * the outcome is unknown, and its reader does not return. Returns how many were canceled.
 */
export const cancelDeliveries = async (db: Kysely<Tables>, editionId: number, returns: Return[]): Promise<number> => {
  const { rows } = await sql<{ canceled: number }>`
    with r as materialized (
        select * from unnest(${returns.map((one) => one.subscriberId)}::uuid[],
          ${returns.map((one) => one.localDate)}::date[], ${returns.map((one) => one.history)}::bool[],
          ${returns.map((one) => one.nextDueAt)}::timestamptz[], ${returns.map((one) => one.waiting)}::bool[],
          ${returns.map(({ missed }) => (missed === null ? null : JSON.stringify([missed])))}::jsonb[])
          as r(subscriber_id, local_date, history, next_due_at, waiting, missed)),
      off as (
        update deliveries m set state = case when m.resent > 0 then 'unknown' else 'canceled' end,
          reason = case when m.resent > 0 then 'its edition was canceled after a copy may have arrived' else 'its edition was canceled' end,
          fence = m.fence + 1, waits_for = null
        from r where r.waiting and m.subscriber_id = r.subscriber_id and m.local_date = r.local_date
          and m.edition_id = ${editionId} and m.state in ('queued', 'deferred')
        returning m.subscriber_id, m.state),
      counted as (
        update editions set canceled = canceled + (select count(*) from off where state = 'canceled')
        where id = ${editionId} and exists (select from off where state = 'canceled')),
      back as (
        update subscribers s set next_due_at = coalesce(r.next_due_at, s.next_due_at),
          last_digest_id = case when r.history then s.previous_digest_id else s.last_digest_id end,
          last_cutoff = case when r.history then s.previous_cutoff else s.last_cutoff end,
          last_due_at = case when r.history then s.previous_due_at else s.last_due_at end,
          last_local_date = case when r.history then s.previous_local_date else s.last_local_date end,
          previous_digest_id = case when r.history then null else s.previous_digest_id end,
          previous_cutoff = case when r.history then null else s.previous_cutoff end,
          previous_due_at = case when r.history then null else s.previous_due_at end,
          previous_local_date = case when r.history then null else s.previous_local_date end,
          missed_digests = case when r.history then ${missedWith(sql`r.missed`, sql`s.previous_local_date`)} else s.missed_digests end,
          changed_by_link_on = coalesce(s.changed_by_link_on, (m.told_change->>'on')::date),
          changed_by_link = case when m.told_change is null then s.changed_by_link else array(select distinct
            jsonb_array_elements_text(coalesce(to_jsonb(s.changed_by_link), '[]') || (m.told_change->'what'))) end,
          proposal_id = coalesce(s.proposal_id, m.proposal_id)
        from r left join off on off.subscriber_id = r.subscriber_id
          left join deliveries m on m.subscriber_id = r.subscriber_id and m.local_date = r.local_date
            and m.edition_id = ${editionId}
        where s.id = r.subscriber_id and (r.history or r.next_due_at is not null or m.told_change is not null
            or m.proposal_id is not null)
          and (not r.waiting or off.state = 'canceled'))
    select count(*)::int as canceled from off where state = 'canceled'`.execute(db)
  return rows[0]?.canceled ?? 0
}

/**
 * Lets the last digest of readers count as due at an instant that has come, and no later: they got it ahead of its time,
 * and would wait for the next until then.
 */
export const settleLastDigests = async (
  db: Kysely<Tables>,
  now: Date,
  readers: { subscriberId: string; localDate: string; nextDueAt: Date | null }[],
): Promise<void> => {
  await sql`update subscribers s set last_due_at = ${now}, last_local_date = r.local_date,
      last_cutoff = least(s.last_cutoff, ${now}), next_due_at = coalesce(r.next_due_at, s.next_due_at)
    from unnest(${readers.map((one) => one.subscriberId)}::uuid[], ${readers.map((one) => one.localDate)}::date[],
      ${readers.map((one) => one.nextDueAt)}::timestamptz[]) as r(id, local_date, next_due_at)
    where s.id = r.id`.execute(db)
}
