/** Editions, and the digests frozen for their cohorts. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { DigestEntry, DigestKind } from '../core/digest.ts'
import type { Tables } from './database.ts'

export type Digest = Selectable<Tables['digests']>

/** The edition that was begun and not finished, if there is one: it goes on with the cut-off it was given. */
export const readOpenEdition = (db: Kysely<Tables>) =>
  db.selectFrom('editions').selectAll().where('published_at', 'is', null).orderBy('cutoff').limit(1).executeTakeFirst()

/** Begins the edition of a cut-off, or returns the one that has it. */
export const beginEdition = async (db: Kysely<Tables>, cutoff: Date) => {
  const { rows } = await sql<Selectable<Tables['editions']>>`
    insert into editions (cutoff) values (${cutoff})
    on conflict (cutoff) do update set published_at = null returning *`.execute(db)
  const [edition] = rows
  if (edition === undefined) throw new Error('an edition was neither made nor found')
  return edition
}

export const closeEdition = async (db: Kysely<Tables>, id: number): Promise<void> => {
  await sql`update editions set published_at = now() where id = ${id}`.execute(db)
}

export interface NewDigest {
  editionId: number | null
  cohortKey: Buffer
  kind: DigestKind
  localDate: string
  topics: string[]
  keywords: string[]
  authors: string[]
  cutoff: Date
  entries: DigestEntry[]
  listDays: string[]
  considered: number
  carry: Record<string, string>
  quietFrom: string | null
  note: string | null
  sample: boolean
}

/** Freezes digests; of one that stands already (same cohort, same cut-off) only the carry grows. Ids in the order given. */
export const storeDigests = async (db: Kysely<Tables>, digests: NewDigest[]): Promise<number[]> => {
  if (digests.length === 0) return []
  const rows = await db
    .insertInto('digests')
    .values(
      digests.map((digest) => ({
        edition_id: digest.editionId,
        cohort_key: digest.cohortKey,
        kind: digest.kind,
        local_date: digest.localDate,
        topics: digest.topics,
        keywords: digest.keywords,
        authors: digest.authors,
        cutoff: digest.cutoff,
        entries: JSON.stringify(digest.entries) as never,
        list_days: digest.listDays,
        considered: digest.considered,
        carry: JSON.stringify(digest.carry) as never,
        quiet_from: digest.quietFrom,
        note: digest.note,
        sample: digest.sample,
      })),
    )
    // A cohort that stands already was met in an earlier chunk: its list stays as it is, and what the new members were
    // sent before is carried along.
    .onConflict((conflict) =>
      conflict.column('cohort_key').doUpdateSet({ carry: sql`digests.carry || excluded.carry` }),
    )
    .returning(['id', 'cohort_key'])
    .execute()
  const ids = new Map(rows.map((row) => [row.cohort_key.toString('hex'), row.id]))
  return digests.map((digest) => {
    const id = ids.get(digest.cohortKey.toString('hex'))
    if (id === undefined) throw new Error('a digest was neither made nor found')
    return id
  })
}

export const readDigest = (db: Kysely<Tables>, id: number): Promise<Digest | undefined> =>
  db.selectFrom('digests').selectAll().where('id', '=', id).executeTakeFirst()

/** What a new digest must know of the one before it. */
export interface Past {
  id: number
  carry: Record<string, string>
  localDate: string
  quietFrom: string | null
  /** Of a digest without papers: why it has none. */
  note: string | null
}

export const readPasts = async (db: Kysely<Tables>, ids: number[]): Promise<Map<number, Past>> => {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<Past>`
    select id, carry, local_date as "localDate", quiet_from as "quietFrom", note from digests where id = any(${ids})`.execute(
    db,
  )
  return new Map(rows.map((past) => [past.id, past]))
}

/** The service's clock at its last tick, `null` before the first. */
export const readLastTick = async (db: Kysely<Tables>): Promise<Date | null> => {
  const row = await db.selectFrom('last_tick').select('at').executeTakeFirst()
  return row?.at ?? null
}

export const storeLastTick = async (db: Kysely<Tables>, at: Date): Promise<void> => {
  await sql`insert into last_tick (at) values (${at})
    on conflict (single) do update set at = greatest(last_tick.at, excluded.at)`.execute(db)
}
