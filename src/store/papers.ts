/** Papers, their texts by revision, what was observed of them, and which topics they fit. */
import { type Kysely, sql } from 'kysely'
import { eligibleAgainAt, eligibleAt } from '../core/eligibility.ts'
import type { Listing, Paper, SourceName } from '../core/paper.ts'
import type { TopicRelevance } from '../core/relevance.ts'
import type { Database, Tables } from './database.ts'

type Texts = Tables['paper_texts']

const textsOf = (paper: Paper, revision: number): Texts => ({
  paper_id: paper.id,
  revision,
  title: paper.title,
  abstract: paper.abstract,
  authors: paper.authors,
  published_on: paper.publishedOn,
  categories: paper.categories,
  code_url: paper.codeUrl,
  project_url: paper.projectUrl,
  discussion_url: paper.discussionUrl,
})

const paperOf = (texts: Texts): Paper => ({
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

/** A source that leaves something out does not take it away: links and categories once known stay. */
const mergeTexts = (known: Texts, fresh: Texts): Texts => ({
  ...fresh,
  abstract: fresh.abstract === '' ? known.abstract : fresh.abstract,
  authors: fresh.authors.length === 0 ? known.authors : fresh.authors,
  published_on: fresh.published_on ?? known.published_on,
  categories: fresh.categories.length === 0 ? known.categories : fresh.categories,
  code_url: fresh.code_url ?? known.code_url,
  project_url: fresh.project_url ?? known.project_url,
  discussion_url: fresh.discussion_url ?? known.discussion_url,
})

type Known = { texts: Texts; source: SourceName; last_observed_at: Date }

/**
 * Whether a reading tells the texts, and what is known only fills what it leaves out. The later of two does, whichever
 * comes in first. But between arXiv and Hugging Face it is the latter, whenever they are read: it names authors without
 * LaTeX, and two sources that spell a title differently must not make a new revision of it every hour.
 */
const tellsTexts = (known: Known, source: SourceName, observedAt: Date): boolean => {
  if (known.source === 'huggingface' && source === 'arxiv') return false
  if (known.source === 'arxiv' && source === 'huggingface') return true
  return observedAt >= known.last_observed_at
}

const mergeReadings = (known: Known, source: SourceName, fresh: Texts, observedAt: Date): Texts =>
  tellsTexts(known, source, observedAt)
    ? mergeTexts(known.texts, fresh)
    : { ...mergeTexts(fresh, known.texts), revision: fresh.revision }

/** Column by column: what was read back has its columns in another order. */
const sameTexts = (known: Texts, fresh: Texts): boolean => {
  const columns = Object.keys(fresh).filter((column) => column !== 'revision') as (keyof Texts)[]
  return columns.every((column) => JSON.stringify(known[column]) === JSON.stringify(fresh[column]))
}

export interface StoredCounts {
  added: number
  changed: number
  unchanged: number
}

export type Score = (paper: Paper) => TopicRelevance[]

/** Stores one batch of listings of a source. */
export type StoreListings = (
  db: Database,
  source: SourceName,
  listings: Listing[],
  score: Score,
) => Promise<StoredCounts>

/**
 * Stores one batch of listings of a source, some hundreds at a time, in one transaction. Idempotent: the same batch
 * again changes nothing. The first real paper hides the sample for good.
 */
export const storeListings: StoreListings = (db, source, listings, score) =>
  db.transaction().execute((trx) => writeListings(trx, source, listings, score))

/** What `storeListings` would come to: it is done, counted and undone. */
export const tryListings: StoreListings = async (db, source, listings, score) => {
  const trx = await db.startTransaction().execute()
  try {
    return await writeListings(trx, source, listings, score)
  } finally {
    await trx.rollback().execute()
  }
}

/** One intake at a time: an import by hand beside the hourly refresh must not make two revisions of one text. */
export const waitForIntake = async (trx: Kysely<Tables>): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtext('paper-round intake'))`.execute(trx)
}

const earlierOf = <T extends Date | string>(known: T | null | undefined, fresh: T): T =>
  known != null && known < fresh ? known : fresh

/** The first sighting on a Hugging Face list, and what it makes of the paper. */
const listingTimes = (
  source: SourceName,
  { listDay, observation }: Listing,
  known: { listed_on: string | null; listed_at: Date | null } | undefined,
  firstSeenAt: Date,
) => {
  const isListing = source === 'huggingface'
  const listedOn = isListing ? earlierOf(known?.listed_on, listDay) : (known?.listed_on ?? null)
  const listedAt = isListing ? earlierOf(known?.listed_at, observation.at) : (known?.listed_at ?? null)
  return {
    listed_on: listedOn,
    listed_at: listedAt,
    eligible_again_at: listedOn === null || listedAt === null ? null : eligibleAgainAt(listedOn, listedAt, firstSeenAt),
  }
}

const writeListings = async (
  trx: Kysely<Tables>,
  source: SourceName,
  listings: Listing[],
  score: Score,
): Promise<StoredCounts> => {
  const counts: StoredCounts = { added: 0, changed: 0, unchanged: 0 }
  if (listings.length === 0) return counts
  await waitForIntake(trx)
  const held = await readKnown(
    trx,
    listings.map((listing) => listing.paper.id),
  )
  if (source === 'sample' && (await holdsRealPapers(trx))) return counts

  const texts: Texts[] = []
  const papers: Tables['papers'][] = []
  const observations: Tables['observations'][] = []
  const rescored: Texts[] = []
  for (const listing of mergeDuplicates(listings)) {
    const { paper, listDay, observation } = listing
    const before = held.get(paper.id)
    const fresh = textsOf(paper, (before?.texts.revision ?? 0) + 1)
    // A sample's text is our own line about the paper: the real one replaces it instead of merging into it.
    const keeps = before !== undefined && before.source !== 'sample'
    const merged = keeps ? mergeReadings(before, source, fresh, observation.at) : fresh
    const writes = before === undefined || !sameTexts(before.texts, merged)
    if (writes) {
      texts.push(merged)
      rescored.push(merged)
    }
    counts[before === undefined ? 'added' : writes ? 'changed' : 'unchanged']++
    const known = keeps ? before : undefined
    const firstSeenAt = earlierOf(known?.first_seen_at, observation.at)
    const earliestDay = earlierOf(known?.list_day, listDay)
    papers.push({
      id: paper.id,
      revision: writes ? merged.revision : before.texts.revision,
      source: keeps && before.source === 'huggingface' ? before.source : source,
      list_day: earliestDay,
      first_seen_at: firstSeenAt,
      eligible_at: eligibleAt(earliestDay, firstSeenAt),
      hidden_at: null,
      ...listingTimes(source, listing, known, firstSeenAt),
    })
    // arXiv counts nothing: all that its observation says, that the paper was there by then, is known.
    if (source === 'arxiv' && known !== undefined && known.first_seen_at <= observation.at) continue
    observations.push({
      paper_id: paper.id,
      observed_at: observation.at,
      hour_known: observation.hourKnown,
      upvotes: observation.upvotes,
      comments: observation.comments,
      stars: observation.stars,
    })
  }
  await sql`set constraints all deferred`.execute(trx)
  await trx
    .insertInto('papers')
    .values(papers)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        revision: eb.ref('excluded.revision'),
        source: eb.ref('excluded.source'),
        list_day: eb.ref('excluded.list_day'),
        first_seen_at: eb.ref('excluded.first_seen_at'),
        eligible_at: eb.ref('excluded.eligible_at'),
        hidden_at: eb.ref('excluded.hidden_at'),
        listed_on: eb.ref('excluded.listed_on'),
        listed_at: eb.ref('excluded.listed_at'),
        eligible_again_at: eb.ref('excluded.eligible_again_at'),
      })),
    )
    .execute()
  if (texts.length > 0) await trx.insertInto('paper_texts').values(texts).execute()
  if (observations.length > 0)
    await trx
      .insertInto('observations')
      .values(observations)
      .onConflict((conflict) =>
        conflict.columns(['paper_id', 'observed_at']).doUpdateSet((eb) => ({
          hour_known: eb.ref('excluded.hour_known'),
          upvotes: eb.ref('excluded.upvotes'),
          comments: eb.ref('excluded.comments'),
          stars: eb.ref('excluded.stars'),
        })),
      )
      .execute()
  await storeRelevance(trx, rescored, score)
  if (source !== 'sample') await hideSample(trx)
  return counts
}

/** One listing a paper: of two in a batch the one seen later tells the texts, and the earlier list day stands. */
const mergeDuplicates = (listings: Listing[]): Listing[] => {
  const byId = new Map<string, Listing>()
  for (const listing of listings) {
    const other = byId.get(listing.paper.id)
    if (other === undefined) byId.set(listing.paper.id, listing)
    else {
      const later = listing.observation.at >= other.observation.at ? listing : other
      byId.set(listing.paper.id, {
        ...later,
        listDay: [listing.listDay, other.listDay].sort()[0] ?? listing.listDay,
      })
    }
  }
  return [...byId.values()]
}

const readKnown = async (db: Kysely<Tables>, ids: string[]) => {
  const rows = await db
    .selectFrom('papers as p')
    .innerJoin('paper_texts as t', (join) =>
      join.onRef('t.paper_id', '=', 'p.id').onRef('t.revision', '=', 'p.revision'),
    )
    .selectAll('t')
    .select(['p.source', 'p.list_day', 'p.first_seen_at', 'p.listed_on', 'p.listed_at'])
    .select((eb) =>
      eb
        .selectFrom('observations as o')
        .whereRef('o.paper_id', '=', 'p.id')
        .select((o) => o.fn.max('o.observed_at').as('at'))
        .as('last_observed_at'),
    )
    .where('p.id', 'in', ids)
    .execute()
  return new Map(
    rows.map(({ source, list_day, first_seen_at, listed_on, listed_at, last_observed_at, ...texts }) => [
      texts.paper_id,
      {
        texts,
        source,
        list_day,
        first_seen_at,
        listed_on,
        listed_at,
        last_observed_at: last_observed_at ?? first_seen_at,
      },
    ]),
  )
}

const storeRelevance = async (db: Kysely<Tables>, texts: Texts[], score: Score) => {
  if (texts.length === 0) return
  await db
    .deleteFrom('paper_topics')
    .where(
      'paper_id',
      'in',
      texts.map((text) => text.paper_id),
    )
    .execute()
  const rows = texts.flatMap((text) =>
    score(paperOf(text)).map(({ topic, score, matches }) => ({
      topic,
      paper_id: text.paper_id,
      score,
      matches: JSON.stringify(matches) as never,
    })),
  )
  if (rows.length > 0) await db.insertInto('paper_topics').values(rows).execute()
}

/** Papers scored in one transaction: few enough that intake does not wait long. */
const RESCORED_AT_ONCE = 200

/** Scores all papers held anew, as after a change of the model. Returns how many; `onProgress` hears from 0 to 1. */
export const rescore = async (db: Database, score: Score, onProgress: (share: number) => void): Promise<number> => {
  const { rows } = await sql<{ id: string }>`select id from papers order by id`.execute(db)
  for (let at = 0; at < rows.length; at += RESCORED_AT_ONCE) {
    const ids = rows.slice(at, at + RESCORED_AT_ONCE).map((row) => row.id)
    await db.transaction().execute(async (trx) => {
      await waitForIntake(trx)
      const { rows: texts } = await sql<Texts>`
        select t.* from papers p join paper_texts t on t.paper_id = p.id and t.revision = p.revision
        where p.id = any(${ids})`.execute(trx)
      await storeRelevance(trx, texts, score)
    })
    onProgress((at + ids.length) / rows.length)
  }
  return rows.length
}

const hideSample = (db: Kysely<Tables>) =>
  db
    .updateTable('papers')
    .set({ hidden_at: sql`now()` })
    .where('source', '=', 'sample')
    .where('hidden_at', 'is', null)
    .execute()

/** Whether any paper is held that did not come with the project. */
export const holdsRealPapers = async (db: Kysely<Tables>): Promise<boolean> => {
  const row = await db.selectFrom('papers').select('id').where('source', '<>', 'sample').limit(1).executeTakeFirst()
  return row !== undefined
}

/** How many of these papers are held under a list day before this one. */
export const countListedBefore = async (db: Kysely<Tables>, ids: string[], listDay: string): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from papers where id = any(${ids}) and list_day < ${listDay}
      and source <> 'sample'`.execute(db)
  return rows[0]?.count ?? 0
}

/** Whether the database answers. */
export const answers = async (db: Kysely<Tables>): Promise<boolean> => {
  await sql`select 1`.execute(db)
  return true
}

/** Whether any paper is held that may be shown. */
export const holdsAnyPapers = async (db: Kysely<Tables>): Promise<boolean> => {
  const row = await db.selectFrom('papers').select('id').where('hidden_at', 'is', null).limit(1).executeTakeFirst()
  return row !== undefined
}

/** The newest observation made by an instant: what a welcome may know, the same for all until the next refresh. */
export const readNewestObservation = async (db: Kysely<Tables>, now: Date): Promise<Date | null> => {
  const { rows } = await sql<{ at: Date | null }>`
    select max(o.observed_at) as at from observations o where o.observed_at <= ${now}`.execute(db)
  return rows[0]?.at ?? null
}

/**
 * How old a paper was when it was observed, from its sighting where upvotes are given: one that arXiv announced days
 * before has had no more time for them than others. A list that was first read later than its own day (an archive being
 * filled) counts from the end of that day, or settled counts would pass for a first hour's.
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
  /** Hours between the sighting and the counts below. */
  ageHours: number
  upvotes: number | null
  comments: number | null
  observedAt: Date
  hourKnown: boolean
  relevance: TopicRelevance[]
}

/**
 * Papers that became news within `(since, cutoff]`, or that stand under one of `listDays`, with what was observed of
 * them by the cut-off. Nothing that was sighted later is seen.
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
    select p.id, p.revision, p.source, t.title, p.list_day as "listDay",
      case when p.eligible_again_at <= ${cutoff} then greatest(p.eligible_at, p.eligible_again_at)
        else p.eligible_at end as "eligibleAt",
      ${AGE_HOURS} as "ageHours",
      o.upvotes, o.comments, o.observed_at as "observedAt", o.hour_known as "hourKnown",
      coalesce((select jsonb_agg(jsonb_build_object('topic', r.topic, 'score', r.score, 'matches', r.matches)
        order by r.score desc, r.topic) from paper_topics r where r.paper_id = p.id), '[]') as relevance
    from papers p
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    -- The newest counts: a source that gives none must not hide those of another.
    cross join lateral (select * from observations where paper_id = p.id and observed_at <= ${cutoff}
      order by upvotes is null, observed_at desc limit 1) o
    where p.hidden_at is null and p.first_seen_at <= ${cutoff} and ${within}
    order by p.id`.execute(db)
  return rows
}

/** The newest list days held by an instant, newest first. */
export const readListDays = async (db: Kysely<Tables>, cutoff: Date, most: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('papers')
    .select('list_day')
    .distinct()
    .where('hidden_at', 'is', null)
    .where('first_seen_at', '<=', cutoff)
    .orderBy('list_day', 'desc')
    .limit(most)
    .execute()
  return rows.map((row) => row.list_day)
}

/** Counts to compare a paper's with: of the last `listDays` list days, one for each paper and age bucket (hours). */
export const readTrendHistory = async (
  db: Kysely<Tables>,
  cutoff: Date,
  listDays: number,
  bucketEnds: readonly number[],
): Promise<{ paperId: string; ageHours: number; upvotes: number }[]> => {
  const { rows } = await sql<{ paperId: string; ageHours: number; upvotes: number }>`
    with days as (select distinct list_day from papers where hidden_at is null and first_seen_at <= ${cutoff}
      order by list_day desc limit ${listDays}),
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

/** Texts by paper and revision, for showing a digest as it was composed. */
export const readTexts = async (
  db: Kysely<Tables>,
  wanted: { paperId: string; revision: number }[],
): Promise<Map<string, Paper>> => {
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<Texts>`
    select t.* from paper_texts t
    join unnest(${wanted.map((one) => one.paperId)}::text[], ${wanted.map((one) => one.revision)}::int[])
      as w(paper_id, revision) on t.paper_id = w.paper_id and t.revision = w.revision`.execute(db)
  return new Map(rows.map((row) => [row.paper_id, paperOf(row)]))
}
