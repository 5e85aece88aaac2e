/** The papers held: their texts by revision, their observations, and the candidates of digests. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Paper, SourceName } from '../../core/papers/paper.ts'
import type { ExcerptedPaper } from '../../core/papers/paper-excerpt.ts'
import type { TopicRelevance } from '../../core/relevance/relevance.ts'
import type { Tables } from '../database.ts'

/** One revision of a paper's texts. */
export type Texts = Tables['paper_texts']

/** A row of texts as a paper. */
export const paperOf = (texts: Texts): Paper => ({
  id: texts.paper_id,
  title: texts.title,
  abstract: texts.abstract,
  authors: texts.authors,
  publishedOn: texts.published_on,
  categories: texts.categories,
  codeUrl: texts.code_url,
  projectUrl: texts.project_url,
  discussionUrl: texts.discussion_url,
})

/** Whether any paper is held that is not of the sample. */
export const holdsRealPapers = async (db: Kysely<Tables>): Promise<boolean> => {
  const row = await db.selectFrom('papers').select('id').where('source', '<>', 'sample').limit(1).executeTakeFirst()
  return row !== undefined
}

/** How many of these papers are held under a list day before `listDay` (`YYYY-MM-DD`), the sample left out. */
export const countListedBefore = async (db: Kysely<Tables>, ids: string[], listDay: string): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from papers where id = any(${ids}) and list_day < ${listDay}
      and source <> 'sample'`.execute(db)
  return rows[0]?.count ?? 0
}

/** Returns `true` where the database answers; rejects where it does not. */
export const ping = async (db: Kysely<Tables>): Promise<boolean> => {
  await sql`select 1`.execute(db)
  return true
}

/** Whether any paper is held that is not hidden. */
export const holdsAnyPapers = async (db: Kysely<Tables>): Promise<boolean> => {
  const row = await db.selectFrom('papers').select('id').where('hidden_at', 'is', null).limit(1).executeTakeFirst()
  return row !== undefined
}

/** Those of some ids that are held, in the order given. */
export const readHeldAmong = async (db: Kysely<Tables>, ids: readonly string[]): Promise<string[]> => {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('papers')
    .select('id')
    .where('id', 'in', ids)
    .where('source', '<>', 'sample')
    .execute()
  const held = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => held.has(id))
}

/** When the newest observation by `now` was made, `null` where there is none: a welcome knows nothing later. */
export const readNewestObservation = async (db: Kysely<Tables>, now: Date): Promise<Date | null> => {
  const { rows } = await sql<{ at: Date | null }>`
    select max(o.observed_at) as at from observations o where o.observed_at <= ${now}`.execute(db)
  return rows[0]?.at ?? null
}

/**
 * The age of a paper at an observation in hours, from its first sighting on a list with upvotes: a paper that arXiv
 * announced days before has had no more time to get them. A list that was first read after its own day (an archive being
 * filled) counts from the end of that day, or settled counts would count as those of a first hour.
 */
const AGE_HOURS = sql`extract(epoch from o.observed_at - least(coalesce(p.listed_at, p.first_seen_at),
  (coalesce(p.listed_on, p.list_day) + 1)::timestamp at time zone 'UTC'))::float8 / 3600`

/** A paper as a digest's ranking sees it. */
export interface Candidate {
  id: string
  revision: number
  source: SourceName
  title: string
  listDay: string
  /** How many categories it was announced to, as far as known. */
  categories: number
  /** Hours between the first sighting and the counts below. */
  ageHours: number
  upvotes: number | null
  comments: number | null
  observedAt: Date
  hourKnown: boolean
  /** Whether it is known by now to be withdrawn, whatever the cut-off: then it is not chosen any more. */
  withdrawn: boolean
  relevance: TopicRelevance[]
}

/**
 * The papers that became eligible within `(since, cutoff]`, or have one of `listDays`, in the order of their ids, with
 * their newest counts by the cut-off. Papers first seen later are left out.
 */
export const readCandidates = async (
  db: Kysely<Tables>,
  cutoff: Date,
  choice: { since: Date } | { listDays: string[] },
): Promise<(Candidate & { eligibleAt: Date })[]> => {
  const within =
    'since' in choice
      ? sql`(p.eligible_at > ${choice.since} and p.eligible_at <= ${cutoff}
          or p.eligible_again_at > ${choice.since} and p.eligible_again_at <= ${cutoff})`
      : sql`p.list_day = any(${choice.listDays}::date[])`
  const { rows } = await sql<Candidate & { eligibleAt: Date }>`
    select p.id, p.revision, p.source, t.title, p.list_day as "listDay", cardinality(t.categories) as categories,
      case when p.eligible_again_at <= ${cutoff} then greatest(p.eligible_at, p.eligible_again_at)
        else p.eligible_at end as "eligibleAt",
      ${AGE_HOURS} as "ageHours",
      o.upvotes, o.comments, o.observed_at as "observedAt", o.hour_known as "hourKnown",
      exists (select from paper_news n where n.paper_id = p.id and n.kind = 'withdrawn') as withdrawn,
      coalesce((select jsonb_agg(jsonb_build_object('topic', r.topic, 'score', r.score, 'matches', r.matches)
        order by r.score desc, r.topic) from paper_topics r where r.paper_id = p.id), '[]') as relevance
    from papers p
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    -- The newest counts: an observation without any must not hide another source's.
    cross join lateral (select * from observations where paper_id = p.id and observed_at <= ${cutoff}
      order by upvotes is null, observed_at desc limit 1) o
    where p.hidden_at is null and p.first_seen_at <= ${cutoff} and ${within}
    order by p.id`.execute(db)
  return rows
}

/**
 * A query with the column `list_day`: at most `max` list days with papers first seen by the cut-off, in one direction. It
 * goes from day to day by the index, however many papers a day has. `first`: a condition on `p.list_day` of the first.
 */
const listDaysInTurn = (cutoff: Date, max: number, later: boolean, first: RawBuilder<unknown> = sql`true`) => {
  const next = (condition: RawBuilder<unknown>) => sql`
    select p.list_day from papers p where p.hidden_at is null and p.first_seen_at <= ${cutoff} and ${condition}
    order by p.list_day ${later ? sql`asc` : sql`desc`} limit 1`
  return sql`
  with recursive in_turn as (
    select first.list_day, 1::bigint as place from (${next(first)}) first
    union all
    select following.list_day, t.place + 1 from in_turn t cross join lateral (
      ${next(later ? sql`p.list_day > t.list_day` : sql`p.list_day < t.list_day`)}) following
    where t.place < ${max})
  select list_day from in_turn`
}

/** At most `max` list days with papers first seen by the cut-off, the newest first. */
export const readListDays = async (db: Kysely<Tables>, cutoff: Date, max: number): Promise<string[]> => {
  const { rows } = await sql<{ list_day: string }>`${listDaysInTurn(cutoff, max, false)}`.execute(db)
  return rows.map((row) => row.list_day)
}

/** A list day where it is held by the cut-off, and at most `each` held before and after it, the oldest first. */
export const readListDaysAround = async (
  db: Kysely<Tables>,
  cutoff: Date,
  listDay: string,
  each: number,
): Promise<string[]> => {
  const { rows } = await sql<{ list_day: string }>`
    (${listDaysInTurn(cutoff, each + 1, false, sql`p.list_day <= ${listDay}::date`)}) union all
    (${listDaysInTurn(cutoff, each, true, sql`p.list_day > ${listDay}::date`)}) order by list_day`.execute(db)
  return rows.map((row) => row.list_day)
}

/** What a list day held at an instant. */
export interface ListedDay {
  papers: number
  /** The newest upvotes of those papers that have any count, ascending. */
  upvotes: number[]
}

/**
 * What each list day from `first` to `last` (`YYYY-MM-DD`, both included) held by the cut-off: as many papers as its page
 * showed at that moment. Days without papers are left out.
 */
export const readListedDays = async (
  db: Kysely<Tables>,
  cutoff: Date,
  first: string,
  last: string,
): Promise<Map<string, ListedDay>> => {
  const { rows } = await sql<ListedDay & { day: string }>`
    select p.list_day as day, count(*)::int as papers,
      coalesce(array_agg(o.upvotes order by o.upvotes) filter (where o.upvotes is not null), '{}') as upvotes
    from papers p
    cross join lateral (select o.upvotes from observations o where o.paper_id = p.id and o.observed_at <= ${cutoff}
      order by o.upvotes is null, o.observed_at desc limit 1) o
    where p.list_day between ${first}::date and ${last}::date and p.hidden_at is null and p.first_seen_at <= ${cutoff}
    group by p.list_day order by p.list_day`.execute(db)
  return new Map(rows.map(({ day, ...listed }) => [day, listed]))
}

/** Counts to compare a paper's with: of the last `listDays` list days, one for each paper and age bucket (hours). */
export const readTrendHistory = async (
  db: Kysely<Tables>,
  cutoff: Date,
  listDays: number,
  bucketEnds: readonly number[],
): Promise<{ paperId: string; ageHours: number; upvotes: number }[]> => {
  const { rows } = await sql<{ paperId: string; ageHours: number; upvotes: number }>`
    with days as (${listDaysInTurn(cutoff, listDays, false)}),
    seen as (
      select o.paper_id, o.upvotes, o.observed_at, a.age, width_bucket(a.age, ${bucketEnds}::float8[]) as bucket
      from papers p join observations o on o.paper_id = p.id
      cross join lateral (select ${AGE_HOURS} as age) a
      where p.list_day in (select list_day from days) and p.hidden_at is null
        and o.observed_at <= ${cutoff} and o.upvotes is not null)
    select distinct on (paper_id, bucket) paper_id as "paperId", age as "ageHours", upvotes
    from seen order by paper_id, bucket, observed_at desc`.execute(db)
  return rows
}

/**
 * How many papers each of the newest list days held at the age that `listDay` has at `cutoff`: the day itself, and the
 * same weekday of the four weeks before.
 */
export const readFill = async (
  db: Kysely<Tables>,
  listDay: string,
  cutoff: Date,
): Promise<{ count: number; earlier: number[] }> => {
  const { rows } = await sql<{ weeks: number; count: number }>`
    select w.weeks, count(p.id)::int as count from generate_series(0, 4) as w(weeks)
    left join papers p on p.list_day = ${listDay}::date - 7 * w.weeks and p.hidden_at is null
      and p.first_seen_at <= ${cutoff}::timestamptz - w.weeks * interval '7 days'
    group by w.weeks order by w.weeks`.execute(db)
  const [today, ...earlier] = rows.map((row) => row.count)
  return { count: today ?? 0, earlier }
}

/** The texts of papers in given revisions, by paper id, to show a digest as it was composed. */
export const readTexts = async (
  db: Kysely<Tables>,
  wanted: { paperId: string; revision: number }[],
): Promise<Map<string, ExcerptedPaper>> => {
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<Texts>`
    select t.* from paper_texts t
    join unnest(${wanted.map((one) => one.paperId)}::text[], ${wanted.map((one) => one.revision)}::int[])
      as w(paper_id, revision) on t.paper_id = w.paper_id and t.revision = w.revision`.execute(db)
  return new Map(rows.map((row) => [row.paper_id, { ...paperOf(row), excerpt: row.excerpt }]))
}

/** When the first paper was seen that is not hidden; `null` while none is held. Reads every paper. */
export const readFirstSeen = async (db: Kysely<Tables>): Promise<Date | null> => {
  const row = await db
    .selectFrom('papers')
    .select(({ fn }) => fn.min('first_seen_at').as('at'))
    .where('hidden_at', 'is', null)
    .executeTakeFirst()
  return row?.at ?? null
}
