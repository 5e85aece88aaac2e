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
 * With `--tastes PERCENT` it is published a second time with tastes for so many of the readers, each of their own, and
 * `--most NUMBER` leaves the larger list out where it is smaller than that.
 *
 * Publishing runs in a process of its own, with what docker-compose.yml tells Node for a scheduler, on the embedded
 * Postgres as it runs in production, fsync and all. `rss_mb` is the most that process ever held.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { parse } from 'yaml'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { instant, LAST_DAY, liveAMonth, multiplyTo } from '../support/fixtures/publishing-newsletter.ts'
import { giveTastes } from '../support/fixtures/publishing-tastes.ts'
import { startChild } from '../support/processes/child.ts'

const LIVED = 20_000
const SMALL = 100_000
const LARGE = 1_000_000
const RUNS = 3

interface Measured {
  seconds: number
  rss_mb: number
  cpu_s: number
  subscribers: number
  owed: number
  digests: number
}

const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const open = (url: string) => openDatabase(url, { connections: 4, name: 'bench', onError: () => undefined })

/** What Node is told for a scheduler by docker-compose.yml and the Dockerfile. */
const readNodeOptions = async (): Promise<string> => {
  const file = await readFile(new URL('../../docker-compose.yml', import.meta.url), 'utf8')
  const before = fileURLToPath(new URL('../../workers/preload.cjs', import.meta.url))
  return `-r ${before} ${parse(file, { merge: true }).services.scheduler.environment.NODE_OPTIONS}`
}

interface Options {
  /** Percent of the readers; 0 measures none. */
  tastes: number
  most: number
}

const run = async (say: (line: string) => void, { tastes, most }: Options) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
  try {
    const admin = open(server.url)
    await sql`create database lived`.execute(admin)
    await migrate(urlOf('lived'))
    const lived = open(urlOf('lived'))
    const cohortsADay = await liveAMonth(lived, LIVED, say)
    await lived.destroy()

    const publish = async (readers: number, share = 0): Promise<Measured> => {
      await sql`create database measured template lived strategy file_copy`.execute(admin)
      try {
        const db = open(urlOf('measured'))
        await multiplyTo(db, readers, 'no history')
        const having = share === 0 ? 0 : await giveTastes(db, Math.round(100 / share))
        await db.destroy()
        const words = [urlOf('measured'), instant(LAST_DAY).toISOString()]
        await using child = startChild('publishing-process.ts', words, [
          'env',
          `NODE_OPTIONS=${await readNodeOptions()}`,
        ])
        const measured = JSON.parse(await child.line()) as Measured
        await child.end()
        if (measured.owed !== readers) throw new Error(`${measured.owed} of ${readers} were owed a digest`)
        say(
          `${readers} subscribers, ${having} of them with a taste, in ${measured.digests} digests: ${round(measured.seconds)} s ` +
            `(${round(measured.cpu_s)} s of them at work), ${measured.rss_mb} MB`,
        )
        return measured
      } finally {
        await sql`drop database measured with (force)`.execute(admin)
      }
    }
    const small: Measured[] = []
    for (let n = 0; n < RUNS; n++) small.push(await publish(SMALL))
    const seconds = median(small.map((measured) => measured.seconds))
    const rss = median(small.map((measured) => measured.rss_mb))
    const ofTastes: Record<string, number> = {}
    const measureTastes = async (name: string, readers: number, without: number): Promise<void> => {
      if (tastes === 0) return
      const measured = await publish(readers, tastes)
      ofTastes[`seconds_${name}_tastes`] = round(measured.seconds)
      ofTastes[`ratio_${name}_tastes`] = round(measured.seconds / without, 2)
      ofTastes[`digests_${name}_tastes`] = measured.digests
    }
    await measureTastes('100k', SMALL, seconds)
    if (most < LARGE) {
      await admin.destroy()
      return { seconds_100k: round(seconds), rss_mb_100k: rss, cohorts_100k: small[0]?.digests ?? 0, ...ofTastes }
    }
    const large = await publish(LARGE)
    await measureTastes('1m', LARGE, large.seconds)
    await admin.destroy()
    return {
      seconds_100k: round(seconds),
      seconds_1m: round(large.seconds),
      growth: round(large.seconds / seconds),
      rss_mb_100k: rss,
      rss_mb_1m: large.rss_mb,
      rss_growth_mb: large.rss_mb - rss,
      cpu_s_1m: round(large.cpu_s),
      cohorts: large.digests,
      cohorts_100k: small[0]?.digests ?? 0,
      deliveries: large.owed,
      cohorts_per_day: cohortsADay,
      ...ofTastes,
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    tastes: { type: 'string', default: '0' },
    most: { type: 'string', default: String(LARGE) },
  },
  allowPositionals: true,
})
const result = await run(console.log, { tastes: Number(values.tastes), most: Number(values.most) })
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(16)} ${value}`)
if (values.json === true) console.log(JSON.stringify(result))
