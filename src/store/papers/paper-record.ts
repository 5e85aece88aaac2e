/** Everything that is kept of a paper, hidden or not, for operators. */
import { type Kysely, sql } from 'kysely'
import type { Match } from '../../core/relevance/relevance.ts'
import type { Tables } from '../database.ts'

export interface FoundPaper {
  id: string
  title: string
  listDay: string
  source: string
  hiddenAt: Date | null
}

const FOUND = sql`p.id, t.title, p.list_day as "listDay", p.source, p.hidden_at as "hiddenAt"
  from papers p join paper_texts t on t.paper_id = p.id and t.revision = p.revision`

/** Papers by their ids, in their order; those that are not held are left out. */
export const readFoundPapers = async (db: Kysely<Tables>, ids: readonly string[]): Promise<FoundPaper[]> => {
  const { rows } = await sql<FoundPaper>`
    select ${FOUND} where p.id = any(${[...ids]}::text[]) order by array_position(${[...ids]}::text[], p.id)`.execute(
    db,
  )
  return rows
}

/** The newest papers that hold all words of a query as Postgres has it, hidden ones among them. Errors: 57014 beyond the session's limit. */
export const findPapers = async (db: Kysely<Tables>, query: string, max: number): Promise<FoundPaper[]> => {
  const { rows } = await sql<FoundPaper>`
    with found as materialized (select s.paper_id from paper_search s where s.words @@ ${query}::tsquery
      order by s.list_day desc, s.paper_id desc limit ${max})
    select ${FOUND} join found f on f.paper_id = p.id order by p.list_day desc, p.id desc`.execute(db)
  return rows
}

/** The papers that are hidden, save the sample beside real papers: those hidden last first. */
export const readHiddenPapers = async (db: Kysely<Tables>, max: number): Promise<FoundPaper[]> => {
  const { rows } = await sql<FoundPaper>`
    select ${FOUND} where p.hidden_at is not null and p.source <> 'sample' order by p.hidden_at desc, p.id limit ${max}`.execute(
    db,
  )
  return rows
}

export interface PaperRecord extends FoundPaper {
  authors: string[]
  abstract: string
  revision: number
  firstSeenAt: Date
  eligibleAt: Date
  listedOn: string | null
  listedAt: Date | null
  eligibleAgainAt: Date | null
  votes: number
  topics: { topic: string; score: number; matches: Match[] }[]
  /** The newest first. */
  observations: { at: Date; upvotes: number | null; comments: number | null; stars: number | null }[]
  observed: number
  /** In how many digests it was, of complete editions, by local date, the newest first. */
  digests: { date: string; count: number }[]
}

/** `undefined` where the paper is not held. */
export const readPaperRecord = async (
  db: Kysely<Tables>,
  id: string,
  max: number,
): Promise<PaperRecord | undefined> => {
  const { rows } = await sql<PaperRecord>`
    select p.id, t.title, p.list_day as "listDay", p.source, p.hidden_at as "hiddenAt", t.authors, t.abstract, p.revision,
      p.first_seen_at as "firstSeenAt", p.eligible_at as "eligibleAt", p.listed_on as "listedOn", p.listed_at as "listedAt",
      p.eligible_again_at as "eligibleAgainAt",
      (select count(*) from votes v where v.paper_id = p.id) as votes,
      (select count(*) from observations o where o.paper_id = p.id) as observed
    from papers p join paper_texts t on t.paper_id = p.id and t.revision = p.revision where p.id = ${id}`.execute(db)
  const [paper] = rows
  if (paper === undefined) return undefined
  const topics = await db
    .selectFrom('paper_topics')
    .select(['topic', 'score', 'matches'])
    .where('paper_id', '=', id)
    .orderBy('score', 'desc')
    .execute()
  const observations = await db
    .selectFrom('observations')
    .select(['observed_at as at', 'upvotes', 'comments', 'stars'])
    .where('paper_id', '=', id)
    .orderBy('observed_at', 'desc')
    .limit(max)
    .execute()
  const digests = await db
    .selectFrom('paper_digests')
    .select(['local_date as date', 'digests as count'])
    .where('paper_id', '=', id)
    .orderBy('local_date', 'desc')
    .limit(max)
    .execute()
  return { ...paper, topics, observations, digests }
}
