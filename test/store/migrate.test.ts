/** The schema: applied once however often and by however many, and holding the rules that must survive any bug above. */
import { sql } from 'kysely'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { buildIndexConcurrently } from '../../migrations/concurrent-index.ts'
import { MIGRATIONS } from '../../migrations/index.ts'
import type { Migration } from '../../migrations/migration.ts'
import { migrate, requireSchema } from '../../src/store/migrate.ts'
import { OutdatedCode, UnusableDatabase } from '../../src/store/schema.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { LONDON_DAILY, openNewsletter, subscribe } from '../support/fixtures/newsletter.ts'
import { startChild } from '../support/processes/child.ts'

const query = async (url: string, text: string) => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const appliedTo = (url: string) => query(url, 'select name, timestamp from kysely_migration order by name')

/** Everything that can be told of the schema, but for the order of columns. */
const schemaOf = async (url: string) => ({
  columns: await query(
    url,
    `select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
      where table_schema = 'public' order by 1, 2`,
  ),
  indexes: await query(url, `select indexdef from pg_indexes where schemaname = 'public' order by 1`),
  constraints: await query(
    url,
    `select conrelid::regclass::text as table, conname, pg_get_constraintdef(oid) as definition from pg_constraint
      where connamespace = 'public'::regnamespace order by 1, 2`,
  ),
})

const ADDS_COLUMN: Migration = {
  up: async (db) => {
    await sql`alter table subscribers add column planted integer`.execute(db)
  },
}
const ADDS_INDEX: Migration = {
  withoutTransaction: true,
  up: (db) => buildIndexConcurrently(db, { table: 'deliveries', name: 'planted', definition: sql`(sent_at)` }),
}
/** A later release: what it adds does not hinder this one, until the migration that takes something away. */
const LATER = { ...MIGRATIONS, '9001-adds-a-column': ADDS_COLUMN, '9002-adds-an-index': ADDS_INDEX }
const LATEST: Record<string, Migration> = {
  ...LATER,
  '9003-drops-it': {
    oldestCode: 9002,
    up: async (db) => {
      await sql`alter table subscribers drop column planted`.execute(db)
    },
  },
}

const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => !names.includes(name)))
const NAMES = Object.keys(MIGRATIONS)
/** The migrations of the version whose newest was this, less what landed later. */
const asOf = (newest: string, ...later: string[]) => without(...NAMES.filter((name) => name > newest), ...later)

test('migrations apply from nothing, by several processes at once, and a second time without effect', async () => {
  await using database = await openTestDatabase({ empty: true })
  await expect(requireSchema(database.url)).rejects.toThrow(/run: node workers\/main.ts migrate/)
  const done = await Promise.all([1, 2, 3].map(() => migrate(database.url, { migrations: LATER })))
  expect(done.flatMap(({ applied }) => applied).sort()).toEqual(Object.keys(LATER))
  const applied = await appliedTo(database.url)
  expect(await migrate(database.url, { migrations: LATER })).toEqual({ applied: [], newer: [] })
  expect(await appliedTo(database.url)).toEqual(applied)
})

test('a database that is behind is named by what it lacks, and is brought on', async () => {
  await using database = await openTestDatabase({ empty: true })
  await migrate(database.url, { migrations: asOf('0009-news-of-papers') })
  const missing = NAMES.filter((name) => name > '0009-news-of-papers')
  await expect(requireSchema(database.url)).rejects.toThrow(
    `the database lacks ${missing.join(', ')}; run: node workers/main.ts migrate`,
  )
  expect(await migrate(database.url)).toEqual({ applied: missing, newer: [] })
  await requireSchema(database.url)
})

test('a database two versions ahead is left as it is and worked on, until a version takes something away', async () => {
  await using database = await openTestDatabase()
  await migrate(database.url, { migrations: LATER })
  const applied = await appliedTo(database.url)
  await requireSchema(database.url)
  expect(await migrate(database.url)).toEqual({ applied: [], newer: ['9001-adds-a-column', '9002-adds-an-index'] })
  expect(await appliedTo(database.url)).toEqual(applied)

  await migrate(database.url, { migrations: LATEST })
  const version = Number.parseInt(NAMES.at(-1) ?? '', 10)
  const words =
    `the database serves schema version 9002 of the program and newer ones, and this is version ${version}; ` +
    'start a newer version, or restore a backup of before the upgrade'
  for (const attempt of [requireSchema, migrate]) {
    await expect(attempt(database.url)).rejects.toThrow(OutdatedCode)
    await expect(attempt(database.url)).rejects.toThrow(words)
  }
  // The one before the last needs no rollback of the schema.
  expect(await migrate(database.url, { migrations: LATER })).toEqual({ applied: [], newer: ['9003-drops-it'] })
})

test.each([
  ['0007 before 0006', asOf('0007-deliveries-stand-alone', '0006-ways-in-trouble')],
  ['0009 before 0008', asOf('0009-news-of-papers', '0008-what-comes-back')],
  ['0035 before 0031', asOf('0035-vote-links', '0031-curation')],
])('a database that had %s ends with the same schema as a new one', async (_, migrations) => {
  await using old = await openTestDatabase({ empty: true })
  await using fresh = await openTestDatabase({ empty: true })
  await migrate(old.url, { migrations })
  await Promise.all([migrate(old.url), migrate(fresh.url)])
  expect(await schemaOf(old.url)).toEqual(await schemaOf(fresh.url))
})

test.each([
  [
    'whose order no version has',
    `delete from kysely_migration where name = '0004-readers-steer'`,
    /^the database has had 0005-the-ledger, .* without 0004-readers-steer, which comes before; no version applies/,
  ],
  [
    'of another line',
    `update kysely_migration set name = '0012-something-else' where name = '0012-standard-terms'`,
    /^the database has had 0012-something-else, which this version \(\d+\) does not know, and lacks 0012-standard-terms, /,
  ],
  [
    'that does not say who may run on it',
    `insert into kysely_migration values ('0099-later', now()::text); drop table schema_compatibility`,
    /^the database has had 0099-later, which this version \(\d+\) does not know, and does not say which versions may run/,
  ],
])('a history %s is refused in words that name the migrations, and left alone', async (_, change, words) => {
  await using database = await openTestDatabase()
  await query(database.url, change)
  const before = await appliedTo(database.url)
  for (const attempt of [migrate, requireSchema]) {
    await expect(attempt(database.url)).rejects.toThrow(UnusableDatabase)
    await expect(attempt(database.url)).rejects.toThrow(words)
  }
  expect(await appliedTo(database.url)).toEqual(before)
})

test('a migration behind a long query keeps nobody waiting, says who holds it, and goes in when it is over', async () => {
  await using database = await openTestDatabase()
  const { url } = database
  const report = new Client({ connectionString: url, application_name: 'long report' })
  report.on('error', () => undefined)
  await report.connect()
  await report.query('begin; select count(*) from subscribers')
  const patience = { lockTimeoutMs: 500, backOffMs: 10, longestBackOffMs: 50 }
  const notices: string[] = []
  const migrating = migrate(url, {
    migrations: LATER,
    patience: { ...patience, tries: 3 },
    onNotice: (said) => notices.push(said),
  })
  const refused = expect(migrating).rejects.toThrow(
    /^the migration 9001-adds-a-column could not have its lock in 3 tries: process \d+ of Postgres \(long report, idle in transaction\) holds it for \d+ s; the service goes on as before: wait until that has ended, or end it, and run again: node workers\/main.ts migrate$/,
  )
  // What comes after the waiting migration waits no longer than its lock timeout.
  for (let n = 0; n < 5; n++) await query(url, `set statement_timeout = '2s'; select count(*) from subscribers`)
  await refused
  expect(notices).toHaveLength(2)
  expect(await query(url, `select 1 from kysely_migration where name like '9%'`)).toEqual([])

  const told = Promise.withResolvers<void>()
  const again = migrate(url, {
    migrations: LATER,
    patience: { ...patience, tries: 1000 },
    onNotice: () => told.resolve(),
  })
  await told.promise
  await report.query('commit')
  expect((await again).applied).toEqual(['9001-adds-a-column', '9002-adds-an-index'])
  await report.end()
})

test('a migration that is killed while it builds an index on the months goes on where it was', async () => {
  await using database = await openTestDatabase()
  const { url } = database
  const writer = new Client({ connectionString: url })
  await writer.connect()
  // An open write to May: April is built and attached, May has begun.
  await writer.query('begin; lock table deliveries_2026_05 in row exclusive mode')
  const builds = `select query from pg_stat_activity where datname = current_database()
    and application_name = 'paper-round migrate' and query like 'create index concurrently%deliveries_2026_05_planted%'
    and wait_event_type = 'Lock'`
  await using killed = startChild('migrating-process.ts', [url])
  while ((await query(url, builds)).length === 0) await new Promise((resume) => setTimeout(resume, 20))
  await query(url, `set lock_timeout = '1s'; begin; lock table deliveries_2026_05 in row exclusive mode; commit`)
  await killed.kill('SIGKILL')
  const parts = `select c.relname as name, i.indisvalid as valid from pg_class c join pg_index i on i.indexrelid = c.oid
    where c.relname ~ 'planted$' order by 1`
  expect(await query(url, parts)).toEqual([
    { name: 'deliveries_2026_04_planted', valid: true },
    { name: 'deliveries_2026_05_planted', valid: false },
    { name: 'planted', valid: false },
  ])
  expect(await query(url, `select 1 from kysely_migration where name like '9%'`)).toEqual([])

  await writer.query('commit')
  await writer.end()
  await using second = startChild('migrating-process.ts', [url])
  for (let line = ''; line !== 'applied 9001-planted'; ) line = await second.line()
  const built = (await query(url, parts)) as { name: string; valid: boolean }[]
  expect(built.filter(({ valid }) => !valid)).toEqual([])
  expect(built.map(({ name }) => name)).toEqual([
    'deliveries_2026_04_planted',
    'deliveries_2026_05_planted',
    'deliveries_2026_06_planted',
    'planted',
  ])
})

test('an index whose last missing part went with its month is built anew', async () => {
  await using newsletter = await openNewsletter()
  const { db, url } = newsletter
  await sql`create index planted on only deliveries (sent_at)`.execute(db)
  for (const month of ['04', '05']) {
    const part = sql.id(`deliveries_2026_${month}_planted`)
    await sql`create index ${part} on ${sql.id(`deliveries_2026_${month}`)} (sent_at)`.execute(db)
    await sql`alter index planted attach partition ${part}`.execute(db)
  }
  await sql`drop table deliveries_2026_06`.execute(db)
  await migrate(url, { migrations: LATER })
  const { rows } =
    await sql`select indexrelid from pg_index where indexrelid = 'planted'::regclass and indisvalid`.execute(db)
  expect(rows).toHaveLength(1)
})

const SUBSCRIBER = `(email, state, topics, frequency, hour, weekday, time_zone, requested_at)`
test.each([
  [
    'one address twice, whatever its case',
    `insert into subscribers ${SUBSCRIBER} values ('ADA@example.org', 'pending', '{code}', 'daily', 7, 6, 'UTC', now())`,
  ],
  ['an unknown state', `update subscribers set state = 'asleep'`],
  ['an hour that no clock has', `update subscribers set hour = 24`],
  ['no topics at all', `update subscribers set topics = '{}'`],
  ['twenty-one keywords', `update subscribers set keywords = array_fill('x'::text, array[21])`],
  ['an endless muted word', `update subscribers set muted = array[repeat('x', 2000)]`],
  ['an unknown choice for empty digests', `update subscribers set when_empty = 'maybe'`],
  ['an active subscriber who is never due', `update subscribers set next_due_at = null`],
  ['somebody paused without an end', `update subscribers set state = 'paused'`],
  ['an erased subscriber with an address', `update subscribers set state = 'erased', next_due_at = null`],
  ['a lease on a mail that is not being sent', `update letters set lease_until = now()`],
  ['a welcome without its digest', `update letters set digest_id = null where kind = 'welcome'`],
  ['a negative count of upvotes', `insert into observations values ('none', now(), true, -1, 0, 0)`],
])('the database refuses %s', async (_, statement) => {
  await using newsletter = await openNewsletter()
  await subscribe(newsletter.db, 'ada@example.org', LONDON_DAILY, new Date('2026-04-14T05:00:00Z'))
  await expect(query(newsletter.url, statement)).rejects.toThrow(/constraint/)
})

test('the database refuses two digests of one subscriber on one date', async () => {
  await using newsletter = await openNewsletter()
  const { db, url } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, new Date('2026-04-14T05:00:00Z'))
  await query(url, `insert into editions (cutoff) values (now())`)
  const owe = `insert into deliveries (local_date, id, subscriber_id, edition_id, digest_id)
    select '2026-04-15', gen_random_uuid(), '${id}', e.id, d.id from editions e, digests d`
  await query(url, owe)
  await expect(query(url, owe)).rejects.toThrow(/unique constraint/)
})
