/** Marks announcements that went to one address to be looked at. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`alter table announcements add column is_test boolean not null default false`.execute(db)
}
