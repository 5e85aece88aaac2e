/** Editions, and the digests frozen for their cohorts. */
import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import type { DigestEntry, DigestKind } from '../core/digest/digest.ts'
import type { FrozenNews } from '../core/papers/paper-news.ts'
import type { Tables } from './database.ts'

export type Digest = Selectable<Tables['digests']>

/** The edition that was begun and not finished, if there is one: it goes on with the cut-off it was given. */
export const readOpenEdition = (db: Kysely<Tables>) =>
  db.selectFrom('editions').selectAll().where('published_at', 'is', null).orderBy('cutoff').limit(1).executeTakeFirst()

/** Begins the edition of a cut-off, or returns the one that has it. */
export const beginEdition = async (db: Kysely<Tables>, cutoff: Date) => {
  const { rows } = await sql<Selectable<Tables['editions']>>`
    insert into editions (cutoff) values (${cutoff})
    on conflict (cutoff) do update set published_at = null, completed_at = null returning *`.execute(db)
  const [edition] = rows
  if (edition === undefined) throw new Error('an edition was neither made nor found')
  return edition
}

export const markPublished = async (db: Kysely<Tables>, id: number): Promise<void> => {
  await sql`update editions set published_at = now() where id = ${id}`.execute(db)
}

/** Digests that the subscribers of a new one had last, and the latest date whose papers are no longer remembered. */
export interface Earlier {
  digests: number[]
  forget: string
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
  /** What it sends itself, paper ids to the date; what its subscribers were sent before comes from `after`. */
  recentlySent: Record<string, string>
  /** Whose carries go on in its own, but for what was sent on `forget` or earlier; absent where there are none. */
  after?: Earlier
  emptySince: string | null
  note: string | null
  sample: boolean
  news: FrozenNews[]
}

/**
 * The carries of earlier digests as one, each paper with the date it was sent last: `carryOn` in the database, where they
 * lie, for they are long and many. Most have one before them, and nothing need be put together.
 */
const recentlySentAfter = (ids: RawBuilder<number[]>, forget: RawBuilder<string>) => sql`case cardinality(${ids})
    when 1 then coalesce((select p.recently_sent - array(select c.key from jsonb_each_text(p.recently_sent) c where c.value <= ${forget})
      from digests p where p.id = (${ids})[1]), '{}')
    else coalesce((select jsonb_object_agg(c.key, c.day) from (
        select c.key, max(c.value) as day from digests p cross join jsonb_each_text(p.recently_sent) c
        where p.id = any(${ids}) and c.value > ${forget} group by c.key) c), '{}') end`

/**
 * Freezes digests; of one that stands already (same cohort, same cut-off) only the carry grows: it was met in an earlier
 * chunk, or by another publisher, and its list stays as it is. In the order given; `isNew` unless it stood already.
 */
export const storeDigests = async (
  db: Kysely<Tables>,
  digests: NewDigest[],
): Promise<{ id: number; isNew: boolean }[]> => {
  if (digests.length === 0) return []
  const { rows } = await sql<{ id: number; cohortKey: Buffer; isNew: boolean }>`
    insert into digests (edition_id, cohort_key, kind, local_date, topics, keywords, authors, cutoff, entries, list_days,
      considered, recently_sent, empty_since, note, sample, news)
    select "editionId", decode("cohortKey", 'hex'), kind, "localDate", topics, keywords, authors, cutoff, entries,
      "listDays", considered, ${recentlySentAfter(sql`d.digests`, sql`d.forget`)} || "recentlySent", "emptySince", note, sample, news
    from jsonb_to_recordset(${JSON.stringify(
      digests.map(({ cohortKey, after, ...digest }) => ({ ...digest, ...after, cohortKey: cohortKey.toString('hex') })),
    )}::jsonb)
      as d("editionId" bigint, "cohortKey" text, kind text, "localDate" date, topics text[], keywords text[],
        authors text[], cutoff timestamptz, entries jsonb, "listDays" date[], considered integer, "recentlySent" jsonb,
        "emptySince" date, note text, sample boolean, news jsonb, digests bigint[], forget text)
    on conflict (cohort_key) do update set recently_sent = digests.recently_sent || excluded.recently_sent
    returning id, cohort_key as "cohortKey", xmax = 0 as "isNew"`.execute(db)
  const stored = new Map(rows.map((row) => [row.cohortKey.toString('hex'), row]))
  return digests.map((digest) => {
    const row = stored.get(digest.cohortKey.toString('hex'))
    if (row === undefined) throw new Error('a digest was neither made nor found')
    return row
  })
}

/** Adds what further members of stored digests were sent before. */
export const extendRecentlySent = async (db: Kysely<Tables>, grown: (Earlier & { id: number })[]): Promise<void> => {
  if (grown.length === 0) return
  await sql`with g as materialized (select g.id, ${recentlySentAfter(sql`g.digests`, sql`g.forget`)} as recently_sent
      from jsonb_to_recordset(${JSON.stringify(grown)}::jsonb) as g(id bigint, digests bigint[], forget text))
    update digests d set recently_sent = g.recently_sent || d.recently_sent from g where d.id = g.id and not d.recently_sent @> g.recently_sent`.execute(
    db,
  )
}

export const readDigest = (db: Kysely<Tables>, id: number): Promise<Digest | undefined> =>
  db.selectFrom('digests').selectAll().where('id', '=', id).executeTakeFirst()

/** What a new digest must know of the one before it. */
export interface PreviousDigest {
  id: number
  /** Of the papers asked for those in its carry. */
  recentlySent: string[]
  localDate: string
  emptySince: string | null
  /** Of a digest without papers: why it has none. */
  note: string | null
  news: FrozenNews[]
}

/** Reads what new digests must know of these; of their carries, which are long, only whether they hold some `papers`. */
export const readPreviousDigests = async (
  db: Kysely<Tables>,
  ids: number[],
  papers: Iterable<string>,
): Promise<Map<number, PreviousDigest>> => {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<PreviousDigest>`
    select id, local_date as "localDate", empty_since as "emptySince", note, news,
      array(select key from jsonb_object_keys(recently_sent) key where key = any(${[...papers]})) as "recentlySent"
    from digests where id = any(${ids})`.execute(db)
  return new Map(rows.map((previous) => [previous.id, previous]))
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
