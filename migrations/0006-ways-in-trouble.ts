/** Adds a table of throttled relays and destinations, and to mails the destination that they wait for. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- A way without trouble has no row: the table is small, and most of the time it is empty.
create table troubled_ways (
  kind text not null check (kind in ('relay', 'destination')),
  -- host:port of the relay; the first domain of the destination.
  name text not null,
  domains text[] not null,
  trouble text not null,
  -- What the server said last, without addresses.
  reason text not null,
  since timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  -- Until then it is left alone.
  not_before timestamptz not null,
  seats smallint not null check (seats > 0),
  successes integer not null,
  strikes integer not null,
  primary key (kind, name)
);

-- The destination in trouble that a mail waits for, or under whose limit it is being sent.
alter table letters add column waits_for text;
alter table deliveries add column waits_for text;
create index letters_waiting on letters (waits_for, next_attempt_at)
  where waits_for is not null and state in ('queued', 'deferred');
create index deliveries_waiting on deliveries (waits_for, next_attempt_at)
  where waits_for is not null and state in ('queued', 'deferred');
`.execute(db)
}
