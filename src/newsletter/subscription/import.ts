/** Bringing a list along: each row becomes a subscriber who gets digests, or is kept as it is known, or refused. */
import { DAY, MINUTE } from '../../core/calendar.ts'
import { addressHashes } from '../../core/subscriber/address-hash.ts'
import type { Wording } from '../../core/subscriber/consent.ts'
import { legacyHashes } from '../../core/subscriber/legacy-token.ts'
import type { ListedReader, ReadRow } from '../../core/subscriber/list-row.ts'
import type { FieldError, Preferences } from '../../core/subscriber/preferences.ts'
import type { Keys } from '../../core/token.ts'
import type { Database, ImportCounts } from '../../store/database.ts'
import {
  advanceImport,
  beginImport,
  endImport,
  type ImportProgress,
  type NewReader,
  readImport,
  type StoredBatch,
  storeImported,
  storeStatementOfImport,
  storeWelcomes,
} from '../../store/subscriber-import.ts'
import { createNextDue } from '../next-due.ts'
import type { CandidateCache } from '../publishing/candidate-cache.ts'
import { createImportWelcomes } from './import-welcome.ts'

/** Rows of one transaction. The next ones are read meanwhile, so that twice as many are in memory. */
const BATCH = 4_000
/** Refused rows that the result names; the report has all. */
const MOST_NAMED = 10
/** Milliseconds between two welcomes: confirmations of others go between them. */
const WELCOME_EVERY = 50

/** A row of the list, and the line of the file on which it begins. */
export interface ListRow {
  line: number
  cells: string[]
}

export interface RefusedRow extends ListRow {
  errors: FieldError[]
}

/** The report of refused rows. */
export interface RefusalReport {
  /** Rejects where a report is there already that may have been mended. */
  begin(): Promise<void>
  /** Keeps the first `octets` of what an import that was killed has written, and drops the rest. */
  resume(octets: number): Promise<void>
  /** Resolves to the octets of the report once they are written. */
  write(rows: readonly RefusedRow[]): Promise<number>
}

export interface ImportPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** Rejects while there is too little space for more; left out where that cannot be known. */
  requireSpace?: () => Promise<void>
}

export interface ImportOptions {
  /** Names the file and how it is read; an import of the same key that was killed goes on. `null`: it cannot. */
  key: Buffer | null
  statement: Wording
  readRow: (cells: readonly string[]) => ReadRow
  report: RefusalReport
  /** Days over which first digests begin; 1: each reader's begin at their next regular time. */
  overDays?: number
  /** What welcomes are chosen from; left out where none is sent. */
  welcomes?: Pick<CandidateCache, 'welcome'> | undefined
  /** Stores nothing. */
  dryRun?: boolean
  /** Hears how many octets of the file are read. */
  onProgress?: (octetsRead: number) => void
}

export interface Imported extends ImportCounts {
  /** Rows with something in them. */
  rows: number
  /** How many of them an import that was killed had done before. */
  resumedFrom: number
  /** The first that were refused, of this run. */
  named: RefusedRow[]
}

/** Another process imports the same file. */
export class ImportUnderWay extends Error {}

const NOTHING: ImportCounts = { imported: 0, kept: {}, refused: 0, links: 0, welcomes: 0 }

const TAKEN: FieldError = {
  field: 'legacy_token',
  problem: 'Another address has this link already.',
  expected: 'the link of this address, or none',
}

/**
 * Imports a list, some thousand rows a transaction, with memory that does not grow. Whoever is new is active from then on, with
 * a record of consent that has the statement; whoever is known, whatever their state, stays as they are. Killed at any
 * point it has done each row once or not at all, and goes on where it was. Throws `ImportUnderWay`, and what
 * `requireSpace` rejects with.
 */
export const importSubscribers = async (
  ports: ImportPorts,
  list: AsyncIterable<{ rows: ListRow[]; octetsRead: number }>,
  options: ImportOptions,
): Promise<Imported> => {
  const { key, dryRun = false, report, onProgress = () => undefined } = options
  const { db } = ports
  const known = key === null || dryRun ? null : await readImport(db, key)
  let progress: ImportProgress = known ?? { rowsDone: 0, reportOctets: 0, counts: NOTHING }
  const resumedFrom = progress.rowsDone
  if (known !== null) await report.resume(known.reportOctets)
  else await report.begin()
  if (known === null && key !== null && !dryRun) await beginImport(db, key, ports.now(), NOTHING)
  if (!dryRun) await storeStatementOfImport(db, options.statement)
  const importer = createImporter(ports, options)
  const named: RefusedRow[] = []
  let storing: Promise<void> = Promise.resolve()
  try {
    for await (const { rows, octetsRead } of inBatches(list, resumedFrom)) {
      await storing
      storing = importer(progress, rows).then((done) => {
        progress = done.progress
        named.push(...done.refused.slice(0, MOST_NAMED - named.length))
        onProgress(octetsRead)
      })
      // It is awaited before the next; until then an error must not end the process.
      storing.catch(() => undefined)
    }
  } finally {
    // Also where the file cannot be read any further: what was read before counts.
    await storing
  }
  if (key !== null && !dryRun) await endImport(db, key)
  return { ...progress.counts, rows: progress.rowsDone, resumedFrom, named }
}

/** Pieces of a list as batches, without the first `skipped` rows. What was read before an error is handed over first. */
const inBatches = async function* (
  list: AsyncIterable<{ rows: ListRow[]; octetsRead: number }>,
  skipped: number,
): AsyncGenerator<{ rows: ListRow[]; octetsRead: number }> {
  let left = skipped
  let waiting: ListRow[] = []
  let octetsRead = 0
  let failure: unknown = null
  try {
    for await (const piece of list) {
      const rows = piece.rows.slice(Math.min(left, piece.rows.length))
      left -= piece.rows.length - rows.length
      octetsRead = piece.octetsRead
      waiting = [...waiting, ...rows]
      for (; waiting.length >= BATCH; waiting = waiting.slice(BATCH))
        yield { rows: waiting.slice(0, BATCH), octetsRead }
    }
  } catch (error) {
    failure = error
  }
  if (waiting.length > 0) yield { rows: waiting, octetsRead }
  if (failure !== null) throw failure
}

/** A batch as it was read: who is to be stored, and which rows are refused. */
interface ReadBatch {
  readers: (ListedReader & { row: ListRow; hashes: Buffer[] })[]
  choices: Map<Preferences, number>
  refused: RefusedRow[]
}

const readBatch = (rows: ListRow[], keys: Keys, readRow: ImportOptions['readRow']): ReadBatch => {
  const batch: ReadBatch = { readers: [], choices: new Map(), refused: [] }
  for (const row of rows) {
    const read = readRow(row.cells)
    if ('errors' in read) {
      batch.refused.push({ ...row, errors: read.errors })
      continue
    }
    const { preferences, address } = read.reader
    if (!batch.choices.has(preferences)) batch.choices.set(preferences, batch.choices.size)
    batch.readers.push({ ...read.reader, row, hashes: addressHashes(keys, address) })
  }
  return batch
}

/** Returns what stores a batch: all of it in one transaction, with how far the import has come. */
const createImporter = ({ db, keys, now, requireSpace }: ImportPorts, options: ImportOptions) => {
  const { key, statement, readRow, report, overDays = 1, dryRun = false } = options
  const dueOf = createFirstDue(overDays, options.welcomes !== undefined)
  const welcomes = options.welcomes === undefined ? null : createImportWelcomes(db, options.welcomes)
  /** Addresses of a dry run, which finds those of earlier rows nowhere else: 48 bits of their hashes. */
  const seen = new Set<number>()
  return async (
    before: ImportProgress,
    rows: ListRow[],
  ): Promise<{ progress: ImportProgress; refused: RefusedRow[] }> => {
    const at = now()
    const batch = readBatch(rows, keys, readRow)
    const given = {
      at,
      statement,
      choices: [...batch.choices.keys()],
      readers: batch.readers.map(
        (one): NewReader => ({
          email: one.address,
          addressHashes: one.hashes,
          choice: batch.choices.get(one.preferences) ?? 0,
          nextDueAt: dueOf(at, one),
          legacyHashes: one.legacyToken === null ? null : legacyHashes(keys, one.legacyToken),
        }),
      ),
    }
    if (dryRun) {
      const stored = await storeImported(db, given, { dryRun })
      const { counts, refused } = countBatch(before.counts, batch, withoutSeen(stored, batch, seen))
      const reportOctets = await report.write(refused)
      return { progress: { rowsDone: before.rowsDone + rows.length, reportOctets, counts }, refused }
    }
    await requireSpace?.()
    const digests = await welcomes?.(given.choices, at)
    return db.transaction().execute(async (trx) => {
      const stored = await storeImported(trx, given)
      const { counts, refused } = countBatch(before.counts, batch, stored)
      if (digests !== undefined && stored.imported.length > 0) {
        const owed = stored.imported.flatMap(({ id, place }) => {
          const digest = digests[given.readers[place]?.choice ?? 0]
          return digest === undefined ? [] : [{ id, ...digest }]
        })
        await storeWelcomes(trx, owed, { at, first: before.counts.welcomes, everyMs: WELCOME_EVERY })
        counts.welcomes += owed.length
      }
      const reportOctets = await report.write(refused)
      const progress = { rowsDone: before.rowsDone + rows.length, reportOctets, counts }
      if (key !== null && !(await advanceImport(trx, key, before.rowsDone, progress)))
        throw new ImportUnderWay('another process imports this file; wait until it is through')
      return { progress, refused }
    })
  }
}

/** The outcomes of a dry run, in which nothing of earlier batches is stored. */
const withoutSeen = (stored: StoredBatch, { readers }: ReadBatch, seen: Set<number>): StoredBatch => ({
  ...stored,
  outcomes: stored.outcomes.map((outcome, place) => {
    const hash = readers[place]?.hashes[0]?.readUIntBE(0, 6) ?? 0
    if (outcome.outcome !== 'imported') return outcome
    if (seen.has(hash)) return { outcome: 'kept', state: 'active' }
    seen.add(hash)
    return outcome
  }),
})

const countBatch = (
  before: ImportCounts,
  { readers, refused }: ReadBatch,
  { outcomes, links }: StoredBatch,
): { counts: ImportCounts; refused: RefusedRow[] } => {
  const counts = { ...before, kept: { ...before.kept }, links: before.links + links }
  const taken: RefusedRow[] = []
  for (const [place, one] of outcomes.entries()) {
    const row = readers[place]?.row
    if (one.outcome === 'imported') counts.imported++
    else if (one.outcome === 'kept') counts.kept[one.state] = (counts.kept[one.state] ?? 0) + 1
    else if (row !== undefined) taken.push({ ...row, errors: [TAKEN] })
  }
  const all = [...refused, ...taken].sort((a, b) => a.line - b.line)
  counts.refused += all.length
  return { counts, refused: all }
}

/**
 * Returns when a reader's first digest is due: their next regular time, of one of so many days by the hash of their address.
 * After a welcome it is at least `LEAST_GAP` away.
 */
const createFirstDue = (overDays: number, afterWelcome: boolean) => {
  let minute = Number.NaN
  let byDay: ReturnType<typeof createNextDue>[] = []
  return (at: Date, { preferences, hashes }: { preferences: Preferences; hashes: readonly Buffer[] }): Date => {
    if (minute !== Math.floor(at.getTime() / MINUTE)) {
      minute = Math.floor(at.getTime() / MINUTE)
      byDay = Array.from({ length: overDays }, (_, day) => createNextDue(new Date(at.getTime() + day * DAY)))
    }
    const day = (hashes[0]?.readUInt32BE(6) ?? 0) % overDays
    const next = byDay[day]
    if (next === undefined) throw new Error(`there is no day ${day}`)
    return next(preferences, { date: null, at: afterWelcome ? new Date(minute * MINUTE + MINUTE) : null })
  }
}
