/** Which papers a page of the site lists, in order: of list days, of a topic, an author or institution; and what each card needs. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Institution, SourceName } from '../../core/papers/paper.ts'
import type { ExcerptedPaper } from '../../core/papers/paper-excerpt.ts'
import { GATE } from '../../core/relevance/gate.ts'
import type { RareTerm } from '../../core/relevance/rare-terms.ts'
import type { TopicRelevance } from '../../core/relevance/relevance.ts'
import { type PaperPick, readPicks } from '../curations.ts'
import type { Tables } from '../database.ts'
import { countVotes } from '../votes.ts'
import { paperOf, type Texts } from './papers.ts'

/** A part of a list: how many papers to leave out before it, and how many it has at most. */
export interface Part {
  offset: number
  limit: number
}

/** Ids of papers in the order of a list, and how many it has in all; `total` is 0 where the part lies past its end. */
export interface ListedIds {
  ids: string[]
  total: number
}

/** A paper as a page of the site shows it. */
export interface ShownPaper {
  paper: ExcerptedPaper
  revision: number
  source: SourceName
  listDay: string
  /** Its first day on a list of Hugging Face; `null` where it has not been on one. */
  listedOn: string | null
  firstSeenAt: Date
  /** The newest counts, and when they were seen. */
  upvotes: number | null
  comments: number | null
  stars: number | null
  observedAt: Date
  hourKnown: boolean
  withdrawn: boolean
  institution: Institution | null
  /** Best first. */
  relevance: TopicRelevance[]
  /** Votes of readers here. */
  votes: number
  pick: PaperPick | null
}

/** URLs of one sitemap, at most. https://www.sitemaps.org/protocol.html */
const MAX_IDS = 50_000

/** Papers that may be shown at an instant. */
const visibleBy = (now: Date): RawBuilder<unknown> => sql`p.hidden_at is null and p.first_seen_at <= ${now}`

/** The newest counts: an observation without any must not hide another source's. */
const newestCounts = (now: Date): RawBuilder<unknown> => sql`
  cross join lateral (select * from observations where paper_id = p.id and observed_at <= ${now}
    order by upvotes is null, observed_at desc limit 1) o`

const WITHDRAWN = sql`exists (select from paper_news n where n.paper_id = p.id and n.kind = 'withdrawn')`

const listed = async (db: Kysely<Tables>, query: RawBuilder<unknown>): Promise<ListedIds> => {
  const { rows } = await sql<{ id: string; total: number }>`${query}`.execute(db)
  return { ids: rows.map((row) => row.id), total: rows[0]?.total ?? 0 }
}

/**
 * The papers of the list days from `first` to `last` (`YYYY-MM-DD`, both included) by their newest upvotes, those of a single
 * day then by the votes of readers here, the withdrawn last; with `fit`, those that score at least `least` for the topic. Those of `pinned` (ids) come
 * before the others in this order, whatever day lists them.
 */
export const readBestOfDays = (
  db: Kysely<Tables>,
  now: Date,
  days: { first: string; last: string },
  { offset, limit }: Part,
  { fit, pinned = [] }: { fit?: { topic: string; least: number }; pinned?: readonly string[] } = {},
): Promise<ListedIds> => {
  const fits =
    fit === undefined
      ? sql`true`
      : sql`exists (select from paper_topics r where r.paper_id = p.id and r.topic = ${fit.topic} and r.score >= ${fit.least})`
  // Of a month's papers it would take longer to count them than all else.
  const votes =
    days.first === days.last
      ? sql`(select count(*) from votes v where v.paper_id = p.id and v.at <= ${now})`
      : sql`null::int`
  const ofDays = sql`p.list_day between ${days.first}::date and ${days.last}::date`
  return listed(
    db,
    sql`
    select p.id, count(*) over ()::int as total from papers p ${newestCounts(now)}
    where ${pinned.length === 0 ? ofDays : sql`(${ofDays} or p.id = any(${pinned}::text[]))`} and ${visibleBy(now)} and ${fits}
    order by ${WITHDRAWN}, array_position(${pinned}::text[], p.id), o.upvotes desc nulls last,
      ${votes} desc, p.id
    limit ${limit} offset ${offset}`,
  )
}

/** The papers of those rows of a table `s` with a `paper_id` that meet a condition, the newest first. */
const newestOf = (
  db: Kysely<Tables>,
  now: Date,
  table: RawBuilder<unknown>,
  condition: RawBuilder<unknown>,
  { offset, limit }: Part,
): Promise<ListedIds> =>
  listed(
    db,
    sql`
    select p.id, count(*) over ()::int as total from ${table} join papers p on p.id = s.paper_id
    where ${condition} and ${visibleBy(now)}
    order by p.list_day desc, p.id desc limit ${limit} offset ${offset}`,
  )

/** The papers with an author of this slug (`core/text/author-name`), the newest first. */
export const readPapersBy = (db: Kysely<Tables>, now: Date, slug: string, part: Part): Promise<ListedIds> =>
  newestOf(db, now, sql`paper_search s`, sql`s.authors @> array[${slug}]`, part)

/** The papers that are linked to an institution (`core/papers/paper`), the newest first. */
export const readPapersOfInstitution = (db: Kysely<Tables>, now: Date, slug: string, part: Part): Promise<ListedIds> =>
  newestOf(db, now, sql`paper_institutions s`, sql`s.institution = ${slug}`, part)

/**
 * The share of all papers that may be compared with one. With its rarest terms up to so many, 95 % of the papers that are like
 * it are those found with all its terms, in a third of the time.
 */
const MAX_COMPARED = 0.05

/** Papers looked at for each that is shown. */
const SPARE_SIMILAR = 10

/** The rarest terms, that all together at most so many papers hold; two at least. */
const rarestOf = (terms: readonly RareTerm[]): RareTerm[] => {
  let compared = 0
  return terms
    .toSorted((a, b) => a.share - b.share)
    .filter(({ share }, n) => {
      compared += share
      return n < 2 || compared <= MAX_COMPARED
    })
}

/**
 * At most `max` other papers that share terms with one, at least two and one of them rare: by the sum of the weights of those
 * shared, doubled for a paper of the same topics, and then the newest. Terms alone bring what is only called the same, as
 * "context forcing" of videos beside "teacher forcing" of texts: of 293 recorded papers a fifth of those shown had no topic in
 * common, and then one in fifteen (by judgements that were made by reading).
 */
export const readSimilar = async (
  db: Kysely<Tables>,
  now: Date,
  id: string,
  terms: readonly RareTerm[],
  max: number,
): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    with wanted as (select * from unnest(${terms.map(({ term }) => term)}::text[],
      ${terms.map(({ weight }) => weight)}::float8[]) as w(term, weight)),
    shared as (
      select s.paper_id, sum(w.weight) as weight, s.list_day
      from paper_search s cross join lateral unnest(s.terms) as has(term) join wanted w on w.term = has.term
      where s.terms && ${rarestOf(terms).map(({ term }) => term)}::text[] and s.paper_id <> ${id}
      group by s.paper_id having count(*) > 1),
    -- So few that each is looked up: a few may be withdrawn or hidden.
    likest as materialized (
      select * from shared order by weight desc, list_day desc, paper_id desc limit ${SPARE_SIMILAR * max}::int),
    own as materialized (select topic, score from paper_topics where paper_id = ${id} and score >= ${GATE})
    select p.id from likest s join papers p on p.id = s.paper_id
    cross join lateral (select coalesce(sum(least(r.score, o.score)) filter (where o.topic is not null), 0) as common, coalesce(sum(r.score), 0) as scores
      from paper_topics r left join own o on o.topic = r.topic where r.paper_id = s.paper_id and r.score >= ${GATE}) t
    where ${visibleBy(now)} and not ${WITHDRAWN}
    order by s.weight * (1 + coalesce(
        t.common / nullif(t.scores + (select coalesce(sum(score), 0) from own) - t.common, 0), 0)) desc,
      s.list_day desc, p.id desc limit ${max}`.execute(db)
  return rows.map((row) => row.id)
}

/** The papers of these ids that may be shown, in the order given. */
export const readShownPapers = async (db: Kysely<Tables>, now: Date, ids: readonly string[]): Promise<ShownPaper[]> => {
  if (ids.length === 0) return []
  const { rows } = await sql<Texts & Omit<ShownPaper, 'paper' | 'votes' | 'pick'>>`
    select t.*, p.source, p.list_day as "listDay", p.listed_on as "listedOn", p.first_seen_at as "firstSeenAt", o.upvotes, o.comments, o.stars,
      o.observed_at as "observedAt", o.hour_known as "hourKnown", ${WITHDRAWN} as withdrawn,
      (select jsonb_build_object('name', i.name, 'fullName', i.full_name) from paper_institutions l
        join institutions i on i.slug = l.institution where l.paper_id = p.id) as institution,
      coalesce((select jsonb_agg(jsonb_build_object('topic', r.topic, 'score', r.score, 'matches', r.matches)
        order by r.score desc, r.topic) from paper_topics r where r.paper_id = p.id), '[]') as relevance
    from unnest(${ids}::text[]) with ordinality as wanted(id, place)
    join papers p on p.id = wanted.id
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision ${newestCounts(now)}
    where ${visibleBy(now)} order by wanted.place`.execute(db)
  const votes = await countVotes(db, ids, now)
  const picks = await readPicks(db, ids, now)
  return rows.map((row) => ({
    paper: { ...paperOf(row), excerpt: row.excerpt },
    revision: row.revision,
    source: row.source,
    listDay: row.listDay,
    listedOn: row.listedOn,
    firstSeenAt: row.firstSeenAt,
    upvotes: row.upvotes,
    comments: row.comments,
    stars: row.stars,
    observedAt: row.observedAt,
    hourKnown: row.hourKnown,
    withdrawn: row.withdrawn,
    institution: row.institution,
    relevance: row.relevance,
    votes: votes.get(row.paper_id) ?? 0,
    pick: picks.get(row.paper_id) ?? null,
  }))
}

/** Every observation of a paper by now that has upvotes, the oldest first. */
export const readUpvoteHistory = async (
  db: Kysely<Tables>,
  now: Date,
  id: string,
): Promise<{ at: Date; hourKnown: boolean; upvotes: number }[]> => {
  const { rows } = await sql<{ at: Date; hourKnown: boolean; upvotes: number }>`
    select observed_at as at, hour_known as "hourKnown", upvotes from observations
    where paper_id = ${id} and observed_at <= ${now} and upvotes is not null order by observed_at`.execute(db)
  return rows
}

/** What is known to have happened to a paper by now, the oldest first. */
export const readNewsOf = async (db: Kysely<Tables>, now: Date, id: string) =>
  db
    .selectFrom('paper_news')
    .select(['kind', 'version', 'venue', 'seen_at as seenAt'])
    .where('paper_id', '=', id)
    .where('seen_at', '<=', now)
    .orderBy('seen_at')
    .execute()

/** The first and last list day held by now; `null` where nothing is held. */
export const readListDayRange = async (
  db: Kysely<Tables>,
  now: Date,
): Promise<{ first: string; last: string } | null> => {
  const end = async (direction: RawBuilder<unknown>) => {
    const { rows } = await sql<{ day: string }>`
      select p.list_day as day from papers p where ${visibleBy(now)} order by p.list_day ${direction} limit 1`.execute(
      db,
    )
    return rows[0]?.day
  }
  const [first, last] = [await end(sql`asc`), await end(sql`desc`)]
  return first === undefined || last === undefined ? null : { first, last }
}

/** Ids of the papers of some list days, in the order of days; of the most that a sitemap may hold. */
export const readIdsOfDays = async (
  db: Kysely<Tables>,
  now: Date,
  days: { first: string; last: string },
): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    select p.id from papers p
    where p.list_day between ${days.first}::date and ${days.last}::date and ${visibleBy(now)}
    order by p.list_day, p.id limit ${MAX_IDS}`.execute(db)
  return rows.map((row) => row.id)
}
