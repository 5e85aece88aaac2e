/** Event webhooks: their receivers, the messages that each is owed, and the attempts to deliver them. Times are the database's. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { MessageType, WebhookEvent } from '../core/event-webhook.ts'
import type { Frequency } from '../core/subscriber/preferences.ts'
import type { Tables } from './database.ts'

export type WebhookEndpoint = Selectable<Tables['webhook_endpoints']>

export const insertEndpoint = (
  db: Kysely<Tables>,
  endpoint: Pick<WebhookEndpoint, 'url' | 'events' | 'with_addresses' | 'any_network' | 'added_at' | 'added_by'> &
    Partial<Pick<WebhookEndpoint, 'group_id'>>,
): Promise<WebhookEndpoint> =>
  db.insertInto('webhook_endpoints').values(endpoint).returningAll().executeTakeFirstOrThrow()

/** A receiver, and how its messages stand. */
export interface EndpointRow extends WebhookEndpoint {
  /** Messages that are still to be delivered. */
  waiting: number
  delivered: number
  /** Messages that were given up. */
  failed: number
  /** Since when the oldest message waits; `null` where none does. */
  waitingSince: Date | null
}

const MESSAGE_COUNTS = sql`
      select count(*) filter (where next_attempt_at is not null)::int as waiting,
        count(*) filter (where delivered_at is not null)::int as delivered,
        count(*) filter (where delivered_at is null and next_attempt_at is null)::int as failed,
        min(at) filter (where next_attempt_at is not null) as "waitingSince"
      from webhook_messages where endpoint_id = e.id`

/** All receivers of the operator's, or the one with an id, the first added first. */
export const readEndpoints = async (db: Kysely<Tables>, id: string | null = null): Promise<EndpointRow[]> => {
  const { rows } = await sql<EndpointRow>`
    select e.*, m.* from webhook_endpoints e left join lateral (${MESSAGE_COUNTS}) m on true
    where e.group_id is null ${id === null ? sql`` : sql`and e.id = ${id}`} order by e.added_at, e.id`.execute(db)
  return rows
}

/** The receiver of a group; `undefined` where it has none. */
export const readGroupEndpoint = async (db: Kysely<Tables>, groupId: string): Promise<EndpointRow | undefined> => {
  const { rows } = await sql<EndpointRow>`
    select e.*, m.* from webhook_endpoints e left join lateral (${MESSAGE_COUNTS}) m on true
    where e.group_id = ${groupId}`.execute(db)
  return rows[0]
}

export const countEndpoints = async (db: Kysely<Tables>): Promise<number> => {
  const { count } = await db
    .selectFrom('webhook_endpoints')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('group_id', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}

/** Deletes a receiver with its messages; `undefined` where there is none with this id. */
export const deleteEndpoint = (db: Kysely<Tables>, id: string): Promise<WebhookEndpoint | undefined> =>
  db.deleteFrom('webhook_endpoints').where('id', '=', id).returningAll().executeTakeFirst()

/** Gives a receiver another secret; for `formerMs` milliseconds messages are signed with both. */
export const renewSecret = async (
  db: Kysely<Tables>,
  id: string,
  formerMs: number,
): Promise<WebhookEndpoint | undefined> => {
  const { rows } = await sql<WebhookEndpoint>`
    update webhook_endpoints set secret_epoch = secret_epoch + 1,
      former_secret_until = now() + ${formerMs}::float8 * interval '1 millisecond'
    where id = ${id} returning *`.execute(db)
  return rows[0]
}

/** Tells a receiver of events no more, and gives up what it is owed; `undefined` where it is told of none already. */
export const disableEndpoint = async (
  db: Kysely<Tables>,
  id: string,
  why: string,
): Promise<WebhookEndpoint | undefined> => {
  const { rows } = await sql<WebhookEndpoint>`
    with disabled as (update webhook_endpoints set disabled_at = now(), disabled_why = ${why}
        where id = ${id} and disabled_at is null returning *),
      given_up as (update webhook_messages m set next_attempt_at = null from disabled d
        where m.endpoint_id = d.id and m.next_attempt_at is not null)
    select * from disabled`.execute(db)
  return rows[0]
}

/** Tells a receiver of events again, from now on; `undefined` where it is told of them already. */
export const enableEndpoint = async (db: Kysely<Tables>, id: string): Promise<WebhookEndpoint | undefined> => {
  const { rows } = await sql<WebhookEndpoint>`
    update webhook_endpoints set disabled_at = null, disabled_why = null, failing_since = null, failures = 0, not_before = null
    where id = ${id} and disabled_at is not null returning *`.execute(db)
  return rows[0]
}

export interface NewEvent {
  event: WebhookEvent
  /** Whom it is about; `null` where it is about nobody. */
  subscriberId: string | null
  /** What else is told; without addresses. */
  data: Record<string, unknown>
}

/**
 * Owes a message to every receiver that is told of such events, in the transaction of what happened. That somebody came or
 * left is stored by a trigger on `subscribers` (migration 0039).
 */
export const storeEvent = async (db: Kysely<Tables>, { event, subscriberId, data }: NewEvent): Promise<void> => {
  await sql`
    insert into webhook_messages (endpoint_id, event, at, subscriber_id, data, next_attempt_at)
    select id, ${event}::text, now(), ${subscriberId}::uuid, ${JSON.stringify(data)}::jsonb, now()
    from webhook_endpoints where disabled_at is null and ${event}::text = any(events)`.execute(db)
}

/** Owes the receiver of a group, if it has one that is told of anything, a message with the list of a week. */
export const storeGroupMessage = async (
  db: Kysely<Tables>,
  groupId: string,
  data: Record<string, unknown>,
): Promise<void> => {
  await sql`
    insert into webhook_messages (endpoint_id, event, at, data, next_attempt_at)
    select id, 'group.list', now(), ${JSON.stringify(data)}::jsonb, now() from webhook_endpoints
    where group_id = ${groupId} and disabled_at is null`.execute(db)
}

/** Owes a receiver a message that tells of nothing; returns its id. */
export const storeTestMessage = async (
  db: Kysely<Tables>,
  endpointId: string,
  data: Record<string, unknown> = {},
): Promise<string> => {
  const { rows } = await sql<{ id: string }>`
    insert into webhook_messages (endpoint_id, event, at, data, next_attempt_at)
    values (${endpointId}, 'webhook.test', now(), ${JSON.stringify(data)}::jsonb, now()) returning id`.execute(db)
  const [stored] = rows
  if (stored === undefined) throw new Error('a test message was not stored')
  return stored.id
}

/** A message to be delivered by one process until its lease ends, with whom it is about as they are now. */
export interface ClaimedMessage {
  id: string
  event: MessageType
  at: Date
  subscriberId: string | null
  email: string | null
  topics: string[] | null
  frequency: Frequency | null
  data: Record<string, unknown>
  /** Which attempt this is, from 1. */
  attempt: number
}

/** The receivers that are owed something by now, and are not left alone for a while. */
export const readDueEndpoints = async (db: Kysely<Tables>): Promise<WebhookEndpoint[]> => {
  const { rows } = await sql<WebhookEndpoint>`
    select * from webhook_endpoints e where disabled_at is null and coalesce(not_before, '-infinity') <= now()
      and exists (select from webhook_messages where endpoint_id = e.id and next_attempt_at <= now())`.execute(db)
  return rows
}

/**
 * Claims at most `most` messages of a receiver for `leaseMs` milliseconds, and one where its last attempt failed: should
 * this process end before the outcome is stored, another sends them again.
 */
export const claimMessages = async (
  db: Kysely<Tables>,
  endpointId: string,
  { most, leaseMs }: { most: number; leaseMs: number },
): Promise<ClaimedMessage[]> => {
  const { rows } = await sql<ClaimedMessage>`
    with endpoint as (select id, case when failures > 0 then 1 else ${most}::int end as most from webhook_endpoints
        where id = ${endpointId} and disabled_at is null and coalesce(not_before, '-infinity') <= now()),
      due as (select m.id from webhook_messages m where m.endpoint_id = (select id from endpoint) and next_attempt_at <= now()
        order by next_attempt_at, id limit (select most from endpoint) for update skip locked)
    update webhook_messages m set attempts = m.attempts + 1,
      next_attempt_at = now() + ${leaseMs}::float8 * interval '1 millisecond'
    from due left join webhook_messages d on d.id = due.id left join subscribers s on s.id = d.subscriber_id
    where m.id = due.id
    returning m.id, m.event, m.at, m.subscriber_id as "subscriberId", s.email, s.topics, s.frequency, m.data,
      m.attempts as attempt`.execute(db)
  return rows
}

/** What became of an attempt. `error` is `null` where the message was delivered. */
export interface AttemptOutcome {
  milliseconds: number
  status: number | null
  error: string | null
}

/**
 * Stores an attempt, and when the next one is due: after `retryMs` milliseconds, or never where that is `null`. Returns how
 * the receiver stands. An attempt whose lease ended and that another process took over is stored once.
 */
export const storeAttempt = async (
  db: Kysely<Tables>,
  endpointId: string,
  { id, attempt }: Pick<ClaimedMessage, 'id' | 'attempt'>,
  { milliseconds, status, error }: AttemptOutcome,
  retryMs: number | null,
): Promise<{ failures: number; failingForMs: number } | null> => {
  const delivered = error === null
  const next = delivered || retryMs === null ? sql`null` : sql`now() + ${retryMs}::float8 * interval '1 millisecond'`
  const { rows } = await sql<{ failures: number; failingForMs: number }>`
    with tried as (insert into webhook_attempts (message_id, attempt, at, milliseconds, status, error)
        select id, ${attempt}::int, now(), ${milliseconds}::int, ${status}::int, ${error}::text from webhook_messages where id = ${id}
        on conflict do nothing),
      settled as (update webhook_messages set next_attempt_at = ${next}, delivered_at = ${delivered ? sql`now()` : sql`null`}
        where id = ${id} and attempts = ${attempt} and delivered_at is null)
    update webhook_endpoints set failures = ${delivered ? sql`0` : sql`failures + 1`},
      failing_since = ${delivered ? sql`null` : sql`coalesce(failing_since, now())`}, not_before = null
    where id = ${endpointId}
    returning failures, coalesce(extract(epoch from now() - failing_since), 0)::float8 * 1000 as "failingForMs"`.execute(
    db,
  )
  return rows[0] ?? null
}

/** Leaves a receiver alone for `ms` milliseconds. */
export const restEndpoint = async (db: Kysely<Tables>, id: string, ms: number): Promise<void> => {
  await sql`
    update webhook_endpoints set not_before = now() + ${ms}::float8 * interval '1 millisecond' where id = ${id}`.execute(
    db,
  )
}

/** A message with its attempts, the first first. */
export interface MessageRow {
  id: string
  event: string
  at: Date
  subscriberId: string | null
  data: Record<string, unknown>
  nextAttemptAt: Date | null
  deliveredAt: Date | null
  attempts: { attempt: number; at: string; milliseconds: number; status: number | null; error: string | null }[]
}

/** At most `most` messages of a receiver that happened before `before`, the newest first. */
export const readMessages = async (
  db: Kysely<Tables>,
  endpointId: string,
  { before, most }: { before: Date | null; most: number },
): Promise<MessageRow[]> => {
  const { rows } = await sql<MessageRow>`
    select m.id, m.event, m.at, m.subscriber_id as "subscriberId", m.data, m.next_attempt_at as "nextAttemptAt",
      m.delivered_at as "deliveredAt",
      coalesce((select jsonb_agg(jsonb_build_object('attempt', a.attempt, 'at', a.at, 'milliseconds', a.milliseconds,
        'status', a.status, 'error', a.error) order by a.attempt) from webhook_attempts a where a.message_id = m.id), '[]')
        as attempts
    from webhook_messages m where m.endpoint_id = ${endpointId} ${before === null ? sql`` : sql`and m.at < ${before}`}
    order by m.at desc, m.id limit ${most}`.execute(db)
  return rows
}

/** Makes a message due once more, delivered or not; `false` where the receiver has none with this id. */
export const sendMessageAgain = async (db: Kysely<Tables>, endpointId: string, id: string): Promise<boolean> => {
  const { rows } = await sql`
    update webhook_messages set next_attempt_at = now(), delivered_at = null
    where id = ${id} and endpoint_id = ${endpointId} returning 1`.execute(db)
  return rows.length > 0
}

/** Makes every message due once more that was given up since `since`; returns how many. */
export const sendFailedAgain = async (db: Kysely<Tables>, endpointId: string): Promise<number> => {
  const { rows } = await sql`
    update webhook_messages set next_attempt_at = now()
    where endpoint_id = ${endpointId} and delivered_at is null and next_attempt_at is null returning 1`.execute(db)
  return rows.length
}
