/**
 * When soft bounces have gone on for long enough to suppress a reader: three digests in a row, over at least a week, and
 * none that arrived in between.
 *
 * Digests are counted and not days: a weekly reader would never have enough failed days, and a daily one would have them
 * after a long weekend.
 */
import { DAY } from '../calendar.ts'

/** `open`: sent so recently that it may still bounce. `ours`: refused for who we are, which says nothing of the reader. */
export type ArrivalOutcome = 'arrived' | 'failed' | 'open' | 'ours'

/** One digest of a reader. */
export interface DigestArrival {
  at: Date
  outcome: ArrivalOutcome
}

const MIN_DIGESTS = 3
const MIN_TIME = 7 * DAY

/** Whether a reader is to be suppressed, by the outcomes of their digests, the newest first. */
export const hasFailedForLong = (newestFirst: readonly DigestArrival[]): boolean => {
  const failed: DigestArrival[] = []
  for (const digest of newestFirst) {
    if (digest.outcome === 'arrived') break
    if (digest.outcome === 'failed') failed.push(digest)
  }
  const [newest] = failed
  const oldest = failed.at(-1)
  return (
    failed.length >= MIN_DIGESTS &&
    newest !== undefined &&
    oldest !== undefined &&
    newest.at.getTime() - oldest.at.getTime() >= MIN_TIME
  )
}
