/**
 * How soon mail flows again when a relay that was away is back: it ends in the middle of a run of 3,000 digests, ten people
 * sign up while it is away, and it is started again after 60 seconds (`--away` of another length). The roles are processes of
 * their own, as in production, on the embedded Postgres with fsync, the queue in it.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startProgram } from '../support/processes/program.ts'
import { openPoster } from '../support/servers/sign-up-load.ts'
import { openSmtpSink, type SmtpSink } from '../support/servers/smtp-sink.ts'

const DIGESTS = 3_000
const COHORTS = 20
const SIGN_UPS = 10
const PATIENCE_MS = 10 * 60_000

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, away: { type: 'string', default: '60' } },
  allowPositionals: true,
})
const awaySeconds = Number(options.away)
if (!(awaySeconds > 0)) throw new Error('--away is a number of seconds')

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  let sink: SmtpSink | undefined
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
    await oweEdition(db, DIGESTS, COHORTS)
    // This run and no other: nobody falls due while it goes on.
    await sql`update subscribers set next_due_at = now() + interval '1 year'`.execute(db)
    await db.destroy()

    /** When each recipient's first mail was taken, by `performance.now()`. */
    const taken = new Map<string, number>()
    let copies = 0
    const openRelay = (port: number) =>
      openSmtpSink({
        port,
        keep: false,
        onMessage: ({ to }) => {
          copies++
          if (!taken.has(to)) taken.set(to, performance.now())
        },
      })
    sink = await openRelay(0)
    const { port } = sink
    await mkdir(join(folder, 'papers'))
    const settings = {
      SIGN_UPS_PER_HOUR: 'client=1000000,domain=1000000,all=1000000',
      DATABASE_URL: server.url,
      DATA_DIR: folder,
      PORT: '0',
      SECRET_KEY: '07'.repeat(32),
      SMTP_URL: `${sink.url}?requireTLS=false`,
      MAIL_FROM: 'Paper Round <round@example.net>',
      PAPER_SOURCES: `file:${join(folder, 'papers')}`,
      LOG_LEVEL: 'warn',
    }
    await using api = startProgram('main', ['api'], settings)
    const site = announcedIn(await api.said('is ready')).site.replace('localhost', '127.0.0.1')
    await using mailer = startProgram('main', ['mailer'], settings)
    await mailer.said('is ready')
    await using scheduler = startProgram('main', ['scheduler'], settings)
    await scheduler.said('is ready')
    while (taken.size < DIGESTS / 3) await delay(5)
    await sink.close()
    const gone = performance.now()
    const before = taken.size
    say(`the relay ended after ${before} digests`)
    if (before >= DIGESTS) throw new Error('all was sent before the relay ended: nothing was measured')

    const poster = openPoster(site, 1)
    for (let n = 0; n < SIGN_UPS; n++) {
      await delay(Math.max(0, gone + ((n + 0.5) * awaySeconds * 1000) / SIGN_UPS - performance.now()))
      if ((await poster.post(`confirm${n}@example.org`)) !== 202) throw new Error('a sign-up was not taken down')
    }
    poster.close()
    await delay(Math.max(0, gone + awaySeconds * 1000 - performance.now()))
    sink = await openRelay(port)
    const back = performance.now()
    say(`the relay is back after ${Math.round((back - gone) / 1000)} s`)
    while (taken.size < DIGESTS + SIGN_UPS && performance.now() < back + PATIENCE_MS) await delay(20)
    if (taken.size < DIGESTS + SIGN_UPS) throw new Error(`${taken.size} of ${DIGESTS + SIGN_UPS} mails came`)
    const since = (letters: boolean) =>
      [...taken]
        .filter(([to, at]) => to.startsWith('confirm') === letters && at > back)
        .map(([, at]) => Math.round((at - back) / 100) / 10)
    return {
      away_s: awaySeconds,
      sent_before: before,
      first_confirmation_s: Math.min(...since(true)),
      last_confirmation_s: Math.max(...since(true)),
      first_digest_s: Math.min(...since(false)),
      last_digest_s: Math.max(...since(false)),
      second_copies: copies - taken.size,
    }
  } finally {
    await sink?.close()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(22)} ${value}`)
if (options.json) console.log(JSON.stringify(result))
