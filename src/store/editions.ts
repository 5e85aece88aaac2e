/** Editions as a ledger: what each owed, what came of it, and how it is paused, completed and opened again. */
import { type Kysely, sql } from 'kysely'
import type { MailState, StateCount } from '../core/sending/ledger.ts'
import type { Tables } from './database.ts'
import type { ServerReply } from './outcomes.ts'

export interface EditionRow {
  id: number
  cutoff: Date
  begunAt: Date
  /** When everybody due had their delivery written down; `null` while it is published. */
  publishedAt: Date | null
  /** When all was settled and the equation held. */
  completedAt: Date | null
  due: number
  /** What the deliveries added up to when it was completed last. */
  totals: StateCount[] | null
  /** By how much the deliveries fell short of what was due, when that was checked last. */
  missing: number
  pausedAt: Date | null
  pausedBy: string | null
  pausedWhy: string | null
}

const columns = sql`e.id, e.cutoff, e.begun_at as "begunAt", e.published_at as "publishedAt",
  e.completed_at as "completedAt", e.due, e.totals, e.missing, e.paused_at as "pausedAt", e.paused_by as "pausedBy",
  e.paused_why as "pausedWhy"`

/** Counts what a chunk of publishing owes, in its transaction. */
export const addDue = async (db: Kysely<Tables>, id: number, owed: number): Promise<void> => {
  if (owed > 0) await sql`update editions set due = due + ${owed} where id = ${id}`.execute(db)
}

/** The newest first. */
export const readEditions = async (db: Kysely<Tables>, most: number): Promise<EditionRow[]> => {
  const { rows } = await sql<EditionRow>`
    select ${columns} from editions e order by e.cutoff desc limit ${most}`.execute(db)
  return rows
}

/** With `lock` in a transaction: whoever completes, opens again or pauses an edition does so one after the other. */
export const readEdition = async (db: Kysely<Tables>, id: number, lock = false): Promise<EditionRow | undefined> => {
  const { rows } = await sql<EditionRow>`
    select ${columns} from editions e where e.id = ${id} ${lock ? sql`for update` : sql``}`.execute(db)
  return rows[0]
}

/** A reason without the server's prose, so that there are few of them: `refused at rcpt 550 5.1.1`. */
const kindOfReason = sql`split_part(m.reason, ':', 1)
  || case when m.reason ~ '^(expired: )?refused' then concat(' ' || m.code, ' ' || m.enhanced) else '' end`

const countedStates = (id: number, more = sql``) => sql`
  select m.state, ${kindOfReason} as reason, count(*)::int as count,
    count(*) filter (where m.resent > 0)::int as resent ${more}
  from deliveries m where m.edition_id = ${id} group by 1, 2`

/** What the deliveries of an edition are, by state and kind of reason; reads every one of them. */
export const countStates = async (
  db: Kysely<Tables>,
  id: number,
): Promise<(StateCount & { firstSentAt: Date | null; lastSentAt: Date | null })[]> => {
  const times = sql`, min(m.sent_at) as "firstSentAt", max(m.sent_at) as "lastSentAt"`
  const { rows } = await sql<StateCount & { firstSentAt: Date | null; lastSentAt: Date | null }>`
    ${countedStates(id, times)} order by count desc, state, reason`.execute(db)
  return rows
}

/** What is known of an edition that is not complete without reading what was sent. */
export interface OpenEdition extends EditionRow {
  queued: number
  deferred: number
  sending: number
  failed: number
  skipped: number
  unknown: number
  resent: number
  /** Of what may be claimed: for how long the first has been ready, seconds; `null` where nothing waits. */
  oldestWaiting: number | null
}

/** Editions that are not complete, by partial indexes that hold what waits and what was missed. */
export const readOpenEditions = async (db: Kysely<Tables>): Promise<OpenEdition[]> => {
  const waits = sql`m.state in ('queued', 'deferred')`
  const ofOpen = sql`from deliveries m where m.edition_id = any(array(select id from editions where completed_at is null))`
  const counting = (state: MailState) =>
    sql`count(*) filter (where m.state = ${sql.lit(state)})::int as ${sql.id(state)}`
  // Each read once for all editions: one by one they might be planned as so many readings of everything.
  const { rows } = await sql<OpenEdition>`
    with leased as (select m.edition_id, count(*)::int as sending from deliveries m where m.state = 'sending' group by 1),
      waiting as (select m.edition_id, ${counting('queued')}, ${counting('deferred')},
        min(m.next_attempt_at) filter (where m.next_attempt_at <= now()) as oldest
        from deliveries m where ${waits} group by 1),
      missed as (select m.edition_id, ${counting('failed')}, ${counting('skipped')}, ${counting('unknown')}
        ${ofOpen} and m.state in ('failed', 'skipped', 'unknown') group by 1),
      again as (select m.edition_id, count(*)::int as resent ${ofOpen} and m.resent > 0 group by 1)
    select ${columns}, coalesce(w.queued, 0) as queued, coalesce(w.deferred, 0) as deferred,
      coalesce(l.sending, 0) as sending, coalesce(n.failed, 0) as failed, coalesce(n.skipped, 0) as skipped,
      coalesce(n.unknown, 0) as unknown, coalesce(r.resent, 0) as resent,
      case when e.paused_at is null then extract(epoch from now() - w.oldest)::float8 end as "oldestWaiting"
    from editions e left join leased l on l.edition_id = e.id left join waiting w on w.edition_id = e.id
      left join missed n on n.edition_id = e.id left join again r on r.edition_id = e.id
    where e.completed_at is null order by e.cutoff`.execute(db)
  return rows
}

/**
 * Takes the lock of reconciling to the end of the transaction, or says that another has it. Who stands still with it in
 * hand loses it, and what they did in that transaction, after half a minute.
 */
export const lockReconciling = async (db: Kysely<Tables>): Promise<boolean> => {
  await sql`set local idle_in_transaction_session_timeout = '30s'`.execute(db)
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('paper-round reconciling')) as taken`.execute(db)
  return rows[0]?.taken === true
}

/**
 * Editions of which nothing is pending and whose sum has to be drawn. A sum that was wrong is drawn again only ten
 * minutes later: it reads every delivery.
 */
export const readEditionsToBalance = async (db: Kysely<Tables>): Promise<number[]> => {
  const { rows } = await sql<{ id: number }>`
    with leased as (select distinct edition_id from deliveries where state = 'sending')
    select e.id from editions e
    where e.completed_at is null and e.published_at is not null
      and (e.missing = 0 or e.checked_at < now() - interval '10 minutes')
      and not exists (select from leased l where l.edition_id = e.id)
      and (select true from deliveries m where m.edition_id = e.id and m.state in ('queued', 'deferred')
        order by m.next_attempt_at limit 1) is null
    order by e.cutoff`.execute(db)
  return rows.map((row) => row.id)
}

/**
 * Draws the sum of an edition that its caller has locked: where nothing is pending and the deliveries add up to what was
 * due it is complete, and keeps what they added up to. Returns by how much they fall short, and whether it is complete.
 */
export const balanceEdition = async (
  db: Kysely<Tables>,
  id: number,
): Promise<{ due: number; missing: number; complete: boolean }> => {
  const { rows } = await sql<{ due: number; missing: number; complete: boolean }>`
    with counted as (${countedStates(id)}),
      summed as (select coalesce(sum(count), 0)::int as held,
        coalesce(sum(count) filter (where state in ('queued', 'sending', 'deferred')), 0)::int as pending,
        coalesce(jsonb_agg(to_jsonb(counted) order by count desc, state, reason), '[]') as totals from counted)
    update editions e set checked_at = now(), missing = case when s.pending = 0 then e.due - s.held else e.missing end,
      completed_at = case when s.pending = 0 and s.held = e.due then now() end,
      totals = case when s.pending = 0 and s.held = e.due then s.totals else e.totals end
    from summed s where e.id = ${id} and e.published_at is not null and e.completed_at is null
    returning e.due, e.missing, e.completed_at is not null as complete`.execute(db)
  return rows[0] ?? { due: 0, missing: 0, complete: false }
}

/** Whether the deliveries of a complete edition are all still held: old months are dropped. */
export const holdsAllDeliveries = async (db: Kysely<Tables>, id: number): Promise<boolean> => {
  const { rows } = await sql<{ all: boolean }>`
    select count(*) >= (select due from editions where id = ${id}) as all from deliveries where edition_id = ${id}`.execute(
    db,
  )
  return rows[0]?.all === true
}

/**
 * Puts deliveries of an edition back in the queue, under a new fence and with all their tries; its caller holds the
 * edition's lock. What the server may have taken already is counted as resent. A digest without papers, and a sample that
 * must not leave, stay as they are. Returns how many of each state were put back.
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
        update deliveries m set state = 'queued', reason = null, attempts = 0, fence = m.fence + 1,
          resent = m.resent + case when x.state = 'unknown' then 1 else 0 end,
          -- Patience with it begins anew.
          next_attempt_at = now(), created_at = now()
        from missed x where m.local_date = x.local_date and m.id = x.id returning x.state),
      opened as (update editions set completed_at = null, missing = 0 where id = ${id} and exists (select from back))
    select state, count(*)::int as count from back group by 1 order by 1`.execute(db)
  return rows
}

export const markPaused = async (
  db: Kysely<Tables>,
  id: number,
  why: { by: string | null; why: string | null },
): Promise<void> => {
  await sql`update editions set paused_at = coalesce(paused_at, now()), paused_by = ${why.by}, paused_why = ${why.why}
    where id = ${id}`.execute(db)
}

export const markResumed = async (db: Kysely<Tables>, id: number): Promise<void> => {
  await sql`update editions set paused_at = null, paused_by = null, paused_why = null where id = ${id}`.execute(db)
}

export interface MissedDelivery extends ServerReply {
  /** `null` of the erased. */
  email: string | null
  localDate: string
  state: MailState
  reason: string | null
  attempts: number
  resent: number
  attemptedAt: Date | null
}

const AT_A_TIME = 1_000

/**
 * Hands over the deliveries of an edition that are in one of these states, up to a thousand at a time, as they stood at
 * the beginning. `reason` is any part of the kind of reason or of the reason itself, in any case.
 */
export const streamDeliveries = async (
  db: Kysely<Tables>,
  id: number,
  which: { states: MailState[]; reason: string | null },
  take: (rows: MissedDelivery[]) => Promise<void>,
): Promise<void> => {
  const wish = `%${(which.reason ?? '').replace(/[%_\\]/g, '\\$&')}%`
  await db.transaction().execute(async (trx) => {
    await sql`declare missed no scroll cursor for
      select s.email, m.local_date as "localDate", m.state, m.reason, m.code, m.enhanced, m.said, m.attempts, m.resent,
        m.attempted_at as "attemptedAt"
      from deliveries m join subscribers s on s.id = m.subscriber_id
      where m.edition_id = ${id} and m.state = any(${which.states})
        ${which.reason === null ? sql`` : sql`and (m.reason ilike ${wish} or ${kindOfReason} ilike ${wish})`}`.execute(
      trx,
    )
    for (;;) {
      const { rows } = await sql<MissedDelivery>`fetch ${sql.lit(AT_A_TIME)} from missed`.execute(trx)
      if (rows.length === 0) return
      await take(rows)
    }
  })
}

/** Letters of the last 24 hours and those that wait, by state; and for how long the first of these has been ready, seconds. */
export const readLetterFigures = async (
  db: Kysely<Tables>,
): Promise<{ states: Record<Exclude<MailState, 'unknown'>, number>; oldestWaiting: number | null }> => {
  const { rows } = await sql<{ state: Exclude<MailState, 'unknown'>; count: number; oldest: number | null }>`
    with known as (
      select state, next_attempt_at from letters where state in ('queued', 'deferred')
      union all select state, next_attempt_at from letters where state = 'sending'
      union all select state, next_attempt_at from letters
        where created_at > now() - interval '24 hours' and state in ('sent', 'failed', 'skipped'))
    select state, count(*)::int as count, extract(epoch from now() - min(next_attempt_at)
        filter (where state in ('queued', 'deferred') and next_attempt_at <= now()))::float8 as oldest
    from known group by state`.execute(db)
  const states = { queued: 0, sending: 0, deferred: 0, sent: 0, failed: 0, skipped: 0 }
  for (const { state, count } of rows) states[state] = count
  const ages = rows.flatMap((row) => row.oldest ?? [])
  return { states, oldestWaiting: ages.length === 0 ? null : Math.max(...ages) }
}
