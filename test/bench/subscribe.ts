/**
 * How many sign-ups the site takes down in a second, beside a bare Fastify route with the same statement, in one run: the
 * two take turns, each in a process of its own, on the embedded Postgres with fsync. `p99_ms` is the site's.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startChild } from '../support/processes/child.ts'
import { startProgram } from '../support/processes/program.ts'
import { median, openPoster, percentile } from '../support/servers/sign-up-load.ts'

const ROUNDS = 5
const SECONDS = 4
const WARM_UP = 500
const CONNECTIONS = 32

let people = 0
const measure = async (url: string, until: { seconds: number } | { requests: number }) => {
  const poster = openPoster(url, CONNECTIONS)
  const took: number[] = []
  const begun = performance.now()
  const goesOn = () =>
    'seconds' in until ? performance.now() - begun < until.seconds * 1000 : took.length < until.requests
  const work = async () => {
    while (goesOn()) {
      const asked = performance.now()
      const status = await poster.post(`reader${people++}@example.org`)
      if (status !== 202) throw new Error(`${url} answered ${status}`)
      took.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  poster.close()
  return { perSecond: (took.length / (performance.now() - begun)) * 1000, p99: percentile(took, 99) }
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 1, name: 'bench', onError: () => undefined })
    await using api = startProgram('main', ['api'], {
      DATABASE_URL: server.url,
      DATA_DIR: folder,
      PORT: '0',
      SECRET_KEY: '07'.repeat(32),
      SIGN_UPS_PER_HOUR: 'client=1000000000,domain=1000000000,all=1000000000',
      TRUST_PROXY: '127.0.0.0/8',
    })
    await using bare = startChild('bare-process.ts', [server.url])
    const urls = {
      site: announcedIn(await api.said('is ready')).site.replace('localhost', '127.0.0.1'),
      bare: await bare.line(),
    }
    for (const url of Object.values(urls)) await measure(url, { requests: WARM_UP })
    const rounds = []
    for (let n = 0; n < ROUNDS; n++) {
      const site = await measure(urls.site, { seconds: SECONDS })
      const plain = await measure(urls.bare, { seconds: SECONDS })
      await sql`truncate sign_ups`.execute(db)
      rounds.push({ site, plain })
      say(`round ${n + 1}: ${Math.round(site.perSecond)}/s, bare ${Math.round(plain.perSecond)}/s`)
    }
    await db.destroy()
    return {
      per_s: Math.round(median(rounds.map(({ site }) => site.perSecond))),
      bare_per_s: Math.round(median(rounds.map(({ plain }) => plain.perSecond))),
      // Of the two of one round, which found the machine in the same mood.
      ratio: Number(median(rounds.map(({ site, plain }) => site.perSecond / plain.perSecond)).toFixed(2)),
      p99_ms: Number(median(rounds.map(({ site }) => site.p99)).toFixed(1)),
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(12)} ${value}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
