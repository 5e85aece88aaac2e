/** Hugging Face daily papers: one list day, all of its pages, or nothing. */
import { MINUTE, SECOND } from '../core/calendar.ts'
import type { Listing } from '../core/paper.ts'
import { mergeDuplicates, type Problem } from '../core/paper-file.ts'
import { isRow, readDate, readHuggingFaceRow, UnreadableRow } from '../core/paper-row.ts'
import { SourceTrouble } from '../core/source-trouble.ts'

export const HUGGING_FACE = 'https://huggingface.co'

/** The most rows that the API gives at once; without this parameter it cuts a long day after `DEFAULT_PAGE`. */
const PAGE = 100
/** A page this long may have been cut by a server that takes no notice of `limit`. */
const DEFAULT_PAGE = 50
const MOST_PAGES = 20
const MOST_REDIRECTS = 3
const MOST_PATIENCE = 10 * SECOND
/** Octets of one answer, unpacked; a page of 100 rows has some 600,000. */
const LARGEST_BODY = 5_000_000
/** The window in which Hugging Face counts requests. https://huggingface.co/docs/hub/rate-limits */
const RATE_WINDOW = 5 * MINUTE

export interface HuggingFaceOptions {
  /** Where this service can be found, its BASE_URL: told to the source, so that they can reach us before they block us. */
  contact: string
  /** When the counts are seen. */
  now: Date
  /** Scheme and host of the API; another than Hugging Face's in tests. */
  baseUrl?: string
  /** Milliseconds for one request, body included. */
  timeout?: number
  /** Ends the reading; its reason is thrown. */
  signal?: AbortSignal | undefined
}

export interface HuggingFaceDay {
  /** Each paper once; empty at weekends. */
  rows: Listing[]
  /** Rows that were skipped. */
  problems: Problem[]
  /** False when the source has not opened the day yet. */
  opened: boolean
}

/** When to ask again after 429 or 503, by `Retry-After` or `RateLimit: "api";r=0;t=120`. */
const retryAtOf = (headers: Headers, status: number, now: Date): Date | null => {
  const after = headers.get('retry-after')?.trim() ?? ''
  const date = /^\d+$/.test(after) ? null : new Date(after)
  const seconds = [after, /(?:^|[;,\s])t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] ?? '']
    .filter((text) => /^\d{1,6}$/.test(text))
    .map(Number)
  const asked = seconds.length > 0 ? now.getTime() + Math.max(...seconds) * SECOND : (date?.getTime() ?? Number.NaN)
  if (!Number.isNaN(asked)) return new Date(asked)
  return status === 429 ? new Date(now.getTime() + RATE_WINDOW) : null
}

/** A body as text; trouble when it grows too large, before the rest of it is read. */
const readBody = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length
    // Leaving the loop cancels the body, and with it the connection.
    if (size > LARGEST_BODY) throw new SourceTrouble(`its answer is larger than ${LARGEST_BODY / 1_000_000} MB`)
    text += decoder.decode(chunk as Uint8Array, { stream: true })
  }
  return text + decoder.decode()
}

/** GET with redirects on the same host alone: data of a source must not lead us to another, or into our own network. */
const get = async (url: URL, options: HuggingFaceOptions, signal: AbortSignal): Promise<Response> => {
  let from = url
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await fetch(from, {
      redirect: 'manual',
      headers: { accept: 'application/json', 'user-agent': `PaperRound (+${options.contact})` },
      signal,
    })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || location === null) return response
    await response.body?.cancel()
    const to = URL.parse(location, from.href)
    if (to?.origin !== from.origin) throw new SourceTrouble('it redirects to another host')
    from = to
  }
  throw new SourceTrouble('it redirects again and again')
}

/** The rows of one page as they came; `null` when the day is not open yet. */
const fetchPage = async (day: string, page: number, options: HuggingFaceOptions): Promise<unknown[] | null> => {
  const url = new URL('/api/daily_papers', options.baseUrl ?? HUGGING_FACE)
  url.search = new URLSearchParams({ date: day, limit: String(PAGE), p: String(page) }).toString()
  const timeout = options.timeout ?? MOST_PATIENCE
  const patience = AbortSignal.timeout(timeout)
  try {
    const response = await get(url, options, options.signal ? AbortSignal.any([options.signal, patience]) : patience)
    const { status, headers } = response
    if (status !== 200) await response.body?.cancel()
    if (status === 400 && page === 0 && day >= options.now.toISOString().slice(0, 10)) return null
    if (status === 429)
      throw new SourceTrouble('it asks us to wait', { retryAt: retryAtOf(headers, status, options.now) })
    if (status !== 200)
      throw new SourceTrouble(`it answered ${status}`, { retryAt: retryAtOf(headers, status, options.now) })
    const text = await readBody(response)
    if (text.trimStart().startsWith('<')) throw new SourceTrouble('it answered with a web page')
    const answer: unknown = JSON.parse(text)
    if (!Array.isArray(answer)) throw new SourceTrouble('its answer is no list of papers')
    return answer
  } catch (error) {
    if (error instanceof SourceTrouble) throw error
    options.signal?.throwIfAborted()
    if (patience.aborted) throw new SourceTrouble(`it took longer than ${timeout / SECOND} s`, { cause: error })
    if (error instanceof SyntaxError) throw new SourceTrouble('its answer is not JSON, or cut short', { cause: error })
    // fetch wraps what went wrong below in a TypeError.
    if (error instanceof TypeError) {
      const { cause } = error
      const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
      throw new SourceTrouble(`it cannot be reached, or broke off${code}`, { cause: error })
    }
    throw error
  }
}

/** What day most of the rows say they are of; guards against a source that answers with another list than asked for. */
const saysOtherDay = (answers: readonly unknown[], day: string): boolean => {
  const days = answers.map((row) => (isRow(row) && isRow(row.paper) ? readDate(row.paper.submittedOnDailyAt) : null))
  const said = days.filter((other) => other !== null)
  return said.length > 0 && !said.includes(day)
}

/**
 * The papers that Hugging Face lists under `day` (`YYYY-MM-DD`), with the counts as seen `now`. Reads page after page
 * until a short one. Throws `SourceTrouble` when any page fails or makes no sense: there is no partial result.
 */
export const fetchHuggingFaceDay = async (day: string, options: HuggingFaceOptions): Promise<HuggingFaceDay> => {
  const found: Listing[] = []
  const problems: Problem[] = []
  const seen = new Set<string>()
  let count = 0
  for (let page = 0; page < MOST_PAGES; page++) {
    const answers = await fetchPage(day, page, options)
    if (answers === null) return { rows: [], problems: [], opened: false }
    if (saysOtherDay(answers, day)) throw new SourceTrouble('it answered with the list of another day')
    const before = seen.size
    for (const answer of answers) {
      count++
      try {
        const listing = readHuggingFaceRow(answer, { listDay: day, observedAt: options.now, today: day })
        seen.add(listing.paper.id)
        found.push(listing)
      } catch (error) {
        if (!(error instanceof UnreadableRow)) throw error
        problems.push({ where: `row ${count}`, problem: error.message })
      }
    }
    // One odd row is skipped; where they are many, the shape has changed, and we no longer know what we read.
    if (problems.length > count / 10 && problems.length > 0)
      throw new SourceTrouble(`its rows have an unknown shape: ${problems[0]?.where}, ${problems[0]?.problem}`)
    if (answers.length < DEFAULT_PAGE || seen.size === before)
      return { rows: mergeDuplicates(found).listings, problems, opened: true }
  }
  throw new SourceTrouble(`its list has more than ${MOST_PAGES} pages`)
}
