/** The hold on the service: while there is one, nothing is published and nothing more is claimed. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

export interface ServiceHold {
  heldAt: Date
  by: string | null
  why: string
  /** After a restore: when the backup was made, by the database's clock. */
  restoredFrom: Date | null
}

/** `null` while the service is not held. */
export const readHold = async (db: Kysely<Tables>): Promise<ServiceHold | null> => {
  const { rows } = await sql<ServiceHold>`
    select held_at as "heldAt", by_whom as by, why, restored_from as "restoredFrom" from service_hold`.execute(db)
  return rows[0] ?? null
}

/** Holds the service. Of one that is held already the beginning and the backup stay, and the reason changes. */
export const storeHold = async (
  db: Kysely<Tables>,
  hold: { by: string | null; why: string; restoredFrom: Date | null },
): Promise<void> => {
  await sql`insert into service_hold as h (by_whom, why, restored_from)
    values (${hold.by}, ${hold.why}, ${hold.restoredFrom})
    on conflict (single) do update set by_whom = excluded.by_whom, why = excluded.why,
      restored_from = coalesce(excluded.restored_from, h.restored_from)`.execute(db)
}

/** Ends the hold; `false` where there is none. */
export const deleteHold = async (db: Kysely<Tables>): Promise<boolean> => {
  const { rows } = await sql`delete from service_hold returning 1`.execute(db)
  return rows.length > 0
}
