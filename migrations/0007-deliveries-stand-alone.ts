/** Drops the foreign keys of deliveries, so that months of them come and go without locks on the tables beside them. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- To make or drop a partition Postgres locks every table that it refers to: sign-ups, publishing and sending would wait
-- for each other. And three look-ups a delivery, one a subscriber, are half of what publishing costs. The statement that
-- writes these ids has just locked the subscribers and stored the digests; neither digests nor editions are ever
-- deleted, and of subscribers those alone who never confirmed and are owed nothing.
alter table deliveries
  drop constraint deliveries_subscriber_id_fkey,
  drop constraint deliveries_edition_id_fkey,
  drop constraint deliveries_digest_id_fkey;
alter table subscribers drop constraint subscribers_last_digest_id_fkey;
`.execute(db)
}
