/** The state of a feed between two readings: the validators of the version stored last, and the day of its batch. */
import type { Kysely } from 'kysely'
import type { Tables } from './database.ts'

export interface HeldFeed {
  etag: string | null
  lastModified: string | null
  /** `YYYY-MM-DD`; `null` when the feed was empty. */
  batchDay: string | null
}

/** `null` where the source was never stored. */
export const readFeed = async (db: Kysely<Tables>, source: string): Promise<HeldFeed | null> => {
  const row = await db.selectFrom('source_feeds').selectAll().where('source', '=', source).executeTakeFirst()
  return row === undefined ? null : { etag: row.etag, lastModified: row.last_modified, batchDay: row.batch_day }
}

/** Must be called only once all of the feed is stored: the source may never send this version again. */
export const storeFeed = async (db: Kysely<Tables>, source: string, feed: HeldFeed): Promise<void> => {
  const values = { etag: feed.etag, last_modified: feed.lastModified, batch_day: feed.batchDay }
  await db
    .insertInto('source_feeds')
    .values({ source, ...values })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(values))
    .execute()
}
