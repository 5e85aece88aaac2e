/** Papers as they stand now, in the newest revision of their texts: what is cited and what feeds show. */
import { type Kysely, sql } from 'kysely'
import type { ExcerptedPaper } from '../../core/papers/paper-excerpt.ts'
import type { Tables } from '../database.ts'
import { paperOf, type Texts } from './papers.ts'

/** A paper that is held, with its own list day, `YYYY-MM-DD`. */
export interface CurrentPaper {
  paper: ExcerptedPaper
  listDay: string
  withdrawn: boolean
}

/**
 * Those of `ids`, or all of the list days, that are first seen by `at` and not hidden: by list day and id, and those asked
 * for by their ids in that order.
 */
export const readCurrentPapers = async (
  db: Kysely<Tables>,
  at: Date,
  choice: { ids: readonly string[] } | { listDays: readonly string[] },
): Promise<CurrentPaper[]> => {
  const chosen =
    'ids' in choice ? sql`p.id = any(${[...choice.ids]})` : sql`p.list_day = any(${[...choice.listDays]}::date[])`
  const { rows } = await sql<Texts & { list_day: string; withdrawn: boolean }>`
    select t.*, p.list_day,
      exists (select from paper_news n where n.paper_id = p.id and n.kind = 'withdrawn') as withdrawn
    from papers p join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    where p.hidden_at is null and p.first_seen_at <= ${at} and ${chosen}
    order by p.list_day, p.id`.execute(db)
  const papers = rows.map(({ list_day, withdrawn, ...texts }) => ({
    paper: { ...paperOf(texts), excerpt: texts.excerpt },
    listDay: list_day,
    withdrawn,
  }))
  if (!('ids' in choice)) return papers
  const places = new Map(choice.ids.map((id, place) => [id, place]))
  return papers.sort((a, b) => (places.get(a.paper.id) ?? 0) - (places.get(b.paper.id) ?? 0))
}
