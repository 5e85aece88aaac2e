/** Adds to digests how many papers were listed on their list days; `considered` had counted those that could be chosen. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`alter table digests add column listed integer`.execute(db)
}
