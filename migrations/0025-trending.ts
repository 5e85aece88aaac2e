/** Adds what trends as a choice of its own, the number of papers of a digest, and the topic that a digest offers. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table subscribers
  -- Whether they get what trends in all topics, by itself or beside what they follow.
  add column trending boolean not null default false,
  -- How many papers a digest has at most; null for as many as are usual.
  add column digest_papers smallint check (digest_papers in (3, 5, 10, 15)),
  -- What trends is enough by itself, too.
  drop constraint subscribers_check3,
  add constraint subscribers_choice_check
    check (trending or cardinality(topics) + cardinality(keywords) + cardinality(authors) > 0 or state = 'erased');

alter table digests
  add column trending boolean not null default false,
  -- A topic that its readers do not follow, and how many papers of the last days fit it; null for none.
  add column offer jsonb;
`.execute(db)
}
