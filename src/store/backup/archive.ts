/**
 * The form of a backup, a text inside gzip: a line of JSON that says what it is; for each table a line with its name and
 * columns, its rows in Postgres's own text form for COPY up to a line `\.`, and a line with how many rows and which octets
 * (SHA-256) they were; then the counters; and a last line. It is written and read as a stream, whatever its length, and one
 * that is damaged, cut off or something else is told from a good one before anything of it counts.
 */
import { createHash } from 'node:crypto'

/** A backup cannot be used, or not here; the message says why, and what would be right. */
export class UnusableBackup extends Error {}

/** There is no line where one must be. */
class MissingLine extends UnusableBackup {}

export const FORMAT = 1

export interface BackupHeader {
  archive: 'paper-round backup'
  format: number
  /** By the database's clock: everything committed by then is in it, and nothing later. */
  made: string
  /** The migrations that the database had had; its tables are those that these make. */
  migrations: string[]
  /** The months of deliveries, `YYYY-MM`. */
  months: string[]
  /** Which secret key the links and sign-up limits were made with; it tells nothing of the key. */
  key: string
}

interface TableLine {
  table: string
  columns: string[]
}

interface SumLine {
  rows: number
  sha256: string
}

/** Values of the counters of identity columns, by table. */
export type Counters = Record<string, number>

interface EndLine {
  counters: Counters
  tables: number
  rows: number
}

/** Writes octets and resolves when more may come. */
export type Write = (chunk: Uint8Array | string) => Promise<void>

export interface ArchiveWriter {
  writeTable(table: string, columns: string[], rows: AsyncIterable<Uint8Array>): Promise<void>
  /** Nothing may be written afterwards. Resolves to what it holds. */
  end(counters: Counters): Promise<{ tables: number; rows: number }>
}

const NEWLINE = 0x0a
const line = (value: object): string => `${JSON.stringify(value)}\n`

export const writeArchive = async (write: Write, header: BackupHeader): Promise<ArchiveWriter> => {
  let tables = 0
  let total = 0
  await write(line(header))
  return {
    async writeTable(table, columns, rows) {
      await write(line({ table, columns } satisfies TableLine))
      const hash = createHash('sha256')
      let count = 0
      for await (const chunk of rows) {
        hash.update(chunk)
        for (const octet of chunk) if (octet === NEWLINE) count++
        await write(chunk)
      }
      await write('\\.\n')
      await write(line({ rows: count, sha256: hash.digest('hex') } satisfies SumLine))
      tables++
      total += count
    },
    async end(counters) {
      await write(line({ counters, tables, rows: total } satisfies EndLine))
      return { tables, rows: total }
    },
  }
}

export interface ArchiveTable extends TableLine {
  /** To be read to its end before the next table is asked for. */
  rows: AsyncIterable<Buffer>
}

export interface ArchiveReader {
  header: BackupHeader
  /** `null` after the last. Throws `UnusableBackup` where the rows before are not those that were written. */
  nextTable(): Promise<ArchiveTable | null>
  /** What the last line says, once there is no more table. */
  end(): EndLine
}

const isHeader = (value: unknown): value is BackupHeader =>
  typeof value === 'object' && value !== null && 'archive' in value && value.archive === 'paper-round backup'

/** Reads an archive; throws `UnusableBackup`. `chunks` are its octets, no longer compressed. */
export const readArchive = async (chunks: AsyncIterable<Buffer>): Promise<ArchiveReader> => {
  const lines = createLineReader(chunks)
  const first = lines.readLine(MAX_LINE).catch((error) => {
    if (error instanceof MissingLine) return null
    throw error
  })
  const header = parse(await first)
  if (!isHeader(header)) throw new UnusableBackup('it is no backup of Paper Round')
  if (header.format !== FORMAT)
    throw new UnusableBackup(`it has format ${header.format} of a newer version; this version reads format ${FORMAT}`)
  let tables = 0
  let rows = 0
  let end: EndLine | null = null
  let sum: (() => SumLine) | null = null
  let current = 'the beginning'

  const readNext = async (): Promise<TableLine | EndLine> => {
    const next = parse(await lines.readLine(MAX_LINE)) as TableLine | EndLine | null
    if (next === null) throw new UnusableBackup(`it is damaged after ${current}`)
    return next
  }

  return {
    header,
    async nextTable() {
      if (sum !== null) {
        const expected = parse(await lines.readLine(MAX_LINE)) as SumLine | null
        const found = sum()
        if (expected?.sha256 !== found.sha256 || expected.rows !== found.rows)
          throw new UnusableBackup(`it is damaged: the rows of ${current} are not those that were written`)
        tables++
        rows += found.rows
        sum = null
      }
      const next = await readNext()
      if (!('table' in next)) {
        if (next.tables !== tables || next.rows !== rows) throw new UnusableBackup('it is damaged: tables are missing')
        end = next
        return null
      }
      current = `the table ${next.table}`
      const hash = createHash('sha256')
      let count = 0
      const body = async function* (): AsyncGenerator<Buffer> {
        for await (const chunk of lines.readBody()) {
          hash.update(chunk)
          for (const octet of chunk) if (octet === NEWLINE) count++
          yield chunk
        }
      }
      sum = () => ({ rows: count, sha256: hash.digest('hex') })
      return { ...next, rows: body() }
    },
    end() {
      if (end === null) throw new Error('the archive is not read to its end')
      return end
    },
  }
}

/** A line of JSON is never longer; the longest names columns or months. */
const MAX_LINE = 1_000_000
const BODY_END = Buffer.from('\n\\.\n')

const parse = (text: string | null): unknown => {
  try {
    return text === null ? null : JSON.parse(text)
  } catch {
    // Whatever it is, it was not written by `writeArchive`; the callers say so.
    return null
  }
}

const createLineReader = (chunks: AsyncIterable<Buffer>) => {
  const source = chunks[Symbol.asyncIterator]()
  let pending: Buffer = Buffer.alloc(0)
  const more = async (): Promise<void> => {
    const { value, done } = await source.next()
    if (done) throw new MissingLine('it is cut off: its end is missing')
    pending = Buffer.concat([pending, value])
  }
  return {
    /** Throws `UnusableBackup` where there is no line of at most `most` octets. */
    async readLine(most: number): Promise<string> {
      for (;;) {
        const at = pending.indexOf(NEWLINE)
        if (at > most || (at < 0 && pending.length > most)) throw new MissingLine('it is damaged: a line has no end')
        if (at >= 0) {
          const text = pending.toString('utf8', 0, at)
          pending = pending.subarray(at + 1)
          return text
        }
        await more()
      }
    },
    /** The octets up to the line `\.`, which is read, too. */
    async *readBody(): AsyncGenerator<Buffer> {
      while (pending.length < BODY_END.length - 1) await more()
      if (pending.indexOf(BODY_END.subarray(1)) === 0) {
        pending = pending.subarray(BODY_END.length - 1)
        return
      }
      for (;;) {
        const at = pending.indexOf(BODY_END)
        // As much as may be the beginning of the end is kept back.
        const until = at >= 0 ? at + 1 : Math.max(0, pending.length - BODY_END.length + 1)
        if (until > 0) yield pending.subarray(0, until)
        pending = pending.subarray(at >= 0 ? at + BODY_END.length : until)
        if (at >= 0) return
        await more()
      }
    },
  }
}
