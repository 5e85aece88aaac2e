/** When each source was last tried and last read, and its last error. */
import type { Kysely } from 'kysely'
import type { Tables } from './database.ts'

/** The last refresh of a source, by its label; `undefined` where it was never tried. */
export const readRefresh = (db: Kysely<Tables>, source: string) =>
  db.selectFrom('source_refreshes').selectAll().where('source', '=', source).executeTakeFirst()

/** The last refresh of each source, by its label. */
export const readRefreshes = (db: Kysely<Tables>) =>
  db.selectFrom('source_refreshes').selectAll().orderBy('source').execute()

/** Stores a refresh that began `at`: with its error, or `null` for a success, which replaces the time of the last one. */
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
 * The labels of sources that failed when last tried and have not been read since `since`. Those not tried since then are
 * left out: an import by hand, which nobody repeats, and a source that the settings no longer name.
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

/** The sources that were tried since an instant and failed the last time, with their errors. */
export const readFailedSources = async (
  db: Kysely<Tables>,
  since: Date,
): Promise<{ source: string; error: string }[]> => {
  const rows = await db
    .selectFrom('source_refreshes')
    .select(['source', 'error'])
    .where('error', 'is not', null)
    .where('tried_at', '>=', since)
    .orderBy('source')
    .execute()
  return rows.map(({ source, error }) => ({ source, error: error ?? '' }))
}

/** When each source was read last, by its label; those that never were are left out. */
export const readSourceTimes = async (db: Kysely<Tables>): Promise<{ source: string; at: Date }[]> => {
  const rows = await db.selectFrom('source_refreshes').select(['source', 'succeeded_at']).orderBy('source').execute()
  return rows.flatMap(({ source, succeeded_at: at }) => (at === null ? [] : { source, at }))
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
