/** What a source lists, being stored: papers, the revisions of their texts, what was observed, and the topics they fit. */
import { type Kysely, sql } from 'kysely'
import { eligibleAgainAt, eligibleAt } from '../core/digest/eligibility.ts'
import type { Listing, Paper, SourceName } from '../core/papers/paper.ts'
import type { PaperNews } from '../core/papers/paper-news.ts'
import type { TopicRelevance } from '../core/relevance/relevance.ts'
import type { Database, Tables } from './database.ts'
import { storeNews } from './paper-news.ts'
import { holdsRealPapers, paperOf, type Texts } from './papers.ts'

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
export const dryRunListings: StoreListings = async (db, source, listings, score) => {
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
  const news: PaperNews[] = []
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
    if (keeps && before.texts.code_url === null && merged.code_url !== null)
      news.push({ paperId: paper.id, kind: 'code', version: null, seenAt: observation.at })
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
  await storeNews(trx, news)
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

/** Scores all papers held anew, as after a change of the model. Returns how many. */
export const rescore = async (db: Database, score: Score): Promise<number> => {
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
