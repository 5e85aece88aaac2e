/** In how many digests each paper was: counted once an edition is complete, for entries of digests are searched by nobody. */
import { type Kysely, sql } from 'kysely'
import type { Database, Tables } from '../database.ts'

/** Editions counted at one go: after an update there may be a year of them, and each may hold 60,000 digests. */
const MAX_EDITIONS = 20

/**
 * Adds the digests of completed editions to the counts of their papers, each digest once however often its edition is opened
 * again; those of a canceled edition do not count. Returns of how many editions.
 */
export const countDigestPapers = async (db: Database): Promise<number> => {
  let counted = 0
  while (counted < MAX_EDITIONS && (await db.transaction().execute(countNext))) counted++
  return counted
}

const countNext = async (trx: Kysely<Tables>): Promise<boolean> => {
  const { rows } = await sql<{ id: number; after: number; canceled: boolean }>`
    select id, coalesce(papers_counted_to, 0) as after, canceled_at is not null as canceled from editions
    where papers_counted_at is distinct from completed_at and completed_at is not null
    order by id limit 1 for no key update skip locked`.execute(trx)
  const [edition] = rows
  if (edition === undefined) return false
  const { id, after, canceled } = edition
  const added = sql`from digests where edition_id = ${id} and id > ${after}`
  if (!canceled)
    await sql`
      insert into paper_digests as p (paper_id, local_date, digests)
      select e ->> 'paperId', d.local_date, count(*)
      from (select local_date, entries ${added}) d cross join jsonb_array_elements(d.entries) e
      group by 1, 2 order by 1, 2
      on conflict (paper_id, local_date) do update set digests = p.digests + excluded.digests`.execute(trx)
  await sql`
    update editions set papers_counted_at = completed_at,
      papers_counted_to = greatest(papers_counted_to, (select max(id) ${added})) where id = ${id}`.execute(trx)
  return true
}

/** How many digests a paper was in, and the first and last of their dates (`YYYY-MM-DD`); `null` where in none. */
export interface PaperDigests {
  count: number
  first: string
  last: string
}

export const readDigestsOf = async (db: Kysely<Tables>, paperId: string): Promise<PaperDigests | null> => {
  const { rows } = await sql<{ count: number; first: string | null; last: string | null }>`
    select coalesce(sum(digests), 0)::int as count, min(local_date) as first, max(local_date) as last
    from paper_digests where paper_id = ${paperId}`.execute(db)
  const { count = 0, first = null, last = null } = rows[0] ?? {}
  return first === null || last === null ? null : { count, first, last }
}
