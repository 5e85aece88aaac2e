/** Reads a table of text cells from a file or standard input as a stream: CSV by any common separator, in any encoding. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import { type CsvError, parse } from 'csv-parse'
import { UnreadableList } from '../../core/subscriber/list-columns.ts'

/** A row and the line of the file on which it begins, from 1. */
export interface CsvRow {
  line: number
  cells: string[]
}

/** Some rows in their order, and how many octets of the file were read for them and those before. */
export interface CsvRows {
  rows: CsvRow[]
  octetsRead: number
}

export interface CsvFile {
  header: string[]
  /** Octets; `null` where that is not known beforehand. */
  octets: number | null
  /** SHA-256 of the file; `null` of standard input. */
  fingerprint: Buffer | null
  /** The rows after the first line, in pieces; blank ones are left out. To be read once. */
  rows: AsyncIterable<CsvRows>
}

export interface CsvOptions {
  /** A name by the Encoding Standard; by default what the first octets say, or UTF-8. */
  encoding?: string | undefined
  /** By default whichever of `,`, `;` and tab the first line has most of. */
  separator?: string | undefined
  /** What `-` stands for. */
  stdin?: Readable
}

/** UTF-16 units of a row: a quotation mark that is never closed would make one row of all that follows. */
const MAX_ROW = 65_536
/** Octets at the beginning by which encoding and separator are known. */
const BEGINNING = 65_536
const SEPARATORS = [',', ';', '\t']

/**
 * Opens a list and reads its first line. Errors: `UnreadableList`, also by `rows` at the row that is wrong, and those of the
 * file system.
 */
export const openCsv = async (path: string, options: CsvOptions = {}): Promise<CsvFile> => {
  const octets = path === '-' ? null : await sizeOf(path)
  const source = path === '-' ? (options.stdin ?? process.stdin) : createReadStream(path)
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]()
  const first = await readBeginning(chunks)
  if (first.length === 0) throw new UnreadableList(`${path === '-' ? 'standard input' : path} is empty`)
  refuseOther(first)
  const encoding = options.encoding ?? encodingOf(first)
  const text = decoderOf(encoding).decode(first)
  const hint = /^sep=(.)(?:\r\n|\n|\r)/.exec(text)
  const separator = options.separator ?? hint?.[1] ?? separatorOf(text)
  const progress = { octetsRead: 0 }
  const decoded = decode(first, chunks, encoding, hint?.[0].length ?? 0, progress)
  const rows = readRows(decoded, separator, hint === null ? 1 : 2, progress)
  const head = await rows.next()
  const [header] = head.done === true ? [] : head.value.rows
  if (header === undefined) throw new UnreadableList('the first line names no columns')
  return {
    header: header.cells,
    octets,
    fingerprint: path === '-' ? null : await fingerprintOf(path),
    rows,
  }
}

const sizeOf = async (path: string): Promise<number | null> => {
  const found = await stat(path)
  if (found.isDirectory()) throw new UnreadableList(`${path} is a folder; name a file of it`)
  return found.isFile() ? found.size : null
}

const fingerprintOf = async (path: string): Promise<Buffer | null> => {
  // A pipe can be read once.
  if (!(await stat(path)).isFile()) return null
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest()
}

const readBeginning = async (chunks: AsyncIterator<Buffer>): Promise<Buffer> => {
  const read: Buffer[] = []
  for (let length = 0; length < BEGINNING; ) {
    const next = await chunks.next()
    if (next.done === true) break
    read.push(Buffer.from(next.value))
    length += next.value.length
  }
  return Buffer.concat(read)
}

const refuseOther = (first: Buffer): void => {
  if (first.subarray(0, 4).toString('latin1') === 'PK\x03\x04')
    throw new UnreadableList('this is a workbook, not a table of text; save it as CSV (UTF-8)')
  if (first[0] === 0x1f && first[1] === 0x8b)
    throw new UnreadableList('this is compressed; give it to - by gzip -dc FILE | …')
  if (/^\s*[[{<]/.test(first.subarray(0, 100).toString('latin1')))
    throw new UnreadableList('this is no table; write a first line with the names of the columns, such as email,topics')
}

/** The encoding that a byte order mark names; UTF-16 without one shows by the zeros of its ASCII letters. */
const encodingOf = (first: Buffer): string => {
  if (first[0] === 0xff && first[1] === 0xfe) return 'utf-16le'
  if (first[0] === 0xfe && first[1] === 0xff) return 'utf-16be'
  if (first[1] === 0 && first[3] === 0) return 'utf-16le'
  if (first[0] === 0 && first[2] === 0) return 'utf-16be'
  return 'utf-8'
}

const decoderOf = (encoding: string): TextDecoder => {
  try {
    return new TextDecoder(encoding)
  } catch {
    throw new UnreadableList(`there is no encoding ${encoding}; write utf-8, utf-16le or windows-1252`)
  }
}

/** The commonest separator of the first line, outside of quotation marks. */
const separatorOf = (text: string): string => {
  const [line = ''] = text.replace(/^\s+/, '').split(/[\r\n]/, 1)
  const bare = line.replace(/"[^"]*"/g, '')
  const count = (separator: string): number => bare.split(separator).length
  return SEPARATORS.reduce((best, one) => (count(one) > count(best) ? one : best))
}

/** The text of a file, without its byte order mark and its first `skip` characters. */
const decode = async function* (
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
  encoding: string,
  skip: number,
  progress: { octetsRead: number },
): AsyncGenerator<string> {
  const decoder = decoderOf(encoding)
  progress.octetsRead = first.length
  yield decoder.decode(first, { stream: true }).slice(skip)
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    progress.octetsRead += next.value.length
    yield decoder.decode(next.value, { stream: true })
  }
  yield decoder.decode()
}

/** Rows in pieces, of as many as were read at once; the first piece is the first row alone. */
const readRows = async function* (
  text: AsyncIterable<string>,
  separator: string,
  firstLine: number,
  progress: { octetsRead: number },
): AsyncGenerator<CsvRows, void> {
  const records = createRecordReader(separator)
  let line = firstLine
  let isHeader = true
  const number = (read: string[][]): CsvRow[] =>
    read.flatMap((record) => {
      const row = { line, cells: record.map(unpad) }
      line += 1 + linesWithin(record)
      return row.cells.every((cell) => cell === '') ? [] : [row]
    })
  const pieces = (read: string[][]): CsvRows[] => {
    const rows = number(read)
    const first = isHeader ? rows.splice(0, 1) : []
    isHeader &&= first.length === 0
    return [first, rows].filter((some) => some.length > 0).map((some) => ({ rows: some, ...progress }))
  }
  try {
    for await (const piece of text) yield* pieces(await records.write(piece))
    yield* pieces(await records.end())
    if (records.error() !== null) throw explain(records.error(), line)
  } finally {
    records.close()
  }
}

/**
 * csv-parse, asked for the records of each piece of text: read as a stream it would drop those before an error. After an
 * error, which `error` returns, there are no more.
 */
const createRecordReader = (separator: string) => {
  let records: string[][] = []
  let error: Error | null = null
  const parser = parse({
    delimiter: separator,
    record_delimiter: ['\r\n', '\n', '\r'],
    // Spaces before a cell may stand before its quotation mark; a mark inside of a cell belongs to its text.
    ltrim: true,
    relax_quotes: true,
    relax_column_count: true,
    max_record_size: MAX_ROW,
    on_record: (record: string[]) => {
      records.push(record)
      return null
    },
  })
  parser.resume().on('error', (failed) => {
    error = failed
  })
  const take = async (feed: (done: () => void) => void): Promise<string[][]> => {
    if (error === null) await new Promise<void>((resolve) => feed(resolve))
    const read = records
    records = []
    return read
  }
  return {
    write: (piece: string) => take((done) => parser.write(piece, () => done())),
    end: () => take((done) => parser.end(() => done())),
    error: () => error,
    close: () => parser.destroy(),
  }
}

/** A cell without spaces at its ends, and without quotation marks that spaces after them made part of it. */
const unpad = (cell: string): string => {
  const text = cell.trim()
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text
}

const LINE_BREAK = /\r\n|\n|\r/g
const linesWithin = (record: readonly string[]): number =>
  record.reduce((sum, cell) => sum + (cell.match(LINE_BREAK)?.length ?? 0), 0)

const explain = (error: unknown, line: number): unknown => {
  const { code } = error as CsvError
  if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE')
    return new UnreadableList(
      `the row on line ${line} has a quotation mark that is not closed; close it, or take it out. All rows before were read: correct it and import the file again`,
    )
  return error
}
