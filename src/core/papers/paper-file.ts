/** Reads a file of papers in any known form: JSON, JSON Lines, or plain text. */
import type { Listing } from './paper.ts'
import { readPaperPage } from './paper-page.ts'
import { isRow, type RowContext, readRow, UnreadableRow } from './paper-row.ts'

/** A row that was skipped: where (`row 17`, `line 3`), and why. */
export interface Problem {
  where: string
  problem: string
}

export interface PaperFile {
  listings: Listing[]
  /** `huggingface` where the rows have the shape of its API: then they are its lists, wherever the file came from. */
  source: 'huggingface' | 'file'
  problems: Problem[]
  /** How many rows repeated a paper of the same file; the latest observation was kept. */
  duplicates: number
}

/** A file that no paper can be read from; the message is one sentence for people. */
export class UnreadablePapers extends Error {
  override name = 'UnreadablePapers'
}

export type FileForm = 'json' | 'json-lines' | 'text'

const parse = (text: string): { value: unknown } | null => {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The share of NUL and replacement characters above which a file is no text. */
const MAX_BINARY_SHARE = 0.01

/**
 * The form of a file by its first kilobytes (`complete`: these are all of it). Its name does not count, since people save
 * an API's response under any. Throws `UnreadablePapers` where it has none of the forms.
 */
export const formOf = (start: string, complete: boolean): FileForm => {
  const text = start.replace(/^\uFEFF/, '').trimStart()
  if (text === '') throw new UnreadablePapers('The file is empty.')
  if ((text.match(/[\0\uFFFD]/g)?.length ?? 0) > text.length * MAX_BINARY_SHARE)
    throw new UnreadablePapers('The file is not text in UTF-8.')
  if (/^<(?:!doctype|html|head|body|\?xml|feed|rss|div)/i.test(text))
    throw new UnreadablePapers('The file is a page of HTML or XML, not papers as JSON, JSON Lines or plain text.')
  // A text may begin with "[1] A title".
  if (/^\[\s*(?:[[{\]"\d]|$)/.test(text) && !/^\[\d+\][^,]/.test(text)) return 'json'
  if (!text.startsWith('{')) return 'text'
  const lines = text.trimEnd().split('\n')
  if (complete && lines.length === 1) return 'json'
  // The last line of a beginning may be cut anywhere; a first line longer than the beginning is of JSON Lines.
  const whole = complete ? lines : lines.slice(0, -1)
  return whole.length === 0 || whole.slice(0, 20).some((line) => isRow(parse(line)?.value)) ? 'json-lines' : 'json'
}

/** Listings in their order, each paper once: of several rows the one observed last, of those the last. */
export const keepLatest = (rows: readonly Listing[]): { listings: Listing[]; duplicates: number } => {
  const latest = new Map<string, Listing>()
  for (const row of rows) {
    const known = latest.get(row.paper.id)
    if (known === undefined || row.observation.at >= known.observation.at) latest.set(row.paper.id, row)
  }
  return { listings: [...latest.values()], duplicates: rows.length - latest.size }
}

/** The reading of one row. */
export type RowReading = ReturnType<typeof readRow> | { problem: string }

const readRowOrProblem = (row: unknown, context: RowContext): RowReading => {
  try {
    return readRow(row, context)
  } catch (error) {
    if (error instanceof UnreadableRow) return { problem: error.message }
    throw error
  }
}

/** Reads one line of JSON Lines; `null` for a blank one. */
export const readPaperLine = (line: string, context: RowContext): RowReading | null => {
  if (line.trim() === '') return null
  const row = parse(line)
  return row === null ? { problem: 'it is cut off or not JSON' } : readRowOrProblem(row.value, context)
}

/** Joins the readings of rows, each with its place. */
export const gatherRows = (readings: readonly { where: string; reading: RowReading }[]): PaperFile => {
  const listings: Listing[] = []
  const problems: Problem[] = []
  let source: PaperFile['source'] | null = null
  for (const { where, reading } of readings) {
    if ('problem' in reading) problems.push({ where, problem: reading.problem })
    else {
      listings.push(reading.listing)
      source ??= reading.source
    }
  }
  return { ...keepLatest(listings), problems, source: source ?? 'file' }
}

/** Rows that cannot be read may be so many, if they are also most of the file; a row costs time whether it can be read or not. */
const MAX_BAD_ROWS = 1_000

/**
 * Returns a function that is called with each row's place and reading. It throws `UnreadablePapers` as soon as most of very
 * many rows cannot be read: then the file is something else.
 */
export const createRowCheck = (): ((where: string, reading: RowReading) => void) => {
  let good = 0
  let bad = 0
  return (where, reading) => {
    if (!('problem' in reading)) {
      good++
      return
    }
    bad++
    if (bad > MAX_BAD_ROWS && bad > good)
      throw new UnreadablePapers(
        `The file is no list of papers: most of its rows are none, such as ${where}, ${reading.problem}.`,
      )
  }
}

/** Throws `UnreadablePapers` where rows were read and none of them is a paper. */
export const refuseIfAllBad = ({ listings, problems: [first] }: PaperFile): void => {
  if (listings.length === 0 && first !== undefined)
    throw new UnreadablePapers(`The file holds no paper that can be read: ${first.where}, ${first.problem}.`)
}

const parseWhole = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // V8's message names the place but also quotes the file, which must not be repeated.
    if (/end of JSON input|Unterminated/i.test(error.message) || !/[\]}]\s*$/.test(text))
      throw new UnreadablePapers('The JSON breaks off before its end: the file was cut short.', { cause: error })
    const position = /position (\d+)/.exec(error.message)?.[1]
    const where = position === undefined ? '' : ` at line ${text.slice(0, Number(position)).split('\n').length}`
    throw new UnreadablePapers(`The file begins like JSON but is not: there is a mistake${where}.`, { cause: error })
  }
}

const rowsOf = (value: unknown): unknown[] => {
  if (Array.isArray(value)) return value
  if (!isRow(value)) throw new UnreadablePapers('The JSON holds no list of papers.')
  if (isRow(value.paper) || typeof value.title === 'string') return [value]
  const lists = [value.papers, value.rows, value.data].filter((list) => Array.isArray(list))
  const list: unknown = lists[0]
  if (Array.isArray(list)) return list
  const error = typeof value.error === 'string' ? ' but what looks like an error message' : ''
  throw new UnreadablePapers(`The JSON holds no list of papers${error}.`)
}

/**
 * Reads a whole file. Good rows are kept, each bad one is skipped and named. Throws `UnreadablePapers` when the file is
 * empty, cut short, of no known form, or holds rows of which none is a paper; an empty JSON list is an empty day.
 */
export const readPaperFile = (text: string, context: RowContext): PaperFile => {
  const form = formOf(text, true)
  const content = text.replace(/^\uFEFF/, '')
  if (form === 'text') {
    const { listings, problems } = readPaperPage(content, context)
    if (listings.length === 0)
      throw new UnreadablePapers(
        'The file holds no papers: as plain text, each title must be followed by its abstract.',
      )
    return { ...keepLatest(listings), problems, source: 'file' }
  }
  const checkRow = createRowCheck()
  const rows: readonly unknown[] = form === 'json' ? rowsOf(parseWhole(content)) : content.split('\n')
  const readings: { where: string; reading: RowReading }[] = []
  for (const [at, row] of rows.entries()) {
    const where = `${form === 'json' ? 'row' : 'line'} ${at + 1}`
    const reading = form === 'json' ? readRowOrProblem(row, context) : readPaperLine(row as string, context)
    if (reading === null) continue
    checkRow(where, reading)
    readings.push({ where, reading })
  }
  const file = gatherRows(readings)
  refuseIfAllBad(file)
  return file
}
