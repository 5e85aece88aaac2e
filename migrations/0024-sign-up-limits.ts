/**
 * Limits on sign-ups: how many came of each client, for each recipient domain and in all; sign-ups that are held for a
 * while; and the preferences that a confirmation was asked with, which nobody else can change by asking again.
 */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table sign_ups
  -- Names it to whoever asked, so that they can prove their work for it.
  add column ticket uuid,
  -- A keyed hash of where it came from; null where that is not known.
  add column client bytea,
  -- Whether work was proven for it, and by that more of them are answered.
  add column proven boolean not null default false,
  -- It is held until then.
  add column not_before timestamptz;
create unique index sign_ups_ticket on sign_ups (ticket);
create index sign_ups_waiting on sign_ups (not_before nulls first, id) where set_aside_at is null;

-- A sliding window counter for each scope (a keyed hash of a client or a domain, or the one of all sign-ups): how many
-- were answered in the hour that began at window_at, and in the hour before.
create table sign_up_counts (
  scope bytea primary key,
  window_at timestamptz not null,
  count integer not null,
  previous integer not null
);

-- Of confirmations: what their link confirms; null of those from before, which confirm what the subscriber has.
alter table letters add column preferences jsonb;
`.execute(db)
}
