/** Adds operators with their roles, their sessions in a browser, and the record of what was done by whom. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table operators (
  id uuid primary key default gen_random_uuid(),
  name text not null check (length(name) between 1 and 60),
  role text not null check (role in ('look', 'act', 'own')),
  -- SHA-256 of a token of 256 random bits, which cannot be guessed from it; null once they are none any more.
  token_hash bytea unique,
  added_at timestamptz not null,
  ended_at timestamptz,
  last_seen_at timestamptz,
  check ((token_hash is null) = (ended_at is not null))
);
-- Of all who ever were, so that a name in the record means one person.
create unique index operators_by_name on operators (lower(name));

create table operator_sessions (
  -- SHA-256 of what the cookie holds.
  token_hash bytea primary key,
  -- Null of whoever has the ADMIN_TOKEN.
  operator_id uuid references operators on delete cascade,
  -- What was signed in with, hashed: the session ends when that token is replaced.
  credential bytea not null,
  begun_at timestamptz not null,
  seen_at timestamptz not null,
  ends_at timestamptz not null,
  -- What the next page says of the act before it.
  message text
);
create index operator_sessions_by_operator on operator_sessions (operator_id);

-- What was done by whom. A row is never changed, and never deleted.
create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  by_whom text not null check (length(by_whom) between 1 and 100),
  via text not null check (via in ('admin', 'command')),
  -- What was done, as edition.paused.
  action text not null check (action ~ '^[a-z-]+[.][a-z-]+$'),
  -- To what, as edition:12; null where it was to the service as a whole.
  subject text check (length(subject) <= 300),
  detail jsonb not null default '{}',
  -- The entry that this one takes back; at most one does.
  undoes bigint unique references audit_log
);
create index audit_log_by_whom on audit_log (by_whom, id desc);
create index audit_log_by_subject on audit_log (subject, id desc);
create index audit_log_by_action on audit_log (action, id desc);

-- Whoever the table belongs to, too.
create or replace function refuse_change_of_audit() returns trigger language plpgsql as $$
begin
  raise exception 'the record of what was done is never changed' using errcode = 'restrict_violation';
end $$;
create trigger audit_log_is_final before update or delete on audit_log
  for each row execute function refuse_change_of_audit();
`.execute(db)
}
