/** One mail, or all of one subscriber, looked up with what became of each. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'
import type { ServerReply } from './deliveries.ts'

export const readLetter = (db: Kysely<Tables>, id: string) =>
  db.selectFrom('letters').selectAll().where('id', '=', id).executeTakeFirst()

/** The local date that a delivery's id carries in its first four bytes. */
const dateOfId = (id: string): string =>
  new Date(Number.parseInt(id.slice(0, 8), 16) * 86_400_000).toISOString().slice(0, 10)

export const readDelivery = (db: Kysely<Tables>, id: string) => {
  const days = Number.parseInt(id.slice(0, 8), 16)
  // Beyond the year 2200 it is no id of ours; a Date would not hold the largest.
  if (!(days < 84_000)) return Promise.resolve(undefined)
  return db
    .selectFrom('deliveries')
    .selectAll()
    .where('local_date', '=', dateOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
}

/** The newest mails of a subscriber, letters and digests, with what became of them. */
export const readMailsOf = async (db: Kysely<Tables>, subscriberId: string, most: number) => {
  const { rows } = await sql<{
    what: string
    state: string
    attempts: number
    resent: number
    reason: string | null
    at: Date
  }>`
    select kind as what, state, attempts, resent, reason, created_at as at from letters
      where subscriber_id = ${subscriberId}
    union all
    select 'digest of ' || local_date, state, attempts, resent, reason, created_at from deliveries
      where subscriber_id = ${subscriberId}
    order by at desc limit ${most}`.execute(db)
  return rows
}

/** A mail and all that is known of it. */
export interface MailRecord extends ServerReply {
  /** `digest`, or the kind of letter. */
  what: string
  /** Of a digest: the edition that owed it. */
  edition: number | null
  /** When it was due: the edition's cut-off, or when the letter was asked for. */
  dueAt: Date
  state: string
  reason: string | null
  attempts: number
  resent: number
  attemptedAt: Date | null
  sentAt: Date | null
}

/** The mails of a subscriber on one local date (of letters, by the day on which they were asked for), the oldest first. */
export const readMailsOn = async (db: Kysely<Tables>, subscriberId: string, date: string): Promise<MailRecord[]> => {
  const facts = sql`m.state, m.reason, m.attempts, m.resent, m.attempted_at as "attemptedAt", m.sent_at as "sentAt",
    m.code, m.enhanced, m.said`
  const { rows } = await sql<MailRecord>`
    select 'digest' as what, m.edition_id as edition, e.cutoff as "dueAt", ${facts}
    from deliveries m join editions e on e.id = m.edition_id
    where m.subscriber_id = ${subscriberId} and m.local_date = ${date}::date
    union all
    select m.kind, null, m.requested_at, ${facts} from letters m join subscribers s on s.id = m.subscriber_id
    where m.subscriber_id = ${subscriberId} and (m.requested_at at time zone s.time_zone)::date = ${date}::date
    order by "dueAt"`.execute(db)
  return rows
}
