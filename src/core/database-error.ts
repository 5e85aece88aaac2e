/**
 * What an error of Postgres or of the connection to it means: values that it refuses, a full disk, a database that is away
 * or read-only, or any other outage.
 *
 * Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import { cleanLine } from './text/text.ts'

/**
 * Classes of SQLSTATE that a row's own values can cause: cardinality violation, data exception, integrity constraint,
 * program limit exceeded (a value too long for an index), and what a trigger raises.
 */
const OF_VALUES = /^(?:21|22|23|54|P0)...$/
const SQLSTATE = /^[0-9A-Z]{5}$/
/** Of the system, such as ECONNREFUSED; Node's own begin with ERR_. */
const SYSTEM_ERROR = /^E(?!RR_)[A-Z_]+$/
/** What pg and Kysely say of a connection that is gone; these errors have no code. */
const CONNECTION_GONE =
  /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded when|driver has)/
/** Postgres's, and the system's own. */
const DISK_FULL = /^(?:53100|ENOSPC)$/
/** A server that starts, stops, takes no more connections, or cannot be reached. */
const AWAY = /^(?:08\w{3}|57P0[1-4]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/
/** A transaction may change nothing: the database is a standby, or was made read-only. */
const READ_ONLY = '25006'
/** A table or a column that does not exist. */
const MISSING = /^(?:42P01|42703)$/
/** A statement that took longer than it may, or was cancelled. */
const CANCELLED = '57014'
const MAX_REASON = 200

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

const isConnectionGone = (error: unknown): boolean =>
  error instanceof Error && codeOf(error) === '' && CONNECTION_GONE.test(error.message)

/** Whether the disk of the database is full. */
export const isDiskFull = (error: unknown): boolean => DISK_FULL.test(codeOf(error))

/** Whether the database is read-only for now. */
export const isReadOnlyError = (error: unknown): boolean => codeOf(error) === READ_ONLY

/** Whether the schema has no such table or column (any more). */
export const isMissing = (error: unknown): boolean => MISSING.test(codeOf(error))

/** Whether a statement took longer than it may. */
export const isCancelled = (error: unknown): boolean => codeOf(error) === CANCELLED

/** Whether the database cannot be reached for now. */
export const isAway = (error: unknown): boolean => AWAY.test(codeOf(error)) || isConnectionGone(error)

/**
 * Whether a thrown value is an outage: the connection is gone, the database ends, is full or locked, or its schema is not
 * the one expected. What was being done then may be right, and counts against nothing and nobody.
 */
export const isOutage = (error: unknown): boolean => {
  const code = codeOf(error)
  if (code === '') return isConnectionGone(error)
  return SQLSTATE.test(code) ? !OF_VALUES.test(code) : SYSTEM_ERROR.test(code)
}

/** Why values were refused by the database or the calendar, as a clause; `null` for any other error. */
export const whyRefused = (error: unknown): string | null => {
  if (!(error instanceof Error)) return null
  if (OF_VALUES.test(codeOf(error))) return `the database refuses it: ${cleanLine(error.message, MAX_REASON)}`
  // Of `Temporal`, `Date` and `Intl`.
  return error instanceof RangeError ? `the calendar refuses it: ${cleanLine(error.message, MAX_REASON)}` : null
}
