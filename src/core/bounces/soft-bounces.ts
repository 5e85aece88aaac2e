/**
 * When mail that fails for a passing reason has failed for long enough.
 *
 * Days are not counted but digests: a weekly reader would never gather enough bad days, a daily one would within a long
 * weekend. Three digests in a row, over a week at least; one that arrives makes all good.
 */
import { DAY } from '../calendar.ts'

/** `open`: sent so lately that it may still come back. `ours`: refused for what we are, which says nothing of the reader. */
export type Arrival = 'arrived' | 'failed' | 'open' | 'ours'

export interface Attempt {
  at: Date
  outcome: Arrival
}

const IN_A_ROW = 3
const FOR_AT_LEAST = 7 * DAY

/** Whether mail should stop, by what became of a reader's digests, the newest first. */
export const hasFailedForLong = (newestFirst: readonly Attempt[]): boolean => {
  const failed: Attempt[] = []
  for (const attempt of newestFirst) {
    if (attempt.outcome === 'arrived') break
    if (attempt.outcome === 'failed') failed.push(attempt)
  }
  const [newest] = failed
  const oldest = failed.at(-1)
  return (
    failed.length >= IN_A_ROW &&
    newest !== undefined &&
    oldest !== undefined &&
    newest.at.getTime() - oldest.at.getTime() >= FOR_AT_LEAST
  )
}
