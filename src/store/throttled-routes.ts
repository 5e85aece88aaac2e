/** Relays and destinations in trouble, shared by all mailers: how much each may be given now, and what waits for it. */
import { type Kysely, sql } from 'kysely'
import type { Pace, Trouble } from '../core/sending/pace.ts'
import type { Tables } from './database.ts'

export type WayKind = Tables['troubled_ways']['kind']

export interface Way {
  kind: WayKind
  /** `host:port` of a relay, the first domain of a destination. */
  name: string
  /** Of a destination, lower-case. */
  domains: readonly string[]
}

/** A pace with the server's last words; `restMs` only where it is to rest anew, from now. */
export interface WayState extends Pace {
  reason: string
  restMs?: number
}

export interface WayChange {
  before: WayState | null
  after: WayState | null
}

/**
 * Changes what is known of a way under its row's lock; `null` is a way without trouble. `change` is not asked for trouble
 * while the way rests already: what was under way when it closed says nothing new. Pass `whileResting` for good news.
 */
export const changeWay = async (
  db: Kysely<Tables>,
  way: Way,
  change: (before: WayState | null) => WayState | null,
  whileResting = false,
): Promise<WayChange> => {
  for (;;) {
    const changed = await db.transaction().execute(async (trx): Promise<WayChange | 'again'> => {
      const { rows } = await sql<WayState & { resting: boolean }>`
        select trouble, seats, successes, strikes, reason, not_before > now() as resting from troubled_ways
        where kind = ${way.kind} and name = ${way.name} for update`.execute(trx)
      const [row] = rows
      if (row?.resting && !whileResting) return { before: row, after: row }
      const before = row ?? null
      const after = change(before)
      if (after === null) {
        await sql`delete from troubled_ways where kind = ${way.kind} and name = ${way.name}`.execute(trx)
        return { before, after }
      }
      const restMs = after.restMs ?? 0
      if (before === null) {
        const inserted = await sql`
          insert into troubled_ways (kind, name, domains, trouble, reason, not_before, seats, successes, strikes)
          values (${way.kind}, ${way.name}, ${way.domains}::text[], ${after.trouble}, ${after.reason},
            now() + ${restMs}::float8 * interval '1 ms', ${after.seats}, ${after.successes}, ${after.strikes})
          on conflict do nothing returning 1`.execute(trx)
        return inserted.rows.length === 0 ? 'again' : { before, after }
      }
      await sql`update troubled_ways set trouble = ${after.trouble}, reason = ${after.reason}, seats = ${after.seats},
          successes = ${after.successes}, strikes = ${after.strikes}, changed_at = now(),
          not_before = case when ${after.restMs !== undefined} then now() + ${restMs}::float8 * interval '1 ms'
            else not_before end
        where kind = ${way.kind} and name = ${way.name}`.execute(trx)
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
export const takeTrial = async (db: Kysely<Tables>, relay: string, leaseMs: number): Promise<boolean> => {
  const { rows } = await sql`
    update troubled_ways set not_before = now() + ${leaseMs}::float8 * interval '1 ms'
    where kind = 'relay' and name = ${relay} and not_before <= now() returning 1`.execute(db)
  return rows.length > 0
}

/** Gives a trial back that found nothing to try with. */
export const returnTrial = async (db: Kysely<Tables>, relay: string): Promise<void> => {
  await sql`update troubled_ways set not_before = now() where kind = 'relay' and name = ${relay}`.execute(db)
}

export interface TroubledWay extends Pick<Way, 'kind' | 'name'> {
  domains: string[]
  trouble: Trouble
  reason: string
  since: Date
  notBefore: Date
  seats: number
  strikes: number
  /** Mails that wait for it: of a destination those found so far, of a relay all that is ready. */
  waiting: number
}

/** Every way in trouble with what waits for it, relays first. */
export const readTroubled = async (db: Kysely<Tables>): Promise<TroubledWay[]> => {
  const { rows } = await sql<TroubledWay>`
    select w.kind, w.name, w.domains, w.trouble, w.reason, w.since, w.not_before as "notBefore", w.seats, w.strikes,
      case w.kind when 'destination' then
        (select count(*) from letters m where m.waits_for = w.name and m.state in ('queued', 'deferred'))
        + (select count(*) from deliveries m where m.waits_for = w.name and m.state in ('queued', 'deferred'))
      else
        (select count(*) from letters m where m.next_attempt_at <= now() and m.state in ('queued', 'deferred'))
        + (select count(*) from deliveries m where m.next_attempt_at <= now() and m.state in ('queued', 'deferred'))
      end as waiting
    from troubled_ways w order by w.kind desc, w.name`.execute(db)
  return rows
}

/** Forgets the trouble of a relay or a destination, by its name. Returns how many there were: 0 or 1. */
export const forgetWay = async (db: Kysely<Tables>, name: string): Promise<number> => {
  const { rows } = await sql`delete from troubled_ways where name = ${name} returning 1`.execute(db)
  return rows.length
}

/** Forgets ways that nothing waits for and nothing was heard of for a day, such as relays that are no longer set. */
export const forgetQuietWays = async (db: Kysely<Tables>): Promise<void> => {
  await sql`delete from troubled_ways w where greatest(w.changed_at, w.not_before) < now() - interval '1 day'
    and not exists (select from letters m where m.waits_for = w.name and m.state in ('queued', 'deferred'))
    and not exists (select from deliveries m where m.waits_for = w.name and m.state in ('queued', 'deferred'))`.execute(
    db,
  )
}
