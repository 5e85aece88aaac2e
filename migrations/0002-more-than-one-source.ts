/** Adds tables for sources beside Hugging Face (permits, feeds, categories asked for), and the first listing of a paper. */

import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- Who may ask a source, over all processes. Held for as long as a request takes, by the database's clock.
create table source_turns (
  source text primary key,
  -- Nobody begins a request before: the end of the lease of one that is under way, or the pause after the last.
  next_at timestamptz not null,
  -- Of the turn under way or last: one that outlived its lease must not end its successor's.
  holder uuid not null,
  -- The source asked us to stay away until then, and has so many times in a row.
  not_before timestamptz,
  refusals smallint not null default 0 check (refusals >= 0)
);

-- What is held of a feed that is read again and again, so that it is sent only when it has changed.
create table source_feeds (
  source text primary key,
  etag text,
  last_modified text,
  -- Of the batch it served; null: it was empty.
  batch_day date
);

-- Papers whose categories arXiv was asked for, so that those it does not know are not asked for every hour.
create table category_questions (
  paper_id text primary key references papers,
  asked_at timestamptz not null default now(),
  times smallint not null default 1
);

-- A paper that arXiv announced is news once more when Hugging Face lists it, and only from then on has it upvotes that
-- can be compared: listed_on and listed_at are the day and the sighting of its first listing there.
alter table papers
  add column listed_on date,
  add column listed_at timestamptz,
  add column eligible_again_at timestamptz,
  add check ((listed_on is null) = (listed_at is null)),
  add check (eligible_again_at is null or listed_at is not null);
update papers set listed_on = list_day, listed_at = first_seen_at where source = 'huggingface';
create index papers_by_eligible_again_at on papers (eligible_again_at)
  where hidden_at is null and eligible_again_at is not null;
`.execute(db)
}
