/** Adds the votes of readers for papers. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- One vote a subscriber and paper; one that was taken back is gone.
create table votes (
  paper_id text not null references papers,
  subscriber_id uuid not null references subscribers on delete cascade,
  -- By the service's clock: an edition counts the votes that there were by its cut-off.
  at timestamptz not null,
  -- With the instant, so that the votes of a paper are counted from the index alone.
  primary key (paper_id, subscriber_id) include (at)
);
create index votes_by_subscriber on votes (subscriber_id);
`.execute(db)
}
