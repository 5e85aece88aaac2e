/** Adds the tables of alarms: what is wrong with the service, and the notices of it that an operator gets. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table alarms (
  id bigint generated always as identity primary key,
  kind text not null,
  -- What it is about, such as an edition or a relay; empty where a kind concerns the whole service.
  subject text not null,
  title text not null,
  detail text not null,
  advice text not null,
  raised_at timestamptz not null,
  -- When it was last found to be so; over only some minutes later, so that what comes and goes is told once.
  seen_at timestamptz not null,
  cleared_at timestamptz
);
create unique index alarms_active on alarms (kind, subject) where cleared_at is null;

create table alarm_notices (
  alarm_id bigint not null references alarms on delete cascade,
  event text not null check (event in ('raised', 'cleared')),
  channel text not null check (channel in ('email', 'webhook')),
  next_attempt_at timestamptz not null,
  attempts integer not null default 0,
  sent_at timestamptz,
  error text,
  primary key (alarm_id, event, channel)
);
create index alarm_notices_waiting on alarm_notices (next_attempt_at) where sent_at is null;
`.execute(db)
}
