/** How jobs are tried again, and how a job whose worker died is found. */

/** Milliseconds. */
export const FIRST_RETRY_DELAY = 1_000

export const JOB_OPTIONS = {
  attempts: 5,
  backoff: { type: 'exponential', delay: FIRST_RETRY_DELAY, jitter: 0.25 },
  // Enough to look at when something is wrong, and never many.
  removeOnComplete: { count: 10 },
  removeOnFail: { count: 100 },
}

export const WORKER_OPTIONS = {
  // A job whose worker died runs again after 10 to 15 seconds. A job whose worker was only held up for that long runs
  // twice, which handlers must tolerate: the worse failure would be a day's edition that waits for a dead process.
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // By default BullMQ gives a job up when its worker was killed twice.
  maxStalledCount: 1_000,
  runRetryDelay: FIRST_RETRY_DELAY,
}
