/**
 * How long somebody who signs up waits for the confirmation while a run of 100,000 digests is at full speed: from the
 * `POST /subscribe` to the mail server's acceptance. The roles are processes of their own, as in production, on the
 * embedded Postgres with fsync, the queue in it; the mail server is one of ours, in its own process.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { startChild } from '../support/processes/child.ts'
import { startProgram } from '../support/processes/program.ts'
import { openPoster, percentile } from '../support/servers/sign-up-load.ts'

const RUN = 100_000
const COHORTS = 200
/** The run is at full speed once so many have been sent. */
const UNDER_WAY = 1_000
const SIGN_UPS = 150
const EVERY_MS = 100
const PATIENCE_MS = 120_000

interface Told {
  count: number
  taken: Record<string, number>
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
    await oweEdition(db, RUN, COHORTS)
    // This run and no other: nobody falls due while it goes on.
    await sql`update subscribers set next_due_at = now() + interval '1 year'`.execute(db)
    await sql`vacuum analyze subscribers`.execute(db)
    await db.destroy()
    say(`${RUN} digests are owed in ${COHORTS} cohorts`)

    await using sink = startChild('stamping-sink-process.ts', [])
    const sinkUrl = await sink.line()
    const look = async (): Promise<Told> => {
      sink.write('?\n')
      return JSON.parse(await sink.line()) as Told
    }
    await mkdir(join(folder, 'papers'))
    const settings = {
      DATABASE_URL: server.url,
      DATA_DIR: folder,
      PORT: '0',
      SECRET_KEY: '07'.repeat(32),
      SMTP_URL: `${sinkUrl}?requireTLS=false`,
      MAIL_FROM: 'Paper Round <round@example.net>',
      PAPER_SOURCES: `file:${join(folder, 'papers')}`,
      LOG_LEVEL: 'warn',
    }
    await using api = startProgram('main', ['api'], settings)
    const site = /^ {2}site +(\S+)/m.exec(await api.said('is ready'))?.[1]?.replace('localhost', '127.0.0.1') ?? ''
    await using mailer = startProgram('main', ['mailer'], settings)
    await mailer.said('is ready')
    await using scheduler = startProgram('main', ['scheduler'], settings)
    await scheduler.said('is ready')
    while ((await look()).count < UNDER_WAY) await delay(50)

    const poster = openPoster(site, 4)
    const asked = new Map<string, number>()
    const before = (await look()).count
    const begun = performance.now()
    for (let n = 0; n < SIGN_UPS; n++) {
      const email = `confirm${n}@example.org`
      asked.set(email, Date.now())
      if ((await poster.post(email)) !== 202) throw new Error(`${email} was not taken down`)
      await delay(Math.max(0, begun + (n + 1) * EVERY_MS - performance.now()))
    }
    const seconds = (performance.now() - begun) / 1000
    const during = await look()
    if (during.count >= RUN) throw new Error('the run ended before the sign-ups did: nothing was measured')
    const until = performance.now() + PATIENCE_MS
    let told = during
    while (Object.keys(told.taken).length < SIGN_UPS && performance.now() < until) {
      await delay(50)
      told = await look()
    }
    poster.close()
    const waits = [...asked].map(([email, at]) => (told.taken[email] ?? Number.POSITIVE_INFINITY) - at)
    const lost = waits.filter((wait) => wait === Number.POSITIVE_INFINITY).length
    if (lost > 0) throw new Error(`${lost} confirmations did not come within ${PATIENCE_MS / 1000} s`)
    return {
      p50_ms: percentile(waits, 50),
      p95_ms: percentile(waits, 95),
      run_messages_per_s: Math.round((during.count - before) / seconds),
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(20)} ${value}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
