/** The months of `deliveries`: each is a partition, made ahead of time and dropped when it is old. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

export interface Month {
  /** Such as `2026-04`. */
  month: string
  table: string
  /** `leaving` and `left`: its dropping was begun and broken off; nothing reads it or writes to it any more. */
  stands: 'in use' | 'leaving' | 'left'
}

const nameOf = (month: string): string => `deliveries_${month.replace('-', '_')}`

/** The month after, `2027-01` after `2026-12`. */
export const monthAfter = (month: string): string => {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`
}

/** The months that there are, oldest first. */
export const readMonths = async (db: Kysely<Tables>): Promise<Month[]> => {
  const { rows } = await sql<Omit<Month, 'month'>>`
    select c.relname as table,
      case when i.inhrelid is null then 'left' when i.inhdetachpending then 'leaving' else 'in use' end as stands
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid and i.inhparent = 'deliveries'::regclass
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname ~ '^deliveries_[0-9]{4}_[0-9]{2}$'
    order by c.relname`.execute(db)
  return rows.map((row) => ({ ...row, month: row.table.slice(-7).replace('_', '-') }))
}

/**
 * Makes the partition of a month where it is missing. It is made beside the table and attached to it, which waits for
 * nobody who reads or writes; `partition of` would lock all of `deliveries`.
 */
export const createMonth = async (db: Kysely<Tables>, month: string): Promise<void> => {
  const name = nameOf(month)
  await db.transaction().execute(async (trx) => {
    await sql`create table ${sql.id(name)} (like deliveries including all)`.execute(trx)
    await sql`alter table deliveries attach partition ${sql.id(name)}
      for values from (${sql.lit(`${month}-01`)}) to (${sql.lit(`${monthAfter(month)}-01`)})`.execute(trx)
  })
}

/** How many mails of a month are not settled: owed, under way, or waiting for another try. */
export const countUnsettled = async (db: Kysely<Tables>, month: string): Promise<number> => {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from deliveries
    where local_date >= ${`${month}-01`} and local_date < ${`${monthAfter(month)}-01`}
      and state in ('queued', 'sending', 'deferred')`.execute(db)
  return rows[0]?.count ?? 0
}

/** Drops a month. It is taken out first, which waits for those who use it and keeps nobody else waiting. */
export const dropMonth = async (db: Kysely<Tables>, { table, stands }: Month): Promise<void> => {
  // Not in a transaction: it is one of its own that lets others go on between its two halves.
  if (stands === 'in use') await sql`alter table deliveries detach partition ${sql.id(table)} concurrently`.execute(db)
  if (stands === 'leaving') await sql`alter table deliveries detach partition ${sql.id(table)} finalize`.execute(db)
  await sql`drop table ${sql.id(table)}`.execute(db)
}

/**
 * Works on one connection that waits at most two seconds for a lock, so that nobody queues up behind us, and alone:
 * `null` when somebody else is at it.
 */
export const withMonths = async <T>(
  db: Kysely<Tables>,
  work: (connection: Kysely<Tables>) => Promise<T>,
): Promise<T | null> =>
  db.connection().execute(async (connection) => {
    const { rows } = await sql<{ mine: boolean }>`
      select pg_try_advisory_lock(hashtext('paper-round months')) as mine`.execute(connection)
    if (rows[0]?.mine !== true) return null
    try {
      await sql`set lock_timeout = '2s'`.execute(connection)
      return await work(connection)
    } finally {
      await sql`reset lock_timeout`.execute(connection)
      await sql`select pg_advisory_unlock(hashtext('paper-round months'))`.execute(connection)
    }
  })

/** A date whose month was not made: nothing can be owed on it. */
export class MissingMonth extends Error {}

/** Throws `MissingMonth` unless the months of these dates are there. */
export const requireMonths = async (db: Kysely<Tables>, dates: Iterable<string>): Promise<void> => {
  const months = [...new Set([...dates].map((date) => date.slice(0, 7)))]
  const { rows } = await sql<{ month: string }>`
    select month from unnest(${months}::text[], ${months.map(nameOf)}::text[]) as m(month, name)
    where to_regclass(name) is null`.execute(db)
  const [missing] = rows
  if (missing === undefined) return
  throw new MissingMonth(
    `there is no table for the deliveries of ${missing.month}; run: node workers/main.ts maintain --month ${missing.month}`,
  )
}
