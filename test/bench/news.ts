/**
 * What it costs a publisher to tell news of papers to exactly those who were sent them: the edition of `publish`, with the
 * deliveries of the fifteen days before it, and then with news of 24 papers, 12 of them from the last two weeks and 12
 * older. Half of all readers and more are told something.
 *
 *     npm run bench -- news [--readers 100000] [--lived 20000] [--json]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { instant, LAST_DAY, liveAMonth, multiplyTo, tellNewsOf } from '../support/fixtures/publishing-newsletter.ts'
import { startChild } from '../support/processes/child.ts'
import { readNodeOptions } from '../support/processes/scheduler-options.ts'

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    readers: { type: 'string', default: '100000' },
    lived: { type: 'string', default: '20000' },
    json: { type: 'boolean', default: false },
  },
})
const [readers, lived] = [Number(values.readers), Number(values.lived)]
const RUNS = readers > 200_000 ? 1 : 3
const NEWS = 12

interface Measured {
  seconds: number
  cpu_s: number
  rss_mb: number
  digests: number
}

const round = (value: number): number => Number(value.toFixed(1))
const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
const open = (url: string) => openDatabase(url, { connections: 4, name: 'bench', onError: () => undefined })

const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href
const result: Record<string, number> = {}
try {
  const admin = open(server.url)
  await sql`create database lived`.execute(admin)
  await migrate(urlOf('lived'))
  const db = open(urlOf('lived'))
  await liveAMonth(db, lived, console.log)
  await multiplyTo(db, readers, 'history')
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from deliveries`.execute(db)
  await db.destroy()
  result.deliveries_before = rows[0]?.count ?? 0

  const publish = async (news: number): Promise<Measured & { told: number }> => {
    await sql`create database measured template lived strategy file_copy`.execute(admin)
    try {
      const measured = open(urlOf('measured'))
      if (news > 0) await tellNewsOf(measured, news)
      const words = [urlOf('measured'), instant(LAST_DAY).toISOString()]
      await using child = startChild('publishing-process.ts', words, ['env', `NODE_OPTIONS=${await readNodeOptions()}`])
      const took = JSON.parse(await child.line()) as Measured
      await child.end()
      const { rows: told } = await sql<{ count: number }>`select count(*)::int as count from deliveries m
        join digests d on d.id = m.digest_id where m.local_date = ${LAST_DAY} and d.news <> '[]'`.execute(measured)
      await measured.destroy()
      console.log(
        `${news * 2} papers with news: ${round(took.seconds)} s, ${took.digests} digests, ${told[0]?.count} told`,
      )
      return { ...took, told: told[0]?.count ?? 0 }
    } finally {
      await sql`drop database measured with (force)`.execute(admin)
    }
  }
  const quiet: Measured[] = []
  const telling: (Measured & { told: number })[] = []
  // In turns, so that what else the machine does falls on both.
  for (let run = 0; run < RUNS; run++) {
    quiet.push(await publish(0))
    telling.push(await publish(NEWS))
  }
  await admin.destroy()
  const seconds = (all: Measured[]) => round(median(all.map((one) => one.seconds)))
  result.readers = readers
  result.seconds_without = seconds(quiet)
  result.seconds_with = seconds(telling)
  result.ratio = Number((result.seconds_with / result.seconds_without).toFixed(2))
  result.digests_without = quiet[0]?.digests ?? 0
  result.digests_with = telling[0]?.digests ?? 0
  result.told = telling[0]?.told ?? 0
  result.rss_mb_with = median(telling.map((one) => one.rss_mb))
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(18)} ${value}`)
if (values.json) console.log(JSON.stringify(result))
