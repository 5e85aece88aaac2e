/** Finds papers by words, with filters, best first, one part after the other. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { authorSlug } from '../../core/text/author-name.ts'
import { searchText } from '../../core/text/search-words.ts'
import type { Tables } from '../database.ts'

/** What is looked for. All that is given must hold. */
export interface SearchTerms {
  /** Of `resolveQuery`; `null` for any words. */
  query: string | null
  /** A topic that a paper scores at least `least` for. */
  fit: { topic: string; least: number } | null
  /** Words of an author's name, or a whole one. */
  author: string
  /** List days, `YYYY-MM-DD`, both included. */
  from: string | null
  to: string | null
}

/** A place in the order of what was found: that of the last paper of a part. */
export interface SearchPlace {
  rank: number
  id: string
}

export interface Found {
  places: SearchPlace[]
  /** How many papers were found; where there are more than were ranked, at least so many. */
  total: number
  isCut: boolean
}

/**
 * Ranked at most: so many of the newest matches in titles, and as many of the newest anywhere. Ranking reads all words of a
 * paper, which for the matches of "model" alone would take seconds.
 */
export const MAX_RANKED = 300
/** Weights of D, C, B and A: a word of the title counts ten times one of the abstract. */
const WEIGHTS = sql`'{0.05, 0.3, 0.1, 1}'::float4[]`
/** Divided by 1 + the logarithm of the length: a long abstract holds every word. */
const BY_LENGTH = sql`1`

/** Ends statements of a transaction that take longer, milliseconds, and keeps each to one processor: starting more takes longer. */
export const limitCosts = async (trx: Kysely<Tables>, milliseconds: number): Promise<void> => {
  await sql`select set_config('statement_timeout', ${String(milliseconds)}, true),
    set_config('max_parallel_workers_per_gather', '0', true)`.execute(trx)
}

/**
 * A query as Postgres has it; where English leaves all its words out, as of "Will An", of the words as they are. `null` where
 * it has no word that must stand in a paper: by what must not alone nothing can be looked up.
 */
export const resolveQuery = async (db: Kysely<Tables>, words: string): Promise<string | null> => {
  const { rows } = await sql<{ query: string; asks: boolean }>`
    select q.query::text as query, querytree(q.query) not in ('', 'T') as asks from (
      select case when numnode(stemmed) > 0 then stemmed else websearch_to_tsquery('simple', ${words}) end as query
      from websearch_to_tsquery('english', ${words}) as stemmed) q`.execute(db)
  const [row] = rows
  return row?.asks ? row.query : null
}

const filtersOf = ({ fit, author, from, to }: SearchTerms): RawBuilder<unknown> => {
  const slug = authorSlug(author)
  // A whole name finds its writings; a part of one every author that has it.
  const names = searchText(author)
    .split(/[\s.]+/)
    .filter((word) => word !== '')
  const conditions = [
    ...(fit === null
      ? []
      : [
          sql`exists (select from paper_topics r where r.paper_id = s.paper_id and r.topic = ${fit.topic} and r.score >= ${fit.least})`,
        ]),
    ...(names.length === 0
      ? []
      : names.length === 1
        ? [sql`s.words @@ ${`'${names[0]}':C`}::tsquery`]
        : [sql`s.authors @> array[${slug}]`]),
    ...(from === null ? [] : [sql`s.list_day >= ${from}::date`]),
    ...(to === null ? [] : [sql`s.list_day <= ${to}::date`]),
  ]
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `)
}

/** With its limit Postgres finds common words from the newest paper on, and rare ones by their index. */
const newestOf = (condition: RawBuilder<unknown>, limit: number) => sql`
  select s.paper_id, s.list_day, s.words from paper_search s where ${condition}
  order by s.list_day desc, s.paper_id desc limit ${limit}`

/** The ids of the newest papers found, the newest first. Errors as of `searchPapers`. */
export const findNewestPapers = async (
  db: Kysely<Tables>,
  now: Date,
  terms: SearchTerms,
  limit: number,
): Promise<string[]> => {
  const holds = terms.query === null ? sql`true` : sql`s.words @@ ${terms.query}::tsquery`
  const { rows } = await sql<{ id: string }>`
    select p.id from (${newestOf(sql`${holds} and ${filtersOf(terms)}`, limit)}) s
    join papers p on p.id = s.paper_id and p.hidden_at is null and p.first_seen_at <= ${now}
    order by s.list_day desc, p.id desc`.execute(db)
  return rows.map(({ id }) => id)
}

/**
 * The papers found, best first, after a place: those whose title holds the words, then by how often and where they stand;
 * of equals the newest. Without words the newest come first. Errors: 57014 where it takes longer than the session allows.
 */
export const searchPapers = async (
  db: Kysely<Tables>,
  now: Date,
  terms: SearchTerms,
  after: SearchPlace | null,
  limit: number,
): Promise<Found> => {
  const filters = filtersOf(terms)
  const query = sql`${terms.query}::tsquery`
  const [inTitles, anywhere, rank] =
    terms.query === null
      ? [sql`false`, sql`true`, sql`(c.list_day - date '2000-01-01')`]
      : [
          sql`s.title_words @@ ${query}`,
          sql`s.words @@ ${query}`,
          sql`ts_rank(${WEIGHTS}, c.words, ${query}, ${BY_LENGTH})`,
        ]
  // One more than are ranked tells that there are more.
  const newest = (condition: RawBuilder<unknown>) => newestOf(sql`${condition} and ${filters}`, MAX_RANKED + 1)
  const { rows } = await sql<SearchPlace & { total: number; found: number }>`
    with in_titles as materialized (${newest(inTitles)}), anywhere as materialized (${newest(anywhere)}),
    ranked as materialized (
      select c.paper_id as id, ${rank}::float8 as rank
      from (select * from anywhere union all
        select * from in_titles where paper_id not in (select paper_id from anywhere)) c
      join papers p on p.id = c.paper_id and p.hidden_at is null and p.first_seen_at <= ${now}
      -- A word to leave out may stand elsewhere than in the title.
      where ${terms.query?.includes('!') ? sql`c.words @@ ${query}` : sql`true`})
    select r.id, r.rank, (select count(*)::int from ranked) as total, (select count(*)::int from anywhere) as found
    from ranked r
    where ${after === null ? sql`true` : sql`(r.rank, r.id) < (${after.rank}::float8, ${after.id})`}
    order by r.rank desc, r.id desc limit ${limit}`.execute(db)
  const [first] = rows
  const isCut = (first?.found ?? 0) > MAX_RANKED
  return {
    places: rows.map(({ id, rank }) => ({ id, rank })),
    total: isCut ? MAX_RANKED : (first?.total ?? 0),
    isCut,
  }
}

/** What stands before and after words found: for private use, so that no text has them for anything else. */
const MARKS = { start: '\ue000', stop: '\ue001' }
const HEADLINE = `StartSel=${MARKS.start}, StopSel=${MARKS.stop}, MaxWords=45, MinWords=25, MaxFragments=1`

/** A piece of a text, and whether it is among what was looked for. */
export interface SnippetPart {
  text: string
  found: boolean
}

const partsOf = (headline: string): SnippetPart[] =>
  headline
    .split(/(\ue000[^\ue000\ue001]*\ue001)/)
    .map((piece) => ({ text: piece.replace(/[\ue000\ue001]/g, ''), found: piece.startsWith(MARKS.start) }))
    .filter(({ text }) => text !== '')

/** The place of each text that holds the words of a query best, with the words marked; texts without any are `null`. */
export const readSnippets = async (
  db: Kysely<Tables>,
  query: string | null,
  texts: readonly string[],
): Promise<(SnippetPart[] | null)[]> => {
  if (query === null || texts.length === 0) return texts.map(() => null)
  const { rows } = await sql<{ headline: string }>`
    select ts_headline('english', t.text, ${query}::tsquery, ${HEADLINE}) as headline
    from unnest(${texts}::text[]) with ordinality as t(text, place) order by t.place`.execute(db)
  return rows.map(({ headline }) => {
    const parts = partsOf(headline)
    return parts.some(({ found }) => found) ? parts : null
  })
}
