/**
 * How long an edition takes to publish, and how much memory: 100,000 and 1,000,000 subscribers, all due at one tick.
 *
 * A month is lived first, by a list that grows to 20,000 readers: each day's edition is published by the service's own
 * code, while people sign up, change their topics, pause, leave and come back (`test/support/fixtures/publishing-newsletter`). Of 100
 * readers 93 choose one of 300 sets of topics, the first of them far more often than the last; 2 have a set of their own,
 * and 5 one of the 300 with one to three keywords of their own. Then the list is multiplied: copies of readers with a
 * shared set keep preferences and history; copies of those with something of their own get choices and a previous digest of
 * their own, so that cohorts grow with the list: some 8,000 of 100,000 readers, some 70,000 of 1,000,000.
 *
 * The limit is one statement that inserts the same deliveries into the same table and moves the same readers on, on a copy of
 * the same list: `ratio_to_limit` is its time by that of publishing.
 *
 * With `--tastes PERCENT` it is published a second time with tastes for so many of the readers, each of their own, and
 * `--most NUMBER` leaves the larger list out where it is smaller than that. `--folder FOLDER` keeps the lists there, and takes
 * them from there the next time.
 *
 * Publishing runs in a process of its own, with what docker-compose.yml tells Node for a scheduler, on the embedded
 * Postgres as it runs in production, fsync and all. `rss_mb` is the most that process ever held.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { readServerCpu, saveWritten, writeAtOnce } from '../support/fixtures/publishing-limit.ts'
import { instant, LAST_DAY, liveAMonth, multiplyTo } from '../support/fixtures/publishing-newsletter.ts'
import { giveTastes } from '../support/fixtures/publishing-tastes.ts'
import { startChild } from '../support/processes/child.ts'
import { readNodeOptions } from '../support/processes/scheduler-options.ts'

const LIVED = 20_000
const SMALL = 100_000
const LARGE = 1_000_000
const RUNS = 3

interface Published {
  seconds: number
  rss_mb: number
  cpu_s: number
  subscribers: number
  owed: number
  digests: number
}

interface Measured extends Published {
  /** Processor time of Postgres meanwhile. */
  server_cpu_s: number
  /** In how many seconds one statement wrote the same, and the processor time of Postgres for it. */
  limit_s: number
  limit_cpu_s: number
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const open = (url: string) => openDatabase(url, { connections: 4, name: 'bench', onError: () => undefined })

interface Options {
  /** Percent of the readers; 0 measures none. */
  tastes: number
  most: number
  /** Keeps the month that was lived, and the lists that it was multiplied to. */
  folder: string | undefined
}

const run = async (say: (line: string) => void, { tastes, most, folder: kept }: Options) => {
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'paper-round-bench-')))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
  const admin = open(server.url)
  /** Makes a database by its first name where it is missing; under that name it is complete. */
  const make = async (name: string, template: string, fill: (db: Database) => Promise<void>): Promise<void> => {
    const { rows } = await sql`select from pg_database where datname = ${name}`.execute(admin)
    if (rows.length === 0) {
      await sql`drop database if exists unfinished with (force)`.execute(admin)
      await sql`create database unfinished template ${sql.id(template)} strategy file_copy`.execute(admin)
      const db = open(urlOf('unfinished'))
      await fill(db)
      await db.destroy()
      await sql`alter database unfinished rename to ${sql.id(name)}`.execute(admin)
    }
    // A folder may be older than the newest migration.
    const { applied } = await migrate(urlOf(name))
    if (applied.length === 0) return
    const db = open(urlOf(name))
    await sql`vacuum analyze`.execute(db)
    await db.destroy()
  }
  /** Does something with a copy of a database, which is dropped afterwards. */
  const withCopy = async <T>(of: string, work: (url: string) => Promise<T>): Promise<T> => {
    await sql`drop database if exists measured with (force)`.execute(admin)
    await sql`create database measured template ${sql.id(of)} strategy file_copy`.execute(admin)
    try {
      return await work(urlOf('measured'))
    } finally {
      await sql`drop database measured with (force)`.execute(admin)
    }
  }
  try {
    const days = join(folder, 'cohorts.json')
    await make('lived', 'template1', async (db) => {
      await migrate(urlOf('unfinished'))
      await writeFile(days, JSON.stringify(await liveAMonth(db, LIVED, say)))
    })

    const publish = async (readers: number, share = 0): Promise<Measured> => {
      const list = `multiplied_${readers}`
      await make(list, 'lived', (db) => multiplyTo(db, readers, 'no history'))
      const file = join(folder, 'postgres', 'written.copy')
      const measured = await withCopy(list, async (url) => {
        const db = open(url)
        const having = share === 0 ? 0 : await giveTastes(db, Math.round(100 / share))
        const words = [url, instant(LAST_DAY).toISOString()]
        await using child = startChild('publishing-process.ts', words, [
          'env',
          `NODE_OPTIONS=${await readNodeOptions()}`,
        ])
        const before = await readServerCpu(server.pid)
        const published = JSON.parse(await child.line()) as Published
        const server_cpu_s = (await readServerCpu(server.pid)) - before
        await child.end()
        if (published.owed !== readers) throw new Error(`${published.owed} of ${readers} were owed a digest`)
        const written = await saveWritten(db, file)
        await db.destroy()
        return { ...published, having, server_cpu_s, written }
      })
      const limit = await withCopy(list, async (url) => {
        const db = open(url)
        try {
          return await writeAtOnce(db, measured.written, () => readServerCpu(server.pid))
        } finally {
          await db.destroy()
        }
      })
      await rm(file)
      say(
        `${readers} subscribers, ${measured.having} of them with a taste, in ${measured.digests} digests: ` +
          `${round(measured.seconds)} s (at work: publisher ${round(measured.cpu_s)} s, Postgres ` +
          `${round(measured.server_cpu_s)} s), ${measured.rss_mb} MB; written by one statement: ${round(limit.seconds)} s ` +
          `(at work: Postgres ${round(limit.cpu_s)} s)`,
      )
      return { ...measured, limit_s: limit.seconds, limit_cpu_s: limit.cpu_s }
    }
    const small: Measured[] = []
    for (let n = 0; n < RUNS; n++) small.push(await publish(SMALL))
    const seconds = median(small.map((measured) => measured.seconds))
    const rss = median(small.map((measured) => measured.rss_mb))
    const limit = median(small.map((measured) => measured.limit_s))
    const ofTastes: Record<string, number> = {}
    const measureTastes = async (name: string, readers: number, without: number): Promise<void> => {
      if (tastes === 0) return
      const measured = await publish(readers, tastes)
      ofTastes[`seconds_${name}_tastes`] = round(measured.seconds)
      ofTastes[`ratio_${name}_tastes`] = round(measured.seconds / without, 2)
      ofTastes[`digests_${name}_tastes`] = measured.digests
    }
    await measureTastes('100k', SMALL, seconds)
    const ofSmall = {
      seconds_100k: round(seconds),
      limit_s_100k: round(limit),
      ratio_to_limit_100k: round(limit / seconds, 2),
      rss_mb_100k: rss,
      cohorts_100k: small[0]?.digests ?? 0,
    }
    if (most < LARGE) return { ...ofSmall, ...ofTastes }
    const large = await publish(LARGE)
    await measureTastes('1m', LARGE, large.seconds)
    return {
      ...ofSmall,
      seconds_1m: round(large.seconds),
      limit_s_1m: round(large.limit_s),
      ratio_to_limit_1m: round(large.limit_s / large.seconds, 2),
      growth: round(large.seconds / seconds),
      rss_mb_1m: large.rss_mb,
      rss_growth_mb: large.rss_mb - rss,
      cpu_s_1m: round(large.cpu_s),
      server_cpu_s_1m: round(large.server_cpu_s),
      limit_cpu_s_1m: round(large.limit_cpu_s),
      cohorts: large.digests,
      deliveries: large.owed,
      cohorts_per_day: JSON.parse(await readFile(days, 'utf8')),
      ...ofTastes,
    }
  } finally {
    await admin.destroy()
    await server.stop()
    if (kept === undefined) await rm(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    tastes: { type: 'string', default: '0' },
    most: { type: 'string', default: String(LARGE) },
    folder: { type: 'string' },
  },
  allowPositionals: true,
})
const result = await run(console.log, {
  tastes: Number(values.tastes),
  most: Number(values.most),
  folder: values.folder,
})
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(16)} ${value}`)
if (values.json === true) console.log(JSON.stringify(result))
