/** Reads the papers of a day of bioRxiv or medRxiv by their common interface: with all of its pages, or nothing. */
import { SECOND } from '../../core/calendar.ts'
import type { Listing } from '../../core/papers/paper.ts'
import type { Problem } from '../../core/papers/paper-file.ts'
import type { PaperNews } from '../../core/papers/paper-news.ts'
import { isRow, UnreadableRow } from '../../core/papers/paper-row.ts'
import { type PreprintServer, readPreprintRow } from '../../core/papers/preprint.ts'
import { SourceError } from '../../core/papers/source-error.ts'
import { getFromSource, type RateLimit, type WithPermit } from './source-request.ts'

/** The interface of both servers. It sends no validators, so that nothing can be asked for only where it has changed. */
export const PREPRINT_API = 'https://api.biorxiv.org'

/** No limit is published; one request at a time, as far apart as arXiv asks for, for both servers together. */
export const PREPRINT_RATE_LIMIT: RateLimit = { name: 'biorxiv', gap: 3 * SECOND, timeout: 30 * SECOND }

/** A page has 100 rows; a day has had some 400. */
const MAX_PAGES = 30

export interface PreprintOptions {
  /** Our BASE_URL, for the User-Agent. */
  contact: string
  withPermit: WithPermit
  /** When the papers are seen. */
  now: Date
  /** Scheme and host in place of the interface's, for tests; then in any network. */
  baseUrl?: string | undefined
  /** Milliseconds for one request, its body included. */
  timeout?: number
  /** Aborts the reading; its reason is thrown. */
  signal?: AbortSignal | undefined
}

export interface PreprintDay {
  /** Papers that are new that day. */
  rows: Listing[]
  /** New versions of papers of earlier days. */
  news: PaperNews[]
  /** Rows that were skipped. */
  problems: Problem[]
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SourceError('its answer is not JSON, or cut short', { cause: error })
  }
}

/** A page as received: its rows, and how many there are in all. Before anything was posted, it says so in words. */
const fetchPage = async (
  server: PreprintServer,
  day: string,
  cursor: number,
  options: PreprintOptions,
): Promise<{ rows: unknown[]; total: number }> => {
  const url = new URL(`/details/${server}/${day}/${day}/${cursor}/json`, options.baseUrl ?? PREPRINT_API)
  const { body } = await getFromSource(url, {
    contact: options.contact,
    accept: 'application/json',
    withPermit: options.withPermit,
    timeout: options.timeout ?? PREPRINT_RATE_LIMIT.timeout,
    anyNetwork: options.baseUrl !== undefined,
    signal: options.signal,
  })
  if (body.trimStart().startsWith('<')) throw new SourceError('it answered with a web page')
  const answer = parse(body)
  const [message] = isRow(answer) && Array.isArray(answer.messages) ? answer.messages : []
  if (!isRow(answer) || !Array.isArray(answer.collection) || !isRow(message))
    throw new SourceError('its answer is no list of papers')
  if (answer.collection.length > 0 && message.status !== 'ok')
    throw new SourceError(`its answer has the status ${JSON.stringify(message.status)}`)
  return { rows: answer.collection, total: Number(message.total) }
}

/**
 * The papers that were posted at a server on `day` (`YYYY-MM-DD`), of some categories (`cell-biology`) where any are named, and the
 * versions that came out that day. Reads page after page. Throws `SourceError` where any page fails or cannot be read:
 * there is no partial result.
 */
export const fetchPreprintDay = async (
  server: PreprintServer,
  categories: readonly string[],
  day: string,
  options: PreprintOptions,
): Promise<PreprintDay> => {
  const found = new Map<string, Listing>()
  const news: PaperNews[] = []
  const problems: Problem[] = []
  const isWanted = (category: string): boolean => categories.length === 0 || categories.includes(category)
  let read = 0
  for (let page = 0; page < MAX_PAGES; page++) {
    const { rows, total } = await fetchPage(server, day, read, options)
    for (const row of rows) {
      read++
      try {
        const said = readPreprintRow(row, server, day, options.now)
        if (!isWanted(said.category)) continue
        if ('news' in said) news.push(said.news)
        else found.set(said.listing.paper.id, said.listing)
      } catch (error) {
        if (!(error instanceof UnreadableRow)) throw error
        problems.push({ where: `row ${read}`, problem: error.message })
      }
    }
    // A few odd rows are skipped; where they are many the format has changed, and the others may be misread too.
    if (problems.length > read / 10 && problems.length > 0)
      throw new SourceError(`its rows have an unknown shape: ${problems[0]?.where}, ${problems[0]?.problem}`)
    // Where it does not say how many there are, it is done when it has no more.
    if (rows.length === 0 || read >= total) return { rows: [...found.values()], news, problems }
  }
  throw new SourceError(`its day has more than ${MAX_PAGES} pages`)
}
