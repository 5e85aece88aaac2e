/** Writes tables as CSV (RFC 4180) that a spreadsheet can open and runs nothing of. */
import { stringify } from 'csv-stringify/sync'
import { spreadsheetCell } from '../../core/text/spreadsheet-cell.ts'

/** Rows of text cells as lines, each with a line break at its end; none begins with a formula. */
export const csvLines = (rows: readonly (readonly string[])[]): string =>
  stringify(
    rows.map((row) => row.map(spreadsheetCell)),
    { record_delimiter: '\n' },
  )
