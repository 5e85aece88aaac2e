/** Search of the archive: what a reader typed, read and answered. */
import type { Kysely } from 'kysely'
import { isDate } from '../../core/calendar.ts'
import { isCancelled } from '../../core/database-error.ts'
import { readPaperReference } from '../../core/papers/paper-reference.ts'
import { GATE } from '../../core/relevance/gate.ts'
import { plainLatex } from '../../core/text/latex.ts'
import { searchQuery } from '../../core/text/search-words.ts'
import { cleanLine } from '../../core/text/text.ts'
import { isTopic } from '../../core/topics.ts'
import type { Database, Tables } from '../../store/database.ts'
import { findInstitutions, type InstitutionPapers } from '../../store/papers/institutions.ts'
import { readShownPapers } from '../../store/papers/paper-lists.ts'
import {
  findNewestPapers,
  limitCosts,
  readSnippets,
  resolveQuery,
  type SearchPlace,
  type SearchTerms,
  type SnippetPart,
  searchPapers,
} from '../../store/papers/paper-search.ts'
import { type ListCard, listCardOf } from './card-list.ts'

/** What was typed into the form, each in the form's own words; empty where nothing was. */
export interface SearchRequest {
  q: string
  topic: string
  author: string
  from: string
  to: string
  /** Where the part before ended (`SearchPage.next`). */
  after: string
}

/** What is wrong with a request, by its field. */
export type SearchProblem =
  | 'too-long'
  | 'no-words'
  | 'unknown-topic'
  | 'bad-author'
  | 'bad-date'
  | 'dates-reversed'
  | 'bad-place'
  | 'too-slow'

export interface SearchPage {
  cards: (ListCard & { snippet: SnippetPart[] | null })[]
  /** Institutions that are named as was typed, those with the most papers first; of the first part alone. */
  institutions: InstitutionPapers[]
  /** How many were found; where there are more than were ranked, only those. */
  total: number
  /** Whether more were found than were ranked: those are the newest. */
  isCut: boolean
  /** For `after` of the next part; `null` at the end. */
  next: string | null
}

/** Characters of a query; the longest title of two years has 175. */
export const MAX_QUERY = 300
export const MAX_AUTHOR = 100
const PAGE = 20
const MAX_INSTITUTIONS = 3
/** Milliseconds of Postgres's time; some hundred times what a search takes. */
const MAX_TIME = 3_000

/** A place as a link has it: `0.0759:2604.11784`. */
const writePlace = ({ rank, id }: SearchPlace): string => `${rank}:${id}`
const readPlace = (text: string): SearchPlace | null => {
  const [, rank = '', id = ''] = /^(\d{1,5}(?:\.\d{1,20})?(?:e-\d{1,2})?):(\S{1,100})$/.exec(text) ?? []
  return rank === '' || id.includes('\0') ? null : { rank: Number(rank), id }
}

const readDay = (text: string): string | null | undefined => (text === '' ? null : isDate(text) ? text : undefined)

/** Reads a request; a problem where it cannot be answered, and `null` where nothing was asked for. */
export const readSearch = (
  request: SearchRequest,
):
  | { words: string; terms: Omit<SearchTerms, 'query'>; after: SearchPlace | null }
  | { problem: SearchProblem }
  | null => {
  const { q, topic, author, from, to, after } = request
  if (q.length > MAX_QUERY || author.length > MAX_AUTHOR) return { problem: 'too-long' }
  if (topic !== '' && !isTopic(topic)) return { problem: 'unknown-topic' }
  const days = { from: readDay(from), to: readDay(to) }
  if (days.from === undefined || days.to === undefined) return { problem: 'bad-date' }
  if (days.from !== null && days.to !== null && days.from > days.to) return { problem: 'dates-reversed' }
  const place = after === '' ? null : readPlace(cleanLine(after, 200))
  if (after !== '' && place === null) return { problem: 'bad-place' }
  const words = searchQuery(cleanLine(q, MAX_QUERY))
  if (cleanLine(q, MAX_QUERY) !== '' && !/[\p{L}\p{N}]/u.test(words)) return { problem: 'no-words' }
  const name = cleanLine(author, MAX_AUTHOR)
  if (name !== '' && !/\p{L}/u.test(name)) return { problem: 'bad-author' }
  if (words === '' && topic === '' && name === '' && days.from === null && days.to === null) return null
  const fit = topic === '' ? null : { topic, least: GATE }
  return { words, terms: { fit, author: name, from: days.from, to: days.to }, after: place }
}

/** The paper that was named, by its id or its address at arXiv or Hugging Face; `null` where it was not, or more was asked for. */
export const namedPaper = ({ q, topic, author, from, to }: SearchRequest): string | null =>
  [topic, author, from, to].every((field) => field === '') ? readPaperReference(q) : null

/** The answer to a search for one paper by its id. */
const readNamed = async (db: Database, at: Date, id: string): Promise<SearchPage> => {
  const shown = await readShownPapers(db, at, [id])
  const cards = shown.map((one) => ({ ...listCardOf(one), snippet: null }))
  return { cards, institutions: [], total: cards.length, isCut: false, next: null }
}

/** Runs a search in a transaction that may not take long; the query is `null` where no words were typed. */
const searching = async <T>(
  db: Database,
  words: string,
  maxTime: number,
  search: (trx: Kysely<Tables>, query: string | null) => Promise<T>,
): Promise<T | { problem: SearchProblem }> => {
  try {
    return await db.transaction().execute(async (trx) => {
      await limitCosts(trx, maxTime)
      const query = words === '' ? null : await resolveQuery(trx, words)
      return words !== '' && query === null ? { problem: 'no-words' as const } : await search(trx, query)
    })
  } catch (error) {
    if (isCancelled(error)) return { problem: 'too-slow' }
    throw error
  }
}

/**
 * Answers a request: a part of what was found, or why nothing can be; `null` where nothing was asked for. Each statement of
 * the database may take `maxTime` milliseconds.
 */
export const readSearchPage = async (
  db: Database,
  at: Date,
  request: SearchRequest,
  maxTime = MAX_TIME,
): Promise<SearchPage | { problem: SearchProblem } | null> => {
  const read = readSearch(request)
  if (read === null || 'problem' in read) return read
  const named = namedPaper(request)
  if (named !== null) return readNamed(db, at, named)
  const { words, terms, after } = read
  return searching(db, words, maxTime, async (trx, query) => {
    const found = await searchPapers(trx, at, { ...terms, query }, after, PAGE + 1)
    const places = found.places.slice(0, PAGE)
    const shown = await readShownPapers(
      trx,
      at,
      places.map(({ id }) => id),
    )
    const abstracts = shown.map(({ paper, withdrawn }) => (withdrawn ? '' : plainLatex(paper.abstract)))
    const snippets = await readSnippets(trx, query, abstracts)
    const last = places.at(-1)
    return {
      institutions: after === null ? await findInstitutions(trx, at, request.q, MAX_INSTITUTIONS) : [],
      cards: shown.map((one, n) => ({
        ...listCardOf(one, undefined, request.topic === '' ? undefined : request.topic),
        snippet: snippets[n] ?? null,
      })),
      total: found.total,
      isCut: found.isCut,
      next: found.places.length > PAGE && last !== undefined ? writePlace(last) : null,
    }
  })
}

/** The ids of at most `max` papers that a request finds, the newest first and not by how well they match. */
export const findNewest = async (
  db: Database,
  at: Date,
  request: SearchRequest,
  max: number,
): Promise<string[] | { problem: SearchProblem } | null> => {
  const read = readSearch(request)
  if (read === null || 'problem' in read) return read
  return searching(db, read.words, MAX_TIME, (trx, query) => findNewestPapers(trx, at, { ...read.terms, query }, max))
}
