/**
 * Deletes what nobody needs any more, some rows at a time: each call is one statement, so that it is soon over, holds few
 * locks, and loses nothing when it is killed. With `dryRun` the same rows are counted and stay.
 */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

export interface DeleteOptions {
  /** So many rows at most. */
  limit: number
  dryRun: boolean
}

const countOf = async (db: Kysely<Tables>, statement: ReturnType<typeof sql>): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    with gone as (${statement}) select count(*)::int as count from gone`.execute(db)
  return rows[0]?.count ?? 0
}

/** How many rows are looked for: all of them where none is taken away. */
const most = ({ limit, dryRun }: DeleteOptions) => (dryRun ? sql`null` : sql`${limit}`)

const isOldLetter = (before: Date) => sql`requested_at < ${before} and state in ('sent', 'failed', 'skipped')`

/**
 * Settled letters that were asked for before an instant. With its letter goes the link of a welcome to be read in the
 * browser, as that of a digest goes with its delivery.
 */
export const deleteLetters = (db: Kysely<Tables>, before: Date, options: DeleteOptions): Promise<number> => {
  const old = sql`select id from letters where ${isOldLetter(before)} limit ${most(options)}`
  return countOf(db, options.dryRun ? old : sql`delete from letters where id in (${old}) returning 1`)
}

/** Mails of announcements that are complete, from before an instant. Each announcement stays, with what became of them. */
export const deleteAnnouncementMails = (db: Kysely<Tables>, before: Date, options: DeleteOptions): Promise<number> => {
  const old = sql`select m.id from announcements a join announcement_mails m on m.announcement_id = a.id
    where a.completed_at is not null and a.send_at < ${before} limit ${most(options)}`
  return countOf(db, options.dryRun ? old : sql`delete from announcement_mails where id in (${old}) returning 1`)
}

/** How often mailboxes were written to, 90 days after they were last, by the database's clock. */
export const deleteLetterLimits = (db: Kysely<Tables>, options: DeleteOptions): Promise<number> => {
  const old = sql`select mailbox, kind from letter_limits where last_at < now() - interval '90 days'
    limit ${most(options)}`
  // One that was written to meanwhile has another time, and stays.
  const deleted = sql`delete from letter_limits where (mailbox, kind) in (${old})
    and last_at < now() - interval '90 days' returning 1`
  return countOf(db, options.dryRun ? old : deleted)
}

/** Counts of sign-ups that no limit looks at any more, by the database's clock. */
export const deleteSignUpCounts = (db: Kysely<Tables>, options: DeleteOptions): Promise<number> => {
  const old = sql`select scope from sign_up_counts where window_at < now() - interval '3 hours' limit ${most(options)}`
  const deleted = sql`delete from sign_up_counts where scope in (${old}) and window_at < now() - interval '3 hours'
    returning 1`
  return countOf(db, options.dryRun ? old : deleted)
}

/** Webhook messages of so many days ago, with their attempts, by the database's clock, which dated them. */
export const deleteWebhookMessages = (db: Kysely<Tables>, days: number, options: DeleteOptions): Promise<number> => {
  const old = sql`select id from webhook_messages where at < now() - ${days}::int * interval '1 day' limit ${most(options)}`
  return countOf(db, options.dryRun ? old : sql`delete from webhook_messages where id in (${old}) returning 1`)
}

/** Events of providers whose mails cannot come back any more; they tell none twice after so long. */
export const deleteProviderEvents = (db: Kysely<Tables>, options: DeleteOptions): Promise<number> => {
  const old = sql`select provider, event from provider_events where at < now() - interval '40 days'
    limit ${most(options)}`
  return countOf(
    db,
    options.dryRun ? old : sql`delete from provider_events where (provider, event) in (${old}) returning 1`,
  )
}

export interface DigestWalk {
  /** Of the last digest that was looked at; `null`: there are none after. */
  lastId: number | null
  deleted: number
  /** All that were looked at are too young, and so are those after. */
  young: boolean
}

/**
 * Of the digests after one, by id, deletes those of dates before `before` that nobody points to: no subscriber as their
 * last, no letter, and no delivery, which are all of the digest's own date and gone with its month (`monthsHeld` are those
 * that are not, such as `2026-04`). An old digest is never pointed to anew.
 */
export const deleteDigests = async (
  db: Kysely<Tables>,
  after: number,
  { before, monthsHeld }: { before: Date; monthsHeld: string[] },
  { limit, dryRun }: DeleteOptions,
): Promise<DigestWalk> => {
  const date = before.toISOString().slice(0, 10)
  // Where nothing is taken away, old letters are still there.
  const keeps = dryRun ? sql`not (${isOldLetter(before)})` : sql`true`
  const { rows } = await sql<DigestWalk>`
    with seen as materialized (select id, local_date from digests where id > ${after} order by id limit ${limit}),
      old as materialized (select id from seen g
        where local_date < ${date}::date and to_char(local_date, 'YYYY-MM') <> all(${monthsHeld}::text[])
          and not exists (select from subscribers s where s.last_digest_id = g.id)
          and not exists (select from letters m where m.digest_id = g.id and ${keeps})),
      gone as (${dryRun ? sql`select from old` : sql`delete from digests d using old where d.id = old.id returning 1`})
    select (select max(id) from seen) as "lastId", (select count(*) from gone)::int as deleted,
      (select coalesce(min(local_date) >= ${date}::date, true) from seen) as young`.execute(db)
  return rows[0] ?? { lastId: null, deleted: 0, young: true }
}

/**
 * Thins what was observed of the papers of a list day: of each paper and UTC day the last observation stays, and the last
 * that gives upvotes.
 */
export const thinObservations = (
  db: Kysely<Tables>,
  listDay: string,
  { dryRun }: Pick<DeleteOptions, 'dryRun'>,
): Promise<number> => {
  const superseded = sql`
    select paper_id, observed_at from (
      select o.paper_id, o.observed_at, o.upvotes,
        row_number() over (partition by o.paper_id, d.day order by o.observed_at desc) as place,
        row_number() over (partition by o.paper_id, d.day, o.upvotes is null order by o.observed_at desc) as alike
      from papers p join observations o on o.paper_id = p.id
        cross join lateral (select (o.observed_at at time zone 'UTC')::date as day) d
      where p.list_day = ${listDay}::date) numbered
    where place > 1 and (alike > 1 or upvotes is null)`
  return countOf(
    db,
    dryRun ? superseded : sql`delete from observations where (paper_id, observed_at) in (${superseded}) returning 1`,
  )
}
