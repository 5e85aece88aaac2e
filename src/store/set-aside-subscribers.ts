/**
 * Subscribers who could not be published to for a reason of their own. They are due again a day later instead, so the row
 * here counts while that is when they are due: new preferences, leaving, or a digest change it and so end it.
 */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Set aside and still so: `a` is the row, `s` its subscriber. */
const STANDING = sql`set_aside_subscribers a join subscribers s on s.id = a.subscriber_id and s.next_due_at = a.retry_at`

/**
 * Sets aside those of these subscribers who are due by the cut-off, and makes them due again a day after it. Those who
 * come due by having been set aside before keep when that was, and their attempts are counted.
 */
export const setAside = async (
  db: Kysely<Tables>,
  cutoff: Date,
  failed: readonly { id: string; reason: string }[],
): Promise<void> => {
  await sql`
    with failed as (
      select s.id, s.next_due_at as due_at, f.reason, ${cutoff}::timestamptz + interval '1 day' as retry_at
      from unnest(${failed.map(({ id }) => id)}::uuid[], ${failed.map(({ reason }) => reason)}::text[]) as f(id, reason)
      join subscribers s on s.id = f.id where s.next_due_at <= ${cutoff} for update of s),
    moved as (update subscribers s set next_due_at = f.retry_at from failed f where s.id = f.id)
    insert into set_aside_subscribers as a (subscriber_id, due_at, retry_at, reason)
    select id, due_at, retry_at, reason from failed
    on conflict (subscriber_id) do update set reason = excluded.reason, retry_at = excluded.retry_at,
      attempts = case when a.retry_at = excluded.due_at then a.attempts + 1 else 1 end,
      due_at = case when a.retry_at = excluded.due_at then a.due_at else excluded.due_at end,
      set_aside_at = case when a.retry_at = excluded.due_at then a.set_aside_at else now() end`.execute(db)
}

/** Which of these subscribers are set aside, or are due by having been so. */
export const readKnownSetAside = async (db: Kysely<Tables>, ids: readonly string[]): Promise<ReadonlySet<string>> => {
  const { rows } = await sql<{ id: string }>`select s.id from ${STANDING} where s.id = any(${ids}::uuid[])`.execute(db)
  return new Set(rows.map(({ id }) => id))
}

/** A subscriber who is set aside. */
export interface SetAsideSubscriber {
  id: string
  email: string
  /** Since when, by the database's clock. */
  setAsideAt: Date
  /** When they are tried again by themselves, by the service's clock. */
  retryAt: Date
  attempts: number
  reason: string
}

/** Those who have been set aside the longest first. */
export const readSetAsideSubscribers = async (db: Kysely<Tables>): Promise<SetAsideSubscriber[]> => {
  const { rows } = await sql<SetAsideSubscriber>`
    select s.id, s.email, a.set_aside_at as "setAsideAt", a.retry_at as "retryAt", a.attempts, a.reason
    from ${STANDING} order by a.set_aside_at, s.id`.execute(db)
  return rows
}

/** Why and since when one subscriber is set aside, and when they are tried again; `null` where they are not. */
export const readSetAsideOf = async (
  db: Kysely<Tables>,
  id: string,
): Promise<{ reason: string; since: Date; retryAt: Date } | null> => {
  const { rows } = await sql<{ reason: string; since: Date; retryAt: Date }>`
    select a.reason, a.set_aside_at as since, a.retry_at as "retryAt" from ${STANDING} where s.id = ${id}`.execute(db)
  return rows[0] ?? null
}

/** Has subscribers who were set aside tried at the next tick: they are due when they were due. Returns how many. */
export const retrySetAsideSubscribers = async (db: Kysely<Tables>, which: { id: string } | 'all'): Promise<number> => {
  const { rows } = await sql`
    update subscribers u set next_due_at = d.due_at
    from (select s.id, a.due_at from ${STANDING} where ${which === 'all' ? sql`true` : sql`s.id = ${which.id}`}) d
    where u.id = d.id returning 1`.execute(db)
  return rows.length
}

/** Deletes the rows that do not count any more. */
export const forgetSetAside = async (db: Kysely<Tables>): Promise<void> => {
  await sql`delete from set_aside_subscribers a using subscribers s
    where s.id = a.subscriber_id and s.next_due_at is distinct from a.retry_at`.execute(db)
}

/** How many subscribers and sign-ups are set aside. */
export const countSetAside = async (db: Kysely<Tables>): Promise<{ subscribers: number; signUps: number }> => {
  const { rows } = await sql<{ subscribers: number; signUps: number }>`
    select (select count(*) from ${STANDING})::int as subscribers,
      (select count(*) from sign_ups where set_aside_at is not null)::int as "signUps"`.execute(db)
  return rows[0] ?? { subscribers: 0, signUps: 0 }
}
