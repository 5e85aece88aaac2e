/** The mails of announcements: calling them off, what became of them, the balance, and queueing again what did not arrive. */
import { type Kysely, sql } from 'kysely'
import type { MailState, StateCount } from '../core/sending/ledger.ts'
import type { Tables } from './database.ts'
import { kindOfReason } from './outbox/mail-counts.ts'
import type { ServerReply } from './outbox/outcomes.ts'

/**
 * Calls off up to `most` mails of an announcement that wait; one of which an earlier copy may have arrived is unknown.
 * Returns how many there were. What a mailer has in hand is its own.
 */
export const cancelMails = async (db: Kysely<Tables>, id: number, most: number): Promise<number> => {
  const { rows } = await sql`
    update announcement_mails m set waits_for = null, fence = m.fence + 1, reason = null,
      state = case when m.resent > 0 then 'unknown' else 'canceled' end
    where m.id in (select id from announcement_mails where announcement_id = ${id} and state in ('queued', 'deferred')
      limit ${most} for update skip locked) returning 1`.execute(db)
  return rows.length
}

const countedStates = (id: number) => sql`
  select m.state, ${kindOfReason} as reason, count(*)::int as count, count(*) filter (where m.resent > 0)::int as resent
  from announcement_mails m where m.announcement_id = ${id} group by 1, 2`

/** How many mails an announcement has by state and kind of reason, the most first; reads every one of them. */
export const countAnnouncementStates = async (db: Kysely<Tables>, id: number): Promise<StateCount[]> => {
  const { rows } = await sql<StateCount>`${countedStates(id)} order by count desc, state, reason`.execute(db)
  return rows
}

/** The ids of announcements of which nothing is pending and whose balance has to be drawn; a broken one every ten minutes. */
export const readAnnouncementsToBalance = async (db: Kysely<Tables>): Promise<number[]> => {
  const { rows } = await sql<{ id: number }>`
    select a.id from announcements a
    where a.completed_at is null and (a.published_at is not null or a.canceled_at is not null)
      and (a.missing = 0 or a.checked_at < now() - interval '10 minutes')
      and not exists (select from announcement_mails m where m.announcement_id = a.id and m.state in ('queued', 'deferred'))
      and not exists (select from announcement_mails m where m.announcement_id = a.id and m.state = 'sending')
    order by a.id`.execute(db)
  return rows.map(({ id }) => id)
}

/** As `balanceEdition`: an announcement that its caller has locked is complete once its mails add up to what was due. */
export const balanceAnnouncement = async (
  db: Kysely<Tables>,
  id: number,
): Promise<{ due: number; missing: number; complete: boolean }> => {
  const { rows } = await sql<{ due: number; missing: number; complete: boolean }>`
    with counted as (${countedStates(id)}),
      summed as (select coalesce(sum(count), 0)::int as held,
        coalesce(sum(count) filter (where state in ('queued', 'sending', 'deferred')), 0)::int as pending,
        coalesce(jsonb_agg(to_jsonb(counted) order by count desc, state, reason), '[]') as totals from counted)
    update announcements a set checked_at = now(), missing = case when s.pending = 0 then a.due - s.held else a.missing end,
      completed_at = case when s.pending = 0 and s.held = a.due then now() end,
      totals = case when s.pending = 0 and s.held = a.due then s.totals else a.totals end
    from summed s where a.id = ${id} and a.completed_at is null and (a.published_at is not null or a.canceled_at is not null)
    returning a.due, a.missing, a.completed_at is not null as complete`.execute(db)
  return rows[0] ?? { due: 0, missing: 0, complete: false }
}

/** A mail of an announcement that did not arrive, as far as is known. */
export interface MissedMail extends ServerReply {
  id: string
  subscriber: string
  /** `null` when the subscriber is erased. */
  email: string | null
  state: MailState
  reason: string | null
  attempts: number
  attemptedAt: Date | null
}

const AT_A_TIME = 1_000

/** The mails of an announcement in these states after the one with an id, in the order of ids, at most a thousand. */
export const readMissedMails = async (
  db: Kysely<Tables>,
  id: number,
  states: readonly MailState[],
  after: string | null = null,
): Promise<MissedMail[]> => {
  const { rows } = await sql<MissedMail>`
    select m.id, m.subscriber_id as subscriber, s.email, m.state, m.reason, m.code, m.enhanced, m.said, m.attempts,
      m.attempted_at as "attemptedAt"
    from announcement_mails m join subscribers s on s.id = m.subscriber_id
    where m.announcement_id = ${id} and m.state = any(${states}) ${after === null ? sql`` : sql`and m.id > ${after}::uuid`}
    order by m.id limit ${AT_A_TIME}`.execute(db)
  return rows
}

/**
 * Puts mails of an announcement in these states back in the queue, with a new fencing number and all their attempts, and
 * opens a complete one again; its caller holds its lock. Returns how many of each state there were.
 */
export const requeueMissedMails = async (
  db: Kysely<Tables>,
  id: number,
  states: readonly MailState[],
): Promise<{ state: MailState; count: number }[]> => {
  const { rows } = await sql<{ state: MailState; count: number }>`
    with missed as (
        select m.id, m.state from announcement_mails m
        where m.announcement_id = ${id} and m.state in ('failed', 'skipped', 'unknown') and m.state = any(${states})
        for update of m),
      back as (
        update announcement_mails m set state = 'queued', reason = null, attempts = 0, fence = m.fence + 1,
          failed_before = coalesce(m.failed_before, case when x.state = 'failed' then ${kindOfReason} end),
          resent = m.resent + case when x.state = 'unknown' then 1 else 0 end, next_attempt_at = now(), created_at = now()
        from missed x where m.id = x.id returning x.state),
      opened as (update announcements set completed_at = null, missing = 0 where id = ${id} and exists (select from back))
    select state, count(*)::int as count from back group by 1 order by 1`.execute(db)
  return rows
}

/** Whether all mails of a complete announcement are held still: old ones are deleted. */
export const holdsAllMails = async (db: Kysely<Tables>, id: number): Promise<boolean> => {
  const { rows } = await sql<{ all: boolean }>`
    select count(*) >= (select due from announcements where id = ${id}) as all
    from announcement_mails where announcement_id = ${id}`.execute(db)
  return rows[0]?.all === true
}
