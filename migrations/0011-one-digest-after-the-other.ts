/** Changes the index of deliveries to send, so that an edition is claimed one digest after the other. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- What an edition owes is ready at one moment, and is claimed by digest then; what is tried again has a later moment.
drop index deliveries_to_send;
create index deliveries_to_send on deliveries (edition_id, next_attempt_at, digest_id)
  where state in ('queued', 'deferred');
`.execute(db)
}
