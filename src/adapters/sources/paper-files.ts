/** Papers from files: one file, a folder of them, or standard input, read in batches with the progress made. */
import { createReadStream, type Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import {
  createRowCheck,
  formOf,
  gatherRows,
  type PaperFile,
  type RowReading,
  readPaperFile,
  readPaperLine,
  refuseIfAllBad,
  UnreadablePapers,
} from '../../core/papers/paper-file.ts'
import { type RowContext, readDate } from '../../core/papers/paper-row.ts'

/** JSON and plain text are read at once, so that a larger file (in bytes, unpacked) is refused. JSON Lines have no limit. */
export const MAX_WHOLE_FILE = 100_000_000
/** A longer line (in UTF-16 units) of JSON Lines is skipped; a paper has some 3,000. */
export const MAX_LINE = 1_000_000
/** Listings in one batch of JSON Lines; one transaction of the store. */
export const BATCH_SIZE = 500

/**
 * A packed file that unpacks to more than this share of its size is refused: lists of papers are packed three to six times,
 * while 58 KB made on purpose unpack to 58 MB. Small files are always read.
 */
const MAX_UNPACKED_SHARE = 50
const ALWAYS_UNPACKED = 1_000_000

/** Characters at the beginning of a file by which its form is known. */
const BEGINNING = 65_536

/** Some papers of one file, and the progress of the reading. */
export interface PaperBatch extends PaperFile {
  /** The file's name within its folder, or `standard input`. */
  file: string
  /** Bytes read of all files, as they lie on disk; `bytesTotal` is `null` for standard input. */
  bytesRead: number
  bytesTotal: number | null
}

export interface ReadFilesOptions {
  /** The day by the service's clock, `YYYY-MM-DD`: of dates without a year, and of papers without a date. */
  today: string
  /** The list day of papers for which neither file name nor content gives one, `YYYY-MM-DD`. */
  listDay?: string | null
  /** What `-` stands for. */
  stdin?: Readable
}

interface OpenableFile {
  file: string
  /** Bytes; `null` where that is not known beforehand. */
  size: number | null
  /** The list day that a name such as `2026-04-14.json` gives. */
  listDay: string | null
  open(): AsyncIterable<Buffer>
}

const KNOWN_NAME = /^[^.].*\.(?:json|jsonl|txt)(?:\.gz)?$/
const DAY_NAME = /^(\d{4}-\d\d-\d\d)\.(?:json|jsonl|txt)(?:\.gz)?$/

const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

/** An error of the file system or of gzip as an `UnreadablePapers`; any other is returned as it is. */
const explain = (error: unknown, file: string): unknown => {
  const code = codeOf(error)
  if (code === 'ENOENT') return new UnreadablePapers(`There is no file or folder ${file}.`, { cause: error })
  if (code?.startsWith('Z_'))
    return new UnreadablePapers(`${file} is packed, and damaged or cut short.`, { cause: error })
  if (code !== null && /^E[A-Z]+$/.test(code))
    return new UnreadablePapers(`${file} cannot be read (${code}).`, { cause: error })
  return error
}

const sourceAt = async (folder: string, name: string): Promise<OpenableFile> => {
  const whole = path.join(folder, name)
  return {
    file: name,
    size: (await stat(whole)).size,
    listDay: readDate(DAY_NAME.exec(name)?.[1]),
    open: () => createReadStream(whole),
  }
}

/** A link in a folder that leads out of it, or to no file: whoever may write there must not choose what else is read. */
const refusedLink = (name: string): OpenableFile => ({
  file: name,
  size: 0,
  listDay: null,
  // biome-ignore lint/correctness/useYield: it is read like any file, and gives its error instead of bytes.
  async *open() {
    throw new UnreadablePapers('It is a link that leads out of the folder, and is not followed.')
  },
})

/** A file of a folder; `null` for what is none: a folder, or a device, whose reading might never end. */
const sourceIn = async (folder: string, entry: Dirent): Promise<OpenableFile | null> => {
  if (!entry.isSymbolicLink()) return entry.isFile() ? sourceAt(folder, entry.name) : null
  const target = await realpath(path.join(folder, entry.name)).catch(absent)
  if (target === null || path.relative(await realpath(folder), target).startsWith('..')) return refusedLink(entry.name)
  return (await stat(target)).isFile() ? sourceAt(folder, entry.name) : null
}

const absent = (error: unknown): null => {
  if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ELOOP') throw error
  return null
}

const sourcesOf = async (argument: string, stdin: Readable): Promise<OpenableFile[]> => {
  if (argument === '-') return [{ file: 'standard input', size: null, listDay: null, open: () => stdin }]
  try {
    const found = await stat(argument)
    if (!found.isDirectory()) return [await sourceAt(path.dirname(argument), path.basename(argument))]
    const entries = await readdir(argument, { withFileTypes: true })
    const named = entries.filter(({ name }) => KNOWN_NAME.test(name)).sort((a, b) => (a.name < b.name ? -1 : 1))
    const files = await Promise.all(named.map((entry) => sourceIn(argument, entry)))
    const sources = files.filter((file) => file !== null)
    if (sources.length === 0) throw new UnreadablePapers(`The folder ${argument} holds no .json, .jsonl or .txt file.`)
    return sources
  } catch (error) {
    throw explain(error, argument)
  }
}

/** The text of chunks in pieces, none of which cuts a character, without a byte order mark. */
async function* decode(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

/** Lines with their numbers from 1; `null` in place of one that is too long to be kept. */
async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<{ number: number; line: string | null }> {
  let rest: string | null = ''
  let number = 0
  for await (const piece of pieces) {
    const parts = piece.split('\n')
    for (const [at, part] of parts.entries()) {
      rest = rest === null || rest.length + part.length > MAX_LINE ? null : rest + part
      if (at === parts.length - 1) break
      yield { number: ++number, line: rest }
      rest = ''
    }
  }
  if (rest !== '') yield { number: ++number, line: rest }
}

async function* readLines(pieces: AsyncIterable<string>, context: RowContext): AsyncGenerator<PaperFile> {
  let readings: { where: string; reading: RowReading }[] = []
  const checkRow = createRowCheck()
  let readable = false
  for await (const { number, line } of linesOf(pieces)) {
    const tooLong = { problem: `it is longer than ${MAX_LINE} characters` }
    const reading = line === null ? tooLong : readPaperLine(line, context)
    if (reading === null) continue
    const where = `line ${number}`
    checkRow(where, reading)
    readings.push({ where, reading })
    if (readings.length < BATCH_SIZE) continue
    const batch = gatherRows(readings)
    if (!readable) refuseIfAllBad(batch)
    readable = true
    yield batch
    readings = []
  }
  const rest = gatherRows(readings)
  if (!readable) refuseIfAllBad(rest)
  yield rest
}

async function* readChunks(chunks: AsyncIterable<Buffer>, context: RowContext): AsyncGenerator<PaperFile> {
  const pieces = decode(chunks)
  let start = ''
  let complete = false
  while (!complete && start.length < BEGINNING) {
    const next = await pieces.next()
    if (next.done === true) complete = true
    else start += next.value
  }
  const all = async function* (): AsyncGenerator<string> {
    yield start
    if (!complete) yield* pieces
  }
  if (formOf(start, complete) === 'json-lines') return yield* readLines(all(), context)
  const parts: string[] = []
  let bytes = 0
  for await (const piece of all()) {
    bytes += Buffer.byteLength(piece)
    if (bytes > MAX_WHOLE_FILE)
      throw new UnreadablePapers(
        `The file is larger than ${MAX_WHOLE_FILE / 1_000_000} MB, too large unless it is JSON Lines, one paper a line.`,
      )
    parts.push(piece)
  }
  yield readPaperFile(parts.join(''), context)
}

/** The chunks of a file, unpacked where it is gzip; `count` is called with their bytes on disk. */
const unpacked = (source: OpenableFile, count: (bytes: number) => void): AsyncIterable<Buffer> => {
  let packed = 0
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of source.open()) {
      packed += chunk.length
      count(chunk.length)
      yield chunk
    }
  }
  const bounded = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > ALWAYS_UNPACKED && bytes > packed * MAX_UNPACKED_SHARE)
        throw new UnreadablePapers(
          `The file unpacks to more than ${MAX_UNPACKED_SHARE} times its size, as no list of papers does.`,
        )
      yield chunk
    }
  }
  if (!source.file.endsWith('.gz')) return counted()
  // A failure of either stream ends the other too and is thrown there, so the callback has nothing to do.
  return bounded(pipeline(counted, createGunzip(), () => {}))
}

/**
 * Reads an import argument or the path of a `file:` source: a file, a folder (its .json, .jsonl and .txt files in order of
 * name, packed with gzip or not), or `-` for standard input. JSON Lines of any length take the same memory.
 *
 * A file that cannot be read at all throws `UnreadablePapers`; in a folder it is a problem of its batch, and the others are
 * read, unless there is none that can be. What was yielded before an error is valid.
 */
export async function* readPaperFiles(
  argument: string,
  { today, listDay: elseListDay = null, stdin = process.stdin }: ReadFilesOptions,
): AsyncGenerator<PaperBatch, void, undefined> {
  const sources = await sourcesOf(argument, stdin)
  const sizes = sources.map(({ size }) => size)
  const bytesTotal = sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0)
  let bytesRead = 0
  let readable = false
  for (const [at, source] of sources.entries()) {
    const { file, listDay } = source
    const chunks = unpacked(source, (bytes) => {
      bytesRead += bytes
    })
    try {
      for await (const found of readChunks(chunks, { listDay, elseListDay, today, observedAt: null })) {
        readable = true
        yield { file, ...found, bytesRead, bytesTotal }
      }
    } catch (error) {
      const explained = explain(error, file)
      const isLastChance = sources.length === 1 || (at === sources.length - 1 && !readable)
      if (isLastChance || !(explained instanceof UnreadablePapers)) throw explained
      const problems = [{ where: 'the whole file', problem: explained.message }]
      yield { file, source: 'file', listings: [], problems, duplicates: 0, bytesRead, bytesTotal }
    }
  }
}
