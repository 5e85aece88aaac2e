/** Adds groups of readers: who is in them, the list that each gets every week, and the channel to which it is posted. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
create table groups (
  -- Public: it stands in the link by which one joins.
  id uuid primary key default gen_random_uuid(),
  name text not null check (length(name) between 1 and 60),
  -- What its list is chosen by, as that of a subscriber is.
  trending boolean not null,
  topics text[] not null,
  keywords text[] not null check (cardinality(keywords) <= 20),
  authors text[] not null check (cardinality(authors) <= 20),
  muted text[] not null check (cardinality(muted) <= 20),
  digest_papers smallint check (digest_papers in (3, 5, 10, 15)),
  weekday smallint not null check (weekday between 1 and 7),
  -- The member who made it or to whom it was handed over.
  maker_id uuid not null references subscribers,
  -- Raised to end the links by which one joins.
  epoch integer not null default 0,
  made_at timestamptz not null,
  check (trending or cardinality(topics) + cardinality(keywords) + cardinality(authors) > 0)
);
create index groups_by_maker on groups (maker_id, made_at);

create table group_members (
  group_id uuid not null references groups on delete cascade,
  subscriber_id uuid not null references subscribers on delete cascade,
  joined_at timestamptz not null,
  primary key (group_id, subscriber_id)
);
create index group_members_by_subscriber on group_members (subscriber_id);

-- The list of a group for a week: composed once, and the same for all members.
create table group_lists (
  group_id uuid not null references groups on delete cascade,
  -- The day of the group on or before which it is for.
  local_date date not null,
  cutoff timestamptz not null,
  entries jsonb not null,
  primary key (group_id, local_date)
);

alter table subscribers
  -- The groups that they are in, so that publishing looks at nothing else to know that most are in none.
  add column group_ids uuid[] not null default '{}',
  -- They joined a group and chose nothing else: what they would get by their own topics is not sent.
  add column only_groups boolean not null default false;

-- The group that its link joins.
alter table letters add column group_id uuid;
alter table sign_ups add column group_id uuid;

-- Whose list is posted there; null for a receiver of the operator's.
alter table webhook_endpoints add column group_id uuid references groups on delete cascade;

-- Here, and not in what ends a membership: a reader leaves, is removed, is erased, moves to another address. Nobody who is in a
-- group is without it in their row, the last to leave ends it, and when its maker leaves it is the longest member's.
create or replace function keep_members_of_groups() returns trigger language plpgsql as $$
declare
  who uuid;
begin
  for who in select distinct id from unnest(case tg_op when 'INSERT' then array[new.subscriber_id]
      when 'DELETE' then array[old.subscriber_id] else array[old.subscriber_id, new.subscriber_id] end) id loop
    update subscribers s set group_ids = g.ids, only_groups = s.only_groups and cardinality(g.ids) > 0
      from (select coalesce(array_agg(group_id order by group_id), '{}') as ids from group_members where subscriber_id = who) g
      where s.id = who;
  end loop;
  if tg_op <> 'INSERT' then
    update groups g set maker_id = (select subscriber_id from group_members where group_id = g.id
        order by joined_at, subscriber_id limit 1)
      where id = old.group_id and exists (select from group_members where group_id = g.id)
        and not exists (select from group_members where group_id = g.id and subscriber_id = g.maker_id);
    delete from groups g where id = old.group_id and not exists (select from group_members where group_id = g.id);
  end if;
  return null;
end $$;
create trigger group_members_kept after insert or delete or update of subscriber_id on group_members for each row
  execute function keep_members_of_groups();
`.execute(db)
}
