/** arXiv: the feed of what it announced today in some categories, and what its API says of papers by their ids. */

import { SECOND } from '../../core/calendar.ts'
import {
  type AnnounceType,
  type FeedEntry,
  newsOfReplacement,
  readAnnouncement,
  withdrawalOf,
} from '../../core/papers/arxiv-announcement.ts'
import type { Listing, Paper } from '../../core/papers/paper.ts'
import { keepLatest, type Problem } from '../../core/papers/paper-file.ts'
import type { PaperNews } from '../../core/papers/paper-news.ts'
import { categoriesOf, MAX_AUTHORS, readArxivId, readDate, UnreadableRow } from '../../core/papers/paper-row.ts'
import { SourceError } from '../../core/papers/source-error.ts'
import { readVenue } from '../../core/papers/venue.ts'
import { tellsWithdrawal } from '../../core/papers/withdrawal.ts'
import { readAuthorEntries } from '../../core/text/author-list.ts'
import { ABSTRACT_LENGTH, cleanLine, cleanText, TITLE_LENGTH } from '../../core/text/text.ts'
import {
  getFromSource,
  type RateLimit,
  type SourceResponse,
  type Validators,
  type WithPermit,
} from './source-request.ts'
import { childrenOf, readXml, textOf, UnreadableXml, type XmlElement } from './xml.ts'

export const ARXIV_FEEDS = 'https://rss.arxiv.org'
export const ARXIV_API = 'https://export.arxiv.org'

/**
 * One request every three seconds and one connection at a time, for all machines of one operator; feeds and API count
 * together. https://info.arxiv.org/help/api/tou.html
 */
export const ARXIV_RATE_LIMIT: RateLimit = { name: 'arxiv', gap: 3 * SECOND, timeout: 30 * SECOND }

/** A feed has no more entries: the rest of a larger batch is left out, and nothing in it says so. */
const MAX_ENTRIES = 2_000
/** Ids in one request for metadata: a URL of some 1,200 characters. */
export const MAX_IDS = 100
/** Octets; 2,000 entries have some 5 MB. */
const MAX_FEED = 15_000_000

const ATOM = 'http://www.w3.org/2005/Atom'
const ARXIV = 'http://arxiv.org/schemas/atom'
const DUBLIN_CORE = 'http://purl.org/dc/elements/1.1/'

export interface ArxivOptions {
  /** Our BASE_URL, for the User-Agent. */
  contact: string
  withPermit: WithPermit
  /** Scheme and host of feeds and API in place of arXiv's, for tests; then in any network. */
  baseUrl?: string
  /** Milliseconds for one request, its body included. */
  timeout?: number
  /** Aborts the reading; its reason is thrown. */
  signal?: AbortSignal | undefined
}

export interface ArxivFeed {
  /** Papers that are new in, or cross-listed to, one of the categories, each once. */
  rows: Listing[]
  /** News of papers that were announced before: from their replacements, and of those withdrawn by now. */
  news: PaperNews[]
  /** Entries that were skipped because they could not be read. */
  problems: Problem[]
  /** How many entries were understood, replacements among them. */
  announced: Record<AnnounceType, number>
  /** The day of the newest entry, `YYYY-MM-DD`; `null` for an empty feed, as at weekends. */
  batchDay: string | null
  /** Whether it has as many entries as a feed can have, so that some may be missing. */
  isFull: boolean
  /** For the next request. */
  validators: Validators
}

/** The root of a whole Atom feed. Throws `SourceError` for anything else. */
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
  comment: textOf(entry, ARXIV, 'comment'),
})

const readFeed = ({ body, validators }: SourceResponse, now: Date): ArxivFeed => {
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
      const isListed = type === 'new' || type === 'cross'
      const told = isListed ? withdrawalOf(read, listing) : newsOfReplacement(read, listing)
      if (told !== null) news.push(told)
      else if (isListed) found.push(listing)
    } catch (error) {
      if (!(error instanceof UnreadableRow)) throw error
      problems.push({ where: `entry ${at + 1}`, problem: error.message })
    }
  }
  // A few odd entries are skipped; where they are many the format has changed, and the others may be misread too.
  if (problems.length > entries.length / 10)
    throw new SourceError(`its entries have an unknown shape: ${problems[0]?.where}, ${problems[0]?.problem}`)
  // A paper that is new in one category and cross-listed to another may stand there twice.
  const rows = keepLatest(found).listings
  return { rows, news, problems, announced, batchDay, isFull: entries.length >= MAX_ENTRIES, validators }
}

/**
 * The latest announcements of arXiv in some categories (`cs.CL`, `cs.LG`), seen `now`; `'unchanged'` where the feed is
 * still the one with the validators `known`. Throws `SourceError` where it cannot be read as a whole.
 */
export const fetchArxivFeed = async (
  categories: readonly string[],
  known: Validators | null,
  now: Date,
  options: ArxivOptions,
): Promise<ArxivFeed | 'unchanged'> => {
  const url = new URL(`/atom/${categories.join('+')}`, options.baseUrl ?? ARXIV_FEEDS)
  const response = await getFromSource(url, { ...requestOf(options), known, maxBody: MAX_FEED })
  return response.status === 304 ? 'unchanged' : readFeed(response, now)
}

const requestOf = ({ contact, withPermit, timeout, signal, baseUrl }: ArxivOptions) => ({
  contact,
  accept: 'application/atom+xml',
  withPermit,
  timeout: timeout ?? ARXIV_RATE_LIMIT.timeout,
  anyNetwork: baseUrl !== undefined,
  signal,
})

/** What arXiv's API says of a paper. */
export interface ArxivMetadata {
  /** The primary one first. */
  categories: string[]
  /** What its newest version says in its comment, or in place of its abstract. */
  isWithdrawn: boolean
  /** `accepted at ICML 2026`, as its comment or its journal reference says; `null` where neither does. */
  venue: string | null
}

/**
 * What arXiv says now of papers by their ids, at most `MAX_IDS` of them; papers that it does not know are left out. Throws
 * `SourceError`.
 */
export const fetchArxivMetadata = async (
  ids: readonly string[],
  options: ArxivOptions,
): Promise<Map<string, ArxivMetadata>> =>
  new Map([...(await queryApi(ids, options))].map(([id, entry]) => [id, metadataOf(entry)]))

/**
 * Papers as arXiv's API has them, by their ids, at most `MAX_IDS` of them; those that it does not know, or that it has without
 * a title, are left out. An id by itself that it regards as malformed is unknown. Throws `SourceError`.
 */
export const fetchArxivPapers = async (
  ids: readonly string[],
  options: ArxivOptions,
): Promise<Map<string, { paper: Paper; isWithdrawn: boolean }>> => {
  const found = new Map<string, { paper: Paper; isWithdrawn: boolean }>()
  for (const [id, entry] of await queryApi(ids, options, ids.length === 1)) {
    const title = cleanLine(textOf(entry, ATOM, 'title'), TITLE_LENGTH)
    if (title === '') continue
    const { categories, isWithdrawn } = metadataOf(entry)
    const authors = childrenOf(entry, ATOM, 'author').map((author) => textOf(author, ATOM, 'name'))
    found.set(id, {
      paper: {
        id,
        title,
        abstract: cleanText(textOf(entry, ATOM, 'summary'), ABSTRACT_LENGTH),
        authors: readAuthorEntries(authors.slice(0, MAX_AUTHORS)),
        publishedOn: readDate(textOf(entry, ATOM, 'published')),
        categories,
        codeUrl: null,
        projectUrl: null,
        discussionUrl: null,
      },
      isWithdrawn,
    })
  }
  return found
}

const metadataOf = (entry: XmlElement): ArxivMetadata => {
  const [primary] = childrenOf(entry, ARXIV, 'primary_category')
  const comment = textOf(entry, ARXIV, 'comment')
  // Where it does not say when its first version came out, no meeting is late enough.
  const firstYear = Number(readDate(textOf(entry, ATOM, 'published'))?.slice(0, 4) ?? Number.POSITIVE_INFINITY)
  return {
    categories: categoriesOf([primary?.attributes.get('term'), ...termsOf(entry)]),
    isWithdrawn: tellsWithdrawal({ comment, abstract: textOf(entry, ATOM, 'summary') }),
    venue: readVenue({ comment, journalRef: textOf(entry, ARXIV, 'journal_ref') }, firstYear),
  }
}

/** The entries of the API for some ids, by id; `mayRefuse`: that it refuses the query means that it knows none. */
const queryApi = async (
  ids: readonly string[],
  options: ArxivOptions,
  mayRefuse = false,
): Promise<Map<string, XmlElement>> => {
  const url = new URL('/api/query', options.baseUrl ?? ARXIV_API)
  // Without max_results it returns ten, however many ids are given.
  url.search = `id_list=${ids.map(encodeURIComponent).join(',')}&max_results=${ids.length}`
  // It may answer 400 to an id that it regards as malformed.
  const { body, status } = await getFromSource(url, { ...requestOf(options), expected: mayRefuse ? [400] : [] })
  const found = new Map<string, XmlElement>()
  if (status === 400) return found
  for (const entry of childrenOf(readAtom(body), ATOM, 'entry')) {
    // An error comes with status 200 too, as an entry.
    if (textOf(entry, ATOM, 'id').includes('/api/errors')) {
      if (mayRefuse) return found
      throw new SourceError('it refused the query')
    }
    const id = readArxivId(textOf(entry, ATOM, 'id'))
    if (id !== null && ids.includes(id)) found.set(id, entry)
  }
  return found
}
