/**
 * How long an edition takes to publish, and how much memory: 100,000 and 1,000,000 subscribers, all due at one tick.
 *
 * A month is lived first, by a list that grows to 50,000 readers: each day's edition is published by the service's own
 * code, while people sign up, change their topics, pause, leave and come back (`test/support/publishing-room`). Then the
 * list is multiplied: copies of readers with a shared set keep preferences and past; copies of those with a set or
 * keywords of their own (seven in a hundred) get a set, keywords and a past digest of their own, so that cohorts grow with the
 * list. Publishing runs in a process of its own, on the embedded Postgres as it runs in production, fsync and all.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { startChild } from '../support/child.ts'
import { instant, LAST_DAY, liveAMonth, multiplyTo } from '../support/publishing-room.ts'

const LIVED = 50_000
const SMALL = 100_000
const LARGE = 1_000_000
const RUNS = 3

interface Told {
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

const run = async (say: (line: string) => void) => {
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

    const publish = async (readers: number): Promise<Told> => {
      await sql`create database measured template lived strategy file_copy`.execute(admin)
      try {
        const db = open(urlOf('measured'))
        await multiplyTo(db, readers)
        await db.destroy()
        await using child = startChild('publishing-process.ts', [urlOf('measured'), instant(LAST_DAY).toISOString()])
        const told = JSON.parse(await child.line()) as Told
        await child.end()
        if (told.owed !== readers) throw new Error(`${told.owed} of ${readers} were owed a digest`)
        say(
          `${readers} subscribers in ${told.digests} cohorts: ${round(told.seconds)} s ` +
            `(${round(told.cpu_s)} s of them at work), ${told.rss_mb} MB`,
        )
        return told
      } finally {
        await sql`drop database measured with (force)`.execute(admin)
      }
    }
    const small: Told[] = []
    for (let n = 0; n < RUNS; n++) small.push(await publish(SMALL))
    const large = await publish(LARGE)
    await admin.destroy()
    const seconds = median(small.map((told) => told.seconds))
    const rss = median(small.map((told) => told.rss_mb))
    return {
      seconds_100k: round(seconds),
      seconds_1m: round(large.seconds),
      growth: round(large.seconds / seconds),
      rss_mb_100k: rss,
      rss_mb_1m: large.rss_mb,
      cohorts: large.digests,
      deliveries: large.owed,
      cohorts_per_day: cohortsADay,
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(16)} ${value}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
