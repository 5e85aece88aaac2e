/** Adds an edition's ledger (what was due, its totals, whether it is paused), and what servers said of each mail. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table editions
  -- Counted in the transactions that wrote the deliveries, and from then on on its own: what the rows must add up to.
  add column due integer not null default 0,
  -- All is settled and the rows added up to what was due. Nothing of it is claimed any more.
  add column completed_at timestamptz,
  -- What the rows added up to then, by state and reason: the rows may go, month by month.
  add column totals jsonb,
  -- When the sum was checked last, and by how much the rows fell short of what was due.
  add column checked_at timestamptz,
  add column missing integer not null default 0,
  add column paused_at timestamptz,
  add column paused_by text,
  add column paused_why text,
  add check ((completed_at is null) or (totals is not null and missing = 0 and published_at is not null)),
  add check (paused_at is not null or (paused_by is null and paused_why is null));
update editions e set due = d.owed
  from (select edition_id, count(*)::int as owed from deliveries group by edition_id) d where d.edition_id = e.id;
-- What claims and reconciling look at: few, whatever the past.
create index editions_open on editions (cutoff) where completed_at is null;

-- Of the last attempt: when it was, and what the server said, without addresses; nothing where it said nothing.
alter table letters
  add column attempted_at timestamptz,
  add column code smallint,
  add column enhanced text,
  add column said text;
alter table deliveries
  add column attempted_at timestamptz,
  add column code smallint,
  add column enhanced text,
  add column said text,
  -- unknown: the server may have it, and somebody wants to decide by hand whether it is sent again.
  drop constraint deliveries_state_check,
  add constraint deliveries_state_check
    check (state in ('queued', 'sending', 'deferred', 'sent', 'failed', 'skipped', 'unknown'));

-- By edition, so that one that is paused costs the claims of others nothing, however much of it waits.
drop index deliveries_to_send;
create index deliveries_to_send on deliveries (edition_id, next_attempt_at) where state in ('queued', 'deferred');
create index deliveries_missed on deliveries (edition_id, state) where state in ('failed', 'skipped', 'unknown');
create index deliveries_resent on deliveries (edition_id) where resent > 0;
create index letters_by_created_at on letters (created_at);
`.execute(db)
}
