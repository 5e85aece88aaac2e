/** A paper of somebody's library as their reference manager has it, and what is wrong with a place in its file. */
import { ARXIV_ID } from '../papers/paper.ts'
import { readPaperReference } from '../papers/paper-reference.ts'
import { plainLatex } from '../text/latex.ts'
import { ABSTRACT_LENGTH, cleanLine, NAME_LENGTH, TITLE_LENGTH } from '../text/text.ts'

export interface LibraryEntry {
  /** The line of the file on which it begins, from 1. */
  line: number
  /** Plain; empty of a paper that is only named by its id. */
  title: string
  /** As its file has it, with whatever LaTeX: only those that are used are made plain. Empty where there is none. */
  abstract: string
  /** Names in the paper's order, as they were written. */
  authors: string[]
  /** Phrases that its authors or its owner gave it. */
  keywords: string[]
  year: number | null
  /** The id that the paper would have here, such as `2604.11784`; `null` where the entry names none. */
  paperId: string | null
}

/** One thing that could not be used: the rest was read all the same. */
export interface LibraryFault {
  /** From 1. */
  line: number
  /** A sentence for the owner. */
  problem: string
  /** What would be right. */
  expected: string
}

/** What a reader of one format makes of a file. */
export interface ReadEntries {
  entries: LibraryEntry[]
  faults: LibraryFault[]
}

/** An entry as its file has it, each text raw. */
export interface RawEntry {
  line: number
  title?: string | undefined
  abstract?: string | undefined
  authors?: readonly string[] | undefined
  keywords?: readonly string[] | undefined
  /** A year, or a date that contains one. */
  date?: string | undefined
  /** What may name the paper: an arXiv id, a DOI, an address, or a line that contains `arXiv:2604.11784`. */
  references?: readonly (string | undefined)[] | undefined
}

/** Entries of one file that are read. */
export const MOST_ENTRIES = 20_000
/** Of an entry: no paper has more that would tell anything. */
const MOST_AUTHORS = 200
const MOST_KEYWORDS = 50
/** How much longer a text may be with its LaTeX than it is plain. */
const RAW_SHARE = 3

/** Faults of one file that are kept: nobody mends more, and a file may consist of nothing else. */
const MOST_FAULTS = 10_000

/** Adds a fault, as long as there is room for it. */
export const addFault = <T>(faults: T[], fault: T): void => {
  if (faults.length < MOST_FAULTS) faults.push(fault)
}

const YEAR = /(?<!\d)(?:19|20)\d\d(?!\d)/
const ARXIV_IN_LINE = /\barxiv\s*[:.]\s*(?:abs\/)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?\/\d{7})/i
const MARKUP = /<\/?(?:i|b|em|strong|sub|sup|span|sc|p|br|jats:\w+)\b[^<>]{0,200}>/gi

/** A raw text as one plain line. */
export const plainText = (raw: string | undefined, most: number): string => {
  const cut = (raw ?? '').slice(0, most * RAW_SHARE).replace(MARKUP, ' ')
  return cleanLine(plainLatex(cut), most)
}

const referenceOf = (given: readonly (string | undefined)[]): string | null => {
  for (const text of given) {
    if (text === undefined || text === '') continue
    const short = text.slice(0, 500)
    const id = readPaperReference(short) ?? ARXIV_IN_LINE.exec(short)?.[1] ?? null
    if (id !== null && (ARXIV_ID.test(id) || id.includes(':'))) return id
  }
  return null
}

/** `null`, and a fault, of an entry that has neither a title nor the id of a paper. */
export const readEntry = (raw: RawEntry, faults: LibraryFault[]): LibraryEntry | null => {
  const title = plainText(raw.title, TITLE_LENGTH)
  const paperId = referenceOf(raw.references ?? [])
  if (title === '' && paperId === null) {
    const problem = 'This entry has no title, so it can’t be used.'
    addFault(faults, { line: raw.line, problem, expected: 'an entry with a title' })
    return null
  }
  const year = YEAR.exec((raw.date ?? '').slice(0, 100))?.[0]
  const clean = (texts: readonly string[] | undefined, most: number): string[] =>
    (texts ?? []).slice(0, most).flatMap((text) => plainText(text, NAME_LENGTH) || [])
  return {
    line: raw.line,
    title,
    abstract: (raw.abstract ?? '').slice(0, ABSTRACT_LENGTH * RAW_SHARE),
    authors: clean(raw.authors, MOST_AUTHORS),
    keywords: clean(raw.keywords, MOST_KEYWORDS),
    year: year === undefined ? null : Number(year),
    paperId,
  }
}

/** The number of the line that each place of a text stands on; the places must be asked for in their order. */
export const createLineCounter = (text: string): ((at: number) => number) => {
  let line = 1
  let next = text.indexOf('\n')
  return (at) => {
    for (; next !== -1 && next < at; next = text.indexOf('\n', next + 1)) line++
    return line
  }
}
