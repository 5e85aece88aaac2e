/** The doorbells: a ring says that there is work in the database, and wakes whichever process answers that bell. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Backend, JOB_OPTIONS, type Jobs, type Worker } from './backend.ts'
import { openPostgresBackend } from './postgres-backend.ts'
import { openRedisBackend } from './redis-backend.ts'

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
  /**
   * Rings a bell again and again, once for all processes that ask for it. Missed rings are not made up for. As long as
   * this process lives it looks after the schedule: one that was thrown away or stands still is put back.
   */
  every(bell: Bell, intervalMs: number): Promise<void>
  /** Resolves when the queue answers and every bell of this process is listened for; fails otherwise. */
  answers(): Promise<void>
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
  onError: (where: Bell | 'queue', error: Error) => void
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
const gather = (ring: (bell: Bell) => Promise<void>): ((bell: Bell) => Promise<void>) => {
  const underWay = new Map<Bell, Promise<void>>()
  const following = new Map<Bell, Promise<void>>()
  const begin = (bell: Bell): Promise<void> => {
    const rung = ring(bell).finally(() => underWay.delete(bell))
    underWay.set(bell, rung)
    return rung
  }
  return (bell) => {
    const current = underWay.get(bell)
    if (current === undefined) return begin(bell)
    const known = following.get(bell)
    if (known !== undefined) return known
    // Whether the one under way succeeds is told to those who wait for it.
    const next = current
      .catch(() => undefined)
      .then(() => delay(REST, undefined, { ref: false }))
      .then(() => {
        following.delete(bell)
        return begin(bell)
      })
    following.set(bell, next)
    return next
  }
}

/** Opens the queue on Redis where there is one, and in the database otherwise. Throws `UnusableQueue`. */
export const openQueue = async (options: Options): Promise<Queue> => {
  const { databaseUrl, redisUrl, workers, onError } = options
  let closing = false
  const complaints = new Map<string, number>()
  const report = (where: Bell | 'queue') => (error: Error) => {
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
  const queues = new Map<Bell, Jobs>()
  const answering: Worker[] = []
  const schedules = new Map<Bell, number>()
  const ended = new AbortController()

  const jobsOf = (bell: Bell): Jobs => {
    const known = queues.get(bell)
    if (known !== undefined) return known
    const jobs = backend.openJobs(bell)
    jobs.on('error', report(bell))
    queues.set(bell, jobs)
    return jobs
  }

  const schedule = (bell: Bell, intervalMs: number) =>
    jobsOf(bell).upsertJobScheduler(bell, { every: intervalMs }, { name: bell, opts: JOB_OPTIONS })

  /** Puts a schedule back that was thrown away, or whose next ring is long overdue. */
  const keep = async (bell: Bell, intervalMs: number): Promise<void> => {
    const kept = await jobsOf(bell)
      .getJobScheduler(bell)
      .catch(() => backend.repair())
    if (kept?.next === undefined || kept.next < Date.now() - intervalMs) await schedule(bell, intervalMs)
  }

  const keepSchedules = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const pause = Math.min(KEEP_EVERY, ...schedules.values())
      await delay(pause, undefined, { ref: false, signal: ended.signal }).catch(() => undefined)
      if (ended.signal.aborted) return
      for (const [bell, intervalMs] of schedules) await keep(bell, intervalMs).catch(report(bell))
    }
  }
  let keeping: Promise<void> | null = null
  const ringNow = gather(async (bell) => {
    const jobs = jobsOf(bell)
    // A job that has not begun will see what we have committed. BullMQ's own deduplication would hold rings back for
    // as long as it takes to find that the worker of a running job died.
    if ((await jobs.getWaitingCount()) === 0) await jobs.add(bell, {}, { delay: 0 })
  })

  return {
    async ring(bell, { delayMs = 0 } = {}) {
      backend.requireConnection()
      if (delayMs === 0) await ringNow(bell)
      else await jobsOf(bell).add(bell, {}, { delay: delayMs })
    },

    async answer(bell, handler, { concurrency = 1 } = {}) {
      const worker = backend.startWorker(bell, handler, concurrency)
      worker.on('error', report(bell))
      worker.on('failed', (_job, error) => onError(bell, error))
      answering.push(worker)
      await worker.waitUntilReady()
    },

    async every(bell, intervalMs) {
      await schedule(bell, intervalMs)
      schedules.set(bell, intervalMs)
      keeping ??= keepSchedules()
    },

    async answers() {
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
