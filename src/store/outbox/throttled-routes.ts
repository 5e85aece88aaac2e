/** Throttled routes, shared by all mailers: how much a relay or destination may be given now, and how much waits for it. */
import { type Kysely, sql } from 'kysely'
import type { Pace, ThrottleCause } from '../../core/sending/pace.ts'
import type { Tables } from '../database.ts'
import { countOfAll } from './conditions.ts'

const WAITS_FOR_ROUTE = sql`u.waits_for = route.name and u.state in ('queued', 'deferred')`

export type RouteKind = Tables['throttled_routes']['kind']

export interface Route {
  kind: RouteKind
  /** `host:port` of a relay, the first domain of a destination. */
  name: string
  /** The domains of a destination, lower-case; none for a relay. */
  domains: readonly string[]
}

/** What the database knows of a throttled route. */
export interface RouteState extends Pace {
  /** The server's last reply, without addresses. */
  reason: string
  /** Back-off from now on, milliseconds; left out where the one that runs or has run out stays. */
  backOffMs?: number
}

/** A route before and after a change; `null`: it is not throttled. */
export interface RouteChange {
  before: RouteState | null
  after: RouteState | null
}

/**
 * Changes what is known of a route, under its row's lock. `change` gets the state of a throttled route and returns the new
 * one; `null` stands for a route that is not throttled.
 *
 * During a back-off `change` is not called and nothing changes: what was in flight when the route closed says nothing new.
 * With `duringBackOff` it is called all the same: a mail that was taken ends the back-off.
 */
export const changeRoute = async (
  db: Kysely<Tables>,
  route: Route,
  change: (before: RouteState | null) => RouteState | null,
  { duringBackOff = false }: { duringBackOff?: boolean } = {},
): Promise<RouteChange> => {
  for (;;) {
    const changed = await db.transaction().execute(async (trx): Promise<RouteChange | 'again'> => {
      const { rows } = await sql<RouteState & { backingOff: boolean }>`
        select cause, concurrency, successes, failures, reason, not_before > now() as "backingOff" from throttled_routes
        where kind = ${route.kind} and name = ${route.name} for update`.execute(trx)
      const before = rows[0] ?? null
      if (rows[0]?.backingOff && !duringBackOff) return { before, after: before }
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
    // Another mailer inserted the row between our select and our insert: its state is what we change.
    if (changed !== 'again') return changed
  }
}

/** Gives the right to a probe back, for a mailer that had nothing to send: the next may have it at once. */
export const releaseProbe = async (db: Kysely<Tables>, relay: string): Promise<void> => {
  await sql`update throttled_routes set not_before = now() where kind = 'relay' and name = ${relay}`.execute(db)
}

/** A throttled route as an operator sees it. */
export interface ThrottledRoute extends Pick<Route, 'kind' | 'name'> {
  domains: string[]
  cause: ThrottleCause
  reason: string
  since: Date
  /** The end of its back-off. */
  notBefore: Date
  /** Mails that may be in flight at a time, over all mailers. */
  concurrency: number
  /** Back-offs in a row without a mail taken. */
  failures: number
  /** Mails that wait for it: for a destination those that were deferred so far, for a relay all that are ready. */
  waiting: number
}

/** All throttled routes and how much waits for each, relays first. */
export const readThrottled = async (db: Kysely<Tables>): Promise<ThrottledRoute[]> => {
  const { rows } = await sql<ThrottledRoute>`
    select route.kind, route.name, route.domains, route.cause, route.reason, route.since, route.not_before as "notBefore", route.concurrency, route.failures,
      case route.kind when 'destination' then
        ${countOfAll(WAITS_FOR_ROUTE)}
      else
        ${countOfAll(sql`u.next_attempt_at <= now() and u.state in ('queued', 'deferred')`)}
      end as waiting
    from throttled_routes route order by route.kind desc, route.name`.execute(db)
  return rows
}

/** Whether any relay is throttled. */
export const isRelayThrottled = async (db: Kysely<Tables>): Promise<boolean> => {
  const { rows } = await sql`select 1 from throttled_routes where kind = 'relay' limit 1`.execute(db)
  return rows.length > 0
}

/** Ends the throttling of the relay or destination of that name. Returns how many routes that were: 0 or 1. */
export const forgetRoute = async (db: Kysely<Tables>, name: string): Promise<number> => {
  const { rows } = await sql`delete from throttled_routes where name = ${name} returning 1`.execute(db)
  return rows.length
}

/** Forgets routes that no mail waits for and nothing was recorded of for a day, such as relays no longer configured. */
export const forgetIdleRoutes = async (db: Kysely<Tables>): Promise<void> => {
  await sql`delete from throttled_routes route where greatest(route.changed_at, route.not_before) < now() - interval '1 day'
    and ${countOfAll(WAITS_FOR_ROUTE)} = 0`.execute(db)
}
