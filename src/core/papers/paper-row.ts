/** Reads one row of JSON into a listing: Hugging Face's own shape, or a flat record under any of many field names. */
import { createHash } from 'node:crypto'
import { isDate } from '../calendar.ts'
import { readAuthorEntries, readAuthorLine } from '../text/author-list.ts'
import { ABSTRACT_LENGTH, cleanLine, cleanText, httpsUrl, NAME_LENGTH, TITLE_LENGTH } from '../text/text.ts'
import {
  ARXIV_CATEGORY,
  ARXIV_ID,
  INSTITUTION_NAME,
  type Institution,
  type Listing,
  type Observation,
  type Paper,
  serverOf,
} from './paper.ts'

/** What is known about rows before they are read. */
export interface RowContext {
  /** The list day that they stand under, `YYYY-MM-DD`, which overrules what a row says of itself; or `null`. */
  listDay: string | null
  /** When the counts were seen; `null` for "as the row says", and failing that 09:00 UTC of the list day. */
  observedAt: Date | null
  /** The list day of rows that name none, `YYYY-MM-DD`; without it flat rows and plain text stand on `today`'s. */
  elseListDay?: string | null
  /** The day by the service's clock, `YYYY-MM-DD`. */
  today: string
}

/** Why a row is no paper, as a clause for people: "it has no title". */
export class UnreadableRow extends Error {
  override name = 'UnreadableRow'
}

/** The time of an observation of which only the day is known. */
const HOUR_OF_UNTIMED_LISTS = 'T09:00:00Z'
/** More names than any paper has had; the rest of a longer list is dropped. */
export const MAX_AUTHORS = 5_000
const MAX_CATEGORIES = 20
/** Of an `integer` column. */
const MAX_COUNT = 2_147_483_647

type Row = Record<string, unknown>

export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value of the first of the names that has one. */
const firstOf = (row: Row, names: readonly string[]): unknown =>
  names.map((name) => row[name]).find((value) => value !== undefined && value !== null && value !== '')

const stringOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

const countOf = (value: unknown): number | null =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_COUNT ? (value as number) : null

const linkOf = (value: unknown): string | null => httpsUrl(stringOf(value) ?? '')

/** Years that a date of a paper can have; any other is mistyped. */
const FIRST_YEAR = '1900'
const LAST_YEAR = '2199'

/** The date that a text begins with, `YYYY-MM-DD`, if the calendar has it and a paper can have it. */
export const readDate = (value: unknown): string | null => {
  const date = /^\d{4}-\d\d-\d\d(?!\d)/.exec(stringOf(value)?.trim() ?? '')?.[0]
  if (date === undefined || !isDate(date)) return null
  const year = date.slice(0, 4)
  return FIRST_YEAR <= year && year <= LAST_YEAR ? date : null
}

/** An instant such as `2024-06-02 01:07:21 +0800` or in ISO form; without a zone it is UTC, without a time `null`. */
export const readInstant = (value: unknown): Date | null => {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d:?\d\d)?$/.exec(
    stringOf(value)?.trim() ?? '',
  )
  if (found === null || readDate(found[1]) === null) return null
  const zone = (found[3] ?? 'Z').replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  const at = new Date(`${found[1]}T${found[2]}${zone}`)
  return Number.isNaN(at.getTime()) ? null : at
}

/** An arXiv id out of `arXiv:2604.00001v2`, an address at arXiv or the id itself; `null` when it is none. */
export const readArxivId = (text: string): string | null => {
  const id = text
    .trim()
    .replace(/^(?:arxiv:\s*|https?:\/\/(?:www\.|export\.)?arxiv\.org\/(?:abs|pdf)\/)/i, '')
    .replace(/\.pdf$/i, '')
    .replace(/v\d+$/, '')
  // Of a new-style id the third and fourth digit are the month.
  return ARXIV_ID.test(id) && (id.includes('/') || /^\d\d(?:0[1-9]|1[0-2])\./.test(id)) ? id : null
}

/** The id of a paper known by its title alone: `file:` and 16 hex digits of SHA-256 of the title's bare words. */
export const idOfTitle = (title: string): string => {
  const words = title
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [title]
  return `file:${createHash('sha256').update(words.join(' ')).digest('hex').slice(0, 16)}`
}

const idOf = (row: Row, title: string): string => {
  const value = firstOf(row, ['id', 'arxiv_id', 'arxivId', 'paper_id', 'arxiv_url', 'url'])
  const text = typeof value === 'number' ? String(value) : (stringOf(value)?.trim() ?? '')
  const arxivId = readArxivId(text)
  if (arxivId !== null) return arxivId
  if (serverOf(text) !== null) return text
  const own = text.replace(/^file:/, '')
  return /^[\w.-]{1,80}$/.test(own) ? `file:${own}` : idOfTitle(title)
}

const titleOf = (value: unknown): string => {
  const title = cleanLine(stringOf(value) ?? '', TITLE_LENGTH)
  if (title === '') throw new UnreadableRow('it has no title')
  return title
}

/** Names from a list of strings or of objects with a `name` (those that the source hides stay hidden), or one line. */
const authorsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return readAuthorLine(value.slice(0, MAX_AUTHORS * NAME_LENGTH)).slice(0, MAX_AUTHORS)
  const entries = (Array.isArray(value) ? value : [])
    .slice(0, MAX_AUTHORS)
    .map((entry: unknown) => (isRow(entry) ? (entry.hidden === true ? '' : stringOf(entry.name)) : stringOf(entry)))
  return readAuthorEntries(entries.filter((name) => name !== null)).slice(0, MAX_AUTHORS)
}

/**
 * Categories such as `cs.CL`, each once, from a list or from one line; what does not look like one is left out, such as
 * the classes of the MSC and ACM (`68T50`, `I.2.7`) that arXiv's API puts among them.
 */
export const categoriesOf = (value: unknown): string[] => {
  const line = (text: string) => text.slice(0, MAX_CATEGORIES * NAME_LENGTH).split(/[\s,;]+/)
  const entries: unknown[] = typeof value === 'string' ? line(value) : Array.isArray(value) ? value : []
  const named = entries.filter((entry): entry is string => typeof entry === 'string')
  return [...new Set(named.filter((name) => ARXIV_CATEGORY.test(name)))].slice(0, MAX_CATEGORIES)
}

/** The institution of `{name, fullname}`, as of `name: null` where there is none; absent for one whose name no address could hold. */
const institutionOf = (value: unknown): { institution?: Institution } => {
  if (!isRow(value)) return {}
  const name = stringOf(value.name)?.trim() ?? ''
  if (!INSTITUTION_NAME.test(name)) return {}
  return { institution: { name, fullName: cleanLine(stringOf(value.fullname) ?? '', NAME_LENGTH) || name } }
}

/** The observation of a row: made at a known instant, or at nine in the morning of its list day. */
export const observationOf = (
  listDay: string,
  at: Date | null,
  counts: Pick<Observation, 'upvotes' | 'comments' | 'stars'>,
): Observation => ({ at: at ?? new Date(listDay + HOUR_OF_UNTIMED_LISTS), hourKnown: at !== null, ...counts })

/**
 * One row of `GET /api/daily_papers`. Traps of that shape: upvotes and links sit on `paper`, comments on the row; the
 * row's own `publishedAt` is not the paper's; `submittedOnDailyAt` has had no time of day since May 2026.
 */
export const readHuggingFaceRow = (row: unknown, context: RowContext): Listing => {
  const paper = isRow(row) ? row.paper : null
  if (!isRow(row) || !isRow(paper)) throw new UnreadableRow('it has no "paper"')
  const either = (name: string): unknown => firstOf(paper, [name]) ?? row[name]
  const id = readArxivId(stringOf(paper.id) ?? '')
  if (id === null) throw new UnreadableRow('its id is not one of arXiv')
  const listDay = context.listDay ?? readDate(either('submittedOnDailyAt')) ?? context.elseListDay ?? null
  if (listDay === null) throw new UnreadableRow('neither its file name nor "submittedOnDailyAt" says its list day')
  return {
    paper: {
      id,
      title: titleOf(either('title')),
      abstract: cleanText(stringOf(either('summary')) ?? '', ABSTRACT_LENGTH),
      authors: authorsOf(paper.authors),
      publishedOn: readDate(paper.publishedAt),
      categories: [],
      codeUrl: linkOf(either('githubRepo')),
      projectUrl: linkOf(either('projectPage')),
      discussionUrl: `https://huggingface.co/papers/${id}`,
    },
    ...institutionOf(either('organization')),
    listDay,
    observation: observationOf(listDay, context.observedAt, {
      upvotes: countOf(either('upvotes')),
      comments: countOf(row.numComments ?? paper.numComments),
      stars: countOf(either('githubStars')),
    }),
  }
}

/**
 * A flat record, as in a line of JSON Lines. Only a title is needed; the first name that holds something counts:
 *
 * - id: `id arxiv_id arxivId paper_id arxiv_url url`; what is no arXiv id, nor `biorxiv:` or `medrxiv:` with a DOI, becomes `file:id`, none a hash of the title
 * - abstract: `abstract summary`; authors: `authors`; categories: `categories`
 * - list day: `list_day listDay daily_date date submittedOnDailyAt`
 * - submitted to arXiv: `published_on publishedOn arxiv_published_at published_at publishedAt published`
 * - seen at: `observed_at observedAt snapshot_at snapshotAt`, `2026-04-14T07:30:00Z` or `2026-04-14 15:30:00 +0800`
 * - counts: `upvotes upvotes_early`, `comments num_comments numComments comments_early`, `stars github_stars
 *   githubStars github_stars_early`
 * - links: `code_url codeUrl githubRepo github`, `project_url projectUrl projectPage homepage`, `discussion_url
 *   discussionUrl`
 * - institution: `organization` with `name` and `fullname`, as Hugging Face has it
 */
export const readFlatRow = (row: unknown, context: RowContext): Listing => {
  if (!isRow(row)) throw new UnreadableRow('it is not an object')
  const title = titleOf(row.title)
  const day = firstOf(row, ['list_day', 'listDay', 'daily_date', 'date', 'submittedOnDailyAt'])
  const listDay = context.listDay ?? (day === undefined ? (context.elseListDay ?? context.today) : readDate(day))
  if (listDay === null) throw new UnreadableRow('its list day is no date of the form 2026-04-14')
  const published = ['published_on', 'publishedOn', 'arxiv_published_at', 'published_at', 'publishedAt', 'published']
  const seen = readInstant(firstOf(row, ['observed_at', 'observedAt', 'snapshot_at', 'snapshotAt']))
  const paper: Paper = {
    id: idOf(row, title),
    title,
    abstract: cleanText(stringOf(firstOf(row, ['abstract', 'summary'])) ?? '', ABSTRACT_LENGTH),
    authors: authorsOf(row.authors),
    publishedOn: readDate(firstOf(row, published)),
    categories: categoriesOf(row.categories),
    codeUrl: linkOf(firstOf(row, ['code_url', 'codeUrl', 'githubRepo', 'github'])),
    projectUrl: linkOf(firstOf(row, ['project_url', 'projectUrl', 'projectPage', 'homepage'])),
    discussionUrl: linkOf(firstOf(row, ['discussion_url', 'discussionUrl'])),
  }
  return {
    paper,
    ...institutionOf(row.organization),
    listDay,
    observation: observationOf(listDay, context.observedAt ?? seen, {
      upvotes: countOf(firstOf(row, ['upvotes', 'upvotes_early'])),
      comments: countOf(firstOf(row, ['comments', 'num_comments', 'numComments', 'comments_early'])),
      stars: countOf(firstOf(row, ['stars', 'github_stars', 'githubStars', 'github_stars_early'])),
    }),
  }
}

/** Reads a row of either shape, and tells which source keeps lists of that shape. Throws `UnreadableRow`. */
export const readRow = (row: unknown, context: RowContext): { listing: Listing; source: 'huggingface' | 'file' } =>
  isRow(row) && isRow(row.paper)
    ? { listing: readHuggingFaceRow(row, context), source: 'huggingface' }
    : { listing: readFlatRow(row, context), source: 'file' }
