/** Whether an error lies with the database as a whole, which every row would have met, or with the row in hand. */

/**
 * Classes of SQLSTATE that a row's own values can cause: cardinality violation, data exception, integrity constraint,
 * program limit exceeded (a value too long for an index), and what a trigger raises.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const CLASSES_OF_ROWS: ReadonlySet<string> = new Set(['21', '22', '23', '54', 'P0'])
const SQLSTATE = /^[0-9A-Z]{5}$/
/** Of the system, such as ECONNREFUSED; Node's own begin with ERR_. */
const SYSTEM_ERROR = /^E(?!RR_)[A-Z_]+$/
/** What pg and Kysely say of a connection that is gone; these errors have no code. */
const CONNECTION_GONE =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when|driver has)/

/**
 * Whether a thrown value is an outage: the connection is gone, the database ends, is full or locked, or its schema is not
 * the one expected. What was being done then may be right, and counts against nothing and nobody.
 */
export const isOutage = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return CONNECTION_GONE.test(error.message)
  return SQLSTATE.test(code) ? !CLASSES_OF_ROWS.has(code.slice(0, 2)) : SYSTEM_ERROR.test(code)
}
