/** The report of rows that an import refused: a table that can be mended and imported in its turn. */
import { constants } from 'node:fs'
import { access, type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { csvLines } from '../../src/adapters/csv/csv-writer.ts'
import { type ColumnPlaces, REFUSAL_COLUMNS } from '../../src/core/subscriber/list-columns.ts'
import { readSpreadsheetCell } from '../../src/core/text/spreadsheet-cell.ts'
import type { RefusalReport, RefusedRow } from '../../src/newsletter/subscription/import.ts'
import { UsageError } from '../exit.ts'

export interface RefusalFile extends RefusalReport {
  close(): Promise<void>
}

/**
 * The report as a file that is made with the first refused row; `null`: none is written. `begin` rejects with `UsageError`
 * where a file of this name is there, or none can be made. The columns of the list follow
 * those that say what is wrong, and a row is as it was.
 */
export const openRefusalFile = (
  path: string | null,
  header: readonly string[],
  { refusals }: Pick<ColumnPlaces, 'refusals'>,
): RefusalFile => {
  let file: FileHandle | null = null
  let octets = 0
  // The report of a report says what is wrong now.
  const ownCells = (cells: readonly string[]): string[] =>
    cells.filter((_, place) => !refusals.has(place)).map(readSpreadsheetCell)
  const append = async (text: string): Promise<void> => {
    if (path === null || text === '') return
    // Only its owner may read it: it holds addresses.
    file ??= await open(path, 'w', 0o600)
    octets += (await file.write(text, octets)).bytesWritten
  }
  return {
    async begin() {
      if (path === null) return
      if (!(await isThere(dirname(path), constants.W_OK)))
        throw new UsageError(`${path} cannot be written; name another file by --refused`)
      if (await isThere(path))
        throw new UsageError(
          `${path} is there already: it may have rows that you mended. Import it or move it away, or name another file by --refused`,
        )
    },
    async resume(kept) {
      if (path === null || kept === 0) return
      file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
      octets = Math.min(kept, (await file.stat()).size)
      await file.truncate(octets)
    },
    async write(rows) {
      if (rows.length > 0 && octets === 0) await append(csvLines([[...REFUSAL_COLUMNS, ...ownCells(header)]]))
      await append(csvLines(rows.map((row) => [...reasonsOf(row), ...ownCells(row.cells)])))
      return octets
    },
    close: async () => file?.close(),
  }
}

const isThere = (path: string, mode = constants.F_OK): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  )

const reasonsOf = ({ line, errors }: RefusedRow): string[] => [
  String(line),
  ...(['field', 'problem', 'expected'] as const).map((name) => errors.map((error) => error[name]).join('; ')),
]
