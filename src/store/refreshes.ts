/** When each source was last tried and last read, and what was the trouble. */
import type { Kysely } from 'kysely'
import type { Tables } from './database.ts'

export const readRefresh = (db: Kysely<Tables>, source: string) =>
  db.selectFrom('source_refreshes').selectAll().where('source', '=', source).executeTakeFirst()

/** Notes a refresh that ended now: with its trouble, or `null` for a success. */
export const storeRefresh = async (
  db: Kysely<Tables>,
  source: string,
  at: Date,
  error: string | null,
): Promise<void> => {
  const succeeded = error === null ? { succeeded_at: at } : {}
  await db
    .insertInto('source_refreshes')
    .values({ source, tried_at: at, succeeded_at: null, error, ...succeeded })
    .onConflict((conflict) => conflict.column('source').doUpdateSet({ tried_at: at, error, ...succeeded }))
    .execute()
}

/**
 * Sources that are still tried and have failed since an instant at least. Neither an import by hand counts, which nobody
 * expects again, nor a source that the settings no longer name.
 */
export const readStaleSources = async (db: Kysely<Tables>, since: Date): Promise<string[]> => {
  const rows = await db
    .selectFrom('source_refreshes')
    .select('source')
    .where('error', 'is not', null)
    .where('tried_at', '>=', since)
    .where((eb) => eb.or([eb('succeeded_at', 'is', null), eb('succeeded_at', '<', since)]))
    .orderBy('source')
    .execute()
  return rows.map((row) => row.source)
}

/** Whether all of these sources were tried at or after an instant, with or without success. */
export const wereTried = async (db: Kysely<Tables>, sources: string[], since: Date): Promise<boolean> => {
  const rows = await db
    .selectFrom('source_refreshes')
    .select('source')
    .where('source', 'in', sources)
    .where('tried_at', '>=', since)
    .execute()
  return rows.length === sources.length
}
