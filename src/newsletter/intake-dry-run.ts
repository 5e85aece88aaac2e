/** A dry run of a source: what it lists now, what would be stored, and what would be skipped. */
import { addDays } from '../core/calendar.ts'
import type { Listing } from '../core/papers/paper.ts'
import type { Problem } from '../core/papers/paper-file.ts'
import { readUncategorised } from '../store/papers/categories.ts'
import { dryRunListings, type StoredCounts } from '../store/papers/listings.ts'
import { addCounts, type IntakePorts, type Part, readParts, storeAll } from './intake.ts'
import { createRequestContext, type Source } from './source.ts'

export interface DryRun {
  source: string
  wouldStore: StoredCounts
  /** What could be read. */
  understood: {
    papers: number
    /** Papers by list day, newest first. */
    listDays: Record<string, number>
    /** Papers by category, the most frequent first. */
    categories: Record<string, number>
    /** Papers without the part named. */
    without: { abstract: number; authors: number; upvotes: number }
    /** Of feeds: entries by what they announce, and the day of the newest (`null`: the feed is empty). */
    announced?: Record<string, number>
    batchDay?: string | null
  }
  skipped: Problem[]
  /** What is odd about the response. */
  notices: string[]
  /** Of arXiv: papers that came from elsewhere without categories, and for how many of the first it has some. */
  uncategorised?: { papers: number; answered: number }
  titles: { id: string; title: string }[]
}

/** Lists grow until the night: three days hold one that is complete and one that is not. */
const DAYS_TRIED = 3
const TITLES_SHOWN = 5

const countBy = (keys: string[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

const understoodOf = (listings: Listing[], feed: Part['feed']): DryRun['understood'] => {
  const papers = listings.map((listing) => listing.paper)
  const days = countBy(listings.map((listing) => listing.listDay))
  const categories = countBy(papers.flatMap((paper) => paper.categories))
  return {
    papers: listings.length,
    listDays: Object.fromEntries([...days].sort(([a], [b]) => (a < b ? 1 : -1))),
    categories: Object.fromEntries([...categories].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
    without: {
      abstract: papers.filter((paper) => paper.abstract === '').length,
      authors: papers.filter((paper) => paper.authors.length === 0).length,
      upvotes: listings.filter((listing) => listing.observation.upvotes === null).length,
    },
    ...(feed === undefined || feed === 'unchanged' ? {} : feed),
  }
}

/**
 * Reads a source as a refresh would, under the same rate limit, and stores nothing: neither papers nor which version of a
 * feed was read. Of a source with days it reads the three newest, or those of `days`. Throws `SourceError`.
 */
export const dryRunSource = async (ports: IntakePorts, source: Source, days?: string[]): Promise<DryRun> => {
  const { db, now, signal } = ports
  const today = now().toISOString().slice(0, 10)
  const newest = Array.from({ length: DAYS_TRIED }, (_, back) => addDays(today, -back))
  const wouldStore: StoredCounts = { added: 0, changed: 0, unchanged: 0 }
  const listings: Listing[] = []
  const skipped: Problem[] = []
  const notices: string[] = []
  let feed: Part['feed']
  for await (const part of readParts(ports, source, days ?? newest, true)) {
    const stored = await storeAll(db, part.name, part.listings, ports.scorer, dryRunListings)
    addCounts(wouldStore, stored)
    listings.push(...part.listings)
    skipped.push(...part.problems, ...stored.skipped)
    notices.push(...part.notices)
    feed = part.feed
  }
  const dryRun: DryRun = {
    source: source.label,
    wouldStore,
    understood: understoodOf(listings, feed),
    skipped,
    notices,
    titles: listings.slice(0, TITLES_SHOWN).map(({ paper }) => ({ id: paper.id, title: paper.title })),
  }
  if (source.kind !== 'feed') return dryRun
  const ids = await readUncategorised(db, source.maxIds)
  const found =
    ids.length === 0 ? null : await source.fetchMetadata(ids, createRequestContext(db, source.rateLimit, signal))
  const answered = [...(found ?? [])].filter(([, { categories }]) => categories.length > 0).length
  return { ...dryRun, uncategorised: { papers: ids.length, answered } }
}
