/** Creates the tables of papers, their observations, subscribers, editions, digests, letters and deliveries. */

import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table papers (
  id text primary key check (length(id) between 1 and 100),
  revision integer not null,
  source text not null check (source in ('huggingface', 'file', 'sample', 'arxiv')),
  list_day date not null,
  first_seen_at timestamptz not null,
  -- When the paper counts as news: its sighting, or for lists read days late the list day itself.
  eligible_at timestamptz not null,
  -- Set once the paper must not be chosen or shown any more (sample papers after the first real fetch).
  hidden_at timestamptz
);
create index papers_by_list_day on papers (list_day) where hidden_at is null;
create index papers_by_eligible_at on papers (eligible_at) where hidden_at is null;

-- Texts are never overwritten: a digest names the revision it was composed with, so a late correction at the source
-- cannot change a mail that was sent to half of its cohort.
create table paper_texts (
  paper_id text not null references papers,
  revision integer not null check (revision > 0),
  title text not null check (title <> ''),
  abstract text not null,
  authors text[] not null,
  published_on date,
  categories text[] not null,
  code_url text check (code_url like 'https://%'),
  project_url text check (project_url like 'https://%'),
  discussion_url text check (discussion_url like 'https://%'),
  primary key (paper_id, revision)
);
alter table papers add foreign key (id, revision) references paper_texts deferrable initially deferred;

create table observations (
  paper_id text not null references papers,
  observed_at timestamptz not null,
  hour_known boolean not null,
  upvotes integer check (upvotes >= 0),
  comments integer check (comments >= 0),
  stars integer check (stars >= 0),
  primary key (paper_id, observed_at)
);
create index observations_by_time on observations (observed_at);

create table paper_topics (
  topic text not null,
  paper_id text not null references papers,
  score real not null check (score between 0 and 1),
  matches jsonb not null,
  primary key (topic, paper_id)
);
create index paper_topics_by_paper on paper_topics (paper_id);

create table source_refreshes (
  source text primary key,
  tried_at timestamptz not null,
  succeeded_at timestamptz,
  trouble text
);

create table editions (
  id bigint generated always as identity primary key,
  cutoff timestamptz not null unique,
  begun_at timestamptz not null default now(),
  published_at timestamptz
);

create table digests (
  id bigint generated always as identity primary key,
  -- A welcome belongs to no edition.
  edition_id bigint references editions,
  cohort_key bytea not null unique,
  kind text not null check (kind in ('daily', 'weekly', 'welcome')),
  local_date date not null,
  topics text[] not null,
  cutoff timestamptz not null,
  entries jsonb not null,
  list_days date[] not null,
  considered integer not null,
  -- Paper id -> date sent, of the last 14 days, this digest's own included.
  carry jsonb not null,
  -- A digest without entries is not sent; the first date of the silence it belongs to.
  quiet_from date,
  note text,
  sample boolean not null,
  check ((quiet_from is not null) = (entries = '[]'::jsonb) or kind = 'welcome')
);

create table subscribers (
  -- Public: it stands in every link of their mail.
  id uuid primary key default gen_random_uuid(),
  email text check (octet_length(email) <= 254),
  state text not null check (state in ('pending', 'active', 'paused', 'unsubscribed', 'suppressed', 'erased')),
  topics text[] not null check (cardinality(topics) > 0),
  frequency text not null check (frequency in ('daily', 'weekly')),
  hour smallint not null check (hour between 0 and 23),
  weekday smallint not null check (weekday between 1 and 7),
  time_zone text not null,
  -- Raised to end every preferences and view link made before.
  epoch integer not null default 0,
  requested_at timestamptz not null,
  confirmed_at timestamptz,
  paused_until date,
  next_due_at timestamptz,
  -- The last digest owed: through its carry nothing repeats, whatever is changed in between.
  last_digest_id bigint references digests,
  last_cutoff timestamptz,
  last_due_at timestamptz,
  last_local_date date,
  check ((email is null) = (state = 'erased')),
  check ((next_due_at is not null) = (state in ('active', 'paused'))),
  check ((paused_until is not null) = (state = 'paused'))
);
create unique index subscribers_by_email on subscribers (lower(email));
create index subscribers_by_due on subscribers (next_due_at) where next_due_at is not null;
create index subscribers_pending on subscribers (requested_at) where state = 'pending';

-- What people asked for on the site, taken down in one statement that is the same for every address; what follows from
-- it is worked out afterwards, so that neither answer nor timing tells what is known of the address.
create table sign_ups (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('subscribe', 'links')),
  email text not null,
  preferences jsonb,
  requested_at timestamptz not null,
  check ((preferences is not null) = (kind = 'subscribe'))
);

-- How often a mailbox was written to because somebody typed it in, under a keyed hash of its canonical form.
create table letter_limits (
  mailbox bytea not null,
  kind text not null,
  last_at timestamptz not null,
  times integer not null,
  primary key (mailbox, kind)
);

create table letters (
  id uuid primary key default gen_random_uuid(),
  subscriber_id uuid not null references subscribers on delete cascade,
  kind text not null check (kind in ('confirmation', 'welcome', 'links', 'already-subscribed')),
  digest_id bigint references digests,
  -- By the service's clock: the Date of the message, and the start of a confirmation's seven days.
  requested_at timestamptz not null,
  state text not null default 'queued' check (state in ('queued', 'sending', 'deferred', 'sent', 'failed', 'skipped')),
  reason text,
  attempts smallint not null default 0,
  resent smallint not null default 0,
  fence integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease_until timestamptz,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  check ((lease_until is not null) = (state = 'sending')),
  check ((digest_id is not null) = (kind = 'welcome'))
);
create index letters_to_send on letters (next_attempt_at) where state in ('queued', 'deferred');
create index letters_leased on letters (lease_until) where state = 'sending';
create index letters_by_subscriber on letters (subscriber_id);

-- One digest per subscriber and local date, whatever the frequency; nothing refers to it, so old months can be dropped.
-- The first four bytes of an id are its local date in days since 1970: an id alone finds its partition.
create table deliveries (
  local_date date not null,
  id uuid not null,
  subscriber_id uuid not null references subscribers,
  edition_id bigint not null references editions,
  digest_id bigint not null references digests,
  state text not null default 'queued' check (state in ('queued', 'sending', 'deferred', 'sent', 'failed', 'skipped')),
  reason text,
  attempts smallint not null default 0,
  resent smallint not null default 0,
  fence integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease_until timestamptz,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  primary key (local_date, id),
  unique (subscriber_id, local_date),
  check ((lease_until is not null) = (state = 'sending'))
) partition by range (local_date);
create index deliveries_to_send on deliveries (next_attempt_at) where state in ('queued', 'deferred');
create index deliveries_leased on deliveries (lease_until) where state = 'sending';
create index deliveries_by_edition on deliveries (edition_id);

create table suppressions (
  email text primary key check (email = lower(email)),
  reason text not null,
  code text,
  source text not null,
  created_at timestamptz not null default now()
);

-- The service's clock at its last tick: a start whose clock lies before it would live some hours twice.
create table last_tick (
  single boolean primary key default true check (single),
  at timestamptz not null
);
`.execute(db)
}
