/** The deliveries of an edition that did not arrive: handed over for a list, and put back in the queue. */
import { type Kysely, sql } from 'kysely'
import type { MailState } from '../../core/sending/ledger.ts'
import type { Tables } from '../database.ts'
import { kindOfReason } from './mail-counts.ts'
import type { ServerReply } from './outcomes.ts'

export interface MissedDelivery extends ServerReply {
  /** A UUID, with which its Message-ID begins. */
  id: string
  /** The subscriber's, a UUID. */
  subscriber: string
  /** `null` when the subscriber is erased. */
  email: string | null
  localDate: string
  state: MailState
  reason: string | null
  /** The kind of reason of its first failure, where it was put back in the queue since. */
  failedBefore: string | null
  attempts: number
  resent: number
  attemptedAt: Date | null
}

const AT_A_TIME = 1_000

/** The columns of a `MissedDelivery`, of deliveries `m` and their subscribers `s`. */
const COLUMNS = sql`m.id, s.id as subscriber, s.email, m.local_date as "localDate", m.state, m.reason,
  m.failed_before as "failedBefore", m.code, m.enhanced, m.said, m.attempts, m.resent, m.attempted_at as "attemptedAt"`

/** Some deliveries of an edition; a `reason` is any part of the kind of reason or of the reason itself, in any case. */
export interface WhichDeliveries {
  states: readonly MailState[]
  reason: string | null
}

const withReason = (reason: string | null) => {
  if (reason === null) return sql``
  const pattern = `%${reason.replace(/[%_\\]/g, '\\$&')}%`
  return sql`and (m.reason ilike ${pattern} or ${kindOfReason} ilike ${pattern})`
}

/**
 * Hands over the deliveries of an edition that are in one of these states, up to a thousand at a time, in one snapshot.
 * Rejects with what `take` rejects with.
 */
export const streamDeliveries = async (
  db: Kysely<Tables>,
  id: number,
  { states, reason }: WhichDeliveries,
  take: (rows: MissedDelivery[]) => Promise<void>,
): Promise<void> => {
  await db.transaction().execute(async (trx) => {
    await sql`declare missed no scroll cursor for
      select ${COLUMNS} from deliveries m join subscribers s on s.id = m.subscriber_id
      where m.edition_id = ${id} and m.state = any(${states}) ${withReason(reason)}`.execute(trx)
    for (;;) {
      const { rows } = await sql<MissedDelivery>`fetch ${sql.lit(AT_A_TIME)} from missed`.execute(trx)
      if (rows.length === 0) return
      await take(rows)
    }
  })
}

/** Where a page of missed deliveries ended. */
export interface MissedPlace {
  state: MailState
  /** Of the delivery, a UUID. */
  id: string
}

/** Deliveries that are looked at for a reason in one statement: where few have it, a page takes many. */
const LOOKED_AT = 20_000

/** At most `most` of the deliveries of an edition that are in one of these states, by state and id, those after `after`. */
export const readMissedPage = async (
  db: Kysely<Tables>,
  id: number,
  { states, reason }: WhichDeliveries,
  after: MissedPlace | null,
  most: number,
): Promise<MissedDelivery[]> => {
  const found: MissedDelivery[] = []
  // State by state: the index has each in the order of its ids.
  for (const state of [...states].sort()) {
    if (after !== null && state < after.state) continue
    let place = after?.state === state ? after.id : null
    do {
      const looked = await readMissedOf(db, id, { state, reason, after: place }, most - found.length)
      found.push(...looked.found)
      place = looked.last
    } while (place !== null && found.length < most)
    if (found.length >= most) break
  }
  return found
}

/** Looks at some that follow; `last` is the id of the last of them, `null` where there are no more. */
const readMissedOf = async (
  db: Kysely<Tables>,
  id: number,
  { state, reason, after }: { state: MailState; reason: string | null; after: string | null },
  most: number,
): Promise<{ found: MissedDelivery[]; last: string | null }> => {
  const atMost = reason === null ? most : LOOKED_AT
  const { rows } = await sql<MissedDelivery & { last: string; looked: number }>`
    with looked as materialized (
      select * from deliveries where edition_id = ${id} and state = ${sql.lit(state)}
        ${after === null ? sql`` : sql`and id > ${after}::uuid`} order by id limit ${atMost})
    select l.*, found.* from (
        select id as last, (count(*) over ())::int as looked from looked order by id desc limit 1) l
      left join lateral (select ${COLUMNS}
        from (select * from looked m where true ${withReason(reason)} order by m.id limit ${most}) m
          join subscribers s on s.id = m.subscriber_id order by m.id) found on true`.execute(db)
  const [first] = rows
  return {
    found: rows.flatMap(({ last, looked, ...row }) => (row.id === null ? [] : [row])),
    last: first === undefined || first.looked < atMost ? null : first.last,
  }
}

/** A reply in which deliveries of an edition were refused for good. */
export interface CommonReply {
  /** The domain of the readers' addresses. */
  domain: string
  code: number
  enhanced: string | null
  count: number
  /** The words to one of them, without addresses. */
  said: string
}

/** Failed deliveries of an edition that are looked at for what servers said. */
export const MOST_REPLIES_READ = 20_000

/** What servers said to those deliveries of an edition that failed, by domain and code, the most first; of at most 20,000 of them. */
export const readCommonReplies = async (db: Kysely<Tables>, id: number, most: number): Promise<CommonReply[]> => {
  const { rows } = await sql<CommonReply>`
    select split_part(lower(s.email), '@', -1) as domain, m.code, m.enhanced, count(*)::int as count, min(m.said) as said
    from (select subscriber_id, code, enhanced, said from deliveries
        where edition_id = ${id} and state = 'failed' and code is not null and said is not null limit ${MOST_REPLIES_READ}) m
      join subscribers s on s.id = m.subscriber_id where s.email is not null
    group by 1, 2, 3 order by 4 desc, 1, 2, 3 limit ${most}`.execute(db)
  return rows
}

/** What of an edition may be put back in the queue: not an empty digest, nor a sample that must not leave. */
const requeueable = (id: number, which: { states: readonly MailState[]; subscriberId: string | null }) => sql`
  from deliveries m join digests d on d.id = m.digest_id
  where m.edition_id = ${id} and m.state in ('failed', 'skipped', 'unknown') and m.state = any(${which.states})
    and d.empty_since is null and not (d.sample and m.state = 'skipped')
    ${which.subscriberId === null ? sql`` : sql`and m.subscriber_id = ${which.subscriberId}`}`

/** How many deliveries `requeueMissed` would put back, by state, and how many of them are no longer wanted. */
export const countRequeueable = async (
  db: Kysely<Tables>,
  id: number,
  which: { states: readonly MailState[]; subscriberId: string | null },
): Promise<{ state: MailState; count: number; unwanted: number }[]> => {
  const { rows } = await sql<{ state: MailState; count: number; unwanted: number }>`
    select x.state, count(*)::int as count,
      count(*) filter (where s.state <> 'active')::int as unwanted
    from (select m.state, m.subscriber_id ${requeueable(id, which)}) x join subscribers s on s.id = x.subscriber_id
    group by 1 order by 1`.execute(db)
  return rows
}

/**
 * Puts deliveries of an edition back in the queue, with a new fencing number and all their attempts, and opens a complete
 * edition again; why one failed first is kept, whatever becomes of it; its caller holds the edition's lock. What the server may have taken already is counted as resent. An
 * empty digest, and a sample that must not leave, stay as they are. Returns how many of each state were put back.
 */
export const requeueMissed = async (
  db: Kysely<Tables>,
  id: number,
  which: { states: readonly MailState[]; subscriberId: string | null },
): Promise<{ state: MailState; count: number }[]> => {
  const { rows } = await sql<{ state: MailState; count: number }>`
    with missed as (
        select m.local_date, m.id, m.state ${requeueable(id, which)} for update of m),
      back as (
        update deliveries m set state = 'queued', reason = null,
          failed_before = coalesce(m.failed_before, case when x.state = 'failed' then ${kindOfReason} end), attempts = 0, fence = m.fence + 1,
          resent = m.resent + case when x.state = 'unknown' then 1 else 0 end,
          -- It expires as late as one that is new.
          next_attempt_at = now(), created_at = now()
        from missed x where m.local_date = x.local_date and m.id = x.id returning x.state),
      opened as (update editions set completed_at = null, missing = 0 where id = ${id} and exists (select from back))
    select state, count(*)::int as count from back group by 1 order by 1`.execute(db)
  return rows
}
