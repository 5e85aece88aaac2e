/** What a digest or a welcome tells of settings that were changed by the links of earlier ones. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table subscribers
  -- Which settings were changed by such links since a digest last told; null where the release before noted the date alone.
  add column changed_by_link text[];
-- The date and the settings that the mail tells of; null mostly.
alter table deliveries add column told_change jsonb;
alter table letters add column told_change jsonb;
`.execute(db)
}
