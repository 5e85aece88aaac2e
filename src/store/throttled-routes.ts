/** Relays and destinations that are throttled, shared by all mailers: how much each may be given now, and what waits for it. */
import { type Kysely, sql } from 'kysely'
import type { Pace, ThrottleCause } from '../core/sending/pace.ts'
import type { Tables } from './database.ts'

export type RouteKind = Tables['throttled_routes']['kind']

export interface Route {
  kind: RouteKind
  /** `host:port` of a relay, the first domain of a destination. */
  name: string
  /** Of a destination, lower-case. */
  domains: readonly string[]
}

/** A pace with the server's last words; `restMs` only where it is to rest anew, from now. */
export interface RouteState extends Pace {
  reason: string
  backOffMs?: number
}

export interface RouteChange {
  before: RouteState | null
  after: RouteState | null
}

/**
 * Changes what is known of a route under its row's lock; `null`: it is not throttled. `change` is not called
 * while the way rests already: what was under way when it closed says nothing new. Pass `whileResting` for good news.
 */
export const changeRoute = async (
  db: Kysely<Tables>,
  route: Route,
  change: (before: RouteState | null) => RouteState | null,
  whileBackingOff = false,
): Promise<RouteChange> => {
  for (;;) {
    const changed = await db.transaction().execute(async (trx): Promise<RouteChange | 'again'> => {
      const { rows } = await sql<RouteState & { backingOff: boolean }>`
        select cause, concurrency, successes, failures, reason, not_before > now() as "backingOff" from throttled_routes
        where kind = ${route.kind} and name = ${route.name} for update`.execute(trx)
      const [row] = rows
      if (row?.backingOff && !whileBackingOff) return { before: row, after: row }
      const before = row ?? null
      const after = change(before)
      if (after === null) {
        await sql`delete from throttled_routes where kind = ${route.kind} and name = ${route.name}`.execute(trx)
        return { before, after }
      }
      const backOffMs = after.backOffMs ?? 0
      if (before === null) {
        const inserted = await sql`
          insert into throttled_routes (kind, name, domains, cause, reason, not_before, concurrency, successes, failures)
          values (${route.kind}, ${route.name}, ${route.domains}::text[], ${after.cause}, ${after.reason},
            now() + ${backOffMs}::float8 * interval '1 ms', ${after.concurrency}, ${after.successes}, ${after.failures})
          on conflict do nothing returning 1`.execute(trx)
        return inserted.rows.length === 0 ? 'again' : { before, after }
      }
      await sql`update throttled_routes set cause = ${after.cause}, reason = ${after.reason}, concurrency = ${after.concurrency},
          successes = ${after.successes}, failures = ${after.failures}, changed_at = now(),
          not_before = case when ${after.backOffMs !== undefined} then now() + ${backOffMs}::float8 * interval '1 ms'
            else not_before end
        where kind = ${route.kind} and name = ${route.name}`.execute(trx)
      return { before, after }
    })
    // Another mailer was the first to find out, between our look and our word.
    if (changed !== 'again') return changed
  }
}

/**
 * The right to try a closed relay with one mail, for `leaseMs`: of all mailers one gets it once the relay has rested. False
 * for the others, and for all while it rests.
 */
export const acquireProbe = async (db: Kysely<Tables>, relay: string, leaseMs: number): Promise<boolean> => {
  const { rows } = await sql`
    update throttled_routes set not_before = now() + ${leaseMs}::float8 * interval '1 ms'
    where kind = 'relay' and name = ${relay} and not_before <= now() returning 1`.execute(db)
  return rows.length > 0
}

/** Gives a trial back that found nothing to try with. */
export const releaseProbe = async (db: Kysely<Tables>, relay: string): Promise<void> => {
  await sql`update throttled_routes set not_before = now() where kind = 'relay' and name = ${relay}`.execute(db)
}

export interface ThrottledRoute extends Pick<Route, 'kind' | 'name'> {
  domains: string[]
  cause: ThrottleCause
  reason: string
  since: Date
  notBefore: Date
  concurrency: number
  failures: number
  /** Mails that wait for it: of a destination those found so far, of a relay all that is ready. */
  waiting: number
}

/** Every throttled route with what waits for it, relays first. */
export const readThrottled = async (db: Kysely<Tables>): Promise<ThrottledRoute[]> => {
  const { rows } = await sql<ThrottledRoute>`
    select w.kind, w.name, w.domains, w.cause, w.reason, w.since, w.not_before as "notBefore", w.concurrency, w.failures,
      case w.kind when 'destination' then
        (select count(*) from letters m where m.waits_for = w.name and m.state in ('queued', 'deferred'))
        + (select count(*) from deliveries m where m.waits_for = w.name and m.state in ('queued', 'deferred'))
      else
        (select count(*) from letters m where m.next_attempt_at <= now() and m.state in ('queued', 'deferred'))
        + (select count(*) from deliveries m where m.next_attempt_at <= now() and m.state in ('queued', 'deferred'))
      end as waiting
    from throttled_routes w order by w.kind desc, w.name`.execute(db)
  return rows
}

/** Ends the throttling of a relay or a destination, by its name. Returns how many there were: 0 or 1. */
export const forgetRoute = async (db: Kysely<Tables>, name: string): Promise<number> => {
  const { rows } = await sql`delete from throttled_routes where name = ${name} returning 1`.execute(db)
  return rows.length
}

/** Forgets ways that nothing waits for and nothing was heard of for a day, such as relays that are no longer set. */
export const forgetIdleRoutes = async (db: Kysely<Tables>): Promise<void> => {
  await sql`delete from throttled_routes w where greatest(w.changed_at, w.not_before) < now() - interval '1 day'
    and not exists (select from letters m where m.waits_for = w.name and m.state in ('queued', 'deferred'))
    and not exists (select from deliveries m where m.waits_for = w.name and m.state in ('queued', 'deferred'))`.execute(
    db,
  )
}
