/** arXiv: the feed of what it announced today in some categories, and the categories of papers known from elsewhere. */

import { HOUR, SECOND } from '../../core/calendar.ts'
import {
  type AnnounceType,
  arxivDate,
  type FeedEntry,
  newsOfReplacement,
  readAnnouncement,
} from '../../core/papers/arxiv-announcement.ts'
import type { Listing } from '../../core/papers/paper.ts'
import { keepLatest, type Problem } from '../../core/papers/paper-file.ts'
import type { PaperNews } from '../../core/papers/paper-news.ts'
import { categoriesOf, readArxivId, UnreadableRow } from '../../core/papers/paper-row.ts'
import { SourceError } from '../../core/papers/source-error.ts'
import { getFromSource, type RateLimit, type SourceAnswer, type Validators, type WithPermit } from './source-request.ts'
import { childrenOf, readXml, textOf, UnreadableXml, type XmlElement } from './xml.ts'

export const ARXIV_FEEDS = 'https://rss.arxiv.org'
export const ARXIV_API = 'https://export.arxiv.org'

/**
 * One request every three seconds and one connection at a time, over all that one operator runs; feeds and API count
 * together. https://info.arxiv.org/help/api/tou.html
 */
export const ARXIV_RATE_LIMIT: RateLimit = { name: 'arxiv', gap: 3 * SECOND, patience: 30 * SECOND }

/** A feed holds no more: what a larger batch has beyond is left out, and nothing says so. */
const MOST_ENTRIES = 2_000
/** Papers asked for at once: an address of some 1,200 characters. */
export const MOST_IDS = 100
/** 2,000 entries have some 5 MB. */
const LARGEST_FEED = 15_000_000
/** A clock may be wrong by this before a batch seems to be of the future. */
const TOLERANCE = HOUR

const ATOM = 'http://www.w3.org/2005/Atom'
const ARXIV = 'http://arxiv.org/schemas/atom'
const DUBLIN_CORE = 'http://purl.org/dc/elements/1.1/'

export interface ArxivOptions {
  /** Where this service can be found, its BASE_URL. */
  contact: string
  withPermit: WithPermit
  /** Scheme and host of the feeds and of the API; others than arXiv's in tests, and then in any network. */
  baseUrl?: string
  /** Milliseconds for one request, its body included. */
  timeout?: number
  /** Ends the reading; its reason is thrown. */
  signal?: AbortSignal | undefined
}

export interface ArxivFeed {
  /** What is new, in one of the categories or to it, each paper once. */
  rows: Listing[]
  /** What the replacements tell of papers that were announced before. */
  news: PaperNews[]
  /** Entries that were skipped because they could not be read. */
  problems: Problem[]
  /** How many entries were understood, replacements among them. */
  announced: Record<AnnounceType, number>
  /** The day of the newest entry, `YYYY-MM-DD`; `null` for an empty feed, as at weekends. */
  batchDay: string | null
  /** True when it holds as many entries as a feed can, so that some may be missing. */
  isFull: boolean
  /** What to say back the next time. */
  validators: Validators
}

/** The root of an answer that must be an Atom feed, whole. */
const readAtom = (body: string): XmlElement => {
  try {
    const root = readXml(body)
    if (root.namespace === ATOM && root.name === 'feed') return root
  } catch (error) {
    if (!(error instanceof UnreadableXml)) throw error
    if (!isWebPage(body)) throw new SourceError(`its answer cannot be read: ${error.message}`, { cause: error })
  }
  throw new SourceError(isWebPage(body) ? 'it answered with a web page' : 'its answer is no Atom feed')
}

const isWebPage = (body: string): boolean => /^\s*(?:<!doctype html|<html)/i.test(body)

const termsOf = (entry: XmlElement): string[] =>
  childrenOf(entry, ATOM, 'category').flatMap((category) => category.attributes.get('term') ?? [])

const entryOf = (entry: XmlElement): FeedEntry => ({
  id: textOf(entry, ATOM, 'id'),
  title: textOf(entry, ATOM, 'title'),
  summary: textOf(entry, ATOM, 'summary'),
  creators: childrenOf(entry, DUBLIN_CORE, 'creator')
    .map((creator) => creator.text)
    .join(', '),
  categories: termsOf(entry),
  published: textOf(entry, ATOM, 'published'),
  announceType: textOf(entry, ARXIV, 'announce_type'),
})

const readFeed = ({ body, validators }: SourceAnswer, now: Date): ArxivFeed => {
  const entries = childrenOf(readAtom(body), ATOM, 'entry')
  const announced: ArxivFeed['announced'] = { new: 0, cross: 0, replace: 0, 'replace-cross': 0 }
  const found: Listing[] = []
  const news: PaperNews[] = []
  const problems: Problem[] = []
  let batchDay: string | null = null
  for (const [at, entry] of entries.entries()) {
    try {
      const read = entryOf(entry)
      const { type, listing } = readAnnouncement(read, now)
      announced[type]++
      if (batchDay === null || listing.listDay > batchDay) batchDay = listing.listDay
      if (type === 'new' || type === 'cross') found.push(listing)
      else {
        const told = newsOfReplacement(read, listing)
        if (told !== null) news.push(told)
      }
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error
      problems.push({ where: `entry ${at + 1}`, problem: error.message })
    }
  }
  // One odd entry is skipped; where they are many, the shape has changed, and we no longer know what we read.
  if (problems.length > entries.length / 10)
    throw new SourceError(`its entries have an unknown shape: ${problems[0]?.where}, ${problems[0]?.problem}`)
  if (batchDay !== null && batchDay > arxivDate(new Date(now.getTime() + TOLERANCE)))
    throw new SourceError(`its batch is of ${batchDay}, a day that has not come`)
  // A paper that is new in one category and cross-listed to another may stand there twice.
  const rows = keepLatest(found).listings
  return { rows, news, problems, announced, batchDay, isFull: entries.length >= MOST_ENTRIES, validators }
}

/**
 * What arXiv announced last in some categories (`cs.CL`, `cs.LG`), seen `now`; `'unchanged'` when that is what is
 * `known`. Throws `SourceError` when the feed cannot be read as a whole: there is no partial result.
 */
export const fetchArxivFeed = async (
  categories: readonly string[],
  known: Validators | null,
  now: Date,
  options: ArxivOptions,
): Promise<ArxivFeed | 'unchanged'> => {
  const url = new URL(`/atom/${categories.join('+')}`, options.baseUrl ?? ARXIV_FEEDS)
  const answer = await getFromSource(url, { ...requestOf(options), known, largest: LARGEST_FEED })
  return answer.status === 304 ? 'unchanged' : readFeed(answer, now)
}

const requestOf = ({ contact, withPermit, timeout, signal, baseUrl }: ArxivOptions) => ({
  contact,
  accept: 'application/atom+xml',
  withPermit,
  timeout: timeout ?? ARXIV_RATE_LIMIT.patience,
  anyNetwork: baseUrl !== undefined,
  signal,
})

/**
 * The categories of papers by their ids, at most `MOST_IDS` of them, the primary one first; those that arXiv does not
 * know are left out. Throws `SourceError`.
 */
export const fetchArxivCategories = async (
  ids: readonly string[],
  options: ArxivOptions,
): Promise<Map<string, string[]>> => {
  const url = new URL('/api/query', options.baseUrl ?? ARXIV_API)
  // Without max_results ten are answered, however many were asked for.
  url.search = `id_list=${ids.map(encodeURIComponent).join(',')}&max_results=${ids.length}`
  const { body } = await getFromSource(url, requestOf(options))
  const wanted = new Set(ids)
  const found = new Map<string, string[]>()
  for (const entry of childrenOf(readAtom(body), ATOM, 'entry')) {
    // An error comes with status 200 too, as an entry.
    if (textOf(entry, ATOM, 'id').includes('/api/errors')) throw new SourceError('it refused the question')
    const id = readArxivId(textOf(entry, ATOM, 'id'))
    const [primary] = childrenOf(entry, ARXIV, 'primary_category')
    const categories = categoriesOf([primary?.attributes.get('term'), ...termsOf(entry)])
    if (id !== null && wanted.has(id) && categories.length > 0) found.set(id, categories)
  }
  return found
}
