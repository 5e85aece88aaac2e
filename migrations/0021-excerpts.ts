/** Adds to a paper's texts the excerpt that is shown of its abstract. */
import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // Null in revisions that were stored before, or by the release before: it is then made when it is read.
  await sql`alter table paper_texts add column excerpt text`.execute(db)
}
