/** The intake of papers: refreshes from the sources, imports by hand, and the sample for want of a source. */

import { addDays, DAY, daysBetween, utcMidnight, weekdayOf } from '../core/calendar.ts'
import { whyRefused } from '../core/database-error.ts'
import type { Log } from '../core/log.ts'
import type { Listing, SourceName } from '../core/papers/paper.ts'
import type { Problem } from '../core/papers/paper-file.ts'
import type { PaperNews } from '../core/papers/paper-news.ts'
import { SourceError } from '../core/papers/source-error.ts'
import { redact } from '../core/redact.ts'
import { quoted } from '../core/text/text.ts'
import type { Database } from '../store/database.ts'
import { readUncategorised, storeCategories } from '../store/papers/categories.ts'
import { type StoredCounts, type StoreListings, storeListings } from '../store/papers/listings.ts'
import { storeNews } from '../store/papers/paper-news.ts'
import {
  countListedBefore,
  holdsAnyPapers,
  holdsRealPapers,
  readHeldAmong,
  readListDays,
} from '../store/papers/papers.ts'
import { settleSearchIndex } from '../store/papers/search-index.ts'
import { readVenueless, storeVenues } from '../store/papers/venues.ts'
import { readRefresh, storeRefresh } from '../store/refreshes.ts'
import { readFeed, storeFeed } from '../store/source-feeds.ts'
import { isolate } from './isolation.ts'
import { type Scorer, settleScores, shippedScorer } from './relevance.ts'
import { createRequestContext, type Source } from './source.ts'

export interface IntakePorts {
  db: Database
  now: () => Date
  log: Log
  /** Scores papers; by default with the model that ships with the project. */
  scorer?: Scorer
  /** Aborts a refresh, between two requests or within one. */
  signal?: AbortSignal
}

/** A part of a reading of a source: one day of a source with days, otherwise all of it. */
export interface Part {
  name: SourceName
  listings: Listing[]
  /** News of papers that were listed before. */
  news?: PaperNews[]
  /** The rows that were skipped, and why. */
  problems: Problem[]
  /** What is odd about a response that can be used all the same, as clauses. */
  notices: string[]
  /** Only of feeds. */
  feed?: { announced: Record<string, number>; batchDay: string | null } | 'unchanged'
  /** To be called once the part is stored. */
  remember?: () => Promise<void>
}

/** List days that the first refresh reads: enough for a trend over the last 28 of them. */
const ARCHIVE_DAYS = 40
/** Lists grow until the night and counts for days, so the last three days are read again each time. */
const GROWING_DAYS = 3
const BATCH = 200
/** Requests for categories at each refresh: at arXiv's rate limit some ten seconds, and an archive takes a morning. */
const CATEGORY_REQUESTS = 2
/** The same for venues: with a refresh an hour some 4,800 papers a day, each asked for once in two weeks. */
const VENUE_REQUESTS = 2

/** What became of listings. */
export interface Stored extends StoredCounts {
  /** Those with values that the database refuses: the paper, and why. */
  skipped: Problem[]
}

/**
 * Stores listings in batches, each in a transaction of its own; with `dryRunListings` nothing is kept. A listing that cannot
 * be stored is skipped: its batch is halved until it stands alone. Rejects where the database itself fails.
 */
export const storeAll = async (
  db: Database,
  source: SourceName,
  listings: Listing[],
  { score } = shippedScorer(),
  store: StoreListings = storeListings,
): Promise<Stored> => {
  const total: Stored = { added: 0, changed: 0, unchanged: 0, skipped: [] }
  const refused = await isolate(
    listings,
    BATCH,
    async (batch) => addCounts(total, await store(db, source, batch, score)),
    whyRefused,
  )
  total.skipped = refused.map(({ item: { paper }, cause }) => ({
    where: `paper ${paper.id}, ${quoted(paper.title)}`,
    problem: cause,
  }))
  return total
}

/** Adds counts to a total. */
export const addCounts = (total: StoredCounts, counts: StoredCounts): void => {
  total.added += counts.added
  total.changed += counts.changed
  total.unchanged += counts.unchanged
}

/** The list days to read, newest first: the growing ones, those missed since the last success, at first the archive. */
export const daysToRead = (
  today: string,
  lastSuccess: Date | null,
  { archiveDays = ARCHIVE_DAYS, everyDay = false }: { archiveDays?: number; everyDay?: boolean } = {},
): string[] => {
  const gap = lastSuccess === null ? archiveDays : daysBetween(lastSuccess.toISOString().slice(0, 10), today)
  const span = Math.min(archiveDays, GROWING_DAYS + Math.max(0, gap))
  const days = Array.from({ length: span }, (_, back) => addDays(today, -back))
  // Weekend lists of Hugging Face are empty and left out, except today's, in case that changes.
  return everyDay ? days : days.filter((day, back) => back === 0 || weekdayOf(day) <= 5)
}

/**
 * Reads every source once. A source that fails leaves what is stored untouched and is tried again next time; the
 * others go on. Where arXiv is among the sources, papers of other sources get their categories there. Returns the labels of
 * the sources that could be read.
 */
export const refreshPapers = async (ports: IntakePorts, sources: Source[]): Promise<string[]> => {
  const { db, now, log, signal, scorer = shippedScorer() } = ports
  const read: string[] = []
  const rescored = await settleScores(db, scorer)
  if (rescored > 0) log.info({ papers: rescored }, 'papers scored again by another relevance model or other topics')
  const indexed = await settleSearchIndex(db)
  if (indexed > 0) log.info({ papers: indexed }, 'papers indexed for the search')
  for (const source of sources) {
    if (signal?.aborted) return read
    const startedAt = now()
    try {
      const counts = await refreshSource(ports, source)
      await storeRefresh(db, source.label, startedAt, null)
      read.push(source.label)
      log.info({ source: source.label, ...counts }, 'papers refreshed')
    } catch (error) {
      // A stop is no failure of the source.
      if (signal?.aborted) return read
      const message = redact(error instanceof Error ? error.message : String(error))
      await storeRefresh(db, source.label, startedAt, message)
      log.warn({ source: source.label, error: message }, 'source could not be read; what is stored stays as it is')
    }
  }
  const feed = sources.find((source) => source.kind === 'feed')
  if (feed !== undefined) {
    await addCategories(ports, feed)
    await askForVenues(ports, feed)
  }
  return read
}

/** Reads a source and stores what it gives, part by part; `days` are those of a source that has days. */
export const refreshSource = async (ports: IntakePorts, source: Source, days?: string[]): Promise<StoredCounts> => {
  const { db, log } = ports
  const total: StoredCounts = { added: 0, changed: 0, unchanged: 0 }
  for await (const { name, listings, news, problems, notices, remember } of readParts(ports, source, days)) {
    for (const notice of notices) log.warn({ source: source.label, notice }, 'source answered, but not as expected')
    const { skipped, ...counts } = await storeAll(db, name, listings, ports.scorer)
    // A title, or what a source wrote in place of an id, may hold somebody's address.
    for (const { where, problem } of [...problems, ...skipped])
      log.warn({ source: source.label, where: redact(where), problem: redact(problem) }, 'row skipped')
    // A few odd rows are skipped; where all are, the fault is not theirs.
    if (skipped.length > 1 && skipped.length === listings.length)
      throw new SourceError(`none of its rows can be stored: ${skipped[0]?.where}, ${skipped[0]?.problem}`)
    addCounts(total, counts)
    if (news !== undefined && source.kind === 'days') await storeNews(db, news)
    if (news === undefined || source.kind !== 'feed') await remember?.()
    else if (await storeReplacements(ports, source, news)) await remember?.()
  }
  return total
}

/** Reads a source part by part; nothing is stored. `afresh`: a feed is read even if it has not changed. */
export const readParts = (
  ports: IntakePorts,
  source: Source,
  days?: string[],
  afresh = false,
): AsyncGenerator<Part> => {
  switch (source.kind) {
    case 'days':
      return readDays(ports, source, days)
    case 'feed':
      return readBatch(ports, source, afresh)
    case 'whole':
      return readWhole(ports, source)
  }
}

async function* readDays(
  { db, now, signal }: IntakePorts,
  source: Source & { kind: 'days' },
  days?: string[],
): AsyncGenerator<Part> {
  const context = createRequestContext(db, source.rateLimit, signal)
  const last = await readRefresh(db, source.label)
  for (const day of days ?? daysToRead(now().toISOString().slice(0, 10), last?.succeeded_at ?? null, source)) {
    // A day is stored whole or not at all: a fetch that fails on its second page gives no listings.
    const { rows, problems, news } = await source.fetchDay(day, now(), context)
    const named = problems.map(({ where, problem }) => ({ where: `${day}, ${where}`, problem }))
    yield { name: source.name, listings: rows, problems: named, notices: [], ...(news === undefined ? {} : { news }) }
  }
}

async function* readBatch(
  { db, now, signal }: IntakePorts,
  source: Source & { kind: 'feed' },
  afresh: boolean,
): AsyncGenerator<Part> {
  const held = await readFeed(db, source.label)
  const at = now()
  const feed = await source.fetchFeed(afresh ? null : held, at, createRequestContext(db, source.rateLimit, signal))
  const part = { name: source.name, listings: [], problems: [] }
  const batchDay = feed === 'unchanged' ? (held?.batchDay ?? null) : feed.batchDay
  const late = source.lateBatch(batchDay, at)
  const notices = late === null ? [] : [late]
  if (feed === 'unchanged') {
    yield { ...part, notices, feed }
    return
  }
  if (feed.isFull) notices.push('it is as long as it can be: some papers may be missing; name fewer categories')
  if (await isOldBatch(db, feed)) notices.push(`most of its batch of ${batchDay} was served on an earlier day`)
  const remember = () => storeFeed(db, source.label, { ...feed.validators, batchDay })
  const { rows: listings, news, problems, announced } = feed
  yield { ...part, listings, news, problems, notices, feed: { announced, batchDay }, remember }
}

/** Whether a batch is an older one under a new date: most of its papers are held with an earlier list day. */
const isOldBatch = async (
  db: Database,
  { rows, batchDay }: { rows: Listing[]; batchDay: string | null },
): Promise<boolean> => {
  if (batchDay === null || rows.length === 0) return false
  const ids = rows.map((row) => row.paper.id)
  return (await countListedBefore(db, ids, batchDay)) > rows.length / 2
}

async function* readWhole({ now }: IntakePorts, source: Source & { kind: 'whole' }): AsyncGenerator<Part> {
  // All of it is read before any of it is stored: a file cut in half changes nothing.
  const parts: Part[] = []
  for await (const { source: name, listings, problems = [] } of source.read(now()))
    parts.push({ name, listings, problems, notices: [] })
  yield* parts
}

const withdrawalAt = (paperId: string, seenAt: Date): PaperNews => ({
  paperId,
  kind: 'withdrawn',
  version: null,
  seenAt,
})

/** Ids of the form since April 2007; one that arXiv regards as malformed would fail the whole request. */
const NEW_ID = /^\d{4}\.\d{4,5}$/

/**
 * Stores the news of a feed. A feed tells that there is another version and not what its comment says, and in the comment
 * stands that a paper is withdrawn: of papers that we hold it is asked for first. Returns `false` where it could not be had;
 * then versions are told at a later refresh.
 */
const storeReplacements = async (
  { db, now, log, signal }: IntakePorts,
  source: Source & { kind: 'feed' },
  news: readonly PaperNews[],
): Promise<boolean> => {
  const [versions, others] = [
    news.filter(({ kind }) => kind === 'version'),
    news.filter(({ kind }) => kind !== 'version'),
  ]
  await storeNews(db, others)
  const held = await readHeldAmong(db, [...new Set(versions.map(({ paperId }) => paperId))])
  const ids = held.filter((id) => NEW_ID.test(id))
  const context = createRequestContext(db, source.rateLimit, signal)
  const withdrawn = new Set<string>()
  try {
    for (let at = 0; at < ids.length; at += source.maxIds) {
      const asked = ids.slice(at, at + source.maxIds)
      const metadata = await source.fetchMetadata(asked, context)
      for (const [id, { isWithdrawn }] of metadata) if (isWithdrawn) withdrawn.add(id)
      await storeVenues(db, asked, venuesOf(metadata), now())
    }
  } catch (error) {
    if (signal?.aborted) throw error
    const message = redact(error instanceof Error ? error.message : String(error))
    log.warn(
      { source: source.label, error: message },
      'comments of new versions could not be read; the next refresh tries again',
    )
    return false
  }
  await storeNews(
    db,
    versions.map((one) => (withdrawn.has(one.paperId) ? withdrawalAt(one.paperId, one.seenAt) : one)),
  )
  return true
}

/** Requests the categories of papers that have none, some at each refresh; after an error the next refresh goes on. */
const addCategories = async (ports: IntakePorts, source: Source & { kind: 'feed' }): Promise<void> => {
  const { db, now, log, signal } = ports
  const context = createRequestContext(db, source.rateLimit, signal)
  try {
    for (let request = 0; request < CATEGORY_REQUESTS; request++) {
      const ids = await readUncategorised(db, source.maxIds)
      if (ids.length === 0) return
      const metadata = await source.fetchMetadata(ids, context)
      const categories = new Map([...metadata].map(([id, one]) => [id, one.categories]))
      const added = await storeCategories(db, ids, categories)
      await storeVenues(db, ids, venuesOf(metadata), now())
      await storeNews(
        db,
        ids.flatMap((id) => (metadata.get(id)?.isWithdrawn ? [withdrawalAt(id, now())] : [])),
      )
      log.info({ source: source.label, asked: ids.length, added }, 'categories added')
    }
  } catch (error) {
    if (signal?.aborted) return
    const message = redact(error instanceof Error ? error.message : String(error))
    log.warn({ source: source.label, error: message }, 'categories could not be read; the next refresh tries again')
  }
}

type Metadata = Awaited<ReturnType<(Source & { kind: 'feed' })['fetchMetadata']>>

const venuesOf = (metadata: Metadata): Map<string, string | null> =>
  new Map([...metadata].map(([id, { venue }]) => [id, venue]))

/** Asks where papers were accepted, some at each refresh; after an error the next refresh goes on. */
const askForVenues = async (
  { db, now, log, signal }: IntakePorts,
  source: Source & { kind: 'feed' },
): Promise<void> => {
  const context = createRequestContext(db, source.rateLimit, signal)
  try {
    for (let request = 0; request < VENUE_REQUESTS; request++) {
      const ids = await readVenueless(db, now(), source.maxIds)
      if (ids.length === 0) return
      const metadata = await source.fetchMetadata(ids, context)
      await storeVenues(db, ids, venuesOf(metadata), now())
      await storeNews(
        db,
        ids.flatMap((id) => (metadata.get(id)?.isWithdrawn ? [withdrawalAt(id, now())] : [])),
      )
      log.info({ source: source.label, asked: ids.length }, 'venues asked for')
    }
  } catch (error) {
    if (signal?.aborted) return
    const message = redact(error instanceof Error ? error.message : String(error))
    log.warn({ source: source.label, error: message }, 'venues could not be read; the next refresh tries again')
  }
}

/** Stores the sample where no paper at all is held; returns whether it did. */
export const fillWithSample = async (db: Database, sample: Listing[]): Promise<boolean> => {
  if (await holdsAnyPapers(db)) return false
  // None where a source has stored its papers since.
  return (await storeAll(db, 'sample', sample)).added > 0
}

/** The papers held, as a clause for the log: their list days, and whether they are the sample. */
export const describeHoldings = async (db: Database, now: Date): Promise<string> => {
  const days = await readListDays(db, now, ARCHIVE_DAYS)
  const [newest] = days
  if (newest === undefined) return 'no papers yet'
  const oldest = days.at(-1) ?? newest
  const age = Math.floor((now.getTime() - utcMidnight(newest).getTime()) / DAY)
  const span = days.length === 1 ? newest : `${days.length} list days, ${oldest} to ${newest}`
  if (!(await holdsRealPapers(db))) return `the sample that ships with the project (${span})`
  return age > 4 ? `${span} (the newest is ${age} days old)` : span
}
