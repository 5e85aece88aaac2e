/** Adds keywords, authors, muted words and the choice for days without papers to subscribers and digests. */

import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table subscribers
  add column keywords text[] not null default '{}',
  add column authors text[] not null default '{}',
  add column muted text[] not null default '{}',
  -- Whether nothing comes on a day without papers of theirs, or what trends elsewhere.
  add column quiet_day text not null default 'skip' check (quiet_day in ('skip', 'send')),
  add check (cardinality(keywords) <= 20 and length(array_to_string(keywords, '')) <= 20 * 60),
  add check (cardinality(authors) <= 20 and length(array_to_string(authors, '')) <= 20 * 80),
  add check (cardinality(muted) <= 20 and length(array_to_string(muted, '')) <= 20 * 60),
  -- A keyword or an author is a topic of one phrase, so it is enough by itself. Of the erased none is kept.
  drop constraint subscribers_topics_check,
  add check (cardinality(topics) + cardinality(keywords) + cardinality(authors) > 0 or state = 'erased');

-- What a digest is for is named above it.
alter table digests
  add column keywords text[] not null default '{}',
  add column authors text[] not null default '{}';
`.execute(db)
}
