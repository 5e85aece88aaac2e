/** Mails that wait for a throttled or capped destination: deferred in bulk, requeued when it is free, given up after a day. */
import { type Kysely, sql } from 'kysely'
import type { MailStream, Tables } from '../database.ts'
import {
  DEFER_FOR,
  LETTER_ADDRESSEE,
  RESTRICTED_DESTINATION,
  RESTRICTED_DESTINATIONS,
  RUNNING_EDITIONS,
} from './conditions.ts'

/**
 * Of the `limit` mails that have been ready longest, and of deliveries in each running edition, defers those that go to a
 * throttled or capped destination, so that the next claims find what they may send. It reads no more than these, locks those alone
 * that it defers, and leaves out what a mailer has locked. Returns how many were deferred.
 */
export const deferThrottled = async (db: Kysely<Tables>, stream: MailStream, limit: number): Promise<number> => {
  const deferred =
    stream === 'letters'
      ? sql`
    with oldest as (
      select m.id, m.subscriber_id, m.curator_id from letters m
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now()
      order by m.next_attempt_at limit ${limit}),
    throttled as (
      select l.id, route.name from oldest m join ${LETTER_ADDRESSEE} join ${RESTRICTED_DESTINATION}
      join letters l on l.id = m.id
      where l.state in ('queued', 'deferred') and l.next_attempt_at <= now() for update of l skip locked)
    update letters m set waits_for = t.name, next_attempt_at = now() + ${DEFER_FOR}
    from throttled t where m.id = t.id returning 1`
      : sql`
    with oldest as (
      select r.* from (${RUNNING_EDITIONS}) e, lateral (
        select m.id, m.local_date, m.subscriber_id from deliveries m
        where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() and m.edition_id = e.id
        order by m.next_attempt_at, m.digest_id limit ${limit}) r
      limit ${limit}),
    throttled as (
      select m.id, m.local_date, route.name from oldest o join subscribers s on s.id = o.subscriber_id
      join ${RESTRICTED_DESTINATION}
      join deliveries m on m.id = o.id and m.local_date = o.local_date
      where m.state in ('queued', 'deferred') and m.next_attempt_at <= now() for update of m skip locked)
    update deliveries m set waits_for = t.name, next_attempt_at = now() + ${DEFER_FOR}
    from throttled t where m.id = t.id and m.local_date = t.local_date returning 1`
  return (await deferred.execute(db)).rows.length
}

/** Requeues up to `limit` mails that wait for a destination which is neither throttled nor capped any more. Returns how many. */
export const requeueDeferred = async (db: Kysely<Tables>, stream: MailStream, limit: number): Promise<number> => {
  const requeued =
    stream === 'letters'
      ? sql`
    with free as (
      select m.id from letters m
      where m.waits_for is not null and m.state in ('queued', 'deferred')
        and not exists (select from ${RESTRICTED_DESTINATIONS} route where route.name = m.waits_for)
      limit ${limit} for update skip locked)
    update letters m set waits_for = null, next_attempt_at = now() from free f
    where m.id = f.id returning 1`
      : sql`
    with free as (
      select m.id, m.local_date from deliveries m
      where m.waits_for is not null and m.state in ('queued', 'deferred')
        and not exists (select from ${RESTRICTED_DESTINATIONS} route where route.name = m.waits_for)
      limit ${limit} for update skip locked)
    update deliveries m set waits_for = null, next_attempt_at = now() from free f
    where m.id = f.id and m.local_date = f.local_date returning 1`
  return (await requeued.execute(db)).rows.length
}

/**
 * Gives up to `limit` mails up that are a day old and wait for a destination that has been throttled for a day: they become
 * `failed`. A mail that a mailer has just locked is left to the next call. Returns how many were given up.
 */
export const expireDeferred = async (db: Kysely<Tables>, stream: MailStream, limit: number): Promise<number> => {
  const expired =
    stream === 'letters'
      ? sql`
    with expired as (
      select m.id, route.name, route.reason from throttled_routes route join letters m on m.waits_for = route.name
      where route.kind = 'destination' and route.since < now() - interval '1 day'
        and m.state in ('queued', 'deferred') and m.created_at < now() - interval '1 day'
      limit ${limit} for update of m skip locked)
    update letters m set state = 'failed', waits_for = null,
      reason = 'expired: ' || x.name || ' has taken no mail for a day: ' || x.reason
    from expired x where m.id = x.id returning 1`
      : sql`
    with expired as (
      select m.id, m.local_date, route.name, route.reason from throttled_routes route join deliveries m on m.waits_for = route.name
      where route.kind = 'destination' and route.since < now() - interval '1 day'
        and m.state in ('queued', 'deferred') and m.created_at < now() - interval '1 day'
      limit ${limit} for update of m skip locked)
    update deliveries m set state = 'failed', waits_for = null,
      reason = 'expired: ' || x.name || ' has taken no mail for a day: ' || x.reason
    from expired x where m.id = x.id and m.local_date = x.local_date returning 1`
  return (await expired.execute(db)).rows.length
}
