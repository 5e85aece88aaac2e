/** Adds the caps that an operator sets on what the relay or a destination is sent, and what was counted against them. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- A route without a cap has no row: the table is small, and mostly empty.
create table send_limits (
  kind text not null check (kind in ('relay', 'destination')),
  -- host:port of the relay; the first domain of the destination.
  name text not null,
  domains text[] not null,
  per_second float8 check (per_second > 0),
  per_hour integer check (per_hour > 0),
  per_day integer check (per_day > 0),
  -- From SMTP_PER_SECOND and the like: a mailer keeps these as its settings are.
  from_settings boolean not null default false,
  -- When the next mail may begin, where so many go a second.
  next_slot timestamptz,
  -- The step of a warm-up: mails a day now, how often more the next day, and the last step's number.
  warm_up_limit integer check (warm_up_limit > 0),
  warm_up_growth float8 check (warm_up_growth > 1),
  warm_up_until integer,
  warm_up_since timestamptz,
  warm_up_sent integer not null default 0,
  primary key (kind, name)
);

-- Mails that were claimed for a capped route, by the minute.
create table send_counts (
  kind text not null,
  name text not null,
  minute timestamptz not null,
  mails integer not null,
  primary key (kind, name, minute)
);
`.execute(db)
}
