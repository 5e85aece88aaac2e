/** Adds what the site finds papers by: their words, authors and rare terms. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // A table of its own: a column of `paper_texts` would rewrite that table under a lock, and an index on an expression
  // would make the words of every match anew to rank it. The service fills it in batches when it is next refreshed.
  await sql`
create table paper_search (
  paper_id text primary key references papers,
  -- What it was made of; where either differs from the paper's it is made anew.
  revision integer not null,
  list_day date not null,
  -- The words of the title alone: in a large archive the titles decide which matches are ranked.
  title_words tsvector not null,
  -- Title (A), abstract (B) and authors (C). Stored apart from the row, which is then small enough to read many of.
  words tsvector not null,
  -- Of each author, as in the addresses of their pages.
  authors text[] not null,
  -- The rare terms of the paper, for those like it.
  terms text[] not null
);
alter table paper_search alter column words set storage external;
create index paper_search_by_title on paper_search using gin (title_words) with (fastupdate = off);
create index paper_search_by_words on paper_search using gin (words) with (fastupdate = off);
create index paper_search_by_author on paper_search using gin (authors) with (fastupdate = off);
create index paper_search_by_term on paper_search using gin (terms) with (fastupdate = off);
create index paper_search_by_day on paper_search (list_day desc, paper_id desc);
`.execute(db)
}
