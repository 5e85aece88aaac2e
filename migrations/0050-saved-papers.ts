/** Adds the reading lists of subscribers: the papers that each saved. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- One row a subscriber and paper; one that was removed is gone.
create table saved_papers (
  subscriber_id uuid not null references subscribers on delete cascade,
  paper_id text not null references papers,
  at timestamptz not null,
  -- When its reader was done with it; null: it is still to be read.
  read_at timestamptz,
  -- The local date of the digest that had it, as far as one is known.
  digest_date date,
  primary key (subscriber_id, paper_id)
);
-- A list is read by pages, the newest first.
create index saved_papers_by_time on saved_papers (subscriber_id, at desc, paper_id desc);
`.execute(db)
}
