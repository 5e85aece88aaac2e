/** Which relevance model the stored scores of papers are of. */
import type { Kysely } from 'kysely'
import type { Tables } from '../database.ts'

/** The name of the model that the stored scores are of; `null` before the first. */
export const readScoredBy = async (db: Kysely<Tables>): Promise<string | null> =>
  (await db.selectFrom('papers_scored').select('by_model').executeTakeFirst())?.by_model ?? null

/** Stores which model the stored scores are of. */
export const storeScoredBy = async (db: Kysely<Tables>, model: string): Promise<void> => {
  await db
    .insertInto('papers_scored')
    .values({ by_model: model })
    .onConflict((conflict) => conflict.column('single').doUpdateSet({ by_model: model }))
    .execute()
}
