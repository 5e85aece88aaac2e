/** The relevance models that were trained here, by version, and which of them is in use. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { DatedPaper } from '../core/model-trial.ts'
import type { Tables } from './database.ts'

export type StoredModel = Omit<Selectable<Tables['relevance_models']>, 'model'>

/** The model in use and its version; `undefined` while that is the one that ships with the project. */
export const readModelInUse = (db: Kysely<Tables>): Promise<{ version: number; model: string } | undefined> =>
  db.selectFrom('relevance_models').select(['version', 'model']).where('in_use', '=', true).executeTakeFirst()

/** The version alone, which is little to ask for often. */
export const readVersionInUse = async (db: Kysely<Tables>): Promise<number | null> =>
  (await db.selectFrom('relevance_models').select('version').where('in_use', '=', true).executeTakeFirst())?.version ??
  null

/** All of them without the models themselves, the newest first. */
export const readModels = (db: Kysely<Tables>): Promise<StoredModel[]> =>
  db
    .selectFrom('relevance_models')
    .select(['version', 'trained_at', 'papers', 'first_day', 'last_day', 'trial', 'in_use'])
    .orderBy('version', 'desc')
    .execute()

/** Keeps a model; returns its version. */
export const storeModel = async (
  db: Kysely<Tables>,
  model: Omit<Selectable<Tables['relevance_models']>, 'version' | 'in_use'>,
): Promise<number> => {
  const { version } = await db
    .insertInto('relevance_models')
    .values({ ...model, trial: JSON.stringify(model.trial) as never, in_use: false })
    .returning('version')
    .executeTakeFirstOrThrow()
  return version
}

/** Puts a version in use, or with `null` the shipped model. False where there is no such version, and then nothing changes. */
export const putInUse = (db: Kysely<Tables>, version: number | null): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('paper-round model'))`.execute(trx)
    if (version !== null) {
      const known = await trx
        .selectFrom('relevance_models')
        .select('version')
        .where('version', '=', version)
        .executeTakeFirst()
      if (known === undefined) return false
    }
    await trx.updateTable('relevance_models').set({ in_use: false }).where('in_use', '=', true).execute()
    if (version !== null)
      await trx.updateTable('relevance_models').set({ in_use: true }).where('version', '=', version).execute()
    return true
  })

/** Titles and abstracts of all papers held, but for the sample that ships with the project. */
export const readArchive = async (db: Kysely<Tables>): Promise<DatedPaper[]> => {
  const { rows } = await sql<DatedPaper>`
    select t.title, t.abstract, p.list_day as "listDay" from papers p
    join paper_texts t on t.paper_id = p.id and t.revision = p.revision
    where p.source <> 'sample' order by p.list_day, p.id`.execute(db)
  return rows
}

/** The name of the model that the stored scores are of; `null` before the first. */
export const readScoredBy = async (db: Kysely<Tables>): Promise<string | null> =>
  (await db.selectFrom('papers_scored').select('by_model').executeTakeFirst())?.by_model ?? null

export const storeScoredBy = async (db: Kysely<Tables>, model: string): Promise<void> => {
  await db
    .insertInto('papers_scored')
    .values({ by_model: model })
    .onConflict((conflict) => conflict.column('single').doUpdateSet({ by_model: model }))
    .execute()
}
