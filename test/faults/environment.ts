/**
 * The environment in which faults happen: the roles of the service as processes of their own on a Postgres and a queue of
 * their own, a mail server that is told how to fail, and connections to both that can be cut. Time passes here when it is
 * told to.
 */
import { generateKeyPairSync } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-postgres.ts'
import { openQueue, type Queue } from '../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../src/adapters/queue/queue-names.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { originOfOwnRedis } from '../support/databases/origins.ts'
import type { RedisServer } from '../support/databases/redis-process.ts'
import { startRedis } from '../support/databases/redis-server.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { MOVED_CLOCK } from '../support/processes/clock-file.ts'
import { createReceiver } from '../support/servers/dkim-verifier.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { openSmtpSink, type SinkOptions } from '../support/servers/smtp-sink.ts'
import { openTcpProxy } from '../support/servers/tcp-proxy.ts'
import { dumpQueue, wipeQueue } from './queue-contents.ts'
import { openServiceClocks } from './service-clocks.ts'
import { SELECTOR, SENDER_DOMAIN, settingsOf, TOPICS } from './service-settings.ts'
import { openSupervisor, ROLES, type RoleName } from './supervisor.ts'

export type QueueKind = 'postgres' | 'redis'

export interface EnvironmentOptions {
  queue: QueueKind
  /** The folder that holds the code of the service, where it is not this one. */
  root?: string
  /** Where the service's clock stands at first. */
  at: Date
  roles?: readonly RoleName[]
  sink: Pick<SinkOptions, 'fault' | 'onMessage'>
  /** Hears what becomes of processes and servers, in a few words. */
  onEvent?: (what: string) => void
  /** Hears of each start of a role that failed and is repeated. */
  onFailedStart?: (name: RoleName) => void
}

const LOOK_EVERY = 20
const POOL = { connections: 4, name: 'fault runner', onError: () => undefined }
const REDIS = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']
/** Months as old as this are dropped, as in a service that keeps deliveries for as short as it may. */
const KEEP_DAYS = 31

/**
 * Opens the environment with all roles ready; nobody is subscribed yet. Long, for it lists in the order of their opening
 * all the servers that a seed needs, and each is closed in the reverse order.
 */
export const openEnvironment = async (options: EnvironmentOptions) => {
  const { onEvent = () => undefined, onFailedStart = () => undefined, roles = ROLES } = options
  const closers = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'paper-round-faults-'))
    closers.defer(() => rm(folder, { recursive: true, force: true }))
    const postgres = closers.use(await openPostgres(folder, onEvent))
    await migrate(postgres.url)
    const db: Database = openDatabase(postgres.url, POOL)
    closers.defer(() => db.destroy())
    // The role that makes months is left out: its day is longer than any run of a seed.
    const makeMonths = (now: Date) => maintain(db, { now, keepDays: KEEP_DAYS })
    await makeMonths(options.at)

    const redis = options.queue === 'redis' ? await openRedis() : null
    if (redis !== null) closers.defer(redis.stop)
    const sink = closers.use(await openSmtpSink({ keep: false, ...options.sink }))
    const sinkProxy = closers.use(await openTcpProxy(sink.port))
    const clocks = openServiceClocks({ db, folder, at: options.at })
    closers.defer(async () => clocks.close())

    const apiPort = await findFreePort()
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const settings = {
      ...settingsOf({ folder, apiPort, privateKey, smtpPort: sinkProxy.port }),
      DATABASE_URL: postgres.url,
      ...(redis === null ? {} : { REDIS_URL: redis.url }),
    }
    const supervisor = openSupervisor({
      ...(options.root === undefined ? {} : { root: options.root }),
      preload: MOVED_CLOCK,
      settingsOf: (name) => ({ ...settings, CLOCK_FILE: clocks.fileOf(name) }),
      onEvent,
      onFailedStart,
    })
    closers.use(supervisor)
    closers.defer(
      atExit(() => {
        supervisor.killAll()
        postgres.killNow()
        rmSync(folder, { recursive: true, force: true })
      }),
    )
    // Papers come by the runner's own hand; the source is there, and has one old day.
    await writeDays(join(folder, 'papers'), ['2026-04-10'], TOPICS)
    for (const name of roles) supervisor.start(name)
    const allReady = async (): Promise<void> => void (await Promise.all(roles.map(supervisor.whenReady)))
    await allReady()

    const place = { db, redisUrl: redis?.url ?? null }
    const queue = await openQueueHandle(postgres.url, place.redisUrl)
    closers.defer(queue.close)
    const { elapsed, now, skew, pass } = clocks
    const { kill, signal, whenReady, takeUnexpectedEnds } = supervisor

    return {
      db,
      url: settings.BASE_URL,
      roles,
      sinkProxy,
      /** What a receiver finds of the signatures of a message. */
      verify: createReceiver(privateKey, [`${SELECTOR}._domainkey.${SENDER_DOMAIN}`]),
      elapsed,
      now,
      skew,
      pass,
      /** Moves the calendar of all roles, and nothing else; the months that are needed then are there. */
      async setCalendar(at: Date) {
        await makeMonths(at)
        clocks.setCalendar(at)
      },
      wake: queue.wake,
      repairQueue: queue.reopen,
      kill,
      signal,
      whenReady,
      allReady,
      takeUnexpectedEnds,
      restartPostgres: postgres.restart,
      cutPostgres: postgres.cut,
      holdDigests: () => holdDigests(db),
      wipeQueue: (how: 'emptied' | 'dropped') => wipeQueue(place, how),
      killRedis: async () => redis?.kill(),
      restartRedis: async () => redis?.restart(),
      /** All that was written since the last time: by every role, by Postgres; and all that is in the queue. */
      readTraces: async (): Promise<Trace[]> => [
        ...supervisor.readLogs().map(({ name, text }) => ({ where: `the log of ${name}`, text })),
        { where: 'the log of Postgres', text: await postgres.readLog() },
        { where: 'the queue', text: await dumpQueue(place) },
      ],
      [Symbol.asyncDispose]: () => closers.disposeAsync(),
    }
  } catch (error) {
    await closers.disposeAsync()
    throw error
  }
}

export type Environment = Awaited<ReturnType<typeof openEnvironment>>

/** Keeps digests from being stored: who publishes stands still in the middle of a chunk, until `release`. */
const holdDigests = async (db: Database) => {
  const holding = await db.startTransaction().execute()
  await sql`lock table digests in share mode`.execute(holding)
  return {
    /** Resolves to whether a scheduler came to it within this time. */
    async someoneWaits(withinMs: number): Promise<boolean> {
      const until = performance.now() + withinMs
      while (performance.now() < until) {
        const { rows } = await sql`select from pg_stat_activity
          where wait_event_type = 'Lock' and application_name = 'paper-round scheduler'`.execute(db)
        if (rows.length > 0) return true
        await delay(LOOK_EVERY)
      }
      return false
    },
    release: async () => void (await holding.rollback().execute()),
  }
}

/** Something that the service wrote somewhere. */
export interface Trace {
  where: string
  text: string
}

/** Cleans up should this process be told to end: nothing that it started goes on. Returns how to call that off. */
const atExit = (cleanUp: () => void) => {
  process.once('exit', cleanUp)
  return async () => void process.off('exit', cleanUp)
}

/** A Postgres that can end and come back, behind a proxy, so that its address stays. */
const openPostgres = async (folder: string, onEvent: (what: string) => void) => {
  // Durable, as for a service: what a killed server had answered for must be there again.
  const start = () => startEmbeddedPostgres({ folder: join(folder, 'postgres'), durable: true })
  let server = await start()
  const portOf = () => Number(new URL(server.url).port)
  const proxy = await openTcpProxy(portOf())
  const address = new URL(server.url)
  address.port = String(proxy.port)
  return {
    url: address.href,
    /** Postgres ends, in order or by a kill, and comes back. Resolves when it is back. */
    async restart(how: 'stop' | 'kill') {
      if (how === 'stop') await server.stop()
      else process.kill(server.pid, 'SIGKILL')
      proxy.cut()
      onEvent(`Postgres ended (${how})`)
      server = await start()
      // Another port after each start.
      proxy.leadTo(portOf())
      onEvent('Postgres started')
    },
    /** Connections break, and can be made again. */
    cut: () => void proxy.cut(),
    killNow() {
      try {
        process.kill(server.pid, 'SIGKILL')
      } catch {
        // It has ended already.
      }
    },
    readLog: () => readFile(join(folder, 'postgres', 'server.log'), 'utf8'),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

const openRedis = async (): Promise<RedisServer> => {
  const origin = originOfOwnRedis()
  if (origin.kind === 'none') throw new Error(`the queue on Redis ${origin.why}`)
  return startRedis(origin, REDIS)
}

/** The runner's own end of the queue, by which it wakes the roles before their minute is over. */
const openQueueHandle = async (databaseUrl: string, redisUrl: string | null) => {
  const open = (): Promise<Queue> => openQueue({ databaseUrl, redisUrl, workers: 0, onError: () => undefined })
  let queue = await open()
  const close = () => queue.close({ graceMs: 500 })
  return {
    /** Wakes a role as the scheduler's minute would; resolves to whether the queue took it. */
    wake: (queueName: QueueName): Promise<boolean> =>
      queue.wake(queueName).then(
        () => true,
        () => false,
      ),
    /** Opens the queue anew, as any process that starts does: what is missing of it is made again. */
    async reopen() {
      await close()
      queue = await open()
    },
    close,
  }
}
