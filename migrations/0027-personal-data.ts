/** Adds the record of consent, the addresses that were erased (under a keyed hash), and since when somebody has left. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- The sentences that readers agreed to, each once.
create table consent_wordings (
  -- SHA-256 of the text.
  hash bytea primary key,
  version text not null,
  wording text not null
);

-- What shows that somebody asked for the mail, and that they stopped it. A row is never changed.
create table consent_records (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  event text not null check (event in ('requested', 'confirmed', 'unsubscribed', 'erased')),
  -- Without a foreign key: the record outlives a request that was never confirmed.
  subscriber_id uuid not null,
  -- Under the key of the service; the address itself is nowhere in it.
  address_hash bytea not null,
  -- How it came: form, api, link, command …
  source text not null,
  -- The route of the form or link.
  form text,
  language text,
  -- Null where no wording of ours was shown, as to a program.
  wording bytea references consent_wordings,
  frequency text,
  -- The confirmation, whose Message-ID has it.
  letter_id uuid,
  requested_at timestamptz
);
create index consent_records_by_subscriber on consent_records (subscriber_id);
create index consent_records_by_address on consent_records (address_hash);

-- What is personal of it, and goes sooner: the client's address, and what was chosen.
create table consent_details (
  record_id bigint primary key references consent_records on delete cascade,
  client inet,
  preferences jsonb
);

-- Whoever the table belongs to, too. Old rows are deleted by the maintenance alone, which says so in its transaction.
create or replace function refuse_change_of_consent() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('paper_round.retention', true) = 'on' then return old; end if;
  raise exception 'a record of consent is never changed' using errcode = 'restrict_violation';
end $$;
create trigger consent_records_are_final before update or delete on consent_records
  for each row execute function refuse_change_of_consent();
create trigger consent_wordings_are_final before update or delete on consent_wordings
  for each row execute function refuse_change_of_consent();

-- Addresses that were erased, and whether they may be asked to confirm should somebody enter them.
create table erased_addresses (
  address_hash bytea primary key,
  class text not null check (class in ('erased', 'hard', 'soft', 'complaint', 'reader', 'operator')),
  erased_at timestamptz not null
);

alter table subscribers
  -- Since when they are known to have left; null of those who get mail or may confirm.
  add column left_at timestamptz;
alter table sign_ups
  -- What goes into the record of consent, should they confirm.
  add column origin jsonb;
`.execute(db)
}
