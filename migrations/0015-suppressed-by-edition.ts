/** Adds to a suppression the edition whose digest led to it, so that what one edition did can be undone. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // No foreign key: a suppression outlives its edition.
  await sql`alter table suppressions add column edition_id bigint`.execute(db)
}
