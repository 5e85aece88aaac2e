/** Adds curators, what they pick, pin and hide, the papers that readers suggest to them, and letters to curators. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table curators (
  -- Public: it stands in their link.
  id uuid primary key default gen_random_uuid(),
  -- Only while they are curators: the name stays beside what they did, the address goes.
  address text check (octet_length(address) <= 254),
  name text not null check (length(name) between 1 and 100),
  -- Raised to end every link made before.
  epoch integer not null default 0,
  added_at timestamptz not null,
  ended_at timestamptz,
  check ((address is null) = (ended_at is not null))
);
create unique index curators_by_address on curators (lower(address)) where ended_at is null;

-- Rows are only added, and undone once. A picked paper may not be held yet, so nothing refers to papers.
create table curations (
  id uuid primary key default gen_random_uuid(),
  curator_id uuid not null references curators,
  action text not null check (action in ('pick', 'pin', 'hide')),
  paper_id text not null check (length(paper_id) between 1 and 100),
  -- Why: of a pick and of a hide.
  note text check (length(note) between 1 and 500),
  -- Of a pin the day to which it is pinned, of a pick the day under which the paper stands where no source lists it.
  list_day date,
  at timestamptz not null,
  undone_at timestamptz,
  undone_by uuid references curators,
  check ((undone_at is null) = (undone_by is null)),
  check ((note is not null) or action = 'pin'),
  check ((list_day is null) = (action = 'hide'))
);
-- Of each kind at most one is in force for a paper, whoever acts at the same moment.
create unique index curations_in_force on curations (paper_id, action) where undone_at is null;
create index curations_by_list_day on curations (list_day) where action = 'pin';
create index curations_by_paper on curations (paper_id);
create index curations_by_at on curations (at desc, id desc);

-- Picked papers that are not held, and what arXiv said when it was asked for them.
create table picked_lookups (
  paper_id text primary key check (length(paper_id) between 1 and 100),
  asked_at timestamptz not null,
  times integer not null default 1
);

-- Nothing is kept of who suggested.
create table suggestions (
  id uuid primary key default gen_random_uuid(),
  paper_id text not null check (length(paper_id) between 1 and 100),
  note text check (length(note) between 1 and 500),
  at timestamptz not null,
  decided_at timestamptz,
  decided_by uuid references curators,
  decision text check (decision in ('picked', 'declined')),
  check ((decided_at is null) = (decision is null) and (decided_at is null) = (decided_by is null))
);
create unique index suggestions_waiting on suggestions (paper_id) where decided_at is null;
create index suggestions_by_paper on suggestions (paper_id);

-- A letter goes to a subscriber or to a curator. The release before passes over those to curators.
alter table letters
  alter column subscriber_id drop not null,
  add column curator_id uuid references curators,
  -- Not validated: all older rows have a subscriber, and looking at them would keep the table locked.
  add constraint letters_addressee_check check (num_nonnulls(subscriber_id, curator_id) = 1) not valid,
  drop constraint letters_kind_check,
  add constraint letters_kind_check check (kind in ('confirmation', 'welcome', 'links', 'already-subscribed', 'account',
    'new-address', 'address-changed', 'curator')) not valid,
  add constraint letters_curator_check check ((kind = 'curator') = (curator_id is not null)) not valid;
`.execute(db)
}
