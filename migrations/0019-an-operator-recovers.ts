/** Adds what an operator needs to undo and recover: canceled editions, a hold on sending, and what failed before a resend. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table editions
  -- A canceled edition is paused, too: code that does not know these columns claims nothing of it either.
  add column canceled_at timestamptz,
  add column canceled_by text,
  add column canceled_why text,
  -- Whether its readers are due again at once, and not at their next regular time.
  add column due_again boolean not null default false,
  -- How many of its deliveries were called off. Counted here, for a later edition of the same local date takes their rows.
  add column canceled integer not null default 0,
  add check (canceled_at is null or paused_at is not null),
  add check (canceled_at is not null or (canceled_by is null and canceled_why is null and canceled = 0 and not due_again));

-- What the last digest put in place of: where a reader goes back to when its edition is canceled.
alter table subscribers
  add column previous_digest_id bigint,
  add column previous_cutoff timestamptz,
  add column previous_due_at timestamptz,
  add column previous_local_date date;

alter table deliveries
  -- The kind of reason of the first failure of a delivery that was put back in the queue.
  add column failed_before text,
  drop constraint deliveries_state_check,
  -- The rows there are have states that were checked before; looking at them again would lock the table for it.
  add constraint deliveries_state_check check (state in
    ('queued', 'sending', 'deferred', 'sent', 'failed', 'skipped', 'unknown', 'canceled')) not valid;

-- While there is a row, nothing is published or sent.
create table service_hold (
  single boolean primary key default true check (single),
  held_at timestamptz not null default now(),
  by_whom text,
  why text not null,
  -- After a restore: when the backup was made, by the service's clock.
  restored_from timestamptz
);
`.execute(db)
}
