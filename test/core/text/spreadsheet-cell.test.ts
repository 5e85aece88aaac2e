/** Texts of others in a table that a spreadsheet opens. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSpreadsheetCell, spreadsheetCell } from '../../../src/core/text/spreadsheet-cell.ts'

test('what a spreadsheet takes for a formula is a text, and all else stays as it is', () => {
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', "'=1"])
    expect(spreadsheetCell(formula)).toBe(`'${formula}`)
  for (const text of ['ada@example.org', 'robotics; agents', "O'Neill", "'tis", '', '7'])
    expect(spreadsheetCell(text)).toBe(text)
})

test('no cell begins with a formula, and each is read again as it was', () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom("'", '=', '+', '-', '@', 'a'), { maxLength: 6 }).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(text, (written) => {
      const cell = spreadsheetCell(written)
      expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
      expect(readSpreadsheetCell(cell)).toBe(written)
    }),
  )
})
