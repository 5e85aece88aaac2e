/** What is proposed to readers from what they said of papers: a setting each, which they accept or decline. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table taste_proposals (
  id bigint generated always as identity primary key,
  subscriber_id uuid not null references subscribers on delete cascade,
  kind text not null check (kind in ('keyword', 'topic', 'author', 'muted')),
  -- What would be added to the setting, and how it is shown.
  value text not null,
  label text not null,
  -- Of how many papers they had said so.
  presses integer not null,
  -- By the service's clock. What is proposed again takes the place of what was.
  proposed_at timestamptz not null,
  answer text check (answer in ('accepted', 'declined')),
  answered_at timestamptz,
  unique (subscriber_id, kind, value)
);
-- What the next digest proposes, and what a digest does; no keys, so that deliveries refer to nothing.
alter table subscribers add column proposal_id bigint;
alter table deliveries add column proposal_id bigint;
`.execute(db)
}
