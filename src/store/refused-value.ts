/** Tells a value that the database or the calendar refuses from a fault of the database. */
import { cleanLine } from '../core/text/text.ts'

/**
 * Classes of SQLSTATE that are about values: data exceptions, violated constraints, limits of the program such as the size of
 * an index row. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const OF_VALUES = /^(?:22|23|54)/
const MAX_REASON = 200

/** Why a statement's values were refused, as a clause; `null` for any other error, such as a connection that broke. */
export const whyRefused = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (OF_VALUES.test(code)) return `the database refuses it: ${cleanLine(error.message, MAX_REASON)}`
  // Of `Temporal`, `Date` and `Intl`.
  return error instanceof RangeError ? `the calendar refuses it: ${cleanLine(error.message, MAX_REASON)}` : null
}
