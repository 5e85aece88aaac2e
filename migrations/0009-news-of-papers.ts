/** Adds a table of what became of papers after they were first seen, and to digests what they say of it. */

import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- What a source told of a paper that was held already: code where there had been none, another version, its withdrawal.
create table paper_news (
  paper_id text not null references papers,
  kind text not null check (kind in ('code', 'version', 'withdrawn')),
  -- The newest one that was announced.
  version smallint check ((version is null) = (kind <> 'version')),
  seen_at timestamptz not null,
  primary key (paper_id, kind)
);
create index paper_news_by_seen_at on paper_news (seen_at);

-- News of papers of earlier digests, frozen as the entries are.
alter table digests add column news jsonb not null default '[]';
`.execute(db)
}
