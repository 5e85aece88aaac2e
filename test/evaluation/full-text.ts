/** Ranks texts by Postgres's own full-text search: what relevance is measured against. */
import { type Kysely, sql } from 'kysely'

/** The texts to rank, and the queries to rank them for; a phrase is any sequence of words. */
export interface FullTextInput {
  texts: readonly { title: string; abstract: string }[]
  queries: readonly { phrases: readonly string[] }[]
}

/**
 * `ts_rank_cd` (cover density) of every text for every query, titles weighing more than abstracts, divided by the
 * logarithm of the length. Uses temporary tables only. Returns the scores by text, then by query.
 */
export const rankByFullText = <Tables>(db: Kysely<Tables>, { texts, queries }: FullTextInput): Promise<number[][]> =>
  db.transaction().execute(async (trx) => {
    await sql`create temp table ranked_texts on commit drop as
      select number::int - 1 as number,
        setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', abstract), 'B') as words
      from unnest(${texts.map(({ title }) => title)}::text[], ${texts.map(({ abstract }) => abstract)}::text[])
        with ordinality as given (title, abstract, number)`.execute(trx)
    const scores = texts.map(() => new Array<number>(queries.length).fill(0))
    for (const [at, { phrases }] of queries.entries()) {
      const { rows } = await sql<{ number: number; score: number }>`
        with wanted as (
          select string_agg('(' || phraseto_tsquery('english', phrase)::text || ')', ' | ')::tsquery as query
          from unnest(${[...phrases]}::text[]) as given (phrase)
          where numnode(phraseto_tsquery('english', phrase)) > 0
        )
        select number, ts_rank_cd(words, query, 1) as score from ranked_texts, wanted where words @@ query`.execute(trx)
      for (const { number, score } of rows) {
        const ofText = scores[number]
        if (ofText !== undefined) ofText[at] = score
      }
    }
    return scores
  })
