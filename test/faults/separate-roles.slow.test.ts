/** The roles as processes of their own, on one Postgres, with the queue there or on Redis; and what a kill of each costs. */
import { join } from 'node:path'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openQueue } from '../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../src/adapters/queue/queue-names.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { SENDING } from '../../workers/roles/mailer.ts'
import { openSite } from '../support/browser/http-client.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { hasOwnRedis, NEEDS_OWN_REDIS, type OwnTestRedis, openTestRedis } from '../support/databases/redis.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { LONDON_DAILY, storeDay, subscribe } from '../support/fixtures/newsletter.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { type Program, startProgram } from '../support/processes/program.ts'
import { startSmtpSinkProcess } from '../support/servers/smtp-sink-process.ts'
import { messageIdOf, readable } from './message-fields.ts'
import { wipeQueue, withRedis } from './queue-contents.ts'

/** More than two groups of a mailer, so that a kill finds some sent, some claimed and some waiting. */
const READERS = 140
/** Mails that a mailer holds claimed at a time, in each lane 64 at most (`newsletter/delivery`): no kill may duplicate more. */
const CLAIMED = 64 * SENDING.deliveries.lanes
const TOPICS = ['diffusion-lm', 'robotics']
const SUBSCRIBED = '2026-04-14T05:00:00Z'
const EDITION = '2026-04-15T06:00:30Z'
const FORM = { email: 'ada@example.org', topics: TOPICS, frequency: 'daily', timezone: 'Europe/London' }
/** Of a busy machine, milliseconds: each test starts up to seven programs. */
const TEST = { timeout: 180_000 }
const READY_WITHIN = 90_000
const POLL = { timeout: 90_000, interval: 20 }

interface Copy {
  to: string
  messageId: string
  text: string
}

/** A database with papers and readers who are due at `EDITION`, a mail server, and everything to start roles with. */
const openInstallation = async (onRedis: boolean, readers = READERS) => {
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
  await storeReaders(db, readers)
  const queue = await openQueue({
    databaseUrl: database.url,
    redisUrl: redis?.url ?? null,
    workers: 0,
    onError: () => undefined,
  })
  closers.defer(() => queue.close({ graceMs: 1_000 }))
  const settings = {
    DATABASE_URL: database.url,
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
    SECRET_KEY: '07'.repeat(32),
    DATA_DIR: folder.path,
    PORT: '0',
    SMTP_URL: sink.url,
    MAIL_FROM: 'Paper Round <round@example.net>',
    PAPER_SOURCES: `file:${papers}`,
    LOG_LEVEL: 'warn',
  }
  return {
    db,
    redis,
    start: (role: string, clock = EDITION): Program =>
      closers.use(startProgram('main', role.split(' '), { ...settings, CLOCK: clock })),
    wake: (name: QueueName) => queue.wake(name),
    deleteQueue: () => wipeQueue({ db, redisUrl: redis?.url ?? null }, 'dropped'),
    /** A minute goes by: leases end, and the scheduler sweeps. */
    async passAMinute() {
      await endLeases(db)
      await queue.wake('tick')
    },
    /** What the mail server took. */
    copies: async (): Promise<Copy[]> =>
      (await sink.messages()).map(({ to, raw }) => ({ to, messageId: messageIdOf(raw), text: readable(raw) })),
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  }
}

type Installation = Awaited<ReturnType<typeof openInstallation>>

const storeReaders = async (db: Database, readers: number): Promise<void> => {
  await storeDay(db, '2026-04-10', TOPICS)
  for (let n = 0; n < readers; n++) await subscribe(db, `reader${n}@example.org`, LONDON_DAILY, new Date(SUBSCRIBED))
  // Only digests are tested here, so letters count as sent.
  await db.updateTable('letters').set({ state: 'sent' }).execute()
}

const endLeases = async (db: Database): Promise<void> => {
  for (const table of ['letters', 'deliveries'] as const)
    await sql`update ${sql.table(table)} set lease_until = lease_until - interval '1 minute',
      next_attempt_at = next_attempt_at - interval '1 minute' where state in ('queued', 'sending', 'deferred')`.execute(
      db,
    )
}

const readLedger = (db: Database) =>
  db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select(['deliveries.id', 'email', 'deliveries.state', 'resent'])
    .execute()

const countSent = async (db: Database): Promise<number> =>
  (await db.selectFrom('deliveries').select('id').where('state', '=', 'sent').execute()).length

/** Clients of Redis, without the one that asks. */
const countRedisClients = (url: string): Promise<number> =>
  withRedis(
    url,
    async (client) =>
      String(await client.client('LIST'))
        .trim()
        .split('\n').length - 1,
  )

/** Every reader has the digest, and each second copy is counted. */
const expectEveryReaderServed = async ({ db, copies }: Installation): Promise<{ doubled: number }> => {
  await expect.poll(() => countSent(db), POLL).toBe(READERS)
  const copiesOf = Map.groupBy(await copies(), (copy) => copy.messageId)
  let doubled = 0
  for (const { id, email, state, resent } of await readLedger(db)) {
    const own = copiesOf.get(`<${id}@example.net>`) ?? []
    expect({ email, state, copies: own.length >= 1, counted: own.length - 1 <= resent }).toEqual({
      email,
      state: 'sent',
      copies: true,
      counted: true,
    })
    expect(new Set(own.map((copy) => copy.to))).toEqual(new Set([email]))
    doubled += own.length - 1
  }
  expect(copiesOf.size).toBe(READERS)
  return { doubled }
}

const siteOf = async (api: Program): Promise<string> => announcedIn(await api.said('is ready', READY_WITHIN)).site

const QUEUES = [
  { name: 'with the queue on Postgres', onRedis: false, runs: true },
  { name: `with the queue on Redis${NEEDS_OWN_REDIS}`, onRedis: true, runs: hasOwnRedis },
]

describe.each(QUEUES)('$name', ({ onRedis, runs }) => {
  test.skipIf(!runs)(
    'roles in processes of their own bring a reader from the form to the digest, each with the connections it is allowed',
    TEST,
    async () => {
      await using installation = await openInstallation(onRedis, 0)
      const roles = ['api', 'scheduler', 'mailer']
      const [api, scheduler, mailer] = roles.map((role) => installation.start(role, SUBSCRIBED))
      if (api === undefined || scheduler === undefined || mailer === undefined) throw new Error('not started')
      const site = openSite(await siteOf(api))
      await scheduler.said('is ready', READY_WITHIN)
      await mailer.said('is ready', READY_WITHIN)
      expect((await site.post('/subscribe', FORM)).status).toBe(200)
      await expect.poll(async () => (await installation.copies()).length, POLL).toBe(1)
      const link = /http:\/\/localhost:\d+(\/confirm\/[\w-]+)/.exec((await installation.copies())[0]?.text ?? '')?.[1]
      expect((await site.post(link ?? '')).status).toBe(200)
      await expect.poll(async () => (await installation.copies()).length, POLL).toBe(2)

      const { rows } = await sql<{ name: string; count: number }>`
      select application_name as name, count(*)::int from pg_stat_activity
      where datname = current_database() and application_name like 'paper-round %' group by 1`.execute(installation.db)
      const inPostgres = new Map(rows.map((row) => [row.name, row.count]))
      for (const role of roles) expect(inPostgres.get(`paper-round ${role}`) ?? 0).toBeLessThanOrEqual(10)
      const queueConnections = rows.filter((row) => !roles.some((role) => row.name === `paper-round ${role}`))
      // Two for each process, that of the test included, and one more for each queue that is handled.
      expect(queueConnections.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(
        onRedis ? 0 : 4 * 2 + 2 + 2,
      )
      // One to wake; where queues are handled one more, and one for each queue.
      if (installation.redis !== null)
        expect(await countRedisClients(installation.redis.url)).toBe(1 + 1 + (2 + 2) + (2 + 2))

      expect(await scheduler.end('SIGTERM')).toMatchObject({ code: 0 })
      installation.start('scheduler')
      await expect.poll(async () => (await installation.copies()).length, POLL).toBe(3)
    },
  )

  test.skipIf(!runs)(
    'two schedulers started by mistake publish nothing twice, and three mailers send nothing twice',
    TEST,
    async () => {
      await using installation = await openInstallation(onRedis)
      for (const mailer of [1, 2, 3].map(() => installation.start('mailer')))
        await mailer.said('is ready', READY_WITHIN)
      for (const scheduler of [1, 2].map(() => installation.start('scheduler')))
        await scheduler.said('is ready', READY_WITHIN)
      expect(await expectEveryReaderServed(installation)).toEqual({ doubled: 0 })
      for (let n = 0; n < 3; n++) await installation.wake('tick')
      expect(await installation.copies()).toHaveLength(READERS)
      expect(await installation.db.selectFrom('editions').selectAll().execute()).toHaveLength(1)
    },
  )

  test.skipIf(!runs)(
    'a scheduler killed while it publishes and a mailer killed while it sends lose nothing',
    TEST,
    async () => {
      await using installation = await openInstallation(onRedis)
      const scheduler = installation.start('scheduler')
      await expect.poll(() => installation.db.selectFrom('editions').select('id').execute(), POLL).toHaveLength(1)
      await scheduler.end('SIGKILL')
      const mailer = installation.start('mailer')
      installation.start('scheduler', '2026-04-15T06:01:30Z')
      await expect.poll(async () => (await installation.copies()).length, POLL).toBeGreaterThan(3)
      await mailer.end('SIGKILL')
      installation.start('mailer')
      await installation.passAMinute()
      const { doubled } = await expectEveryReaderServed(installation)
      expect(doubled).toBeLessThanOrEqual(CLAIMED)
      expect(await installation.db.selectFrom('editions').select('published_at').execute()).toEqual([
        { published_at: expect.any(Date) },
      ])
    },
  )

  test.skipIf(!runs)('an api killed after its response and a deleted queue lose nothing', TEST, async () => {
    await using installation = await openInstallation(onRedis, 0)
    const api = installation.start('api')
    const site = openSite(await siteOf(api))
    expect((await site.post('/subscribe', FORM)).status).toBe(200)
    await api.end('SIGKILL')
    await installation.deleteQueue()
    installation.start('mailer')
    await installation.start('scheduler').said('is ready', READY_WITHIN)
    const readers = async () => (await installation.copies()).map((copy) => copy.to)
    await expect.poll(readers, POLL).toEqual([FORM.email])
    // The mail server has it before the mailer has recorded that.
    const letters = installation.db.selectFrom('letters').select('state')
    await expect.poll(() => letters.execute(), POLL).toEqual([{ state: 'sent' }])

    // While they run, too: the scheduler restores the schedule, and its sweep finds what no job wakes a mailer for any more.
    await installation.deleteQueue()
    await installation.db.updateTable('letters').set({ state: 'queued', sent_at: null }).execute()
    await expect.poll(readers, POLL).toEqual([FORM.email, FORM.email])
  })
})

describe.skipIf(!hasOwnRedis)(`with Redis gone${NEEDS_OWN_REDIS}`, () => {
  test('the site answers, and what was asked is done when Redis is back', TEST, async () => {
    await using installation = await openInstallation(true, 0)
    const [api, ...others] = ['api', 'scheduler', 'mailer'].map((role) => installation.start(role))
    if (api === undefined) throw new Error('not started')
    const site = openSite(await siteOf(api))
    for (const other of others) await other.said('is ready', READY_WITHIN)
    await installation.redis?.kill()
    const emails = ['ada@example.org', 'grace@example.org', 'emmy@example.org']
    for (const email of emails) {
      expect((await site.post('/subscribe', { ...FORM, email })).status).toBe(200)
    }
    expect(await installation.copies()).toEqual([])
    await installation.redis?.restart()
    await expect.poll(() => installation.wake('tick').then(() => 'woken', String), POLL).toBe('woken')
    await expect
      .poll(async () => (await installation.copies()).map((copy) => copy.to).sort(), POLL)
      .toEqual(emails.sort())
  })
})
