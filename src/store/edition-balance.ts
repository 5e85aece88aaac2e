/** Drawing the balance of an edition: once nothing is pending, its deliveries must add up to what was due. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'
import { countedStates } from './outbox/mail-counts.ts'

/**
 * Takes the lock of reconciling to the end of the transaction; `false` when another process has it. A process that idles
 * in the transaction for half a minute loses the lock, and what it did there.
 */
export const lockReconciling = async (db: Kysely<Tables>): Promise<boolean> => {
  await sql`set local idle_in_transaction_session_timeout = '30s'`.execute(db)
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('paper-round reconciling')) as taken`.execute(db)
  return rows[0]?.taken === true
}

/**
 * The ids of published editions of which nothing is pending and whose balance has to be drawn, oldest cut-off first. One
 * that was broken is drawn again only ten minutes later, for it reads every delivery.
 */
export const readEditionsToBalance = async (db: Kysely<Tables>): Promise<number[]> => {
  const { rows } = await sql<{ id: number }>`
    with leased as (select distinct edition_id from deliveries where state = 'sending')
    select e.id from editions e
    where e.completed_at is null and e.published_at is not null and e.canceled_at is null
      and (e.missing = 0 or e.checked_at < now() - interval '10 minutes')
      and not exists (select from leased l where l.edition_id = e.id)
      and (select true from deliveries m where m.edition_id = e.id and m.state in ('queued', 'deferred')
        order by m.next_attempt_at limit 1) is null
    order by e.cutoff`.execute(db)
  return rows.map((row) => row.id)
}

/**
 * Draws the balance of an edition that its caller has locked: when nothing is pending and the deliveries add up to what
 * was due it is complete, and keeps the counts. Returns by how much they fall short, and whether it is complete; zeros
 * for an edition that is not published or is complete already.
 */
export const balanceEdition = async (
  db: Kysely<Tables>,
  id: number,
): Promise<{ due: number; missing: number; complete: boolean }> => {
  const { rows } = await sql<{ due: number; missing: number; complete: boolean }>`
    with counted as (${countedStates(id)}),
      summed as (select coalesce(sum(count), 0)::int as held,
        coalesce(sum(count) filter (where state in ('queued', 'sending', 'deferred')), 0)::int as pending,
        coalesce(jsonb_agg(to_jsonb(counted) - 'firstSentAt' - 'lastSentAt' order by count desc, state, reason), '[]')
          as totals from counted)
    update editions e set checked_at = now(), missing = case when s.pending = 0 then e.due - s.held else e.missing end,
      completed_at = case when s.pending = 0 and s.held = e.due then now() end,
      totals = case when s.pending = 0 and s.held = e.due then s.totals else e.totals end
    from summed s where e.id = ${id} and e.published_at is not null and e.completed_at is null
    returning e.due, e.missing, e.completed_at is not null as complete`.execute(db)
  return rows[0] ?? { due: 0, missing: 0, complete: false }
}
