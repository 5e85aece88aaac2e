/** Adds tables for bounces and complaints, for why an address is suppressed and who changed that, and for provider events. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- A bounce and a complaint are facts learnt later about a mail; of each at most one, the worst that was told.
create table mail_returns (
  mail_id uuid not null,
  kind text not null check (kind in ('bounce', 'complaint')),
  ledger text not null check (ledger in ('letters', 'deliveries')),
  subscriber_id uuid not null references subscribers on delete cascade,
  -- Of a delivery.
  edition_id bigint references editions,
  class text check (class in ('hard', 'soft', 'ours', 'unknown')),
  code text,
  -- Without addresses.
  diagnostic text,
  source text not null,
  at timestamptz not null default now(),
  primary key (mail_id, kind),
  check ((class is not null) = (kind = 'bounce'))
);
create index mail_returns_by_subscriber on mail_returns (subscriber_id);
create index mail_returns_by_edition on mail_returns (edition_id) where edition_id is not null;

alter table suppressions
  add column class text not null default 'hard' check (class in ('hard', 'soft', 'complaint', 'reader', 'operator')),
  add column diagnostic text,
  -- What the subscriber goes back to when it is undone; null where nobody subscribed with the address.
  add column state_before text,
  add column paused_before date;
alter table suppressions alter column class drop default;

-- Every change to the list, kept when the row is gone.
create table suppression_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  email text not null,
  change text not null check (change in ('added', 'removed')),
  class text not null,
  by_whom text not null,
  why text not null
);
create index suppression_log_by_email on suppression_log (email);

-- Events of providers that were taken: they tell the same ones again.
create table provider_events (
  provider text not null,
  event text not null check (length(event) <= 500),
  at timestamptz not null default now(),
  primary key (provider, event)
);
create index provider_events_by_at on provider_events (at);

-- An edition is stopped for what comes back once: whoever resumes it has seen why.
alter table editions add column alarmed_at timestamptz;
`.execute(db)
}
