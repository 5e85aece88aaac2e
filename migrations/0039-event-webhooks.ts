/** Adds the addresses that are told of events by webhook, what they are to be told, and each attempt to. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table webhook_endpoints (
  id uuid primary key default gen_random_uuid(),
  url text not null check (length(url) <= 2000),
  -- The kinds of events that it is told of.
  events text[] not null check (cardinality(events) > 0),
  -- Whether messages hold the readers' addresses.
  with_addresses boolean not null,
  -- Whether it may be at an address that is not of the public internet.
  any_network boolean not null,
  -- The secret is derived from the service's key, the id and this: raised, it is another one.
  secret_epoch integer not null default 0,
  -- Until then messages are signed with the secret before, too.
  former_secret_until timestamptz,
  added_at timestamptz not null,
  added_by text not null,
  -- Since when each attempt failed, how many there were, and until when it is left alone.
  failing_since timestamptz,
  failures integer not null default 0,
  not_before timestamptz,
  -- Not told of anything any more, and why; it may be enabled again.
  disabled_at timestamptz,
  disabled_why text
);

create table webhook_messages (
  id uuid primary key default gen_random_uuid(),
  endpoint_id uuid not null references webhook_endpoints on delete cascade,
  event text not null,
  at timestamptz not null,
  -- Whom it is about: their address is looked up when it is sent, so that nothing of it is kept here.
  subscriber_id uuid,
  data jsonb not null,
  attempts integer not null default 0,
  -- Null once it was delivered or given up.
  next_attempt_at timestamptz,
  delivered_at timestamptz
);
create index webhook_messages_due on webhook_messages (endpoint_id, next_attempt_at) where next_attempt_at is not null;
create index webhook_messages_of_endpoint on webhook_messages (endpoint_id, at desc, id);
create index webhook_messages_by_age on webhook_messages (at);

create table webhook_attempts (
  message_id uuid not null references webhook_messages on delete cascade,
  attempt integer not null,
  at timestamptz not null,
  milliseconds integer not null,
  -- The status of the answer; null where there was none.
  status integer,
  -- Why it does not count as delivered; null where it does.
  error text,
  primary key (message_id, attempt)
);

-- Here, and not in what changes a state: there are a dozen ways to come and to go, and none of them may be forgotten. It runs
-- only where a subscriber gets email from now on or gets none any more; an import adds rows, and is told of to nobody.
create or replace function tell_webhooks_of_subscriber() returns trigger language plpgsql as $$
declare
  what text := case when new.state in ('active', 'paused') then 'subscriber.confirmed' else 'subscriber.left' end;
begin
  insert into webhook_messages (endpoint_id, event, at, subscriber_id, data, next_attempt_at)
    select e.id, what, now(), new.id,
      jsonb_build_object('state', new.state, 'before', old.state, 'suppression',
        case when new.state = 'suppressed' then (select class from suppressions where email = lower(old.email)) end),
      now()
    from webhook_endpoints e where e.disabled_at is null and what = any(e.events);
  return null;
end $$;
create trigger subscribers_tell_webhooks after update of state on subscribers for each row
  when ((old.state in ('active', 'paused')) <> (new.state in ('active', 'paused')))
  execute function tell_webhooks_of_subscriber();
`.execute(db)
}
