/**
 * Adds venues and upvotes to the news of papers, and to digests what is needed to tell news to exactly those who were sent
 * a paper: which papers each sends, and the news that it leaves for the next.
 */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table paper_news
  drop constraint paper_news_kind_check,
  add constraint paper_news_kind_check check (kind in ('code', 'version', 'withdrawn', 'venue', 'upvotes')),
  -- Of a paper that was accepted: where, in the words that readers see.
  add column venue text check ((venue is null) = (kind <> 'venue'));

-- What arXiv was last asked about the venue of a paper, and what it said first: a venue that it names later is news.
create table venue_questions (
  paper_id text primary key references papers,
  asked_at timestamptz not null default now(),
  venue text
);

alter table digests
  -- The papers that it sends itself, those named below others included; null in digests from before: they stand in its entries.
  add column papers text[],
  -- News for which there was no room, or whose paper may still arrive.
  add column untold_news jsonb not null default '[]';
`.execute(db)
}
