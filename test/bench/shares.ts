/**
 * How three mailers share an edition, each a process of its own with a mail server of its own that counts: over Redis where
 * `redis-server` is installed, else with the queue in Postgres. One job wakes the mailers; they share the edition.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { originOfOwnRedis } from '../support/databases/origins.ts'
import { startRedis } from '../support/databases/redis-server.ts'
import { oweEdition } from '../support/fixtures/owed-edition.ts'
import { startChild } from '../support/processes/child.ts'
import { startProgram } from '../support/processes/program.ts'

const MAILERS = 3
const RUN = 20_000
const COHORTS = 200
const PATIENCE_MS = 300_000

const openRedis = async () => {
  const origin = originOfOwnRedis()
  if (origin.kind === 'none') return null
  return startRedis(origin, ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
}

const run = async (say: (line: string) => void) => {
  const folder = await mkdtemp(join(tmpdir(), 'paper-round-bench-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  const redis = await openRedis()
  try {
    await migrate(server.url)
    const db = openDatabase(server.url, { connections: 2, name: 'bench', onError: () => undefined })
    await oweEdition(db, RUN, COHORTS)
    await db.destroy()
    say(`${RUN} digests are owed, the queue is on ${redis === null ? 'Postgres' : 'Redis'}`)

    await using closers = new AsyncDisposableStack()
    const sinks = Array.from({ length: MAILERS }, () => closers.use(startChild('stamping-sink-process.ts', [])))
    const mailers = await Promise.all(
      sinks.map(async (sink) =>
        closers.use(
          startProgram('main', ['mailer'], {
            DATABASE_URL: server.url,
            ...(redis === null ? {} : { REDIS_URL: redis.url }),
            DATA_DIR: folder,
            SECRET_KEY: '07'.repeat(32),
            SMTP_URL: `${await sink.line()}?requireTLS=false`,
            MAIL_FROM: 'Paper Round <round@example.net>',
            LOG_LEVEL: 'warn',
          }),
        ),
      ),
    )
    for (const mailer of mailers) await mailer.said('is ready')
    const count = async (): Promise<number[]> => {
      const counts: number[] = []
      for (const sink of sinks) {
        sink.write('?\n')
        counts.push((JSON.parse(await sink.line()) as { count: number }).count)
      }
      return counts
    }
    const sum = (counts: number[]) => counts.reduce((total, one) => total + one, 0)

    const queueNames = await openQueue({
      databaseUrl: server.url,
      redisUrl: redis?.url ?? null,
      workers: 0,
      onError: () => undefined,
    })
    closers.defer(() => queueNames.close({ graceMs: 1_000 }))
    const begun = performance.now()
    await queueNames.wake('deliveries')
    let counts = await count()
    while (sum(counts) < RUN) {
      if (performance.now() - begun > PATIENCE_MS) throw new Error(`${sum(counts)} of ${RUN} came`)
      await delay(50)
      counts = await count()
    }
    const seconds = (performance.now() - begun) / 1000
    return {
      shares: counts.map((one) => Number((one / sum(counts)).toFixed(3))),
      largest_share_off: Number(Math.max(...counts.map((one) => Math.abs((one / RUN) * MAILERS - 1))).toFixed(3)),
      messages_per_s: Math.round(RUN / seconds),
      sent: sum(counts),
      queue: redis === null ? 'postgres' : 'redis',
    }
  } finally {
    await redis?.stop()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const result = await run(console.log)
for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(20)} ${value}`)
if (process.argv.includes('--json')) console.log(JSON.stringify(result))
