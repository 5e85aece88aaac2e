/**
 * How large a database is after 90 days with 100,000 readers, and what `maintain` makes of it.
 *
 * On the way the sweeps of a minute, the claims and the pages are explained: none may read a large table in whole.
 *
 * The days are written by SQL (`test/support/fixtures/lived-database`). `maintain` runs twice as `node workers/main.ts
 * maintain` does: first with the default of KEEP_DELIVERIES, which at the 90th day has only observations and limits to
 * delete, and then with the least that it may be, as if the database were older. A row that is deleted leaves its place to
 * the next, so a table does not shrink on disk by it: `after` is the size on disk, and `packed` what the rows that are left
 * take by themselves (`vacuum full`), which is what the tables grow from.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { createAlarmCheck } from '../../src/newsletter/alarms.ts'
import { createArchive } from '../../src/newsletter/archive/archive.ts'
import { checkEditions } from '../../src/newsletter/feedback/edition-alarm.ts'
import { suppressFailing } from '../../src/newsletter/feedback/feedback.ts'
import { type Maintained, maintain } from '../../src/newsletter/maintenance.ts'
import { tick } from '../../src/newsletter/tick.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { claimThrottled, recordAndClaim } from '../../src/store/outbox/claims.ts'
import { deferThrottled } from '../../src/store/outbox/deferred-mail.ts'
import { readLetterFigures, readOpenEditions } from '../../src/store/outbox/mail-counts.ts'
import { explain } from '../support/databases/explain.ts'
import { FIRST_DAY, liveDays } from '../support/fixtures/lived-database.ts'
import { SILENT, wakeNobody } from '../support/fixtures/newsletter.ts'

const READERS = 100_000
const DAYS = 90
const KEEP_DEFAULT = 90
const KEEP_LEAST = 35

/** Tables that stay small: of routes, of editions (some tens a day), of what waits to be worked off, and of sources. */
const SMALL =
  /^(throttled_routes|editions|sign_ups|set_aside_subscribers|suppressions|schema_compatibility|last_tick|source_\w+)( by .*)?$/

/** What the sweeps of a minute, the claims and the pages read in whole of large tables, by statement. */
const explainSweeps = async (db: Database, url: string, last: string) => {
  // Something of everything that is swept and sent.
  await sql`update deliveries set state = 'queued', next_attempt_at = now() where local_date = ${last} and state = 'sent'`.execute(
    db,
  )
  await sql`update deliveries set state = 'deferred', waits_for = 'example.org'
    where local_date = ${last} and state = 'queued' and digest_id % 50 = 0`.execute(db)
  await sql`update editions set completed_at = null where cutoff >= ${last}::date`.execute(db)
  await sql`insert into throttled_routes (kind, name, domains, cause, reason, not_before, concurrency, successes, failures)
    values ('destination', 'example.org', array['example.org'], 'limited', 'wait', now(), 1, 0, 1)`.execute(db)
  await sql`vacuum analyze`.execute(db)
  // Nobody is due yet: what publishing costs is another benchmark.
  const now = new Date(`${last}T23:30:00Z`)
  const context = { db, log: SILENT }
  const archive = createArchive({ db, keys: [Buffer.alloc(32, 7)], now: () => now })
  const explained = await explain(url, async () => {
    await tick({ ...context, wake: wakeNobody }, now)
    await checkEditions(context)
    await createAlarmCheck({ ...context, now: () => now, requireSpace: async () => undefined, channels: {} })()
    await suppressFailing(context)
    for (const stream of ['letters', 'deliveries'] as const) {
      await recordAndClaim(db, stream, [], 10)
      await claimThrottled(db, stream)
      await deferThrottled(db, stream, 10)
    }
    await readLetterFigures(db)
    await readOpenEditions(db)
    await archive.readDay()
    await archive.readDay(FIRST_DAY)
  })
  const whole = explained
    .map(({ statement, readWhole }) => ({ statement, readWhole: readWhole.filter((table) => !SMALL.test(table)) }))
    .filter(({ readWhole }) => readWhole.length > 0)
  return { statements: explained.length, whole }
}

/** Megabytes on disk by table, its indexes and long values included; the months of deliveries as one. */
const readSizes = async (db: Database): Promise<Record<string, number>> => {
  const { rows } = await sql<{ name: string; mb: number }>`
    select regexp_replace(c.relname, '_[0-9]{4}_[0-9]{2}$', '') as name,
      round(sum(pg_total_relation_size(c.oid)) / 1048576.0, 1)::float8 as mb
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    group by 1 having sum(pg_total_relation_size(c.oid)) > 1048576 order by 2 desc`.execute(db)
  const sizes = Object.fromEntries(rows.map(({ name, mb }) => [name, mb]))
  return { ...sizes, all: Number(rows.reduce((sum, { mb }) => sum + mb, 0).toFixed(1)) }
}

const maintainTimed = async (db: Database, day: string, keepDays: number) => {
  const begun = performance.now()
  const done = (await maintain(db, { now: new Date(`${day}T12:00:00Z`), keepDays })) as Maintained
  return {
    dropped: done.dropped,
    deleted: done.deleted,
    seconds: Number(((performance.now() - begun) / 1000).toFixed(1)),
  }
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  // Nothing here waits for a disk: only sizes and the work of the deleting are measured.
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: false })
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
    const last = await liveDays(db, { readers: READERS, days: DAYS }, say)
    const before = await readSizes(db)
    const plans = await explainSweeps(db, server.url, last)
    say(`${plans.statements} statements explained, of which ${plans.whole.length} read a large table in whole`)
    const byDefault = await maintainTimed(db, last, KEEP_DEFAULT)
    say(`maintained with KEEP_DELIVERIES=${KEEP_DEFAULT} in ${byDefault.seconds} s`)
    const least = await maintainTimed(db, last, KEEP_LEAST)
    say(`maintained with KEEP_DELIVERIES=${KEEP_LEAST} in ${least.seconds} s`)
    await sql`vacuum`.execute(db)
    const after = await readSizes(db)
    await sql`vacuum full`.execute(db)
    const packed = await readSizes(db)
    const again = await maintainTimed(db, last, KEEP_LEAST)
    await db.destroy()
    return { before, after, packed, byDefault, least, again, plans }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
console.log(`${'MB'.padEnd(20)} ${'before'.padStart(9)} ${'after'.padStart(9)} ${'packed'.padStart(9)}`)
for (const [name, mb] of Object.entries(result.before)) {
  const [after, packed] = [result.after[name] ?? 0, result.packed[name] ?? 0]
  console.log(`${name.padEnd(20)} ${[mb, after, packed].map((one) => one.toFixed(1).padStart(9)).join(' ')}`)
}
for (const name of ['byDefault', 'least', 'again'] as const) {
  const { seconds, dropped, deleted } = result[name]
  console.log(
    `${name.padEnd(20)} ${seconds} s, dropped ${dropped.join(', ') || 'nothing'}, deleted ${JSON.stringify(deleted)}`,
  )
}
for (const { statement, readWhole } of result.plans.whole) console.log(`reads ${readWhole.join(', ')}: ${statement}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
