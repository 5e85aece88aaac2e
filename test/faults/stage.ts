/**
 * Where the service is made to suffer: its roles as processes of their own on a Postgres and a queue of their own, a mail
 * server that is told how to fail, and a way to both that can be cut. Time passes here when it is told to.
 */
import { generateKeyPairSync } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { sql, type Transaction } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openQueue, type Queue } from '../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../src/adapters/queue/queue-names.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { type Database, openDatabase, type Tables } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { originOfOwnRedis } from '../support/browser/origins.ts'
import { persist } from '../support/databases/blocking-statements.ts'
import type { RedisServer } from '../support/databases/redis-process.ts'
import { startRedis } from '../support/databases/redis-server.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { type ClockFile, MOVED_CLOCK, openClockFile } from '../support/processes/clock-file.ts'
import { type Program, startProgram } from '../support/processes/program.ts'
import { createReceiver } from '../support/servers/dkim-verifier.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { openSmtpSink, type SinkOptions } from '../support/servers/smtp-sink.ts'
import { openTcpProxy } from '../support/servers/tcp-proxy.ts'

export type QueueKind = 'postgres' | 'redis'
export const ROLES = ['api', 'scheduler', 'mailer-1', 'mailer-2'] as const
export type RoleName = (typeof ROLES)[number]

export interface StageOptions {
  queue: QueueKind
  /** The folder that holds the code of the service, where it is not this one. */
  root?: string
  /** Where the service's clock stands at first. */
  at: Date
  roles?: readonly RoleName[]
  sink: Pick<SinkOptions, 'fault' | 'onMessage'>
}

export const TOPICS = ['diffusion-lm', 'robotics', 'agents']
const POOL = { connections: 4, name: 'fault runner', onError: () => undefined }
const REDIS = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']
const KEY = '07'.repeat(32)
const READY = 'is ready'
/** A machine that does many things at once may take so long to start a program, milliseconds. */
const PATIENCE = 90_000
const SELECTOR = 'faults'
export const SENDER_DOMAIN = 'example.net'
/** Under which mails have their envelope senders. */
export const BOUNCE_DOMAIN = `bounces.${SENDER_DOMAIN}`
const OPEN = sql`where state in ('queued', 'sending', 'deferred')`
/** What the database's clock is compared with, ahead of it and behind: it moves when time passes. */
const TIMES = [
  // In the order in which mailers lock them.
  { table: 'throttled_routes', columns: ['since', 'changed_at', 'not_before'], which: sql`` },
  { table: 'letters', columns: ['created_at', 'lease_until', 'next_attempt_at'], which: OPEN },
  { table: 'deliveries', columns: ['created_at', 'lease_until', 'next_attempt_at'], which: OPEN },
]
/** Months as old as this are let go, as in a service that keeps deliveries for as long as it may. */
const KEEP_DAYS = 31

/** Opens the stage with all roles ready; nobody is subscribed yet. */
export const openStage = async (options: StageOptions) => {
  const closers = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'paper-round-faults-'))
    closers.defer(() => rm(folder, { recursive: true, force: true }))
    // Durable, as for a service: what a killed server had answered for must be there again.
    const startPostgres = () => startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
    let postgres = await startPostgres()
    closers.defer(() => postgres.stop())
    // Another port after each start; behind the proxy its address stays.
    const postgresProxy = closers.use(await openTcpProxy(Number(new URL(postgres.url).port)))
    const address = new URL(postgres.url)
    address.port = String(postgresProxy.port)
    await migrate(address.href)
    const db: Database = openDatabase(address.href, POOL)
    closers.defer(() => db.destroy())
    // The role that makes months is left out: its day is longer than any that is played here.
    const makeMonths = (now: Date) => maintain(db, { now, keepDays: KEEP_DAYS })
    await makeMonths(options.at)

    const redis = options.queue === 'redis' ? await openRedis() : null
    if (redis !== null) closers.defer(redis.stop)

    const sink = closers.use(await openSmtpSink({ keep: false, ...options.sink }))
    const sinkProxy = closers.use(await openTcpProxy(sink.port))

    /** How far the clocks of the service are from those of the machine, milliseconds. */
    const moved = { calendar: options.at.getTime() - Date.now(), monotonic: 0 }
    const apiPort = await findFreePort()
    const url = `http://127.0.0.1:${apiPort}`
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const settings = {
      DATABASE_URL: address.href,
      ...(redis === null ? {} : { REDIS_URL: redis.url }),
      SECRET_KEY: KEY,
      DATA_DIR: folder,
      PORT: String(apiPort),
      BASE_URL: url,
      SMTP_URL: `smtp://127.0.0.1:${sinkProxy.port}`,
      MAIL_FROM: `Paper Round <round@${SENDER_DOMAIN}>`,
      DKIM_DOMAIN: SENDER_DOMAIN,
      DKIM_SELECTOR: SELECTOR,
      DKIM_PRIVATE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
      BOUNCE_DOMAIN,
      PAPER_SOURCES: `file:${join(folder, 'papers')}`,
      LOG_LEVEL: 'info',
    }
    /** All that was ever started, the newest of a role last. */
    const programs: { name: RoleName; program: Program; read: number }[] = []
    const clocks = new Map<RoleName, ClockFile & { skew: number }>()
    const setClocks = () => {
      for (const clock of clocks.values())
        clock.move({ calendar: moved.calendar + clock.skew, monotonic: moved.monotonic })
    }
    const start = (name: RoleName): Program => {
      if (!clocks.has(name)) clocks.set(name, { ...openClockFile(join(folder, `${name}.clock`)), skew: 0 })
      setClocks()
      const program = startProgram(
        'main',
        [name.replace(/-\d$/, '')],
        { ...settings, CLOCK_FILE: clocks.get(name)?.path ?? '' },
        { preload: MOVED_CLOCK, ...(options.root === undefined ? {} : { root: options.root }) },
      )
      programs.push({ name, program, read: 0 })
      return program
    }
    const orphans = () => {
      // Whoever runs this was told to end: nothing of it goes on, and nothing of it stays.
      for (const { program } of programs) program.kill()
      process.kill(postgres.pid, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
    process.once('exit', orphans)
    closers.defer(async () => {
      process.off('exit', orphans)
      await Promise.all(programs.map(({ program }) => program.end('SIGKILL')))
      for (const clock of clocks.values()) clock.close()
    })
    const newestOf = (name: RoleName): Program => {
      const found = programs.findLast((one) => one.name === name)
      if (found === undefined) throw new Error(`${name} was not started`)
      return found.program
    }
    const roles = options.roles ?? ROLES
    // Papers come by the runner's own hand; the source is there, and has one old day.
    await writeDays(join(folder, 'papers'), ['2026-04-10'], TOPICS)
    await Promise.all(roles.map((name) => start(name).said(READY, PATIENCE)))

    let queueNames: Queue = await openBells(address.href, redis?.url ?? null)
    closers.defer(() => queueNames.close({ graceMs: 500 }))

    return {
      db,
      url,
      roles,
      sinkProxy,
      /** What a receiver finds of the signatures of a message. */
      verify: createReceiver(privateKey, [`${SELECTOR}._domainkey.${SENDER_DOMAIN}`]),
      /** Milliseconds of a clock that `pass` moves along, and nothing else does. */
      elapsed: () => performance.now() + moved.monotonic,
      /** What the service's clock says. */
      now: () => new Date(Date.now() + moved.calendar),
      /** Moves the calendar's clock of all roles, and nothing else; the months that are needed then are there. */
      async setClock(at: Date) {
        await makeMonths(at)
        moved.calendar = at.getTime() - Date.now()
        setClocks()
      },
      /** Lets the calendar's clock of one role be wrong by this much. */
      skew(name: RoleName, ms: number) {
        const clock = clocks.get(name)
        if (clock !== undefined) clock.skew = ms
        setClocks()
      },
      /**
       * Milliseconds pass, for every clock: those of the roles, and what lies ahead in the database. Resolves to whether
       * any mail was being sent meanwhile.
       */
      async pass(ms: number): Promise<boolean> {
        let sending = true
        const after = `${ms} milliseconds`
        const move = async (trx: Transaction<Tables>) => {
          for (const { table, columns, which } of TIMES) {
            const moves = columns.map((column) => sql`${sql.ref(column)} = ${sql.ref(column)} - ${after}::interval`)
            await sql`update ${sql.table(table)} set ${sql.join(moves)} ${which}`.execute(trx)
          }
          // What is not claimed by now is locked by us.
          const { rows } = await sql<{ sending: boolean }>`
            select exists (select from letters where state = 'sending')
              or exists (select from deliveries where state = 'sending') as sending`.execute(trx)
          sending = rows[0]?.sending !== false
        }
        await persist(() => db.transaction().execute(move))
        moved.calendar += ms
        moved.monotonic += ms
        setClocks()
        return sending
      },
      /** As the scheduler's minute would; whether somebody could be reached by it. */
      wake: (queueName: QueueName): Promise<boolean> =>
        queueNames.wake(queueName).then(
          () => true,
          () => false,
        ),
      /** Kills a role as a power cut would, and starts it again. `ready` resolves when the new one is. */
      async kill(name: RoleName): Promise<{ ready: Promise<unknown> }> {
        await newestOf(name).end('SIGKILL')
        const ready = start(name).said(READY, PATIENCE)
        ready.catch(() => undefined)
        return { ready }
      },
      signal: (name: RoleName, signal: 'SIGSTOP' | 'SIGCONT') => process.kill(newestOf(name).pid, signal),
      /** Resolves when all roles are up. One that ended by itself is started again, and the reason is among what it gives back. */
      async allReady(): Promise<string[]> {
        const ended: string[] = []
        for (const name of roles) {
          const how = await Promise.race([newestOf(name).end(), delay(5, null)])
          if (how === null) continue
          ended.push(`${name} ended by itself (${how.code}): ${how.stderr.trim().split('\n').slice(-12).join(' / ')}`)
          start(name)
        }
        await Promise.all(roles.map((name) => newestOf(name).said(READY, PATIENCE)))
        return ended
      },
      /** Postgres ends, in order or by a kill, and comes back. */
      async restartPostgres(how: 'stop' | 'kill') {
        if (how === 'stop') await postgres.stop()
        else process.kill(postgres.pid, 'SIGKILL')
        postgresProxy.cut()
        postgres = await startPostgres()
        postgresProxy.leadTo(Number(new URL(postgres.url).port))
      },
      /** Connections to Postgres break, and can be made again. */
      cutPostgres: () => postgresProxy.cut(),
      /** On Redis everything; on Postgres all that is in the queue, or its schema as well. */
      async wipeQueue(how: 'emptied' | 'dropped') {
        if (redis !== null) return withRedis(redis.url, (client) => client.flushall())
        if (how === 'dropped') return persist(() => sql`drop schema if exists bullmq cascade`.execute(db))
        const tables = await queueTables(db)
        if (tables.length > 0)
          await persist(() =>
            sql`truncate ${sql.join(tables.map((table) => sql.table(`bullmq.${table}`)))}`.execute(db),
          )
      },
      killRedis: async () => redis?.kill(),
      restartRedis: async () => redis?.restart(),
      /** Opens the queue anew, as any process that starts does: what is missing of it is made again. */
      async repairQueue() {
        await queueNames.close({ graceMs: 500 })
        queueNames = await openBells(address.href, redis?.url ?? null)
      },
      /** All that was written since the last time: by every role, by Postgres; and all that is in the queue. */
      async readTraces(): Promise<{ where: string; text: string }[]> {
        const said = programs.map((one) => {
          const text = one.program.stderr().slice(one.read)
          one.read += text.length
          return { where: `the log of ${one.name}`, text }
        })
        const server = await readFile(join(folder, 'postgres', 'server.log'), 'utf8')
        const queue = redis === null ? await dumpQueueTables(db) : await withRedis(redis.url, dumpRedis)
        return [...said, { where: 'the log of Postgres', text: server }, { where: 'the queue', text: queue }]
      },
      /** The last lines of each role, for whoever looks for the fault. */
      lastWords: (lines: number) =>
        roles.map((name) => ({ name, said: newestOf(name).stderr().trim().split('\n').slice(-lines) })),
      [Symbol.asyncDispose]: () => closers.disposeAsync(),
    }
  } catch (error) {
    await closers.disposeAsync()
    throw error
  }
}

export type Stage = Awaited<ReturnType<typeof openStage>>

const openRedis = async (): Promise<RedisServer> => {
  const origin = originOfOwnRedis()
  if (origin.kind === 'none') throw new Error(`the queue on Redis ${origin.why}`)
  return startRedis(origin, REDIS)
}

const openBells = (databaseUrl: string, redisUrl: string | null): Promise<Queue> =>
  openQueue({ databaseUrl, redisUrl, workers: 0, onError: () => undefined })

const withRedis = async <T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> => {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null })
  client.on('error', () => undefined) // The command that fails says it.
  try {
    await client.connect()
    return await work(client)
  } finally {
    client.disconnect()
  }
}

/** What BullMQ keeps there, without its note of which schema it has. */
const queueTables = async (db: Database): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'bullmq' and tablename not like '%migration%'`.execute(
    db,
  )
  return rows.map((row) => row.name)
}

const dumpQueueTables = async (db: Database): Promise<string> => {
  const parts: string[] = []
  for (const table of await queueTables(db)) {
    const { rows } = await sql<{ text: string | null }>`
      select json_agg(t)::text as text from ${sql.table(`bullmq.${table}`)} t`.execute(db)
    parts.push(rows[0]?.text ?? '')
  }
  return parts.join('\n')
}

const dumpRedis = async (client: Redis): Promise<string> => {
  const readers: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => client.get(key),
    hash: (key) => client.hgetall(key),
    list: (key) => client.lrange(key, 0, -1),
    set: (key) => client.smembers(key),
    zset: (key) => client.zrange(key, '0', '-1'),
    stream: (key) => client.xrange(key, '-', '+'),
  }
  const parts: string[] = []
  for (const key of (await client.keys('*')).map(String))
    parts.push(key, JSON.stringify(await readers[String(await client.type(key))]?.(key)))
  return parts.join('\n')
}
