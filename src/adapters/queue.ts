/** The doorbells: a ring says that there is work in the database, and wakes whichever process answers that bell. */
import { setTimeout as delay } from 'node:timers/promises'
import { Queue as BullQueue, Worker as BullWorker, createPostgresBackend, type PgPool, runMigrations } from 'bullmq'
import { type Client, Pool, type PoolClient } from 'pg'

export const BELLS = ['tick', 'refresh', 'letters', 'deliveries'] as const
export type Bell = (typeof BELLS)[number]

export interface Queue {
  /**
   * Wakes one process that answers this bell; at once, or `delayMs` from now. Rings that come while one still waits
   * are one ring; a ring that comes while a handler runs makes it run again. Fails within seconds when the queue
   * cannot be reached: nothing is lost then, for the database says what is owed, and the next sweep finds it.
   */
  ring(bell: Bell, options?: { delayMs?: number }): Promise<void>
  /**
   * Answers a bell in this process, with one run at a time unless told otherwise. What a handler throws goes to
   * `onError`, and it runs again up to four times, after about 1, 2, 4 and 8 seconds; it must be safe to run twice,
   * at once or one after the other.
   */
  answer(bell: Bell, handler: () => Promise<void>, options?: { concurrency?: number }): Promise<void>
  /** Rings a bell again and again, once for all processes that ask for it. Missed rings are not made up for. */
  every(bell: Bell, intervalMs: number): Promise<void>
  /** Takes no more bells, waits for handlers that run, for `graceMs` at most, and closes the connections. */
  close(options: { graceMs: number }): Promise<void>
}

interface Options {
  databaseUrl: string
  /** How many bells this process is going to answer: each keeps a connection to listen. */
  workers: number
  /** Hears of handlers that threw and of connections that broke; `where` is the bell, or `queue`. */
  onError: (where: Bell | 'queue', error: Error) => void
}

/** The part of a BullMQ queue that is used here, whatever it runs on. */
interface Jobs {
  add(name: string, data: object, options: { delay: number }): Promise<unknown>
  getWaitingCount(): Promise<number>
  upsertJobScheduler(id: string, repeat: { every: number }, template: { name: string; opts: object }): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  close(): Promise<void>
}

/** The part of a BullMQ worker that is used here. */
interface Worker {
  waitUntilReady(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'failed', listener: (job: unknown, error: Error) => void): unknown
  close(): Promise<void>
}

/** What BullMQ runs on: Postgres, or another store that it has a backend for. */
interface Backend {
  openJobs(bell: Bell): Jobs
  startWorker(bell: Bell, handler: () => Promise<void>, concurrency: number): Worker
  close(): Promise<void>
  /** Closes connections that are still in use, too. */
  abandon(): Promise<void>
}

const ATTEMPTS = 5
const FIRST_PAUSE = 1_000
/** A job whose worker died is free again after this time; other rings of its bell need not wait for it. */
const LOCK = 30_000
const JOB_OPTIONS = {
  attempts: ATTEMPTS,
  backoff: { type: 'exponential', delay: FIRST_PAUSE, jitter: 0.25 },
  // Enough to look at when something is wrong, and never many.
  removeOnComplete: { count: 10 },
  removeOnFail: { count: 100 },
}
const WORKER_OPTIONS = {
  lockDuration: LOCK,
  // By default a job whose worker was killed twice is given up for lost.
  maxStalledCount: 1_000,
  runRetryDelay: FIRST_PAUSE,
}
const PATIENCE_TO_CONNECT = 3_000

/** Opens the queue in the same Postgres as everything else, in a schema of its own, which is made where it is missing. */
export const openQueue = async ({ databaseUrl, workers, onError }: Options): Promise<Queue> => {
  let closing = false
  const report = (where: Bell | 'queue') => (error: Error) => {
    // What is broken off on purpose complains, and nobody needs to hear it.
    if (!closing) onError(where, error)
  }
  const backend = await openPostgresBackend(databaseUrl, workers + 2, report('queue'))
  const queues = new Map<Bell, Jobs>()
  const answering: Worker[] = []

  const jobsOf = (bell: Bell): Jobs => {
    const known = queues.get(bell)
    if (known !== undefined) return known
    const jobs = backend.openJobs(bell)
    jobs.on('error', report(bell))
    queues.set(bell, jobs)
    return jobs
  }

  return {
    async ring(bell, { delayMs = 0 } = {}) {
      const jobs = jobsOf(bell)
      // A job that has not begun will see what we have committed. BullMQ's own deduplication would hold rings back for
      // as long as it takes to find that the worker of a running job died.
      if (delayMs === 0 && (await jobs.getWaitingCount()) > 0) return
      await jobs.add(bell, {}, { delay: delayMs })
    },

    async answer(bell, handler, { concurrency = 1 } = {}) {
      const worker = backend.startWorker(bell, handler, concurrency)
      worker.on('error', report(bell))
      worker.on('failed', (_job, error) => report(bell)(error))
      answering.push(worker)
      await worker.waitUntilReady()
    },

    async every(bell, intervalMs) {
      await jobsOf(bell).upsertJobScheduler(bell, { every: intervalMs }, { name: bell, opts: JOB_OPTIONS })
    },

    async close({ graceMs }) {
      // BullMQ's own closing waits for as long as a handler takes.
      const idle = Promise.all(answering.map((worker) => worker.close())).then(
        () => true,
        (error: Error) => {
          onError('queue', error)
          return false
        },
      )
      const patience = new AbortController()
      const late = delay(graceMs, false, { signal: patience.signal }).catch(() => false)
      const orderly = await Promise.race([idle, late])
      patience.abort()
      closing = true
      await Promise.allSettled([...queues.values()].map((jobs) => jobs.close()))
      await (orderly ? backend.close() : backend.abandon())
    },
  }
}

const openPostgresBackend = async (
  databaseUrl: string,
  connections: number,
  onError: (error: Error) => void,
): Promise<Backend> => {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: connections,
    // Its tables are found by this alone, which is why it cannot share our own pool.
    options: '-c search_path=bullmq',
    application_name: 'paper-round queue',
    connectionTimeoutMillis: PATIENCE_TO_CONNECT,
    keepAlive: true,
  })
  pool.on('error', onError)
  const clients = new Set<PoolClient>()
  pool.on('connect', (client) => clients.add(client))
  pool.on('remove', (client) => clients.delete(client))
  try {
    const client = await pool.connect()
    try {
      await runMigrations(client, 'bullmq')
    } finally {
      client.release()
    }
  } catch (error) {
    await pool.end()
    throw error
  }
  // BullMQ describes pg in types of its own, which do not quite fit pg's.
  const connection = pool as PgPool
  return {
    openJobs: (bell) => new BullQueue(bell, { connection, defaultJobOptions: JOB_OPTIONS }, createPostgresBackend),
    startWorker: (bell, handler, concurrency) =>
      new BullWorker(bell, handler, { connection, concurrency, ...WORKER_OPTIONS }, createPostgresBackend),
    close: () => pool.end(),
    async abandon() {
      // The pool would wait for those that a handler holds until it ends.
      pool.end().catch(onError)
      await Promise.allSettled([...clients].map((client) => (client as PoolClient & Client).end()))
    },
  }
}
