/**
 * Which migrations a database has had, and whether this version of the program may run on it. The version of the code is
 * the number of its newest migration; the schema says the oldest version that may run on it (`schema_compatibility`).
 */
import { type Kysely, sql } from 'kysely'
import { EARLIER_ORDERS, MIGRATIONS } from '../../migrations/index.ts'
import type { Migration } from '../../migrations/migration.ts'

/** What a version of the program would apply, by name and in order; this one's unless a test has others. */
export type Migrations = Record<string, Migration>

/** The database cannot be used with this version of the program; the message says why in one sentence, and what to do. */
export class UnusableDatabase extends Error {}

/** The schema says that it is only for newer code than this. */
export class OutdatedCode extends UnusableDatabase {}

/** `13` of `0013-schema-compatibility`. */
const numberOf = (migration: string): number => Number.parseInt(migration, 10)

const versionOf = (migrations: Migrations): number => Math.max(...Object.keys(migrations).map(numberOf))

export interface SchemaState {
  /** Names of the migrations that it has had. */
  applied: string[]
  /** `null`: of before the schema said so, or empty. */
  oldestCode: number | null
}

/** What this version makes of a schema that it may run on. */
export interface SchemaFit {
  /** Migrations of this version that are still to be applied, in order. */
  missing: string[]
  /** Migrations of newer versions. */
  newer: string[]
}

/** Reads a database of any version, an empty one too. */
export const readSchema = async (db: Kysely<unknown>): Promise<SchemaState> => {
  const { rows: tables } = await sql<{ migrated: boolean; compatible: boolean }>`
    select to_regclass('kysely_migration') is not null as migrated,
      to_regclass('schema_compatibility') is not null as compatible`.execute(db)
  const { migrated = false, compatible = false } = tables[0] ?? {}
  if (!migrated) return { applied: [], oldestCode: null }
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return { applied: rows.map((row) => row.name), oldestCode: compatible ? await readOldestCode(db) : null }
}

/** The oldest version of the code that may run on this schema. Fails with 42P01 before 0013. */
export const readOldestCode = async (db: Kysely<unknown>): Promise<number | null> => {
  const { rows } = await sql<{ oldest: number }>`select oldest_code as oldest from schema_compatibility`.execute(db)
  return rows[0]?.oldest ?? null
}

/** Throws `OutdatedCode` where the schema is for newer code only. */
export const requireCode = (oldestCode: number | null, migrations: Migrations = MIGRATIONS): void => {
  const version = versionOf(migrations)
  if (oldestCode !== null && oldestCode > version)
    throw new OutdatedCode(
      `the database serves schema version ${oldestCode} of the program and newer ones, and this is version ` +
        `${version}; start a newer version, or restore a backup of before the upgrade`,
    )
}

/** Whether this version may run on a schema, and what it would add to it. Errors: `UnusableDatabase`. */
export const judgeSchema = ({ applied, oldestCode }: SchemaState, migrations: Migrations = MIGRATIONS): SchemaFit => {
  requireCode(oldestCode, migrations)
  const version = versionOf(migrations)
  const missing = Object.keys(migrations).filter((name) => !applied.includes(name))
  const newer = applied.filter((name) => !(name in migrations))
  if (newer.length > 0 && oldestCode === null)
    throw new UnusableDatabase(
      `the database has had ${list(newer)}, which this version (${version}) does not know, and does not say which ` +
        'versions may run on it; start the version that made it, or restore a backup',
    )
  if (newer.length > 0 && missing.length > 0)
    throw new UnusableDatabase(
      `the database has had ${list(newer)}, which this version (${version}) does not know, and lacks ` +
        `${list(missing)}, which it needs; start a version that has them all`,
    )
  for (const name of missing) {
    const before = applied.filter((other) => other > name && !EARLIER_ORDERS[name]?.includes(other))
    // Of a list that was never applied in this order nobody knows what the schema looks like.
    if (before.length > 0)
      throw new UnusableDatabase(
        `the database has had ${list(before)} without ${name}, which comes before; no version applies them in this ` +
          'order, so nothing is changed: restore a backup, or see what the table kysely_migration says',
      )
  }
  return { missing, newer }
}

const list = (names: string[]): string => names.join(', ')
