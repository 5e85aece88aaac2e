/**
 * How long somebody who signs up waits while a run of 100,000 digests is at full speed: from `POST /subscribe` to the mail
 * server's acceptance of the confirmation, and from `POST /confirm/…` to the answer and to the acceptance of the welcome.
 * The roles are processes of their own, as in production, on the embedded Postgres with fsync, the queue in it, with a month
 * of papers that were observed hourly; the mail server is one of ours, in its own process. With `--small` a tenth of it,
 * to see that it works.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { deriveToken } from '../../src/core/token.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { startChild } from '../support/processes/child.ts'
import { startProgram } from '../support/processes/program.ts'
import { openPoster, percentile } from '../support/servers/sign-up-load.ts'

const SMALL = process.argv.includes('--small')
const RUN = SMALL ? 15_000 : 100_000
const COHORTS = 200
/** The run is at full speed once so many have been sent. */
const UNDER_WAY = 1_000
const SIGN_UPS = SMALL ? 15 : 150
const EVERY_MS = 100
const PATIENCE_MS = 120_000
/** The trend of a welcome's papers is compared with so many. */
const LIST_DAYS = 28
/** Hourly observations of each paper. */
const HOURS = 48
const SECRET_KEY = '07'.repeat(32)

interface Told {
  count: number
  /** By address: when each of its mails was taken. */
  taken: Record<string, number[]>
}

/** Owes the run, and observes each paper hourly for two days. */
const prepare = async (db: Database): Promise<void> => {
  await oweEdition(db, RUN, COHORTS, LIST_DAYS)
  // This run and no other: nobody falls due while it goes on.
  await sql`update subscribers set next_due_at = now() + interval '1 year'`.execute(db)
  await sql`insert into observations (paper_id, observed_at, hour_known, upvotes, comments)
    select paper_id, observed_at + n * interval '1 hour', true, upvotes + n, comments
    from observations cross join generate_series(1, ${HOURS}) n where observed_at < '2026-04-15'`.execute(db)
  await sql`vacuum analyze subscribers, observations`.execute(db)
}

/** Does something for each of the readers, one every tenth of a second; resolves to when it was asked and answered. */
const inTurn = async (
  readers: readonly string[],
  ask: (email: string) => Promise<void>,
): Promise<Map<string, { asked: number; answered: number }>> => {
  const times = new Map<string, { asked: number; answered: number }>()
  const begun = performance.now()
  for (const [n, email] of readers.entries()) {
    const asked = Date.now()
    await ask(email)
    times.set(email, { asked, answered: Date.now() })
    await delay(Math.max(0, begun + (n + 1) * EVERY_MS - performance.now()))
  }
  return times
}

/** What readers do while the run goes on, and how long they wait. */
const measure = async (db: Database, poster: ReturnType<typeof openPoster>, look: () => Promise<Told>) => {
  const readers = Array.from({ length: SIGN_UPS }, (_, n) => `confirm${n}@example.org`)
  /** Waits until everybody has so many mails; resolves to how long each waited for the last of them. */
  const waitsFor = async (mails: number, since: Map<string, { asked: number }>): Promise<number[]> => {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      const { taken } = await look()
      const waits = readers.flatMap((email) => {
        const at = taken[email]?.[mails - 1]
        return at === undefined ? [] : [at - (since.get(email)?.asked ?? 0)]
      })
      if (waits.length === readers.length) return waits
      if (performance.now() > until)
        throw new Error(`${readers.length - waits.length} mails did not come within ${PATIENCE_MS / 1000} s`)
      await delay(50)
    }
  }
  const before = (await look()).count
  const begun = performance.now()
  const signedUp = await inTurn(readers, async (email) => {
    if ((await poster.post(email)) !== 202) throw new Error(`${email} was not taken down`)
  })
  const confirmations = await waitsFor(1, signedUp)
  const letters = await db
    .selectFrom('letters')
    .innerJoin('subscribers', 'subscribers.id', 'letters.subscriber_id')
    .select(['letters.id', 'email'])
    .where('kind', '=', 'confirmation')
    .execute()
  const tokens = new Map(
    letters.map(({ id, email }) => [email, deriveToken([Buffer.from(SECRET_KEY, 'hex')], 'confirm', id)]),
  )
  const confirmed = await inTurn(readers, async (email) => {
    const status = await poster.confirm(tokens.get(email) ?? '')
    if (status !== 200) throw new Error(`confirming ${email} was answered ${status}`)
  })
  const seconds = (performance.now() - begun) / 1000
  const during = await look()
  if (during.count >= RUN) throw new Error('the run ended before the readers did: nothing was measured')
  const welcomes = await waitsFor(2, confirmed)
  const answers = [...confirmed.values()].map(({ asked, answered }) => answered - asked)
  return {
    p50_ms: percentile(confirmations, 50),
    p95_ms: percentile(confirmations, 95),
    confirm_answer_p50_ms: percentile(answers, 50),
    confirm_answer_p95_ms: percentile(answers, 95),
    welcome_p50_ms: percentile(welcomes, 50),
    welcome_p95_ms: percentile(welcomes, 95),
    run_messages_per_s: Math.round((during.count - before) / seconds),
  }
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
  try {
    await migrate(server.url)
    await prepare(db)
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
      SECRET_KEY,
      SMTP_URL: `${sinkUrl}?requireTLS=false`,
      MAIL_FROM: 'Paper Round <round@example.net>',
      SIGN_UPS_PER_HOUR: 'client=1000000,domain=1000000,all=1000000',
      TRUST_PROXY: '127.0.0.0/8',
      PAPER_SOURCES: `file:${join(folder, 'papers')}`,
      LOG_LEVEL: 'warn',
    }
    await using api = startProgram('main', ['api'], settings)
    const site = announcedIn(await api.said('is ready')).site.replace('localhost', '127.0.0.1')
    await using mailer = startProgram('main', ['mailer'], settings)
    await mailer.said('is ready')
    await using scheduler = startProgram('main', ['scheduler'], settings)
    await scheduler.said('is ready')
    while ((await look()).count < UNDER_WAY) await delay(50)
    const poster = openPoster(site, 4)
    try {
      return await measure(db, poster, look)
    } finally {
      poster.close()
    }
  } finally {
    await db.destroy()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(20)} ${value}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
