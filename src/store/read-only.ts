/** A database in which nothing may be changed: a standby, or one that an operator made read-only. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Whether this connection's transactions may change nothing, by a setting of the database or since it is a standby. */
export const isReadOnly = async (db: Kysely<Tables>): Promise<boolean> => {
  const { rows } = await sql<{ is: boolean }>`
    select current_setting('transaction_read_only')::boolean as is`.execute(db)
  return rows[0]?.is === true
}

/**
 * Makes the database read-only for whoever connects from now on, or writable again, and ends the sessions that there are,
 * whose owners connect anew. Needs the owner of the database; `db` is one connection (`inWritableSession`). Returns how many
 * sessions could not be ended: they go on as they were.
 */
export const setReadOnly = async (db: Kysely<Tables>, on: boolean): Promise<number> => {
  const { rows: names } = await sql<{ name: string }>`select current_database() as name`.execute(db)
  const database = sql.id(names[0]?.name ?? '')
  const change = on ? sql`set default_transaction_read_only = on` : sql`reset default_transaction_read_only`
  await sql`alter database ${database} ${change}`.execute(db)
  // A session keeps what it began with: the others end, and this one is set.
  await sql`set default_transaction_read_only = ${sql.lit(on ? 'on' : 'off')}`.execute(db)
  const { rows } = await sql<{ left: number }>`
    select count(*) filter (where not case
        when pg_has_role(usesysid, 'member') or pg_has_role('pg_signal_backend', 'member') then pg_terminate_backend(pid)
        else false end)::int as left
    from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`.execute(
    db,
  )
  return rows[0]?.left ?? 0
}

/** Does something on one connection that may write although the database is read-only. On a standby it fails all the same. */
export const inWritableSession = <T>(db: Kysely<Tables>, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> =>
  db.connection().execute(async (connection) => {
    await sql`set default_transaction_read_only = off`.execute(connection)
    return work(connection)
  })
