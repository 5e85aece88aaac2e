/** Curators: whom an operator named, and since when and until when. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Tables } from './database.ts'

export type Curator = Selectable<Tables['curators']>

/** Adds a curator; `null` where the address is one's already. */
export const addCurator = async (
  db: Kysely<Tables>,
  { address, name, at }: { address: string; name: string; at: Date },
): Promise<Curator | null> => {
  const { rows } = await sql<Curator>`
    insert into curators (address, name, added_at) values (${address}, ${name}, ${at})
    on conflict (lower(address)) where ended_at is null do nothing returning *`.execute(db)
  return rows[0] ?? null
}

/** All who are or were curators, the first named first. */
export const readCurators = (db: Kysely<Tables>): Promise<Curator[]> =>
  db.selectFrom('curators').selectAll().orderBy('added_at').orderBy('id').execute()

/** A curator by id, removed or not. With `lock` they cannot be removed, nor their link renewed, before the end of `db`. */
export const readCurator = (db: Kysely<Tables>, id: string, lock = false): Promise<Curator | undefined> =>
  db
    .selectFrom('curators')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forShare())
    .executeTakeFirst()

/** Ends every link of a curator that was made before; `undefined` where the address is no curator's. */
export const raiseCuratorEpoch = (db: Kysely<Tables>, address: string): Promise<Curator | undefined> =>
  db
    .updateTable('curators')
    .set((eb) => ({ epoch: eb('epoch', '+', 1) }))
    .where(sql`lower(address)`, '=', address.toLowerCase())
    .where('ended_at', 'is', null)
    .returningAll()
    .executeTakeFirst()

/** Makes a curator none, and forgets their address; `undefined` where the address is no curator's. */
export const endCurator = (db: Kysely<Tables>, address: string, at: Date): Promise<Curator | undefined> =>
  db
    .updateTable('curators')
    .set({ ended_at: at, address: null })
    .where(sql`lower(address)`, '=', address.toLowerCase())
    .where('ended_at', 'is', null)
    .returningAll()
    .executeTakeFirst()
