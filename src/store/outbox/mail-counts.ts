/** What deliveries and letters come to: how many are in which state, and for how long the oldest has waited. */
import { type Kysely, sql } from 'kysely'
import type { LetterState, MailState, StateCount } from '../../core/sending/ledger.ts'
import type { Tables } from '../database.ts'
import { type EditionRow, editionColumns } from '../editions.ts'

/** The kind of a delivery's reason: without the server's prose, so that there are few: `refused at rcpt 550 5.1.1`. */
export const kindOfReason = sql`split_part(m.reason, ':', 1)
  || case when m.reason ~ '^(expired: )?refused' then concat(' ' || m.code, ' ' || m.enhanced) else '' end
  || coalesce('; failed before: ' || m.failed_before, '')`

/**
 * A query of `StateCount`s, of all deliveries of an edition, with the first and the last `sent_at` of each. What was
 * canceled is counted by the edition, for a later one of the same local date may have taken the rows.
 */
export const countedStates = (id: number) => sql`
  select m.state, ${kindOfReason} as reason, count(*)::int as count,
    count(*) filter (where m.resent > 0)::int as resent, min(m.sent_at) as "firstSentAt", max(m.sent_at) as "lastSentAt"
  from deliveries m where m.edition_id = ${id} and m.state <> 'canceled' group by 1, 2
  union all
  select 'canceled', null, e.canceled, 0, null, null from editions e where e.id = ${id} and e.canceled > 0`

/** How many deliveries an edition has by state and kind of reason, the most first; reads every one of them. */
export const countStates = async (
  db: Kysely<Tables>,
  id: number,
): Promise<(StateCount & { firstSentAt: Date | null; lastSentAt: Date | null })[]> => {
  const { rows } = await sql<StateCount & { firstSentAt: Date | null; lastSentAt: Date | null }>`
    ${countedStates(id)} order by count desc, state, reason`.execute(db)
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

/** The editions that are not complete, oldest cut-off first, by partial indexes of what waits and what was missed. */
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
    select ${editionColumns}, coalesce(w.queued, 0) as queued, coalesce(w.deferred, 0) as deferred,
      coalesce(l.sending, 0) as sending, coalesce(n.failed, 0) as failed, coalesce(n.skipped, 0) as skipped,
      coalesce(n.unknown, 0) as unknown, coalesce(r.resent, 0) as resent,
      case when e.paused_at is null then extract(epoch from now() - w.oldest)::float8 end as "oldestWaiting"
    from editions e left join leased l on l.edition_id = e.id left join waiting w on w.edition_id = e.id
      left join missed n on n.edition_id = e.id left join again r on r.edition_id = e.id
    where e.completed_at is null order by e.cutoff`.execute(db)
  return rows
}

const BEGAN_TODAY = sql`begun_at > now() - interval '24 hours'`

/**
 * Of the editions that began in the last 24 hours: how many digests were due, and of how many nobody knows whether they
 * arrived, or arrived once. Reads these alone, by the indexes of what was missed and what was sent again.
 */
export const countRecent = async (db: Kysely<Tables>): Promise<{ due: number; uncertain: number }> => {
  const ofRecent = sql`m.edition_id = any(array(select id from editions where ${BEGAN_TODAY}))`
  const { rows } = await sql<{ due: number; uncertain: number }>`
    select (select coalesce(sum(due), 0)::int from editions where ${BEGAN_TODAY}) as due,
      (select count(*)::int from deliveries m where ${ofRecent} and m.resent > 0)
      + (select count(*)::int from deliveries m where ${ofRecent} and m.state in ('failed', 'skipped', 'unknown')
          and m.state = 'unknown' and m.resent = 0) as uncertain`.execute(db)
  return rows[0] ?? { due: 0, uncertain: 0 }
}

/** How many deliveries of each edition wait for which throttled or capped destination. */
export const readWaitingByDestination = async (
  db: Kysely<Tables>,
): Promise<{ editionId: number; destination: string; count: number }[]> => {
  const { rows } = await sql<{ editionId: number; destination: string; count: number }>`
    select edition_id as "editionId", waits_for as destination, count(*)::int as count from deliveries m
    where m.waits_for is not null and m.state in ('queued', 'deferred') group by 1, 2`.execute(db)
  return rows
}

/** Whether the deliveries of a complete edition are all held still: old months are dropped. Reads every one of them. */
export const holdsAllDeliveries = async (db: Kysely<Tables>, id: number): Promise<boolean> => {
  const { rows } = await sql<{ all: boolean }>`
    select count(*) >= (select due from editions where id = ${id}) as all from deliveries where edition_id = ${id}`.execute(
    db,
  )
  return rows[0]?.all === true
}

/**
 * How many letters of the last 24 hours, and of those that wait, are in which state; and for how many seconds the oldest
 * that may be claimed has been ready, `null` when none waits.
 */
export const readLetterFigures = async (
  db: Kysely<Tables>,
): Promise<{ states: Record<LetterState, number>; oldestWaiting: number | null }> => {
  const { rows } = await sql<{ state: LetterState; count: number; oldest: number | null }>`
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

/** How many confirmations of the last 24 hours, and of those that wait, are in which state; and sign-ups without one yet. */
export const readConfirmationFigures = async (
  db: Kysely<Tables>,
): Promise<{ states: Partial<Record<LetterState, number>>; notIssued: number }> => {
  const { rows } = await sql<{ state: LetterState | null; count: number }>`
    with known as (
      select state, kind from letters where state in ('queued', 'deferred')
      union all select state, kind from letters where state = 'sending'
      union all select state, kind from letters
        where created_at > now() - interval '24 hours' and state in ('sent', 'failed', 'skipped'))
    select state, count(*)::int as count from known where kind = 'confirmation' group by state
    union all select null, count(*)::int from sign_ups where kind = 'subscribe' and set_aside_at is null`.execute(db)
  const states = Object.fromEntries(rows.flatMap(({ state, count }) => (state === null ? [] : [[state, count]])))
  return { states, notIssued: rows.find(({ state }) => state === null)?.count ?? 0 }
}

/**
 * For how many seconds the oldest request of somebody who looks at their inbox has waited for its letter, for no reason of
 * their mailbox's: it was not issued yet, or no attempt counted against it. `null` where none waits; what was set aside or
 * held for its limits does not. `now`: the clock by which requests are made.
 */
export const readOldestUnsentLetter = async (db: Kysely<Tables>, now: Date): Promise<number | null> => {
  const { rows } = await sql<{ seconds: number | null }>`
    select greatest(
      (select extract(epoch from ${now}::timestamptz - min(requested_at)) from sign_ups
        where set_aside_at is null and not_before is null),
      (select extract(epoch from now() - min(m.created_at)) from letters m
        where m.state in ('queued', 'deferred') and m.attempts = 0 and m.waits_for is null))::float8 as seconds`.execute(
    db,
  )
  return rows[0]?.seconds ?? null
}
