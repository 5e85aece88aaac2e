/** The doorbells: a ring says that there is work in the database, and wakes whichever process answers that bell. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Backend, JOB_OPTIONS, type Jobs, type Worker } from './backend.ts'
import { openPostgresBackend } from './postgres-backend.ts'
import { openRedisBackend } from './redis-backend.ts'

export const QUEUE_NAMES = ['tick', 'refresh', 'letters', 'deliveries'] as const
export type QueueName = (typeof QUEUE_NAMES)[number]

export interface Queue {
  /**
   * Wakes one process that answers this bell; at once, or `delayMs` from now. Rings that come while one still waits
   * are one ring; a ring that comes while a handler runs makes it run again. Fails within seconds when the queue
   * cannot be reached: nothing is lost then, for the database says what is owed, and the next sweep finds it.
   */
  wake(queueName: QueueName, options?: { delayMs?: number }): Promise<void>
  /**
   * Answers a bell in this process, with one run at a time unless told otherwise. What a handler throws goes to
   * `onError`, and it runs again up to four times, after about 1, 2, 4 and 8 seconds; it must be safe to run twice,
   * at once or one after the other.
   */
  process(queueName: QueueName, handler: () => Promise<void>, options?: { concurrency?: number }): Promise<void>
  /**
   * Rings a bell again and again, once for all processes that ask for it. Missed rings are not made up for. As long as
   * this process lives it looks after the schedule: one that was thrown away or stands still is put back.
   */
  schedule(queueName: QueueName, intervalMs: number): Promise<void>
  /** Resolves when the queue answers and every bell of this process is listened for; fails otherwise. */
  ping(): Promise<void>
  /** Takes no more bells, waits for handlers that run, for `graceMs` at most, and closes the connections. */
  close(options: { graceMs: number }): Promise<void>
}

interface Options {
  databaseUrl: string
  /** The Redis that the queue runs on; `null`: it runs in the database. */
  redisUrl: string | null
  /** How many bells this process is going to answer: each keeps a connection to listen. */
  workers: number
  /** Hears of handlers that threw and of connections that broke; `where` is the bell, or `queue`. */
  onError: (where: QueueName | 'queue', error: Error) => void
  /** Hears, in a sentence, what an operator should know of the queue's store. */
  onNotice?: (notice: string) => void
}

/** How long a schedule may be missing or stand still, at most. */
const KEEP_EVERY = 5_000

/** BullMQ tries again many times a second, and from many connections: the same complaint in this time is no news. */
const NEWS_AFTER = 10_000
const MOST_COMPLAINTS = 100

/** Between two rings of one bell, milliseconds: nobody notices the wait, and a busy site rings fifty times a second at most. */
const REST = 20

/**
 * Rings that are asked for while one is under way are one, which begins when that has ended: so it comes after what all
 * who asked have committed, and a hundred sign-ups a second cost few rings.
 */
const gather = (wake: (queueName: QueueName) => Promise<void>): ((queueName: QueueName) => Promise<void>) => {
  const underWay = new Map<QueueName, Promise<void>>()
  const following = new Map<QueueName, Promise<void>>()
  const begin = (queueName: QueueName): Promise<void> => {
    const woken = wake(queueName).finally(() => underWay.delete(queueName))
    underWay.set(queueName, woken)
    return woken
  }
  return (queueName) => {
    const current = underWay.get(queueName)
    if (current === undefined) return begin(queueName)
    const known = following.get(queueName)
    if (known !== undefined) return known
    // Whether the one under way succeeds is told to those who wait for it.
    const next = current
      .catch(() => undefined)
      .then(() => delay(REST, undefined, { ref: false }))
      .then(() => {
        following.delete(queueName)
        return begin(queueName)
      })
    following.set(queueName, next)
    return next
  }
}

/** Opens the queue on Redis where there is one, and in the database otherwise. Throws `UnusableQueue`. */
export const openQueue = async (options: Options): Promise<Queue> => {
  const { databaseUrl, redisUrl, workers, onError } = options
  let closing = false
  const complaints = new Map<string, number>()
  const report = (where: QueueName | 'queue') => (error: Error) => {
    const heard = complaints.get(error.message) ?? Number.NEGATIVE_INFINITY
    // What is broken off on purpose complains, and nobody needs to hear it.
    if (closing || performance.now() - heard < NEWS_AFTER) return
    if (complaints.size >= MOST_COMPLAINTS) complaints.clear()
    complaints.set(error.message, performance.now())
    onError(where, error)
  }
  const backend: Backend =
    redisUrl === null
      ? await openPostgresBackend(databaseUrl, workers + 2, report('queue'))
      : await openRedisBackend({ ...options, redisUrl, required: workers > 0, onError: report('queue') })
  const queues = new Map<QueueName, Jobs>()
  const answering: Worker[] = []
  const schedules = new Map<QueueName, number>()
  const ended = new AbortController()

  const jobsOf = (queueName: QueueName): Jobs => {
    const known = queues.get(queueName)
    if (known !== undefined) return known
    const jobs = backend.openJobs(queueName)
    jobs.on('error', report(queueName))
    queues.set(queueName, jobs)
    return jobs
  }

  const putSchedule = (queueName: QueueName, intervalMs: number) =>
    jobsOf(queueName).upsertJobScheduler(queueName, { every: intervalMs }, { name: queueName, opts: JOB_OPTIONS })

  /** Puts a schedule back that was thrown away, or whose next ring is long overdue. */
  const keep = async (queueName: QueueName, intervalMs: number): Promise<void> => {
    const kept = await jobsOf(queueName)
      .getJobScheduler(queueName)
      .catch(() => backend.repair())
    if (kept?.next === undefined || kept.next < Date.now() - intervalMs) await putSchedule(queueName, intervalMs)
  }

  const keepSchedules = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const pause = Math.min(KEEP_EVERY, ...schedules.values())
      await delay(pause, undefined, { ref: false, signal: ended.signal }).catch(() => undefined)
      if (ended.signal.aborted) return
      for (const [queueName, intervalMs] of schedules) await keep(queueName, intervalMs).catch(report(queueName))
    }
  }
  let keeping: Promise<void> | null = null
  const wakeNow = gather(async (queueName) => {
    const jobs = jobsOf(queueName)
    // A job that has not begun will see what we have committed. BullMQ's own deduplication would hold rings back for
    // as long as it takes to find that the worker of a running job died.
    if ((await jobs.getWaitingCount()) === 0) await jobs.add(queueName, {}, { delay: 0 })
  })

  return {
    async wake(queueName, { delayMs = 0 } = {}) {
      backend.requireConnection()
      if (delayMs === 0) await wakeNow(queueName)
      else await jobsOf(queueName).add(queueName, {}, { delay: delayMs })
    },

    async process(queueName, handler, { concurrency = 1 } = {}) {
      const worker = backend.startWorker(queueName, handler, concurrency)
      worker.on('error', report(queueName))
      worker.on('failed', (_job, error) => onError(queueName, error))
      answering.push(worker)
      await worker.waitUntilReady()
    },

    async schedule(queueName, intervalMs) {
      await putSchedule(queueName, intervalMs)
      schedules.set(queueName, intervalMs)
      keeping ??= keepSchedules()
    },

    async ping() {
      backend.requireConnection()
      await jobsOf('tick').getWaitingCount()
      if (!answering.every((worker) => worker.isRunning())) throw new Error('a bell is not listened for')
    },

    async close({ graceMs }) {
      ended.abort()
      await keeping
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
