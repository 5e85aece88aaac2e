/** How a queue stands, for operators: what waits in it and for how long, when it is woken next, and what failed last. */
import type { JobQueue } from './backend.ts'
import type { QueueName } from './queue-names.ts'

export interface FailedJob {
  id: string
  at: Date
  attempts: number
  /** What the handler threw the last time. */
  reason: string
}

export interface QueueState {
  name: QueueName
  /** Jobs by state: those that may begin, those under way, those that wait for their time, those given up, those done last. */
  waiting: number
  active: number
  delayed: number
  failed: number
  completed: number
  isPaused: boolean
  /** For how long the oldest job that may begin has waited, milliseconds; `null` where none waits. */
  lagMs: number | null
  /** `null` where it is woken only when there is work. */
  schedule: { everyMs: number; next: Date | null } | null
  /** The newest first, some of them. */
  lastFailed: FailedJob[]
}

const MAX_FAILED = 5

/** Asks BullMQ; rejects where the queue cannot be reached. */
export const readQueueState = async (name: QueueName, jobQueue: JobQueue): Promise<QueueState> => {
  const [counts, isPaused, [oldest], schedule, failed] = await Promise.all([
    jobQueue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed'),
    jobQueue.isPaused(),
    jobQueue.getJobs(['waiting'], 0, 0, true),
    jobQueue.getJobScheduler(name),
    jobQueue.getJobs(['failed'], 0, MAX_FAILED - 1),
  ])
  const { waiting = 0, active = 0, delayed = 0, failed: failures = 0, completed = 0 } = counts
  return {
    name,
    ...{ waiting, active, delayed, failed: failures, completed },
    isPaused,
    lagMs: oldest === undefined ? null : Math.max(0, Date.now() - oldest.timestamp - (oldest.delay ?? 0)),
    schedule:
      schedule?.every === undefined
        ? null
        : { everyMs: Number(schedule.every), next: schedule.next === undefined ? null : new Date(schedule.next) },
    lastFailed: failed.map(({ id, timestamp, finishedOn, attemptsMade, failedReason }) => ({
      id: id ?? '',
      at: new Date(finishedOn ?? timestamp),
      attempts: attemptsMade,
      reason: failedReason ?? '',
    })),
  }
}
