/** Categories that are added to papers of other sources, and the papers for which arXiv had none. */
import { type Kysely, sql } from 'kysely'
import type { Database, Tables } from '../database.ts'
import { waitForIntake } from './listings.ts'

/** A paper that arXiv does not know is requested again a week later, and no more after the third time. */
const MAX_REQUESTS = 3

/**
 * At most `max` ids of papers at arXiv without categories, the newest first. Ids of the old form (before April 2007) are
 * left out: one that arXiv regards as malformed would fail the whole request.
 */
export const readUncategorised = async (db: Kysely<Tables>, max: number): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    select p.id from papers p
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    left join category_questions q on q.paper_id = p.id
    where p.hidden_at is null and t.categories = '{}' and p.id ~ '^[0-9]{4}[.][0-9]{4,5}$'
      and (q.paper_id is null or q.times < ${MAX_REQUESTS} and q.asked_at < now() - interval '7 days')
    order by p.list_day desc, p.id desc limit ${max}`.execute(db)
  return rows.map((row) => row.id)
}

/**
 * Stores the result of a request for the papers `asked`: those with categories in `found` get a revision of their texts
 * that differs in these only, and all are recorded as requested. Categories that were stored meanwhile stay. Returns how
 * many papers got theirs.
 */
export const storeCategories = (db: Database, asked: string[], found: ReadonlyMap<string, string[]>): Promise<number> =>
  db.transaction().execute(async (trx) => {
    await waitForIntake(trx)
    await sql`insert into category_questions as q (paper_id) select unnest(${asked}::text[])
      on conflict (paper_id) do update set asked_at = now(), times = q.times + 1`.execute(trx)
    await sql`set constraints all deferred`.execute(trx)
    const known = [...found].filter(([, categories]) => categories.length > 0)
    // Postgres has no arrays of arrays of different lengths, so each paper's categories are one text.
    const { numAffectedRows } = await sql`
      with told as (
        select * from unnest(${known.map(([id]) => id)}::text[], ${known.map(([, all]) => all.join(' '))}::text[])
          as told(paper_id, categories)),
      moved as (
        update papers p set revision = p.revision + 1
        from told, paper_texts t
        where p.id = told.paper_id and t.paper_id = p.id and t.revision = p.revision and t.categories = '{}'
        returning p.id, p.revision)
      insert into paper_texts (paper_id, revision, title, abstract, authors, published_on, categories, code_url,
        project_url, discussion_url, excerpt)
      select t.paper_id, moved.revision, t.title, t.abstract, t.authors, t.published_on,
        string_to_array(told.categories, ' '), t.code_url, t.project_url, t.discussion_url, t.excerpt
      from moved
      join told on told.paper_id = moved.id
      join paper_texts t on t.paper_id = moved.id and t.revision = moved.revision - 1`.execute(trx)
    return Number(numAffectedRows ?? 0)
  })
