/** Adds the unsubscribe links of former systems, and imports of subscribers that are under way. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- What unsubscribe links of a former system end with, under a keyed hash: the tokens themselves are nowhere.
create table legacy_links (
  token_hash bytea primary key,
  subscriber_id uuid not null references subscribers on delete cascade,
  at timestamptz not null
);
create index legacy_links_by_subscriber on legacy_links (subscriber_id);

-- How far the import of a file has come, so that one that was killed goes on; a row goes once its file is through.
create table subscriber_imports (
  -- SHA-256 of the file and of how it is read.
  import_key bytea primary key,
  begun_at timestamptz not null,
  -- Rows that are done.
  rows_done bigint not null default 0,
  -- Octets of the report of refused rows that belong to these.
  report_octets bigint not null default 0,
  counts jsonb not null
);
`.execute(db)
}
