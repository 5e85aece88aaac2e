/** What a doorbell queue asks of BullMQ, whatever BullMQ runs on, and how its jobs are kept there. */
import type { QueueName } from './queue.ts'

/** The part of a BullMQ queue that is used here. */
export interface Jobs {
  add(name: string, data: object, options: { delay: number }): Promise<unknown>
  getWaitingCount(): Promise<number>
  /** `next`: when it rings next, in milliseconds since 1970. */
  getJobScheduler(id: string): Promise<{ next?: number } | undefined>
  upsertJobScheduler(id: string, repeat: { every: number }, template: { name: string; opts: object }): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  close(): Promise<void>
}

/** The part of a BullMQ worker that is used here. */
export interface Worker {
  waitUntilReady(): Promise<unknown>
  isRunning(): boolean
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'failed', listener: (job: unknown, error: Error) => void): unknown
  close(): Promise<void>
}

/** What BullMQ runs on. */
export interface Backend {
  openJobs(queueName: QueueName): Jobs
  startWorker(queueName: QueueName, handler: () => Promise<void>, concurrency: number): Worker
  /** Throws while there is no connection: whoever rings is told at once instead of being kept waiting for one. */
  requireConnection(): void
  /** Makes again what the queue needs and somebody threw away; does nothing where all is there. */
  repair(): Promise<void>
  close(): Promise<void>
  /** Closes connections that are still in use, too. */
  abandon(): Promise<void>
}

/** The queue that the settings name cannot be used; the message says what to do. */
export class UnusableQueue extends Error {
  override name = 'UnusableQueue'
}

/** Milliseconds to wait for a connection. */
export const PATIENCE_TO_CONNECT = 3_000
export const FIRST_PAUSE = 1_000

export const JOB_OPTIONS = {
  attempts: 5,
  backoff: { type: 'exponential', delay: FIRST_PAUSE, jitter: 0.25 },
  // Enough to look at when something is wrong, and never many.
  removeOnComplete: { count: 10 },
  removeOnFail: { count: 100 },
}

export const WORKER_OPTIONS = {
  // A job whose worker died runs again after 10 to 15 seconds. One whose worker was only held up that long runs twice,
  // which handlers must stand: the worse failure would be a day's edition that waits for a dead process.
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // By default a job whose worker was killed twice is given up for lost.
  maxStalledCount: 1_000,
  runRetryDelay: FIRST_PAUSE,
}
