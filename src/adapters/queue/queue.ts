/** The queue: its jobs wake processes. A job says that there is work in the database, and never what the work is. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Queue as BullQueue, Telemetry } from 'bullmq'
import type { Backend, JobQueue, Worker } from './backend.ts'
import { coalesceWakes } from './coalesced-wakes.ts'
import { readKeyPrefix } from './key-prefix.ts'
import { openPostgresBackend } from './postgres-backend.ts'
import type { QueueBoard } from './queue-board.ts'
import { QUEUE_NAMES, type QueueName } from './queue-names.ts'
import { type QueueState, readQueueState } from './queue-state.ts'
import { openRedisBackend } from './redis-backend.ts'
import { createSchedules } from './schedules.ts'

export interface Queue {
  /**
   * Wakes one process that handles this queue; at once, or `delayMs` from now. Wakes that come while one still waits are
   * one; a wake that comes while a handler runs makes it run again. Rejects within seconds when the queue cannot be
   * reached: no mail is lost then, since the database has what is to be sent, and the next sweep finds it.
   */
  wake(name: QueueName, options?: { delayMs?: number }): Promise<void>
  /**
   * Runs the handler in this process whenever the queue is woken, `concurrency` times at once at most (1 by default). An
   * error that it throws goes to `onError`, and the handler runs again up to four times, after about 1, 2, 4 and 8
   * seconds. It must be safe to run twice, at once or one after the other.
   */
  process(name: QueueName, handler: () => Promise<void>, options?: { concurrency?: number }): Promise<void>
  /**
   * Wakes a queue at every interval, once for all processes that schedule it. Missed times are not made up for. As long
   * as this process lives it checks the schedule, and restores one that is gone or stands still.
   */
  schedule(name: QueueName, intervalMs: number): Promise<void>
  /** Resolves when the queue responds and every worker of this process runs; rejects otherwise. */
  ping(): Promise<void>
  /** How each queue stands; rejects within seconds when the queue cannot be reached. */
  readStates(): Promise<QueueState[]>
  /** The board of all jobs, which is loaded when it is first asked for. */
  openBoard(): Promise<QueueBoard>
  /** Takes no more jobs, waits up to `graceMs` for the handlers that run, and closes the connections. */
  close(options: { graceMs: number }): Promise<void>
}

interface Options {
  databaseUrl: string
  /** The Redis that the queue runs on; `null`: it runs in the database. */
  redisUrl: string | null
  /** What the keys on Redis begin with; by default a name of the installation's own, which its database gives. */
  keyPrefix?: string
  /** How many queues this process is going to handle: each worker keeps a connection to listen. */
  workers: number
  /** Gets what handlers throw, and the errors of connections; `source` is the queue's name, or `queue` for all of them. */
  onError: (source: QueueName | 'queue', error: Error) => void
  /** Gets sentences for the operator about the store of the queue. */
  onNotice?: (notice: string) => void
  /** Traces jobs; left out where nothing is traced. */
  telemetry?: Telemetry
}

/** Opens the queue on Redis where there is one, and in the database otherwise. Throws `UnusableQueue`. */
export const openQueue = async (options: Options): Promise<Queue> => {
  const { databaseUrl, redisUrl, workers, onError } = options
  const errors = createErrorFilter(onError)
  const backend: Backend =
    redisUrl === null
      ? await openPostgresBackend(databaseUrl, workers + 2, errors.from('queue'), options.telemetry)
      : await openRedisBackend({
          ...options,
          redisUrl,
          prefix: options.keyPrefix ?? (await readKeyPrefix(databaseUrl)),
          required: workers > 0,
          onError: errors.from('queue'),
        })
  const jobQueues = new Map<QueueName, JobQueue>()
  const running: Worker[] = []

  const jobQueueOf = (name: QueueName): JobQueue => {
    const known = jobQueues.get(name)
    if (known !== undefined) return known
    const opened = backend.openJobQueue(name)
    opened.on('error', errors.from(name))
    jobQueues.set(name, opened)
    // On Postgres BullMQ keeps the error of a first connection, such as while the database restarts or the schema is gone:
    // this process could not wake that queue again until it is restarted. So the next wake opens another.
    opened.waitUntilReady().catch(() => {
      if (jobQueues.get(name) === opened) jobQueues.delete(name)
      return opened.close().catch(errors.from(name))
    })
    return opened
  }

  const schedules = createSchedules({ backend, jobQueueOf, onError: (name, error) => errors.from(name)(error) })
  const wakeNow = coalesceWakes(async (name) => {
    const jobQueue = jobQueueOf(name)
    // A job that has not begun will see what we have committed. BullMQ's own deduplication would hold wakes back for as
    // long as it takes to find that the worker of a running job died.
    if ((await jobQueue.getWaitingCount()) === 0) await jobQueue.add(name, {}, { delay: 0 })
  })

  return {
    async wake(name, { delayMs = 0 } = {}) {
      backend.requireConnection()
      if (delayMs === 0) await wakeNow(name)
      else await jobQueueOf(name).add(name, {}, { delay: delayMs })
    },

    async process(name, handler, { concurrency = 1 } = {}) {
      const worker = backend.startWorker(name, handler, concurrency)
      worker.on('error', errors.from(name))
      worker.on('failed', (_job, error) => onError(name, error))
      running.push(worker)
      await worker.waitUntilReady()
    },

    schedule: schedules.add,

    async ping() {
      backend.requireConnection()
      await jobQueueOf('tick').getWaitingCount()
      if (!running.every((worker) => worker.isRunning())) throw new Error('a worker of the queue has stopped')
    },

    async readStates() {
      backend.requireConnection()
      return Promise.all(QUEUE_NAMES.map((name) => readQueueState(name, jobQueueOf(name))))
    },

    async openBoard() {
      const { openQueueBoard } = await import('./queue-board.ts')
      // What backends open are BullMQ's queues whole.
      return openQueueBoard(() => QUEUE_NAMES.map((name) => jobQueueOf(name) as BullQueue))
    },

    async close({ graceMs }) {
      await schedules.stop()
      const idle = await closeWorkers(running, graceMs, (error) => onError('queue', error))
      errors.mute()
      await Promise.allSettled([...jobQueues.values()].map((jobQueue) => jobQueue.close()))
      await (idle ? backend.close() : backend.abandon())
    },
  }
}

/** Closes the workers; true when their handlers ended in time, for BullMQ itself waits as long as a handler takes. */
const closeWorkers = async (
  workers: readonly Worker[],
  graceMs: number,
  onError: (error: Error) => void,
): Promise<boolean> => {
  const closed = Promise.all(workers.map((worker) => worker.close())).then(
    () => true,
    (error: Error) => {
      onError(error)
      return false
    },
  )
  const timer = new AbortController()
  const late = delay(graceMs, false, { signal: timer.signal }).catch(() => false)
  try {
    return await Promise.race([closed, late])
  } finally {
    timer.abort()
  }
}

/** BullMQ retries many times a second, from many connections: the same message is passed on once in these milliseconds. */
const REPEAT_AFTER = 10_000
const MAX_REMEMBERED = 100

/** Passes errors on, without those that repeat one passed on a moment ago, and none any more once muted. */
const createErrorFilter = (onError: Options['onError']) => {
  let muted = false
  const passedOn = new Map<string, number>()
  return {
    from: (source: QueueName | 'queue') => (error: Error) => {
      const before = passedOn.get(error.message) ?? Number.NEGATIVE_INFINITY
      if (muted || performance.now() - before < REPEAT_AFTER) return
      if (passedOn.size >= MAX_REMEMBERED) passedOn.clear()
      passedOn.set(error.message, performance.now())
      onError(source, error)
    },
    /** Connections that are broken off on purpose report errors, which are of no interest. */
    mute() {
      muted = true
    },
  }
}
