/** Mails that wait for a throttled or capped destination: deferred in bulk, requeued when it is free, given up after a day. */
import { type Kysely, sql } from 'kysely'
import type { MailStream, Tables } from '../database.ts'
import {
  ADDRESSEE,
  DEFER_FOR,
  isSameMail,
  keyOf,
  OWED_BY,
  RESTRICTED_DESTINATION,
  RESTRICTED_DESTINATIONS,
} from './conditions.ts'

const WAITS = sql`m.state in ('queued', 'deferred')`
const READY = sql`${WAITS} and m.next_attempt_at <= now()`

/** The `limit` mails that have been ready longest, and whose they are; of others than letters in what each running one owes. */
const oldestReady = (stream: MailStream, limit: number) => {
  if (stream === 'letters')
    return sql`select m.id, m.subscriber_id, m.curator_id from letters m where ${READY}
      order by m.next_attempt_at limit ${limit}`
  const { running, column } = OWED_BY[stream]
  const order = stream === 'deliveries' ? sql`m.next_attempt_at, m.digest_id` : sql`m.next_attempt_at`
  return sql`
      select r.* from (${running}) e, lateral (
        select ${keyOf(stream)}, m.subscriber_id from ${sql.table(stream)} m where ${READY} and ${column} = e.id
        order by ${order} limit ${limit}) r
      limit ${limit}`
}

/**
 * Of the `limit` mails that have been ready longest, and of deliveries in each running edition, defers those that go to a
 * throttled or capped destination, so that the next claims find what they may send. It reads no more than these, locks those alone
 * that it defers, and leaves out what a mailer has locked. Returns how many were deferred.
 */
export const deferThrottled = async (db: Kysely<Tables>, stream: MailStream, limit: number): Promise<number> => {
  const { rows } = await sql`
    with oldest as (${oldestReady(stream, limit)}),
    throttled as (
      select ${keyOf(stream)}, route.name from oldest m join ${ADDRESSEE[stream]} join ${RESTRICTED_DESTINATION}
      join ${sql.table(stream)} l on ${isSameMail(stream, 'l')}
      where l.state in ('queued', 'deferred') and l.next_attempt_at <= now() for update of l skip locked)
    update ${sql.table(stream)} m set waits_for = u.name, next_attempt_at = now() + ${DEFER_FOR}
    from throttled u where ${isSameMail(stream, 'u')} returning 1`.execute(db)
  return rows.length
}

/** Requeues up to `limit` mails that wait for a destination which is neither throttled nor capped any more. Returns how many. */
export const requeueDeferred = async (db: Kysely<Tables>, stream: MailStream, limit: number): Promise<number> => {
  const { rows } = await sql`
    with free as (
      select ${keyOf(stream)} from ${sql.table(stream)} m
      where m.waits_for is not null and ${WAITS}
        and not exists (select from ${RESTRICTED_DESTINATIONS} route where route.name = m.waits_for)
      limit ${limit} for update skip locked)
    update ${sql.table(stream)} m set waits_for = null, next_attempt_at = now() from free u
    where ${isSameMail(stream, 'u')} returning 1`.execute(db)
  return rows.length
}

/**
 * Gives up to `limit` mails up that are a day old and wait for a destination that has been throttled for a day: they become
 * `failed`. A mail that a mailer has just locked is left to the next call. Returns how many were given up.
 */
export const expireDeferred = async (db: Kysely<Tables>, stream: MailStream, limit: number): Promise<number> => {
  const { rows } = await sql`
    with expired as (
      select ${keyOf(stream)}, route.name, route.reason
      from throttled_routes route join ${sql.table(stream)} m on m.waits_for = route.name
      where route.kind = 'destination' and route.since < now() - interval '1 day'
        and ${WAITS} and m.created_at < now() - interval '1 day'
      limit ${limit} for update of m skip locked)
    update ${sql.table(stream)} m set state = 'failed', waits_for = null,
      reason = 'expired: ' || u.name || ' has taken no mail for a day: ' || u.reason
    from expired u where ${isSameMail(stream, 'u')} returning 1`.execute(db)
  return rows.length
}
