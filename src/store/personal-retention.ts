/** Who left and when, and the deletion of what is kept of people for a time only, some rows at a time. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from './database.ts'
import type { DeleteOptions } from './retention.ts'

/** Notes of at most `limit` subscribers who get no mail any more that they left at `at`. Returns how many. */
export const noteLeavers = async (db: Kysely<Tables>, at: Date, limit: number): Promise<number> => {
  const { rows } = await sql`
    update subscribers set left_at = ${at} where left_at is null and id in (select id from subscribers
      where state in ('unsubscribed', 'suppressed', 'erased') and left_at is null limit ${limit}) returning 1`.execute(
    db,
  )
  return rows.length
}

/** The ids of at most `limit` subscribers who unsubscribed before an instant; of all where it is `null`. */
export const readLeavers = async (db: Kysely<Tables>, leftBefore: Date, limit: number | null): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    select id from subscribers where state = 'unsubscribed' and left_at < ${leftBefore} order by left_at limit ${limit}`.execute(
    db,
  )
  return rows.map(({ id }) => id)
}

/** Forgets the addresses of clients in records of consent from before an instant. */
export const deleteClients = async (db: Kysely<Tables>, before: Date, options: DeleteOptions): Promise<number> => {
  const old = sql`select d.record_id from consent_details d join consent_records r on r.id = d.record_id
    where d.client is not null and r.at < ${before} limit ${options.dryRun ? null : options.limit}`
  const { rows } = await (options.dryRun
    ? old
    : sql`update consent_details set client = null where record_id in (${old}) returning 1`
  ).execute(db)
  return rows.length
}

/** Deletes records by the only way that the database lets any go. */
const deleteRecords = async (
  db: Kysely<Tables>,
  which: RawBuilder<unknown>,
  { limit, dryRun }: DeleteOptions,
): Promise<number> => {
  const old = sql`select r.id from consent_records r where ${which} limit ${dryRun ? null : limit}`
  if (dryRun) return (await old.execute(db)).rows.length
  return db.transaction().execute(async (trx) => {
    await sql`select set_config('paper_round.retention', 'on', true)`.execute(trx)
    return (await sql`delete from consent_records where id in (${old}) returning 1`.execute(trx)).rows.length
  })
}

/** Deletes records of requests from before an instant that were not confirmed, and of those who never confirmed any. */
export const deleteUnconfirmedConsent = (db: Kysely<Tables>, before: Date, options: DeleteOptions): Promise<number> =>
  deleteRecords(
    db,
    sql`r.at < ${before} and r.event <> 'confirmed' and not exists (select from consent_records c
      where c.subscriber_id = r.subscriber_id and c.event = 'confirmed'
        and (r.event <> 'requested' or c.letter_id = r.letter_id))`,
    options,
  )

/** Deletes all records of those who left before an instant. */
export const deleteConsent = (db: Kysely<Tables>, leftBefore: Date, options: DeleteOptions): Promise<number> =>
  deleteRecords(
    db,
    sql`exists (select from subscribers s where s.id = r.subscriber_id and s.left_at < ${leftBefore}
      and s.state in ('unsubscribed', 'suppressed', 'erased'))`,
    options,
  )
