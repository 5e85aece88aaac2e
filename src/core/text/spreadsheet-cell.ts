/**
 * Texts of others as cells of a table that a spreadsheet may open: it takes what begins with one of these for a formula, and
 * would run it. An apostrophe before it makes it a text, and is taken away again by `readSpreadsheetCell`.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/
const ESCAPED = /^'(?='*[=+\-@\t\r\n＝＋－＠])/

/** A cell that is no formula in any spreadsheet. */
export const spreadsheetCell = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

/** The text of a cell: what `spreadsheetCell` was given. */
export const readSpreadsheetCell = (cell: string): string => cell.replace(ESCAPED, '')
