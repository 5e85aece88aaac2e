/** Whether anything that pages show of papers has changed: each transaction that does is noted in `archive_changes`. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/**
 * Whether a transaction that changes the archive was committed since a `snapshot` of an earlier call; and the snapshot of
 * this one, to be given to the next. `null`, of the first call, counts as changed. A transaction counts from its commit on,
 * however long it took, for it is looked for by what the earlier snapshot saw and not by its time.
 */
export const readArchiveChange = async (
  db: Kysely<Tables>,
  snapshot: string | null,
): Promise<{ snapshot: string; changed: boolean }> => {
  const { rows } = await sql<{ snapshot: string; changed: boolean }>`
    select pg_current_snapshot()::text as snapshot, ${snapshot}::text is null or exists (select from archive_changes
      where transaction >= pg_snapshot_xmin(${snapshot}::pg_snapshot)
        and not pg_visible_in_snapshot(transaction, ${snapshot}::pg_snapshot)) as changed`.execute(db)
  return rows[0] as { snapshot: string; changed: boolean }
}
