/** Alarms and their notices: which stand, which are over, and what the operator has been told of them. */
import { type Kysely, sql } from 'kysely'
import type { Alarm, AlarmChannel, AlarmEvent, AlarmNotice } from '../core/alarms.ts'
import type { Tables } from './database.ts'

/**
 * Takes the lock of looking for alarms to the end of the transaction; `false` when another process has it. A process that
 * idles in the transaction for half a minute loses the lock, and what it did there.
 */
export const lockAlarms = async (trx: Kysely<Tables>): Promise<boolean> => {
  await sql`set local idle_in_transaction_session_timeout = '30s'`.execute(trx)
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('paper-round alarms')) as taken`.execute(trx)
  return rows[0]?.taken === true
}

/** Stores alarms that stand at `now`, with a notice for each channel where one is new. Returns those that are new. */
export const raiseAlarms = async (
  trx: Kysely<Tables>,
  alarms: readonly Alarm[],
  channels: readonly AlarmChannel[],
  now: Date,
): Promise<Alarm[]> => {
  const raised: Alarm[] = []
  for (const { kind, subject, title, detail, advice } of alarms) {
    // The words stay those it was raised with; only that it is still so is new.
    const { rows } = await sql<{ id: number; isNew: boolean }>`
      insert into alarms (kind, subject, title, detail, advice, raised_at, seen_at)
      values (${kind}, ${subject}, ${title}, ${detail}, ${advice}, ${now}, ${now})
      on conflict (kind, subject) where cleared_at is null do update set seen_at = excluded.seen_at
      returning id, xmax = 0 as "isNew"`.execute(trx)
    const row = rows[0]
    if (row?.isNew !== true) continue
    await addNotices(trx, row.id, 'raised', channels, now)
    raised.push({ kind, subject, title, detail, advice })
  }
  return raised
}

const addNotices = async (
  trx: Kysely<Tables>,
  alarmId: number,
  event: AlarmEvent,
  channels: readonly AlarmChannel[],
  now: Date,
): Promise<void> => {
  if (channels.length === 0) return
  await trx
    .insertInto('alarm_notices')
    .values(channels.map((channel) => ({ alarm_id: alarmId, event, channel, next_attempt_at: now })))
    .execute()
}

/**
 * Clears alarms that were last seen before `since`, with a notice for each channel. A notice that an alarm was raised and
 * that could not be sent so far is dropped: the one that it is over says both. Returns what is over.
 */
export const clearAlarms = async (
  trx: Kysely<Tables>,
  since: Date,
  channels: readonly AlarmChannel[],
  now: Date,
): Promise<Pick<Alarm, 'kind' | 'subject' | 'title'>[]> => {
  const cleared = await trx
    .updateTable('alarms')
    .set({ cleared_at: sql<Date>`seen_at` })
    .where('cleared_at', 'is', null)
    .where('seen_at', '<', since)
    .returning(['id', 'kind', 'subject', 'title'])
    .execute()
  for (const { id } of cleared) {
    await trx.deleteFrom('alarm_notices').where('alarm_id', '=', id).where('sent_at', 'is', null).execute()
    await addNotices(trx, id, 'cleared', channels, now)
  }
  return cleared.map(({ kind, subject, title }) => ({ kind, subject, title }))
}

/** A notice to be sent by one process until its lease ends. */
export interface ClaimedNotice extends AlarmNotice {
  channel: AlarmChannel
  /** Attempts made before this one. */
  attempts: number
}

/**
 * Claims the notices that are due by `now` through `channels`, each for `leaseMs` milliseconds: should this process end
 * before the outcome is stored, another sends it again.
 */
export const claimNotices = async (
  db: Kysely<Tables>,
  channels: readonly AlarmChannel[],
  now: Date,
  leaseMs: number,
): Promise<ClaimedNotice[]> => {
  const { rows } = await sql<ClaimedNotice>`
    with due as (select alarm_id, event, channel from alarm_notices
      where sent_at is null and next_attempt_at <= ${now} and channel = any(${[...channels]})
      order by next_attempt_at limit 20 for update skip locked)
    update alarm_notices n set attempts = n.attempts + 1, next_attempt_at = ${new Date(now.getTime() + leaseMs)}
    from due d, alarms a where (n.alarm_id, n.event, n.channel) = (d.alarm_id, d.event, d.channel) and a.id = n.alarm_id
    returning a.id, a.kind, a.subject, a.title, a.detail, a.advice, a.raised_at as "raisedAt", a.cleared_at as "clearedAt",
      n.event, n.channel, n.attempts - 1 as attempts`.execute(db)
  return rows
}

/** Stores what became of a claimed notice: `error` is `null` where it was sent, else it is due again at `nextAttemptAt`. */
export const storeNotice = async (
  db: Kysely<Tables>,
  { id, event, channel }: Pick<ClaimedNotice, 'id' | 'event' | 'channel'>,
  outcome: { error: null; at: Date } | { error: string; nextAttemptAt: Date },
): Promise<void> => {
  await db
    .updateTable('alarm_notices')
    .set(
      outcome.error === null
        ? { sent_at: outcome.at, error: null }
        : { next_attempt_at: outcome.nextAttemptAt, error: outcome.error },
    )
    .where('alarm_id', '=', id)
    .where('event', '=', event)
    .where('channel', '=', channel)
    .execute()
}

/** An alarm with what the operator was told of it. */
export interface StoredAlarm extends Alarm {
  id: number
  raisedAt: Date
  clearedAt: Date | null
  notices: { event: AlarmEvent; channel: AlarmChannel; sentAt: Date | null; attempts: number; error: string | null }[]
}

/** The alarms that stand, then at most `most` that are over, the newest first. */
export const readAlarms = async (db: Kysely<Tables>, most: number): Promise<StoredAlarm[]> => {
  const { rows } = await sql<StoredAlarm>`
    select a.id, a.kind, a.subject, a.title, a.detail, a.advice, a.raised_at as "raisedAt", a.cleared_at as "clearedAt",
      coalesce((select jsonb_agg(jsonb_build_object('event', n.event, 'channel', n.channel, 'sentAt', n.sent_at,
        'attempts', n.attempts, 'error', n.error) order by n.event desc, n.channel)
        from alarm_notices n where n.alarm_id = a.id), '[]') as notices
    from alarms a where a.cleared_at is null or a.id in (select id from alarms where cleared_at is not null order by id desc limit ${most})
    order by a.cleared_at is not null, a.id desc`.execute(db)
  return rows
}

/** How many alarms of each kind stand. */
export const countAlarms = async (db: Kysely<Tables>): Promise<Record<string, number>> => {
  const rows = await db
    .selectFrom('alarms')
    .select(({ fn }) => ['kind', fn.countAll<number>().as('count')])
    .where('cleared_at', 'is', null)
    .groupBy('kind')
    .execute()
  return Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))
}
