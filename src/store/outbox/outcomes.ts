/** Outcomes of attempts, recorded on the mail under the fencing number of the claim. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { MailStream, Tables } from '../database.ts'
import { type ClaimKey, IS_SENDING, isSameClaim } from './conditions.ts'

/** What is to be recorded of an attempt. */
export interface AttemptResult extends ClaimKey {
  /** The mail's next state; never `unknown` of a letter. */
  state: 'sent' | 'deferred' | 'failed' | 'skipped' | 'queued' | 'unknown'
  reason: string | null
  /** Wait before the next attempt, milliseconds; 0 where there is none. */
  retryAfterMs: number
  /** Whether this attempt counts against the mail (a fault of ours or of the relay does not). */
  counts: boolean
  /** True when the outcome is unknown, so that the next copy may be a second one. */
  resend: boolean
  /** What the server said to this attempt, without addresses; `null` where no attempt was made. */
  reply: ServerReply | null
}

/** The server's last reply to an attempt and its codes; all `null` where it said nothing. */
export interface ServerReply {
  code: number | null
  enhanced: string | null
  /** Without addresses, at most 300 characters. */
  said: string | null
}

/** Results as the rows `u`. */
const resultRows = (results: readonly AttemptResult[]): RawBuilder<unknown> =>
  sql`unnest(${results.map((v) => v.id)}::uuid[], ${results.map((v) => v.localDate)}::date[],
      ${results.map((v) => v.fence)}::int[], ${results.map((v) => v.state)}::text[],
      ${results.map((v) => v.reason)}::text[], ${results.map((v) => v.retryAfterMs)}::float8[],
      ${results.map((v) => v.counts)}::bool[], ${results.map((v) => v.resend)}::bool[],
      ${results.map((v) => v.reply !== null)}::bool[], ${results.map((v) => v.reply?.code ?? null)}::smallint[],
      ${results.map((v) => v.reply?.enhanced ?? null)}::text[], ${results.map((v) => v.reply?.said ?? null)}::text[])
      as u(id, local_date, fence, state, reason, retry_ms, counts, resend, attempted, code, enhanced, said)`

const RESULT_VALUES = sql`
      state = u.state, reason = u.reason, lease_until = null, waits_for = null,
      attempts = m.attempts + case when u.counts then 1 else 0 end,
      resent = m.resent + case when u.resend then 1 else 0 end,
      next_attempt_at = now() + u.retry_ms * interval '1 millisecond',
      sent_at = case when u.state = 'sent' then now() end,
      attempted_at = case when u.attempted then now() else m.attempted_at end,
      code = case when u.attempted then u.code else m.code end,
      enhanced = case when u.attempted then u.enhanced else m.enhanced end,
      said = case when u.attempted then u.said else m.said end`

/**
 * A mail takes the result of its last claim while it is being sent. One whose lease ran out, and that is held as unknown or
 * waits to be claimed again, still takes a final result: a second copy is not sent then.
 */
const TAKES_RESULT = sql`(${IS_SENDING}
      or ((m.state in ('unknown', 'queued')) is true and u.state in ('sent', 'failed')))`

/** SQL that records results and returns the ids of the mails that took theirs. */
export const recordResults = (stream: MailStream, results: readonly AttemptResult[]): RawBuilder<{ id: string }> =>
  sql`update ${sql.table(stream)} m set ${RESULT_VALUES}
    from ${resultRows(results)} where ${isSameClaim(stream)} and ${TAKES_RESULT} returning m.id`

/**
 * Records results. A mail that was claimed anew meanwhile has a higher fencing number and keeps its state, so a mailer that
 * was frozen cannot overwrite what its successor found out. Returns how many mails took theirs.
 */
export const record = async (db: Kysely<Tables>, stream: MailStream, results: AttemptResult[]): Promise<number> => {
  if (results.length === 0) return 0
  const { rows } = await recordResults(stream, results).execute(db)
  return rows.length
}
