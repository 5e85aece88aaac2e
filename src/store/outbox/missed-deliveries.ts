/** The deliveries of an edition that did not arrive: handed over for a list, and put back in the queue. */
import { type Kysely, sql } from 'kysely'
import type { MailState } from '../../core/sending/ledger.ts'
import type { Tables } from '../database.ts'
import { kindOfReason } from './mail-counts.ts'
import type { ServerReply } from './outcomes.ts'

export interface MissedDelivery extends ServerReply {
  /** `null` when the subscriber is erased. */
  email: string | null
  localDate: string
  state: MailState
  reason: string | null
  /** The kind of reason of its first failure, where it was put back in the queue since. */
  failedBefore: string | null
  attempts: number
  resent: number
  attemptedAt: Date | null
}

const AT_A_TIME = 1_000

/**
 * Hands over the deliveries of an edition that are in one of these states, up to a thousand at a time, in one snapshot.
 * `reason` is any part of the kind of reason or of the reason itself, in any case. Rejects with what `take` rejects with.
 */
export const streamDeliveries = async (
  db: Kysely<Tables>,
  id: number,
  which: { states: MailState[]; reason: string | null },
  take: (rows: MissedDelivery[]) => Promise<void>,
): Promise<void> => {
  const pattern = `%${(which.reason ?? '').replace(/[%_\\]/g, '\\$&')}%`
  await db.transaction().execute(async (trx) => {
    await sql`declare missed no scroll cursor for
      select s.email, m.local_date as "localDate", m.state, m.reason, m.failed_before as "failedBefore", m.code, m.enhanced, m.said, m.attempts, m.resent,
        m.attempted_at as "attemptedAt"
      from deliveries m join subscribers s on s.id = m.subscriber_id
      where m.edition_id = ${id} and m.state = any(${which.states})
        ${which.reason === null ? sql`` : sql`and (m.reason ilike ${pattern} or ${kindOfReason} ilike ${pattern})`}`.execute(
      trx,
    )
    for (;;) {
      const { rows } = await sql<MissedDelivery>`fetch ${sql.lit(AT_A_TIME)} from missed`.execute(trx)
      if (rows.length === 0) return
      await take(rows)
    }
  })
}

/**
 * Puts deliveries of an edition back in the queue, with a new fencing number and all their attempts, and opens a complete
 * edition again; why one failed first is kept, whatever becomes of it; its caller holds the edition's lock. What the server may have taken already is counted as resent. An
 * empty digest, and a sample that must not leave, stay as they are. Returns how many of each state were put back.
 */
export const requeueMissed = async (
  db: Kysely<Tables>,
  id: number,
  which: { states: MailState[]; subscriberId: string | null },
): Promise<{ state: MailState; count: number }[]> => {
  const { rows } = await sql<{ state: MailState; count: number }>`
    with missed as (
        select m.local_date, m.id, m.state from deliveries m join digests d on d.id = m.digest_id
        where m.edition_id = ${id} and m.state in ('failed', 'skipped', 'unknown') and m.state = any(${which.states})
          and d.empty_since is null and not (d.sample and m.state = 'skipped')
          ${which.subscriberId === null ? sql`` : sql`and m.subscriber_id = ${which.subscriberId}`} for update of m),
      back as (
        update deliveries m set state = 'queued', reason = null,
          failed_before = coalesce(m.failed_before, case when x.state = 'failed' then ${kindOfReason} end), attempts = 0, fence = m.fence + 1,
          resent = m.resent + case when x.state = 'unknown' then 1 else 0 end,
          -- It expires as late as one that is new.
          next_attempt_at = now(), created_at = now()
        from missed x where m.local_date = x.local_date and m.id = x.id returning x.state),
      opened as (update editions set completed_at = null, missing = 0 where id = ${id} and exists (select from back))
    select state, count(*)::int as count from back group by 1 order by 1`.execute(db)
  return rows
}
