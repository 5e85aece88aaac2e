/** Adds announcements, their mails, and whether a subscriber wants them. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
alter table subscribers
  -- Whether they get announcements beside their digests.
  add column announcements boolean not null default true;

create table announcements (
  id bigint generated always as identity primary key,
  subject text not null,
  -- Markdown.
  body text not null,
  -- SHA-256 of both: who was sent the same text before is left out.
  content_hash bytea not null,
  -- Whose readers it is for; null: everybody's.
  topics text[] check (cardinality(topics) > 0),
  -- Whether who was sent the same text before gets it again.
  again boolean not null,
  -- From when on it is sent; who became a reader later is not owed it. By the service's clock.
  send_at timestamptz not null,
  written_at timestamptz not null default now(),
  written_by text,
  -- Up to which subscriber, in the order of ids, it has a mail for everybody: one that was broken off goes on there.
  addressed_to uuid,
  -- When everybody had one.
  published_at timestamptz,
  -- Counted in the transactions that wrote the mails: what the rows must add up to.
  due integer not null default 0,
  -- All is settled and the rows added up to what was due.
  completed_at timestamptz,
  -- What the rows added up to then, by state and reason: the rows may go.
  totals jsonb,
  checked_at timestamptz,
  missing integer not null default 0,
  paused_at timestamptz,
  paused_by text,
  paused_why text,
  alarmed_at timestamptz,
  canceled_at timestamptz,
  canceled_by text,
  check (completed_at is null or (totals is not null and missing = 0)),
  check (paused_at is not null or (paused_by is null and paused_why is null)),
  check (canceled_at is not null or canceled_by is null)
);
-- What claims look at: few, whatever the past.
create index announcements_open on announcements (id) where completed_at is null;
create index announcements_by_content on announcements (content_hash);

-- As letters and deliveries. Apart from deliveries, of which a reader has one a date, and from letters, for whose reader
-- it is urgent: neither is searched among a million of these, and a release that does not know them sends none.
create table announcement_mails (
  -- Of the announcement and the subscriber, so that one that is written again after a restore has the same Message-ID.
  id uuid primary key,
  announcement_id bigint not null references announcements,
  subscriber_id uuid not null references subscribers,
  state text not null default 'queued'
    check (state in ('queued', 'sending', 'deferred', 'sent', 'failed', 'skipped', 'unknown', 'canceled')),
  reason text,
  failed_before text,
  attempts smallint not null default 0,
  resent smallint not null default 0,
  fence integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease_until timestamptz,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  attempted_at timestamptz,
  code smallint,
  enhanced text,
  said text,
  waits_for text,
  told_change jsonb,
  unique (subscriber_id, announcement_id),
  check ((lease_until is not null) = (state = 'sending'))
);
create index announcement_mails_to_send on announcement_mails (announcement_id, next_attempt_at)
  where state in ('queued', 'deferred');
create index announcement_mails_leased on announcement_mails (lease_until) where state = 'sending';
create index announcement_mails_waiting on announcement_mails (waits_for, next_attempt_at)
  where waits_for is not null and state in ('queued', 'deferred');
create index announcement_mails_missed on announcement_mails (announcement_id, state)
  where state in ('failed', 'skipped', 'unknown');
create index announcement_mails_resent on announcement_mails (announcement_id) where resent > 0;
create index announcement_mails_by_announcement on announcement_mails (announcement_id);

alter table mail_feedback
  add column announcement_id bigint references announcements,
  drop constraint mail_feedback_stream_check,
  -- Not validated: older rows have fewer streams, and looking at all of them would keep the table locked.
  add constraint mail_feedback_stream_check check (stream in ('letters', 'deliveries', 'announcement_mails')) not valid;
create index mail_feedback_by_announcement on mail_feedback (announcement_id) where announcement_id is not null;
`.execute(db)
}
