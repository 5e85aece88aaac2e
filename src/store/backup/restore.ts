/** Restores a backup into an empty database, held: what it would send is left to the operator. */

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Client } from 'pg'
import { from } from 'pg-copy-streams'
import { MIGRATIONS } from '../../../migrations/index.ts'
import { whyRefused } from '../../core/database-error.ts'
import { openDatabase } from '../database.ts'
import { migrate } from '../migrate.ts'
import { createMonth, readMonths } from '../months.ts'
import { type ArchiveReader, type BackupHeader, UnusableBackup } from './archive.ts'
import { quote, readIdentities, readTables, withClient } from './connection.ts'

/** An edition that was not finished when the backup was made. */
export interface UnfinishedEdition {
  id: number
  cutoff: Date
  /** Its deliveries that may have been sent since; they are unknown now. */
  unknown: number
  /** Whether it had not been published to its end. */
  unpublished: boolean
}

export interface RestoreResult {
  made: Date
  tables: number
  rows: number
  unfinished: UnfinishedEdition[]
  /** Letters that waited, and may have been sent since. */
  letters: number
}

/** Throws `UnusableBackup` where this version cannot have made the tables of a backup. */
export const requireKnownMigrations = ({ migrations }: BackupHeader): void => {
  const unknown = migrations.filter((name) => !(name in MIGRATIONS))
  if (unknown.length > 0)
    throw new UnusableBackup(
      `it was made by a newer version, whose database has had ${unknown.join(', ')}: restore it with that version or a newer one`,
    )
}

/**
 * Throws `UnusableBackup` unless a database holds nothing: no rows in tables of the service, and no tables of others.
 * Returns the migrations that it has had.
 */
export const requireEmpty = (url: string): Promise<string[]> =>
  withClient(url, 'paper-round restore', async (client) => {
    const { rows } = await client.query<{ migrated: boolean }>(
      `select to_regclass('kysely_migration') is not null as migrated`,
    )
    const migrated = rows[0]?.migrated === true
    const tables = await readTables(client)
    const full: string[] = []
    for (const { name } of tables)
      if (!migrated || (await client.query(`select from ${quote(name)} limit 1`)).rows.length > 0) full.push(name)
    if (full.length > 0)
      throw new UnusableBackup(
        `the database holds something already (${full.slice(0, 5).join(', ')}${full.length > 5 ? ', …' : ''}): restore into an ` +
          'empty one that no service has run on, with another DATABASE_URL or DATA_DIR',
      )
    if (!migrated) return []
    const applied = await client.query<{ name: string }>('select name from kysely_migration order by name')
    return applied.rows.map(({ name }) => name)
  })

/**
 * Restores an archive into an empty database, which has the schema of this version afterwards. All rows come in one
 * transaction, with the hold: either everything is there and nothing is sent, or nothing is there. Throws `UnusableBackup`.
 */
export const restoreDatabase = async (url: string, archive: ArchiveReader): Promise<RestoreResult> => {
  const { header } = archive
  requireKnownMigrations(header)
  const applied = await requireEmpty(url)
  const then = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => header.migrations.includes(name)))
  // Migrations move what earlier versions stored, so the rows must come into the tables that they were in.
  if (applied.join() !== header.migrations.join()) await dropTables(url)
  await migrate(url, { migrations: then })
  await createMonths(url, header.months)
  const result = await withClient(url, 'paper-round restore', (client) => load(client, archive))
  await migrate(url)
  return result
}

/** Drops the tables of the service, which are empty. */
const dropTables = (url: string): Promise<void> =>
  withClient(url, 'paper-round restore', async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    )
    if (rows.length > 0) await client.query(`drop table ${rows.map(({ name }) => quote(name)).join(', ')} cascade`)
  })

const createMonths = async (url: string, months: string[]): Promise<void> => {
  const db = openDatabase(url, { connections: 1, name: 'paper-round restore', onError: () => undefined })
  try {
    const there = new Set((await readMonths(db)).map(({ month }) => month))
    for (const month of months) if (!there.has(month)) await createMonth(db, month)
  } finally {
    await db.destroy()
  }
}

const load = async (client: Client, archive: ArchiveReader): Promise<RestoreResult> => {
  const known = new Map((await readTables(client)).map(({ name, columns }) => [name, columns]))
  await client.query('begin')
  // A service that was started meanwhile must not write between our rows.
  await client.query(`lock table ${[...known.keys()].map(quote).join(', ')} in exclusive mode`)
  for (let table = await archive.nextTable(); table !== null; table = await archive.nextTable()) {
    const { table: name, columns, rows } = table
    const here = known.get(name)
    const extra = columns.filter((column) => !here?.includes(column))
    if (here === undefined || extra.length > 0)
      throw new UnusableBackup(`it does not fit its own migrations: ${[name, ...extra].join(', ')} is not known`)
    const into = client.query(from(`copy ${quote(name)} (${columns.map(quote).join(', ')}) from stdin`))
    await pipeline(Readable.from(rows), into).catch((error) => {
      // Damage may make rows that no table takes, and shows here before the sum of all rows is known.
      if (whyRefused(error) === null) throw error
      throw new UnusableBackup(`it is damaged: the rows of the table ${name} are not those that were written`)
    })
  }
  const { counters, tables, rows } = archive.end()
  for (const { table, column } of await readIdentities(client)) {
    const last = counters[table] ?? 0
    await client.query('select setval(pg_get_serial_sequence($1, $2), $3, $4)', [
      quote(table),
      column,
      Math.max(last, 1),
      last > 0,
    ])
  }
  const made = new Date(archive.header.made)
  const settled = await settle(client, made, known)
  await client.query('commit')
  await client.query('analyze')
  return { made, tables, rows, ...settled }
}

const MAY_HAVE_BEEN_SENT = 'restored from a backup: it may have been sent since'

const holdAsUnknown = async (client: Client, stream: 'deliveries' | 'announcement_mails'): Promise<void> => {
  await client.query(
    `update ${stream} set state = 'unknown', lease_until = null, waits_for = null, fence = fence + 1, reason = $1
    where state in ('queued', 'deferred', 'sending')`,
    [MAY_HAVE_BEEN_SENT],
  )
}

/**
 * Leaves what waited to the operator: it may have been sent since the backup was made. Digests are held as unknown until
 * `editions release`, and announcements, which are paused, until `announcements resend`; letters, for whose reader nothing else is at hand, wait for the end of the hold.
 */
const settle = async (
  client: Client,
  made: Date,
  tables: ReadonlyMap<string, unknown>,
): Promise<Pick<RestoreResult, 'unfinished' | 'letters'>> => {
  await holdAsUnknown(client, 'deliveries')
  // A backup of an older version has the tables of that version.
  if (tables.has('announcements')) {
    await holdAsUnknown(client, 'announcement_mails')
    await client.query(
      `update announcements set paused_at = now(), paused_by = 'restore', paused_why = $1
      where completed_at is null and canceled_at is null`,
      [MAY_HAVE_BEEN_SENT],
    )
  }
  await client.query(
    `update letters set state = 'queued', lease_until = null, fence = fence + 1, resent = resent + 1, next_attempt_at = now()
    where state = 'sending'`,
  )
  await client.query(`update letters set waits_for = null where waits_for is not null`)
  await client.query('delete from throttled_routes')
  await client.query(
    `insert into service_hold (why, restored_from) values ($1, $2)
    on conflict (single) do update set held_at = now(), by_whom = null, why = excluded.why, restored_from = excluded.restored_from`,
    [`restored from the backup of ${made.toISOString()}`, made],
  )
  const { rows: unfinished } = await client.query<UnfinishedEdition>(
    `select e.id::float8 as id, e.cutoff, e.published_at is null as unpublished, (select count(*)::int from deliveries m
        where m.edition_id = e.id and m.state = 'unknown') as unknown
    from editions e where e.completed_at is null order by e.cutoff`,
  )
  const { rows: letters } = await client.query<{ count: number }>(
    `select count(*)::int as count from letters where state in ('queued', 'deferred')`,
  )
  return { unfinished, letters: letters[0]?.count ?? 0 }
}
