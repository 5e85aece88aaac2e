/** The service's clock at its last tick: it may not run backwards, and its age says whether anything ticks. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** The latest instant, by the service's clock, at which there was a tick; `null` before the first. */
export const readLastTick = async (db: Kysely<Tables>): Promise<Date | null> => {
  const row = await db.selectFrom('last_tick').select('at').executeTakeFirst()
  return row?.at ?? null
}

/** Stores the instant of a tick; of two schedulers the later instant stays. */
export const storeLastTick = async (db: Kysely<Tables>, at: Date): Promise<void> => {
  await sql`insert into last_tick (at) values (${at})
    on conflict (single) do update set at = greatest(last_tick.at, excluded.at)`.execute(db)
}
