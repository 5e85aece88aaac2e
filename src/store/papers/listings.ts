/** Stores what a source lists: papers, the revisions of their texts, observations, news, and relevance to topics. */
import { type Kysely, sql } from 'kysely'
import { eligibleAgainAt, eligibleAt } from '../../core/digest/eligibility.ts'
import type { Listing, Observation, Paper, SourceName } from '../../core/papers/paper.ts'
import { excerptOfPaper } from '../../core/papers/paper-excerpt.ts'
import { type HeldPaper, type MergedPaper, mergeListing, mergeRepeatedListings } from '../../core/papers/paper-merge.ts'
import { MANY_UPVOTES, type PaperNews } from '../../core/papers/paper-news.ts'
import type { TopicRelevance } from '../../core/relevance/relevance.ts'
import type { Database, Tables } from '../database.ts'
import { storeInstitutions } from './institutions.ts'
import { storeNews } from './paper-news.ts'
import { holdsRealPapers, paperOf, type Texts } from './papers.ts'
import { indexPapers } from './search-index.ts'

/** How many papers of a batch were new, got a new revision of their texts, or neither. */
export interface StoredCounts {
  added: number
  changed: number
  unchanged: number
}

/** The topics that a paper fits, scored by the model in use. */
export type Score = (paper: Paper) => TopicRelevance[]

/** Stores a batch of listings of one source; rejects where the database fails. */
export type StoreListings = (
  db: Database,
  source: SourceName,
  listings: Listing[],
  score: Score,
) => Promise<StoredCounts>

/**
 * Stores a batch of listings of one source, some hundreds at a time, in one transaction. Idempotent: the same batch again
 * changes nothing. The first real paper hides the sample permanently, and a sample is not stored beside real papers.
 */
export const storeListings: StoreListings = (db, source, listings, score) =>
  db.transaction().execute((trx) => writeListings(trx, source, listings, score))

/** What `storeListings` would count: the batch is written and rolled back. */
export const dryRunListings: StoreListings = async (db, source, listings, score) => {
  const trx = await db.startTransaction().execute()
  try {
    return await writeListings(trx, source, listings, score)
  } finally {
    await trx.rollback().execute()
  }
}

/**
 * Waits until no other transaction stores papers, and holds up others until this one ends: an import by hand beside the
 * hourly refresh must not make two revisions of one text.
 */
export const waitForIntake = async (trx: Kysely<Tables>): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtext('paper-round intake'))`.execute(trx)
}

const writeListings = async (
  trx: Kysely<Tables>,
  source: SourceName,
  listings: Listing[],
  score: Score,
): Promise<StoredCounts> => {
  if (listings.length === 0) return { added: 0, changed: 0, unchanged: 0 }
  await waitForIntake(trx)
  if (source === 'sample' && (await holdsRealPapers(trx))) return { added: 0, changed: 0, unchanged: 0 }
  const held = await readHeld(
    trx,
    listings.map((listing) => listing.paper.id),
  )
  const listed = mergeRepeatedListings(listings)
  const merged = listed.map((listing) => mergeListing(held.get(listing.paper.id) ?? null, source, listing))
  const changed = merged.filter(({ change }) => change !== 'unchanged')
  await sql`set constraints all deferred`.execute(trx)
  await storePapers(trx, merged)
  if (changed.length > 0) await trx.insertInto('paper_texts').values(changed.map(textsOf)).execute()
  await storeNews(
    trx,
    merged.flatMap(({ paper, observation, news }) => [news ?? [], upvotesNews(paper.id, observation) ?? []].flat()),
  )
  await storeObservations(trx, merged)
  await storeInstitutions(trx, listed)
  await storeRelevance(
    trx,
    changed.map(({ paper }) => paper),
    score,
  )
  await indexPapers(
    trx,
    merged.map(({ paper }) => paper.id),
  )
  if (source !== 'sample') await hideSample(trx)
  const count = (kind: MergedPaper['change']) => merged.filter(({ change }) => change === kind).length
  return { added: count('added'), changed: count('changed'), unchanged: count('unchanged') }
}

const textsOf = ({ paper, revision }: HeldPaper): Texts => ({
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
  excerpt: excerptOfPaper(paper),
})

const rowOf = ({ paper, revision, source, listDay, firstSeenAt, listedOn, listedAt }: HeldPaper): Tables['papers'] => ({
  id: paper.id,
  revision,
  source,
  list_day: listDay,
  first_seen_at: firstSeenAt,
  eligible_at: eligibleAt(listDay, firstSeenAt),
  hidden_at: null,
  listed_on: listedOn,
  listed_at: listedAt,
  eligible_again_at: listedOn === null || listedAt === null ? null : eligibleAgainAt(listedOn, listedAt, firstSeenAt),
})

const storePapers = async (trx: Kysely<Tables>, papers: HeldPaper[]): Promise<void> => {
  await trx
    .insertInto('papers')
    .values(papers.map(rowOf))
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        revision: eb.ref('excluded.revision'),
        source: eb.ref('excluded.source'),
        list_day: eb.ref('excluded.list_day'),
        first_seen_at: eb.ref('excluded.first_seen_at'),
        eligible_at: eb.ref('excluded.eligible_at'),
        // A sample that turns out real is shown; what somebody hid stays hidden, however often it is listed.
        hidden_at: sql<Date | null>`case when papers.source <> 'sample' then papers.hidden_at
          else coalesce((select h.at from operator_hides h where h.paper_id = papers.id),
            (select c.at from curations c where c.paper_id = papers.id and c.action = 'hide' and c.undone_at is null)) end`,
        listed_on: eb.ref('excluded.listed_on'),
        listed_at: eb.ref('excluded.listed_at'),
        eligible_again_at: eb.ref('excluded.eligible_again_at'),
      })),
    )
    .execute()
}

const storeObservations = async (trx: Kysely<Tables>, merged: MergedPaper[]): Promise<void> => {
  const rows = merged.flatMap(({ paper, observation }) =>
    observation === null ? [] : [observationRowOf(paper.id, observation)],
  )
  if (rows.length === 0) return
  await trx
    .insertInto('observations')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['paper_id', 'observed_at']).doUpdateSet((eb) => ({
        hour_known: eb.ref('excluded.hour_known'),
        upvotes: eb.ref('excluded.upvotes'),
        comments: eb.ref('excluded.comments'),
        stars: eb.ref('excluded.stars'),
      })),
    )
    .execute()
}

/** That a paper has many upvotes; `storeNews` knows whether it had fewer. */
const upvotesNews = (paperId: string, observation: Observation | null): PaperNews | null =>
  observation === null || (observation.upvotes ?? 0) < MANY_UPVOTES
    ? null
    : { paperId, kind: 'upvotes', version: null, seenAt: observation.at }

const observationRowOf = (paperId: string, observation: Observation): Tables['observations'] => ({
  paper_id: paperId,
  observed_at: observation.at,
  hour_known: observation.hourKnown,
  upvotes: observation.upvotes,
  comments: observation.comments,
  stars: observation.stars,
})

/** What is held of some papers, by id, and when each was last observed. */
const readHeld = async (db: Kysely<Tables>, ids: string[]) => {
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
        paper: paperOf(texts),
        revision: texts.revision,
        source,
        listDay: list_day,
        firstSeenAt: first_seen_at,
        listedOn: listed_on,
        listedAt: listed_at,
        lastObservedAt: last_observed_at ?? first_seen_at,
      },
    ]),
  )
}

/** Replaces the relevance to topics of some papers. */
const storeRelevance = async (db: Kysely<Tables>, papers: Paper[], score: Score) => {
  if (papers.length === 0) return
  await db
    .deleteFrom('paper_topics')
    .where(
      'paper_id',
      'in',
      papers.map((paper) => paper.id),
    )
    .execute()
  const rows = papers.flatMap((paper) =>
    score(paper).map(({ topic, score, matches }) => ({
      topic,
      paper_id: paper.id,
      score,
      matches: JSON.stringify(matches) as never,
    })),
  )
  if (rows.length > 0) await db.insertInto('paper_topics').values(rows).execute()
}

/** Papers scored in one transaction: few, so that intake does not wait long. */
const RESCORE_BATCH = 200

/** Scores all papers held again, as after a change of the model, in batches of a transaction each. Returns how many. */
export const rescore = async (db: Database, score: Score): Promise<number> => {
  const { rows } = await sql<{ id: string }>`select id from papers order by id`.execute(db)
  for (let at = 0; at < rows.length; at += RESCORE_BATCH) {
    const ids = rows.slice(at, at + RESCORE_BATCH).map((row) => row.id)
    await db.transaction().execute(async (trx) => {
      await waitForIntake(trx)
      const { rows: texts } = await sql<Texts>`
        select t.* from papers p join paper_texts t on t.paper_id = p.id and t.revision = p.revision
        where p.id = any(${ids})`.execute(trx)
      await storeRelevance(trx, texts.map(paperOf), score)
    })
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
