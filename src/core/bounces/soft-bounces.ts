/**
 * When soft bounces have gone on for long enough to suppress a reader: three digests in a row, over at least a week, and
 * none that arrived in between.
 *
 * Digests are counted and not days: a weekly reader would never have enough failed days, and a daily one would have them
 * after a long weekend. A digest of an edition that failed for many readers of several destinations does not count: what
 * they have in common is us or the relay, whatever the servers said.
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
/** Fewer failures at fewer destinations are chance. */
const COMMON = { failed: 6, destinations: 3, share: 0.1 }

/** How many digests of an edition failed or bounced, at how many destinations, and how many were due. */
export interface EditionFailures {
  failed: number
  destinations: number
  due: number
}

/** How many failures of an edition need to be counted, at most, to tell whether they have a common cause. */
export const mostFailuresToCount = (due: number): number => Math.max(COMMON.failed, Math.ceil(due * COMMON.share))

/** Whether so many digests of one edition failed that it says nothing about their readers. */
export const haveCommonCause = ({ failed, destinations, due }: EditionFailures): boolean =>
  failed >= mostFailuresToCount(due) && destinations >= COMMON.destinations

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
