/** The roles as processes of their own, on one Postgres, with the queue there or on Redis; and what becomes of each that is killed. */
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../src/adapters/queue/queue-names.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { SENDING } from '../../workers/roles/mailer.ts'
import { openSite } from '../support/browser/http-client.ts'
import { persist } from '../support/databases/blocking-statements.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { hasOwnRedis, NEEDS_OWN_REDIS, type OwnTestRedis, openTestRedis } from '../support/databases/redis.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { LONDON_DAILY, storeDay, subscribe } from '../support/fixtures/newsletter.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { type Program, startProgram } from '../support/processes/program.ts'
import { startSmtpSinkProcess } from '../support/servers/smtp-sink-process.ts'

/** More than two groups of a mailer, so that a kill finds some sent, some claimed and some waiting. */
const READERS = 80
/** Mails that a mailer holds claimed at a time, a group in each lane (`newsletter/delivery`): no kill may double more. */
const CLAIMED = 32 * SENDING.deliveries.lanes
const TOPICS = ['diffusion-lm', 'robotics']
const SUBSCRIBED = '2026-04-14T05:00:00Z'
const EDITION = '2026-04-15T06:00:30Z'
const FORM = { email: 'ada@example.org', topics: TOPICS, frequency: 'daily', timezone: 'Europe/London' }
const PATIENCE = { timeout: 40_000, interval: 20 }

interface Copy {
  to: string
  messageId: string
  text: string
}

const withRedis = async <T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> => {
  const client = new Redis(url)
  try {
    return await work(client)
  } finally {
    client.disconnect()
  }
}

/** A database with papers and readers who are due at `EDITION`, a mail server, and everything to start roles with. */
const openStage = async (onRedis: boolean, readers = READERS) => {
  const closers = new AsyncDisposableStack()
  const database = closers.use(await openTestDatabase())
  const redis: OwnTestRedis | null = onRedis
    ? closers.use(await openTestRedis({ config: ['--appendonly', 'yes', '--appendfsync', 'always'] }))
    : null
  const folder = closers.use(await openTestFolder(0o711))
  const sink = closers.use(await startSmtpSinkProcess({ log: join(folder.path, 'sink.log') }))
  const db: Database = openDatabase(database.url, { connections: 2, name: 'test', onError: () => undefined })
  closers.defer(() => db.destroy())
  const papers = join(folder.path, 'papers')
  await writeDays(papers, ['2026-04-14'], TOPICS)
  await storeDay(db, '2026-04-10', TOPICS)
  for (let n = 0; n < readers; n++) await subscribe(db, `reader${n}@example.org`, LONDON_DAILY, new Date(SUBSCRIBED))
  // This is about digests: confirmations and welcomes are out of the way.
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  const queueNames = await openQueue({
    databaseUrl: database.url,
    redisUrl: redis?.url ?? null,
    workers: 0,
    onError: () => undefined,
  })
  closers.defer(() => queueNames.close({ graceMs: 1_000 }))

  const copies = async (): Promise<Copy[]> =>
    (await sink.messages()).map(({ to, raw }) => ({
      to,
      messageId: /^Message-ID: (\S+)\r$/im.exec(raw)?.[1] ?? '',
      text: raw.replaceAll('=\r\n', '').replaceAll('=3D', '='),
    }))
  return {
    db,
    redis,
    databaseUrl: database.url,
    copies,
    start: (role: string, clock = EDITION): Program =>
      closers.use(
        startProgram('main', role.split(' '), {
          DATABASE_URL: database.url,
          ...(redis === null ? {} : { REDIS_URL: redis.url }),
          SECRET_KEY: '07'.repeat(32),
          DATA_DIR: folder.path,
          PORT: '0',
          SMTP_URL: sink.url,
          MAIL_FROM: 'Paper Round <round@example.net>',
          PAPER_SOURCES: `file:${papers}`,
          LOG_LEVEL: 'warn',
          CLOCK: clock,
        }),
      ),
    wake: (queueName: QueueName) => queueNames.wake(queueName),
    async throwQueueAway() {
      if (redis === null) await persist(() => sql`drop schema bullmq cascade`.execute(db))
      else await withRedis(redis.url, (client) => client.flushall())
    },
    /** Clients of Redis, without the one that asks. */
    redisClients: async () =>
      withRedis(
        redis?.url ?? '',
        async (client) =>
          String(await client.client('LIST'))
            .trim()
            .split('\n').length - 1,
      ),
    /** A minute goes by: leases end, and the scheduler sweeps. */
    async passAMinute() {
      for (const ledger of ['letters', 'deliveries'] as const)
        await sql`update ${sql.table(ledger)} set lease_until = lease_until - interval '1 minute',
          next_attempt_at = next_attempt_at - interval '1 minute' where state in ('queued', 'sending', 'deferred')`.execute(
          db,
        )
      await queueNames.wake('tick')
    },
    ledger: () =>
      db
        .selectFrom('deliveries')
        .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
        .select(['deliveries.id', 'email', 'deliveries.state', 'resent'])
        .execute(),
    sent: async () => (await db.selectFrom('deliveries').select('id').where('state', '=', 'sent').execute()).length,
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  }
}

type Stage = Awaited<ReturnType<typeof openStage>>

/** Everybody has the digest, and whoever has it twice has it counted. */
const expectEverybodyServed = async (stage: Stage): Promise<{ doubled: number }> => {
  await expect.poll(stage.sent, PATIENCE).toBe(READERS)
  const copiesOf = Map.groupBy(await stage.copies(), (copy) => copy.messageId)
  let doubled = 0
  for (const { id, email, state, resent } of await stage.ledger()) {
    const copies = copiesOf.get(`<${id}@example.net>`) ?? []
    expect({ email, state, copies: copies.length >= 1, counted: copies.length - 1 <= resent }).toEqual({
      email,
      state: 'sent',
      copies: true,
      counted: true,
    })
    expect(new Set(copies.map((copy) => copy.to))).toEqual(new Set([email]))
    doubled += copies.length - 1
  }
  expect(copiesOf.size).toBe(READERS)
  return { doubled }
}

const siteOf = async (api: Program): Promise<string> => /^ {2}site +(\S+)/m.exec(await api.said('is ready'))?.[1] ?? ''

const PLACES = [
  { name: 'with the queue on Postgres', onRedis: false, runs: true },
  { name: `with the queue on Redis${NEEDS_OWN_REDIS}`, onRedis: true, runs: hasOwnRedis },
]

describe.each(PLACES)('$name', ({ onRedis, runs }) => {
  test.skipIf(!runs)(
    'the roles apart bring a reader from the form to the digest, each with the connections it is allowed',
    async () => {
      await using stage = await openStage(onRedis, 0)
      const roles = ['api', 'scheduler', 'mailer']
      const [api, scheduler, mailer] = roles.map((role) => stage.start(role, SUBSCRIBED))
      if (api === undefined || scheduler === undefined || mailer === undefined) throw new Error('not started')
      const site = openSite(await siteOf(api))
      await scheduler.said('is ready')
      await mailer.said('is ready')
      expect((await site.post('/subscribe', FORM)).status).toBe(200)
      await expect.poll(async () => (await stage.copies()).length, PATIENCE).toBe(1)
      const link = /http:\/\/localhost:\d+(\/confirm\/[\w-]+)/.exec((await stage.copies())[0]?.text ?? '')?.[1]
      expect((await site.post(link ?? '')).status).toBe(200)
      await expect.poll(async () => (await stage.copies()).length, PATIENCE).toBe(2)

      const { rows } = await sql<{ name: string; count: number }>`
      select application_name as name, count(*)::int from pg_stat_activity
      where datname = current_database() and application_name like 'paper-round %' group by 1`.execute(stage.db)
      const inPostgres = new Map(rows.map((row) => [row.name, row.count]))
      for (const role of roles) expect(inPostgres.get(`paper-round ${role}`) ?? 0).toBeLessThanOrEqual(10)
      const ofQueue = rows.filter((row) => !roles.some((role) => row.name === `paper-round ${role}`))
      // Two for each process, that of the test included, and one more for each bell that is answered.
      expect(ofQueue.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(onRedis ? 0 : 4 * 2 + 2 + 2)
      // One to ring; where bells are answered one more, and one for each bell.
      if (stage.redis !== null) expect(await stage.redisClients()).toBe(1 + 1 + (2 + 2) + (2 + 2))

      expect(await scheduler.end('SIGTERM')).toMatchObject({ code: 0 })
      stage.start('scheduler')
      await expect.poll(async () => (await stage.copies()).length, PATIENCE).toBe(3)
    },
  )

  test.skipIf(!runs)(
    'two schedulers started by mistake publish nothing twice, and three mailers send nothing twice',
    async () => {
      await using stage = await openStage(onRedis)
      for (const mailer of [1, 2, 3].map(() => stage.start('mailer'))) await mailer.said('is ready')
      for (const scheduler of [1, 2].map(() => stage.start('scheduler'))) await scheduler.said('is ready')
      expect(await expectEverybodyServed(stage)).toEqual({ doubled: 0 })
      for (let n = 0; n < 3; n++) await stage.wake('tick')
      expect(await stage.copies()).toHaveLength(READERS)
      expect(await stage.db.selectFrom('editions').selectAll().execute()).toHaveLength(1)
    },
  )

  test.skipIf(!runs)(
    'a scheduler killed while it publishes and a mailer killed while it sends lose nothing',
    async () => {
      await using stage = await openStage(onRedis)
      const scheduler = stage.start('scheduler')
      await expect.poll(() => stage.db.selectFrom('editions').select('id').execute(), PATIENCE).toHaveLength(1)
      await scheduler.end('SIGKILL')
      const mailer = stage.start('mailer')
      stage.start('scheduler', '2026-04-15T06:01:30Z')
      await expect.poll(async () => (await stage.copies()).length, PATIENCE).toBeGreaterThan(3)
      await mailer.end('SIGKILL')
      stage.start('mailer')
      await stage.passAMinute()
      const { doubled } = await expectEverybodyServed(stage)
      expect(doubled).toBeLessThanOrEqual(CLAIMED)
      expect(await stage.db.selectFrom('editions').select('published_at').execute()).toEqual([
        { published_at: expect.any(Date) },
      ])
    },
  )

  test.skipIf(!runs)('an api killed after its answer and a queue thrown away lose nothing', async () => {
    await using stage = await openStage(onRedis, 0)
    const api = stage.start('api')
    const site = openSite(await siteOf(api))
    expect((await site.post('/subscribe', FORM)).status).toBe(200)
    await api.end('SIGKILL')
    await stage.throwQueueAway()
    stage.start('mailer')
    await stage.start('scheduler').said('is ready')
    const readers = async () => (await stage.copies()).map((copy) => copy.to)
    await expect.poll(readers, PATIENCE).toEqual([FORM.email])

    // While they run, too: the scheduler puts the schedule back, and its sweep finds what nobody rings for any more.
    await stage.throwQueueAway()
    await stage.db.updateTable('letters').set({ state: 'queued', sent_at: null }).execute()
    await expect.poll(readers, PATIENCE).toEqual([FORM.email, FORM.email])
  })
})

describe.skipIf(!hasOwnRedis)(`with Redis gone${NEEDS_OWN_REDIS}`, () => {
  test('the site answers, and what was asked is done when Redis is back', async () => {
    await using stage = await openStage(true, 0)
    const [api, ...others] = ['api', 'scheduler', 'mailer'].map((role) => stage.start(role))
    if (api === undefined) throw new Error('not started')
    const site = openSite(await siteOf(api))
    for (const other of others) await other.said('is ready')
    await stage.redis?.kill()
    const emails = ['ada@example.org', 'grace@example.org', 'emmy@example.org']
    for (const email of emails) {
      expect((await site.post('/subscribe', { ...FORM, email })).status).toBe(200)
    }
    expect(await stage.copies()).toEqual([])
    await stage.redis?.restart()
    await expect.poll(() => stage.wake('tick').then(() => 'rung', String), PATIENCE).toBe('rung')
    await expect.poll(async () => (await stage.copies()).map((copy) => copy.to).sort(), PATIENCE).toEqual(emails.sort())
  })
})
