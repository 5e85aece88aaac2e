/** The unsubscribe links of former systems: whose they are, by the hash of what they end with. */
import { type Kysely, sql } from 'kysely'
import type { Tables } from './database.ts'

/** Whose link has one of these hashes; `null` where it is nobody's. */
export const readLegacyOwner = async (db: Kysely<Tables>, hashes: readonly Buffer[]): Promise<string | null> => {
  const row = await db
    .selectFrom('legacy_links')
    .select('subscriber_id')
    .where('token_hash', 'in', [...hashes])
    .executeTakeFirst()
  return row?.subscriber_id ?? null
}

/** When links of a subscriber were imported. */
export const readLegacyLinks = async (db: Kysely<Tables>, subscriberId: string): Promise<{ at: Date }[]> =>
  db.selectFrom('legacy_links').select('at').where('subscriber_id', '=', subscriberId).orderBy('at').execute()

/** Deletes the links of a subscriber. */
export const deleteLegacyLinks = async (db: Kysely<Tables>, subscriberId: string): Promise<void> => {
  await sql`delete from legacy_links where subscriber_id = ${subscriberId}`.execute(db)
}
