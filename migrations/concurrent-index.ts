/**
 * Builds indexes while the service goes on reading and writing, on a partitioned table one partition at a time. For
 * migrations that are `withoutTransaction`; it may be killed at any point and is then called again with the same words.
 *
 * Frozen like the migrations that use it: a change of behaviour goes into a new file.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely'

export interface ConcurrentIndex {
  /** A table or a partitioned table of the schema `public`. */
  table: string
  /** The name of the index; that of a partition's is the partition's name, `_` and this. */
  name: string
  /** What stands after `on table` in `create index`: the columns and the condition. */
  definition: RawBuilder<unknown>
}

/** A build waits for the transactions that are older than it, without keeping anybody waiting; for no longer than this. */
const BUILD_LOCK_TIMEOUT = '10min'
/** `maintain` makes and drops partitions under this lock, of all releases. */
const MONTHS_LOCK = sql`hashtext('paper-round months')`
const MONTHS_PATIENCE_MS = 60_000
const POLL_MS = 250

interface IndexState {
  valid: boolean
}

/** Resolves when the index is there and valid. Errors: Postgres's own, 55P03 where a lock could not be had in time. */
export const buildIndexConcurrently = async (db: Kysely<unknown>, index: ConcurrentIndex): Promise<void> => {
  const { rows } = await sql<{ partitioned: boolean }>`
    select relkind = 'p' as partitioned from pg_class
    where relname = ${index.table} and relnamespace = 'public'::regnamespace`.execute(db)
  const [table] = rows
  if (table === undefined) throw new Error(`there is no table ${index.table} to make the index ${index.name} on`)
  if (table.partitioned) await whileMonthsStay(db, () => buildPartitioned(db, index))
  else await build(db, index)
}

const readIndex = async (db: Kysely<unknown>, name: string): Promise<IndexState | null> => {
  const { rows } = await sql<IndexState>`
    select i.indisvalid as valid from pg_class c join pg_index i on i.indexrelid = c.oid
    where c.relname = ${name} and c.relnamespace = 'public'::regnamespace`.execute(db)
  return rows[0] ?? null
}

/** Builds the index of one table; what a killed build left behind is invalid, and is dropped first. */
const build = async (db: Kysely<unknown>, { table, name, definition }: ConcurrentIndex): Promise<void> => {
  const found = await readIndex(db, name)
  if (found?.valid) return
  const { rows } = await sql<{ before: string }>`select current_setting('lock_timeout') as before`.execute(db)
  try {
    await sql`set lock_timeout = ${sql.lit(BUILD_LOCK_TIMEOUT)}`.execute(db)
    if (found !== null) await sql`drop index concurrently if exists ${sql.id(name)}`.execute(db)
    await sql`create index concurrently ${sql.id(name)} on ${sql.id(table)} ${definition}`.execute(db)
  } finally {
    await sql`select set_config('lock_timeout', ${rows[0]?.before ?? '0'}, false)`.execute(db)
  }
}

const buildPartitioned = async (db: Kysely<unknown>, index: ConcurrentIndex): Promise<void> => {
  const { table, name, definition } = index
  const found = await readIndex(db, name)
  if (found?.valid) return
  let partitions = found === null ? [] : await readUnattached(db, index)
  if (found !== null && partitions.length === 0) {
    // The last partition without it was dropped after a build had been killed: Postgres checks an index for completeness
    // only when a part is attached, and there is none left to attach.
    await sql`drop index ${sql.id(name)}`.execute(db)
  }
  if (found === null || partitions.length === 0) {
    // Without its parts it is a name in the catalogue, made in no time; partitions that are made from now on have it.
    await sql`create index ${sql.id(name)} on only ${sql.id(table)} ${definition}`.execute(db)
    partitions = await readUnattached(db, index)
  }
  for (const partition of partitions) {
    const part = `${partition}_${name}`
    if (part.length > 63) throw new Error(`${part} is longer than a name may be; give the index a shorter one`)
    await build(db, { table: partition, name: part, definition })
    await sql`alter index ${sql.id(name)} attach partition ${sql.id(part)}`.execute(db)
  }
  if (!(await readIndex(db, name))?.valid)
    throw new Error(`the index ${name} is not valid though all its parts are there`)
}

/** The partitions that have no part of the index yet. */
const readUnattached = async (db: Kysely<unknown>, { table, name }: ConcurrentIndex): Promise<string[]> => {
  const { rows } = await sql<{ partition: string }>`
    select c.relname as partition from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = ${table}::regclass and not i.inhdetachpending and not exists (
      select from pg_index x join pg_inherits a on a.inhrelid = x.indexrelid
      where x.indrelid = c.oid and a.inhparent = ${name}::regclass)
    order by c.relname`.execute(db)
  return rows.map((row) => row.partition)
}

/**
 * Keeps `maintain` from making or dropping partitions meanwhile. The lock is asked for again and again rather than waited
 * for: a statement that waits is older than the builds of whoever holds the lock, and each would wait for the other.
 */
const whileMonthsStay = async (db: Kysely<unknown>, work: () => Promise<void>): Promise<void> => {
  const until = performance.now() + MONTHS_PATIENCE_MS
  for (;;) {
    const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_lock(${MONTHS_LOCK}) as mine`.execute(db)
    if (rows[0]?.mine) break
    if (performance.now() > until)
      throw Object.assign(new Error('maintain is making or dropping months'), { code: '55P03' })
    await new Promise((resume) => setTimeout(resume, POLL_MS))
  }
  try {
    await work()
  } finally {
    await sql`select pg_advisory_unlock(${MONTHS_LOCK})`.execute(db)
  }
}
