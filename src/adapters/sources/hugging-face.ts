/** Reads the daily papers of Hugging Face: one list day with all of its pages, or nothing. */
import { SECOND } from '../../core/calendar.ts'
import type { Listing } from '../../core/papers/paper.ts'
import { keepLatest, type Problem } from '../../core/papers/paper-file.ts'
import { isRow, readDate, readHuggingFaceRow, UnreadableRow } from '../../core/papers/paper-row.ts'
import { SourceError } from '../../core/papers/source-error.ts'
import { getFromSource, type RateLimit, type WithPermit } from './source-request.ts'

export const HUGGING_FACE = 'https://huggingface.co'

/** Rows of a page, the most that the API gives; without the parameter it cuts a long day after `DEFAULT_PAGE`. */
const PAGE = 100
/** A page of this length may have been cut by a server that ignores `limit`. */
const DEFAULT_PAGE = 50
const MAX_PAGES = 20

/** 500 requests in five minutes are allowed; one after the other they are far fewer. huggingface.co/docs/hub/rate-limits */
export const HUGGING_FACE_RATE_LIMIT: RateLimit = { name: 'huggingface', gap: 0, timeout: 10 * SECOND }

export interface HuggingFaceOptions {
  /** Our BASE_URL, for the User-Agent. */
  contact: string
  withPermit: WithPermit
  /** When the counts are seen. */
  now: Date
  /** Scheme and host of the API in place of Hugging Face's, for tests; then in any network. */
  baseUrl?: string
  /** Milliseconds for one request, its body included. */
  timeout?: number
  /** Aborts the reading; its reason is thrown. */
  signal?: AbortSignal | undefined
}

export interface HuggingFaceDay {
  /** Each paper once; empty at weekends. */
  rows: Listing[]
  /** Rows that were skipped. */
  problems: Problem[]
  /** `false` where the source has not opened the day yet. */
  opened: boolean
}

/** The rows of one page as received; `null` where the day is not open yet. */
const fetchPage = async (day: string, page: number, options: HuggingFaceOptions): Promise<unknown[] | null> => {
  const url = new URL('/api/daily_papers', options.baseUrl ?? HUGGING_FACE)
  url.search = new URLSearchParams({ date: day, limit: String(PAGE), p: String(page) }).toString()
  // A day that has not begun everywhere may not be open yet; then it is refused.
  const mayBeClosed = page === 0 && day >= options.now.toISOString().slice(0, 10)
  const { status, body } = await getFromSource(url, {
    contact: options.contact,
    accept: 'application/json',
    withPermit: options.withPermit,
    expected: mayBeClosed ? [400] : [],
    timeout: options.timeout ?? HUGGING_FACE_RATE_LIMIT.timeout,
    anyNetwork: options.baseUrl !== undefined,
    signal: options.signal,
  })
  if (status === 400) return null
  if (body.trimStart().startsWith('<')) throw new SourceError('it answered with a web page')
  const rows = parse(body)
  if (!Array.isArray(rows)) throw new SourceError('its answer is no list of papers')
  return rows
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SourceError('its answer is not JSON, or cut short', { cause: error })
  }
}

/** Whether rows name other days only: the source may answer with another list than the one requested. */
const areOfOtherDay = (rows: readonly unknown[], day: string): boolean => {
  const days = rows.map((row) => (isRow(row) && isRow(row.paper) ? readDate(row.paper.submittedOnDailyAt) : null))
  const said = days.filter((other) => other !== null)
  return said.length > 0 && !said.includes(day)
}

/**
 * The papers that Hugging Face lists under `day` (`YYYY-MM-DD`), with the counts as seen `now`. Reads page after page
 * until a short one. Throws `SourceError` where any page fails or cannot be read: there is no partial result.
 */
export const fetchHuggingFaceDay = async (day: string, options: HuggingFaceOptions): Promise<HuggingFaceDay> => {
  const found: Listing[] = []
  const problems: Problem[] = []
  const seen = new Set<string>()
  let count = 0
  for (let page = 0; page < MAX_PAGES; page++) {
    const rows = await fetchPage(day, page, options)
    if (rows === null) return { rows: [], problems: [], opened: false }
    if (areOfOtherDay(rows, day)) throw new SourceError('it answered with the list of another day')
    const before = seen.size
    for (const row of rows) {
      count++
      try {
        const listing = readHuggingFaceRow(row, { listDay: day, observedAt: options.now, today: day })
        seen.add(listing.paper.id)
        found.push(listing)
      } catch (error) {
        if (!(error instanceof UnreadableRow)) throw error
        problems.push({ where: `row ${count}`, problem: error.message })
      }
    }
    // A few odd rows are skipped; where they are many the format has changed, and the others may be misread too.
    if (problems.length > count / 10 && problems.length > 0)
      throw new SourceError(`its rows have an unknown shape: ${problems[0]?.where}, ${problems[0]?.problem}`)
    if (rows.length < DEFAULT_PAGE || seen.size === before)
      return { rows: keepLatest(found).listings, problems, opened: true }
  }
  throw new SourceError(`its list has more than ${MAX_PAGES} pages`)
}
