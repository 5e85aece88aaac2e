/** What fails again and again for a reason of its own is set aside: sign-ups, and subscribers who cannot be published to. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table sign_ups
  -- How often answering it failed.
  add column attempts integer not null default 0,
  -- Since when it is not tried any more, until an operator asks for it.
  add column set_aside_at timestamptz,
  -- What was thrown last, without addresses.
  add column reason text;

create table set_aside_subscribers (
  subscriber_id uuid primary key references subscribers on delete cascade,
  -- When they were due and could not be published to.
  due_at timestamptz not null,
  -- When they are due again instead. The row counts while the subscriber is due then: whatever changes that, such as new
  -- preferences or a digest, ends it.
  retry_at timestamptz not null,
  -- How often it failed.
  attempts integer not null default 1,
  -- What was thrown last, without addresses.
  reason text not null,
  set_aside_at timestamptz not null default now()
);
`.execute(db)
}
