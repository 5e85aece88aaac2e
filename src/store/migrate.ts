/** Brings a database to the schema of this version, under an advisory lock, and refuses one that is already newer. */
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { Pool } from 'pg'
import { MIGRATIONS } from '../../migrations/index.ts'

/** The database cannot be used with this version of the program; the message says why in one sentence. */
export class UnusableDatabase extends Error {}

const appliedTo = async (db: Kysely<unknown>): Promise<string[]> => {
  const found = await sql<{ ledger: string | null }>`select to_regclass('kysely_migration')::text as ledger`.execute(db)
  if (found.rows[0]?.ledger == null) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return rows.map((row) => row.name)
}

const refuseNewer = (applied: string[]): void => {
  const unknown = applied.filter((name) => !(name in MIGRATIONS))
  if (unknown.length > 0)
    throw new UnusableDatabase(
      `the database has the schema of a newer version (${unknown.join(', ')}); start that version, or restore a backup`,
    )
}

const withDatabase = async <T>(url: string, work: (db: Kysely<unknown>) => Promise<T>): Promise<T> => {
  const pool = new Pool({
    connectionString: url,
    max: 2,
    options: '-c search_path=public',
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

/** Applies what is missing; several processes may call it at once. Errors: `UnusableDatabase`, or Postgres's own. */
export const migrate = (databaseUrl: string): Promise<void> =>
  withDatabase(databaseUrl, async (db) => {
    refuseNewer(await appliedTo(db))
    const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } })
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw error
  })

/** For roles that do not migrate themselves: resolves when the schema is this version's, else says what to run. */
export const requireSchema = (databaseUrl: string): Promise<void> =>
  withDatabase(databaseUrl, async (db) => {
    const applied = await appliedTo(db)
    refuseNewer(applied)
    const missing = Object.keys(MIGRATIONS).filter((name) => !applied.includes(name))
    if (missing.length > 0)
      throw new UnusableDatabase(`the database lacks ${missing.join(', ')}; run: node workers/main.ts migrate`)
  })
