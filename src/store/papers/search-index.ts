/** Keeps the index that papers are searched by: `paper_search`, made of the newest revision of their texts. */
import { type Kysely, sql } from 'kysely'
import { rareTerms } from '../../core/relevance/rare-terms.ts'
import { authorSlug } from '../../core/text/author-name.ts'
import { searchText } from '../../core/text/search-words.ts'
import type { Database, Tables } from '../database.ts'

/** Papers indexed in one transaction. */
const BATCH = 200
/** Of a list of thousands of authors this many characters are searched; Postgres refuses words of over a megabyte. */
const MAX_AUTHOR_TEXT = 100_000

interface Row {
  id: string
  revision: number
  list_day: string
  title: string
  abstract: string
  authors: string[]
}

const entryOf = ({ id, revision, list_day, title, abstract, authors }: Row) => ({
  id,
  revision,
  list_day,
  title: searchText(title),
  abstract: searchText(abstract),
  author_names: searchText(authors.join(' ')).slice(0, MAX_AUTHOR_TEXT),
  authors: [...new Set(authors.map(authorSlug))].filter((slug) => slug !== ''),
  terms: rareTerms({ title, abstract }).map(({ term }) => term),
})

const store = async (db: Kysely<Tables>, rows: readonly Row[]): Promise<void> => {
  if (rows.length === 0) return
  // Names are words of a language too: stemmed they are found beside words of the title, and as they are where they are
  // words that a search leaves out, as "Will" and "An".
  await sql`
    insert into paper_search (paper_id, revision, list_day, title_words, words, authors, terms)
    select e.id, e.revision, e.list_day, to_tsvector('english', e.title),
      setweight(to_tsvector('english', e.title), 'A') || setweight(to_tsvector('english', e.abstract), 'B')
        || setweight(to_tsvector('english', e.author_names), 'C') || setweight(to_tsvector('simple', e.author_names), 'C'),
      e.authors, e.terms
    from jsonb_to_recordset(${JSON.stringify(rows.map(entryOf))}::jsonb) as e(id text, revision int, list_day date,
      title text, abstract text, author_names text, authors text[], terms text[])
    on conflict (paper_id) do update set revision = excluded.revision, list_day = excluded.list_day,
      title_words = excluded.title_words, words = excluded.words, authors = excluded.authors, terms = excluded.terms
  `.execute(db)
}

/** A paper whose entry is missing, or of another revision or list day. */
const STALE = sql`from papers p join paper_texts t on t.paper_id = p.id and t.revision = p.revision
  left join paper_search s on s.paper_id = p.id
  where p.hidden_at is null and (s.revision is distinct from p.revision or s.list_day is distinct from p.list_day)`
const COLUMNS = sql`p.id, p.revision, p.list_day, t.title, t.abstract, t.authors`

/** Indexes those of some papers whose entry is not of their newest revision and list day. */
export const indexPapers = async (db: Kysely<Tables>, ids: readonly string[]): Promise<void> => {
  const { rows } = await sql<Row>`select ${COLUMNS} ${STALE} and p.id = any(${ids})`.execute(db)
  await store(db, rows)
}

/**
 * Indexes all papers that are not, as after an update or what the release before stored meanwhile, in batches of a
 * transaction each. Returns how many.
 */
export const settleSearchIndex = async (db: Database): Promise<number> => {
  const { rows } = await sql<{ id: string }>`select p.id ${STALE} order by p.list_day desc, p.id desc`.execute(db)
  for (let at = 0; at < rows.length; at += BATCH) {
    const ids = rows.slice(at, at + BATCH).map((row) => row.id)
    await db.transaction().execute((trx) => indexPapers(trx, ids))
  }
  return rows.length
}
