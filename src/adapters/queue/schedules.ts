/** The schedules of this process: stored in the queue once for all processes, and restored when they are lost there. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend, JobQueue } from './backend.ts'
import { JOB_OPTIONS } from './job-options.ts'
import type { QueueName } from './queue-names.ts'

/** Milliseconds for which a schedule may be missing or overdue, at most. */
const CHECK_INTERVAL = 5_000

interface SchedulePorts {
  backend: Pick<Backend, 'repair'>
  jobQueueOf: (name: QueueName) => JobQueue
  onError: (name: QueueName, error: Error) => void
}

export interface Schedules {
  /** Stores a schedule, and checks it from then on. */
  add(name: QueueName, intervalMs: number): Promise<void>
  /** Ends the checks; the stored schedules stay. Resolves when a check under way has ended. */
  stop(): Promise<void>
}

export const createSchedules = ({ backend, jobQueueOf, onError }: SchedulePorts): Schedules => {
  const intervals = new Map<QueueName, number>()
  const stopped = new AbortController()
  let checking: Promise<void> | null = null

  const store = (name: QueueName, intervalMs: number) =>
    jobQueueOf(name).upsertJobScheduler(name, { every: intervalMs }, { name, opts: JOB_OPTIONS })

  /** Stores a schedule again when it is gone, or when its next job is long overdue. */
  const check = async (name: QueueName, intervalMs: number): Promise<void> => {
    const stored = await jobQueueOf(name)
      .getJobScheduler(name)
      .catch(() => backend.repair())
    if (stored?.next === undefined || stored.next < Date.now() - intervalMs) await store(name, intervalMs)
  }

  const checkUntilStopped = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const pause = Math.min(CHECK_INTERVAL, ...intervals.values())
      await delay(pause, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined)
      if (stopped.signal.aborted) return
      for (const [name, intervalMs] of intervals)
        await check(name, intervalMs).catch((error: Error) => onError(name, error))
    }
  }

  return {
    async add(name, intervalMs) {
      await store(name, intervalMs)
      intervals.set(name, intervalMs)
      checking ??= checkUntilStopped()
    },
    async stop() {
      stopped.abort()
      await checking
    },
  }
}
