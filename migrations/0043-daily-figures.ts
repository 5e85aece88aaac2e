/** Adds figures by the day, which outlive what they were counted from, and what operators do to papers and curations. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- One row for each label of a figure and UTC day. A day that was counted has a row for each label, zeros too, so that a day
-- without rows is one of which nothing is known.
create table daily_figures (
  name text not null,
  day date not null,
  label text not null,
  count bigint not null check (count >= 0),
  counted_at timestamptz not null,
  primary key (name, day, label)
);

-- Papers that an operator took out of everything, while they are: what curators hide is in curations.
create table operator_hides (
  paper_id text primary key references papers,
  by_whom text not null,
  reason text not null check (length(reason) between 1 and 500),
  at timestamptz not null
);

alter table curations
  -- The name of an operator, where one undid it and no curator.
  add column undone_by_operator text,
  drop constraint curations_check,
  -- Not validated: it holds for all older rows, and looking at them would keep the table locked.
  add constraint curations_undone_check
    check (num_nonnulls(undone_by, undone_by_operator) = num_nonnulls(undone_at)) not valid;
`.execute(db)
}
