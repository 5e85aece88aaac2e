/** Notes each transaction that changes what pages show of papers, so that whoever keeps pages knows when they are old. */
import { type Kysely, type RawBuilder, sql } from 'kysely'

const ANY = sql`insert or update or delete or truncate`
/**
 * What a page of the archive is made of, and what changes it. Not how many digests had a paper, which each edition changes,
 * and not that old counts of upvotes are thinned out, which maintenance does by the thousand: a page may be a minute old.
 */
const SHOWN: Record<string, RawBuilder<unknown>> = {
  papers: ANY,
  paper_texts: ANY,
  paper_news: ANY,
  paper_topics: ANY,
  paper_search: ANY,
  observations: sql`insert or update`,
  institutions: ANY,
  paper_institutions: ANY,
  curations: ANY,
  curators: ANY,
  votes: ANY,
}

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
-- One row a transaction, and no counter that all would update: a vote would wait for an intake, or each for the other.
create table archive_changes (
  transaction xid8 not null default pg_current_xact_id(),
  at timestamptz not null default clock_timestamp()
);
create index archive_changes_by_transaction on archive_changes (transaction);
create index archive_changes_by_time on archive_changes (at);

create or replace function note_archive_change() returns trigger language plpgsql as $$
begin
  if exists (select from archive_changes where transaction = pg_current_xact_id()) then
    return null;
  end if;
  insert into archive_changes default values;
  -- Nobody keeps a page for so long. Rows that another transaction is deleting are left to it.
  delete from archive_changes where ctid = any(array(select ctid from archive_changes
    where at < clock_timestamp() - interval '1 hour' limit 100 for update skip locked));
  return null;
end $$;
`.execute(db)
  for (const [table, events] of Object.entries(SHOWN))
    await sql`
      create or replace trigger archive_change_noted after ${events} on ${sql.table(table)}
        for each statement execute function note_archive_change()`.execute(db)
}
