/** What is learnt of readers who say which papers they want more or fewer of. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- What a reader said of a paper last; one that was taken back is gone.
create table taste_presses (
  subscriber_id uuid not null references subscribers on delete cascade,
  paper_id text not null references papers,
  direction text not null check (direction in ('more', 'less')),
  -- By the service's clock.
  at timestamptz not null,
  primary key (subscriber_id, paper_id)
);

-- The taste of a reader who said something, or set it.
create table tastes (
  subscriber_id uuid primary key references subscribers on delete cascade,
  is_on boolean not null default true,
  -- Terms, how each is shown, and how much it counts for (above 0) or against a paper, as of moved_at: one place each.
  terms text[] not null default '{}',
  labels text[] not null default '{}',
  weights real[] not null default '{}',
  moved_at timestamptz not null,
  -- Terms that the reader took out, which never come back by themselves, and how each is shown.
  removed text[] not null default '{}',
  removed_labels text[] not null default '{}',
  revision integer not null default 0,
  check (cardinality(terms) = cardinality(labels) and cardinality(terms) = cardinality(weights)),
  check (cardinality(removed) = cardinality(removed_labels))
);

-- Whether a taste is on and holds something, so that publishing looks at tastes of those alone who have one.
alter table subscribers add column has_taste boolean not null default false;
-- Whether a taste ordered it: it may tell who its reader is, as their own keywords may.
alter table digests add column by_taste boolean not null default false;
`.execute(db)
}
