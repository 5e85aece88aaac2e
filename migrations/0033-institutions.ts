/** Adds the institutions that papers are linked to, and in how many digests each paper was. */
import { type Kysely, sql } from 'kysely'
import { buildIndexConcurrently } from './concurrent-index.ts'

export const withoutTransaction = true

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // Beside the texts and not of them: that a paper is linked to an institution days after it was listed makes no new
  // revision of its abstract.
  await sql`
create table if not exists institutions (
  -- The name that its source knows it by, in lower case: the address of its page.
  slug text primary key,
  -- The same as the source writes it.
  name text not null,
  full_name text not null,
  -- The words of the full name, as a search compares them.
  words text not null,
  seen_at timestamptz not null
)`.execute(db)
  await sql`
create table if not exists paper_institutions (
  paper_id text primary key references papers,
  institution text not null references institutions,
  -- What was seen later counts, whichever is read first.
  seen_at timestamptz not null
)`.execute(db)
  await sql`create index if not exists institutions_by_words on institutions (words text_pattern_ops)`.execute(db)
  await sql`create index if not exists paper_institutions_by_institution on paper_institutions (institution)`.execute(
    db,
  )
  await sql`
create table if not exists paper_digests (
  paper_id text not null references papers,
  local_date date not null,
  digests integer not null,
  primary key (paper_id, local_date)
)`.execute(db)
  // Up to which digest an edition's papers are counted, and at which completion of the edition that was.
  await sql`
alter table editions add column if not exists papers_counted_to bigint,
  add column if not exists papers_counted_at timestamptz`.execute(db)
  await sql`
create index if not exists editions_to_count on editions (id) where papers_counted_at is distinct from completed_at
`.execute(db)
  await buildIndexConcurrently(db, {
    table: 'digests',
    name: 'digests_by_edition',
    definition: sql`(edition_id, id) where edition_id is not null`,
  })
}
