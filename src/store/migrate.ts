/**
 * Brings a database to the schema of this version while older versions go on serving from it: each migration by itself,
 * none of them waiting for a lock so long that the service queues up behind it.
 *
 * What has been applied is kept in `kysely_migration`, where Kysely's migrator kept it, under that migrator's lock.
 * That one works in a single transaction, which holds the locks of the first migration until the last is done, and in
 * which no index can be built concurrently.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import { MIGRATIONS } from '../../migrations/index.ts'
import type { Migration } from '../../migrations/migration.ts'
import { judgeSchema, type Migrations, readSchema, UnusableDatabase } from './schema.ts'

/** How long a migration waits for a lock, and how it is tried again. */
export interface LockPatience {
  /** Whatever comes after a statement that waits for a lock waits, too: milliseconds. */
  lockTimeoutMs: number
  tries: number
  /** Before the second try; doubled before each further one, to `longestBackOffMs`. */
  backOffMs: number
  longestBackOffMs: number
}

/** A minute and a half in all: a nightly dump is waited out by running `migrate` again. */
const PATIENCE: LockPatience = { lockTimeoutMs: 3_000, tries: 10, backOffMs: 1_000, longestBackOffMs: 8_000 }

export interface MigrateOptions {
  /** Hears, in sentences, of what is waited for. */
  onNotice?: (notice: string) => void
  patience?: Partial<LockPatience>
  /** Those of another version, for tests. */
  migrations?: Migrations
}

/** Kysely's own, so that of a release before and this one only one migrates at a time. */
const MIGRATION_LOCK = sql.lit(BigInt('3853314791062309107'))
const POLL_MS = 200

const LOCK_NOT_AVAILABLE = '55P03'
/** A build of an index and an older release that waits for our lock wait for each other; Postgres ends one of them. */
const DEADLOCK = '40P01'

const withDatabase = async <T>(url: string, work: (db: Kysely<unknown>) => Promise<T>): Promise<T> => {
  const pool = new Pool({
    connectionString: url,
    // One that migrates, and one that sees what it waits for.
    max: 2,
    application_name: 'paper-round migrate',
    // A database may limit its statements: the build of an index takes what it takes.
    options: '-c search_path=public -c statement_timeout=0',
    connectionTimeoutMillis: 10_000,
  })
  // A connection that breaks while idle makes the next query fail; that is where it is reported.
  pool.on('error', () => undefined)
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}

/**
 * Applies what is missing, and says what that was, and what the database has of newer versions; several processes may
 * call it at once. Errors: `UnusableDatabase`, or Postgres's own.
 */
export const migrate = (
  databaseUrl: string,
  options: MigrateOptions = {},
): Promise<{ applied: string[]; newer: string[] }> =>
  withDatabase(databaseUrl, async (db) => {
    const { migrations = MIGRATIONS } = options
    // A schema that cannot be used is refused without waiting for whoever is migrating it.
    judgeSchema(await readSchema(db), migrations)
    return db.connection().execute((connection) =>
      alone(connection, options, async () => {
        await sql`create table if not exists kysely_migration (
          name varchar(255) primary key, timestamp varchar(255) not null)`.execute(connection)
        const { missing, newer } = judgeSchema(await readSchema(connection), migrations)
        for (const name of missing) {
          const migration = migrations[name]
          if (migration !== undefined) await apply({ db, connection, ...options }, name, migration)
        }
        return { applied: missing, newer }
      }),
    )
  })

/** For roles that do not migrate themselves: resolves when this version may run on the schema, else says what to run. */
export const requireSchema = (databaseUrl: string): Promise<void> =>
  withDatabase(databaseUrl, async (db) => {
    const { missing } = judgeSchema(await readSchema(db))
    if (missing.length > 0)
      throw new UnusableDatabase(`the database lacks ${missing.join(', ')}; run: node workers/main.ts migrate`)
  })

/**
 * Works while no other process migrates this database. The lock is asked for again and again: a statement that waits
 * would hold up the concurrent builds of the process that it waits for.
 */
const alone = async <T>(
  connection: Kysely<unknown>,
  { onNotice }: MigrateOptions,
  work: () => Promise<T>,
): Promise<T> => {
  for (let told = false; ; told = true) {
    const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_lock(${MIGRATION_LOCK}) as mine`.execute(
      connection,
    )
    if (rows[0]?.mine) break
    if (!told) onNotice?.('Another process is migrating the database; waiting for it …')
    await delay(POLL_MS)
  }
  // An index whose process was killed is given up, with this lock, rather than built to the end. Not every system can.
  await sql`set client_connection_check_interval = '2s'`.execute(connection).catch(() => undefined)
  try {
    return await work()
  } finally {
    // A connection that broke has lost it.
    await sql`select pg_advisory_unlock(${MIGRATION_LOCK})`.execute(connection).catch(() => undefined)
  }
}

interface Runner extends MigrateOptions {
  /** Other connections than the one that migrates. */
  db: Kysely<unknown>
  connection: Kysely<unknown>
}

/** Applies one migration, tried again while somebody holds what it needs. */
const apply = async (runner: Runner, name: string, migration: Migration): Promise<void> => {
  const { connection, onNotice } = runner
  const { lockTimeoutMs, tries, backOffMs, longestBackOffMs } = { ...PATIENCE, ...runner.patience }
  let holder: string | null = null
  for (let tried = 1; ; tried++) {
    const watch = await watchBlockers(runner, lockTimeoutMs / 4)
    try {
      return await applyOnce(connection, name, migration, lockTimeoutMs)
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      if (code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) throw error
      // A busy machine may not get to look during each try.
      holder = watch.said() ?? holder
      const why = holder ?? message
      if (tried >= tries)
        throw new UnusableDatabase(
          `the migration ${name} could not have its lock in ${tries} tries: ${why}; the service goes on as before: wait ` +
            'until that has ended, or end it, and run again: node workers/main.ts migrate',
        )
      onNotice?.(`The migration ${name} waits for its lock: ${why}; it is tried again.`)
      await delay(Math.min(backOffMs * 2 ** (tried - 1), longestBackOffMs))
    } finally {
      await watch.stop()
    }
  }
}

const applyOnce = async (
  connection: Kysely<unknown>,
  name: string,
  { up, withoutTransaction, oldestCode }: Migration,
  lockTimeoutMs: number,
): Promise<void> => {
  await sql`select set_config('lock_timeout', ${`${lockTimeoutMs}ms`}, false)`.execute(connection)
  if (withoutTransaction) await up(connection)
  await connection.transaction().execute(async (trx) => {
    if (!withoutTransaction) await up(trx)
    if (oldestCode !== undefined)
      await sql`update schema_compatibility set oldest_code = greatest(oldest_code, ${oldestCode})`.execute(trx)
    await sql`insert into kysely_migration (name, timestamp) values (${name}, ${new Date().toISOString()})`.execute(trx)
  })
}

/** Looks now and then who keeps the migrating connection waiting, for after the wait nobody knows. */
const watchBlockers = async ({ db, connection }: Runner, everyMs: number) => {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(connection)
  const pid = rows[0]?.pid ?? 0
  const stopping = new AbortController()
  let said: string | null = null
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      said = (await describeBlocker(db, pid).catch(() => null)) ?? said
    }
  })()
  return {
    said: () => said,
    async stop() {
      stopping.abort()
      await watching
    },
  }
}

/** Whoever has kept a connection waiting longest, without the words of their query: they may name people. */
const describeBlocker = async (db: Kysely<unknown>, pid: number): Promise<string | null> => {
  const { rows } = await sql<{ pid: number; name: string; state: string; seconds: number }>`
    select a.pid, coalesce(nullif(a.application_name, ''), a.backend_type, 'unnamed') as name,
      coalesce(a.state, 'at work') as state,
      coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.query_start)), 0)::int as seconds
    from unnest(pg_blocking_pids(${pid})) b(pid) join pg_stat_activity a on a.pid = b.pid
    order by 4 desc limit 1`.execute(db)
  const [row] = rows
  return row === undefined
    ? null
    : `process ${row.pid} of Postgres (${row.name}, ${row.state}) holds it for ${row.seconds} s`
}
