/** Tables as CSV (RFC 4180) that a spreadsheet can open and runs nothing of. */
import { spreadsheetCell } from './spreadsheet-cell.ts'

/** Rows of text cells as lines, each with a line break at its end; none begins with a formula. */
export const csvOf = (rows: readonly (readonly string[])[]): string =>
  rows
    .map((row) =>
      row
        .map((cell) => spreadsheetCell(cell))
        .map((cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
        .join(','),
    )
    .join('\n')
    .concat('\n')
