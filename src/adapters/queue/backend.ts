/** What the queue needs of BullMQ, the same on Postgres and on Redis, and how its jobs are kept there. */
import type { QueueName } from './queue-names.ts'

type JobState = 'waiting' | 'active' | 'delayed' | 'failed' | 'completed'

/** What is read of a job; instants are milliseconds since 1970. */
interface JobFacts {
  id?: string | undefined
  timestamp: number
  /** Milliseconds after `timestamp` at which it may begin. */
  delay?: number
  finishedOn?: number
  attemptsMade: number
  failedReason?: string
}

/** The part of a BullMQ queue that is used here. */
export interface JobQueue {
  add(name: string, data: object, options: { delay: number }): Promise<unknown>
  getWaitingCount(): Promise<number>
  getJobCounts(...states: JobState[]): Promise<Record<string, number>>
  /** From one to another, the newest first unless `asc`. */
  getJobs(states: JobState[], start: number, end: number, asc?: boolean): Promise<JobFacts[]>
  isPaused(): Promise<boolean>
  /** `next`: when the schedule adds its next job, in milliseconds since 1970; `every`: milliseconds. */
  getJobScheduler(id: string): Promise<{ next?: number; every?: number | string } | undefined>
  upsertJobScheduler(id: string, repeat: { every: number }, template: { name: string; opts: object }): Promise<unknown>
  /** Rejects where its first connection failed: all that is asked of it afterwards fails as well. */
  waitUntilReady(): Promise<unknown>
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
  openJobQueue(name: QueueName): JobQueue
  startWorker(name: QueueName, handler: () => Promise<void>, concurrency: number): Worker
  /** Throws while there is no connection, so that a caller gets its error at once instead of waiting for a connection. */
  requireConnection(): void
  /** Restores what the queue needs when somebody dropped it; does nothing when all of it is there. */
  repair(): Promise<void>
  close(): Promise<void>
  /** Closes the connections that are still in use, too. */
  abandon(): Promise<void>
}

/** The queue that the settings name cannot be used; the message says what to do. */
export class UnusableQueue extends Error {
  override name = 'UnusableQueue'
}

/** Milliseconds. */
export const CONNECT_TIMEOUT = 3_000
