/** Leases of claimed mails: renewed while a server takes its time, checked again, and ended when their mailer died. */
import { type Kysely, sql } from 'kysely'
import { MAIL_STREAMS, type MailStream, type Tables } from '../database.ts'
import { ADDRESSEE, type ClaimKey, claimRows, IS_SENDING, isSameClaim, LEASE, WANTED } from './conditions.ts'

/** Extends the leases of claimed mails to 60 seconds from now. Returns the ids of those that are still the caller's. */
export const renew = async (db: Kysely<Tables>, stream: MailStream, claims: readonly ClaimKey[]): Promise<string[]> => {
  if (claims.length === 0) return []
  const { rows } = await sql<{ id: string }>`
    update ${sql.table(stream)} m set lease_until = now() + ${LEASE}
    from ${claimRows(claims)} where ${isSameClaim(stream)} and ${IS_SENDING} returning m.id`.execute(db)
  return rows.map((row) => row.id)
}

/** How many mails mailers have claimed and not finished. */
export const countLeased = async (db: Kysely<Tables>): Promise<number> => {
  const ofEach = MAIL_STREAMS.map(
    (stream) => sql`(select count(*) from ${sql.table(stream)} where state = 'sending' and lease_until > now())`,
  )
  const { rows } = await sql<{ leased: number }>`select (${sql.join(ofEach, sql` + `)})::int as leased`.execute(db)
  return rows[0]?.leased ?? 0
}

/** The ids of those claimed mails that are still the caller's and still wanted, for mails that waited before they began. */
export const stillWanted = async (
  db: Kysely<Tables>,
  stream: MailStream,
  claims: readonly ClaimKey[],
): Promise<Set<string>> => {
  const { rows } = await sql<{ id: string }>`
    select m.id from ${claimRows(claims)} join ${sql.table(stream)} m on ${isSameClaim(stream)} and ${IS_SENDING}
    join ${ADDRESSEE[stream]} where ${WANTED[stream]}`.execute(db)
  return new Set(rows.map((row) => row.id))
}

/** What becomes of a digest or announcement when nobody knows whether the server took it: sent again, or held until it is released. */
export type OnUnknown = 'resend' | 'hold'

/**
 * Requeues mails whose lease ran out, counted as resent: their mailer died, and nobody knows whether the server had taken
 * them. With `hold` they are not sent again but become `unknown`, until somebody releases them; letters never do,
 * since somebody waits for each. With `all` (the embedded start, whose predecessor is known to be dead) leases that still
 * run end too. Returns how many mails there were.
 */
export const requeueExpired = async (
  db: Kysely<Tables>,
  stream: MailStream,
  { all = false, onUnknown = 'resend' }: { all?: boolean; onUnknown?: OnUnknown } = {},
): Promise<number> => {
  const outcome =
    onUnknown === 'hold' && stream !== 'letters'
      ? sql`state = 'unknown'`
      : sql`state = 'queued', resent = m.resent + 1, next_attempt_at = now()`
  const { rows } = await sql`
    update ${sql.table(stream)} m set ${outcome}, lease_until = null, attempted_at = m.lease_until - ${LEASE},
      code = null, enhanced = null, said = null, reason = 'its mailer ended before the outcome was known'
    where m.state = 'sending' and ${all ? sql`true` : sql`m.lease_until < now()`} returning 1`.execute(db)
  return rows.length
}
