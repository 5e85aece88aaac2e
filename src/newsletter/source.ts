/** The sources of papers, and the rate limit on requests to them: one at a time, over all processes. */
import { MINUTE, SECOND } from '../core/calendar.ts'
import type { Listing, SourceName } from '../core/papers/paper.ts'
import type { Problem } from '../core/papers/paper-file.ts'
import type { PaperNews } from '../core/papers/paper-news.ts'
import { SourceError } from '../core/papers/source-error.ts'
import type { Database } from '../store/database.ts'
import { acquirePermit, type PermitOutcome, releasePermit } from '../store/source-permits.ts'

/** How often a source may be requested from; times in milliseconds. */
export interface RateLimit {
  /** What shares one permit. */
  name: string
  /** Between the end of one request and the start of the next. */
  gap: number
  /** After which one request is given up. */
  timeout: number
}

/** What a source needs for its requests. */
export interface RequestContext {
  withPermit: <T>(request: () => Promise<T>) => Promise<T>
  signal: AbortSignal | undefined
}

interface FeedVersion {
  etag: string | null
  lastModified: string | null
}

export interface FeedReading {
  rows: Listing[]
  /** News of papers that were listed before. */
  news: PaperNews[]
  problems: Problem[]
  /** How many entries were understood, by what they announce. */
  announced: Record<string, number>
  /** Of the newest entry, `YYYY-MM-DD`; `null` for an empty feed. */
  batchDay: string | null
  /** Whether it has as many entries as a feed can have, so that some may be missing. */
  isFull: boolean
  validators: FeedVersion
}

/** A source with lists by day (Hugging Face, bioRxiv), one that shows its latest batch (arXiv), or one read whole (files). */
export type Source =
  | {
      kind: 'days'
      name: SourceName
      label: string
      rateLimit: RateLimit
      /** `news`: of papers that were listed before. */
      fetchDay: (
        day: string,
        now: Date,
        context: RequestContext,
      ) => Promise<{ rows: Listing[]; problems: Problem[]; news?: PaperNews[] }>
      /** Days that the first refresh reads, and whether weekends have lists, where it is not as with Hugging Face. */
      archiveDays?: number
      everyDay?: boolean
    }
  | {
      kind: 'feed'
      name: SourceName
      label: string
      rateLimit: RateLimit
      fetchFeed: (known: FeedVersion | null, now: Date, context: RequestContext) => Promise<FeedReading | 'unchanged'>
      /** Why the newest batch is not the expected one, as a clause; `null` where it is. */
      lateBatch: (batchDay: string | null, now: Date) => string | null
      /** What it says now of at most `maxIds` papers, by their ids; of those that it knows. */
      fetchMetadata: (
        ids: readonly string[],
        context: RequestContext,
      ) => Promise<ReadonlyMap<string, { categories: string[]; isWithdrawn: boolean; venue: string | null }>>
      maxIds: number
    }
  | {
      kind: 'whole'
      label: string
      read: (now: Date) => AsyncIterable<{ source: SourceName; listings: Listing[]; problems?: Problem[] }>
    }

/** The lease of a permit exceeds the timeout of its request by this; a process that dies blocks the others no longer. */
const LEASE_MARGIN = 10 * SECOND
/** Another's request may end long before its lease, so permits are tried for again after this at the latest. */
const MAX_PAUSE = SECOND
/** The longest wait for a permit; the next refresh tries again. */
const MAX_WAIT = 5 * MINUTE

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms))

const inWords = (ms: number): string => {
  const minutes = Math.ceil(ms / MINUTE)
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}

const waitForPermit = async (db: Database, { name, timeout }: RateLimit, signal?: AbortSignal): Promise<string> => {
  const holder = crypto.randomUUID()
  let waited = 0
  for (;;) {
    signal?.throwIfAborted()
    const permit = await acquirePermit(db, name, holder, timeout + LEASE_MARGIN)
    if (permit.kind === 'granted') return permit.holder
    if (permit.kind === 'backing off')
      throw new SourceError(`it asked us to wait, and there are up to ${inWords(permit.waitMs)} left`)
    if (waited >= MAX_WAIT) throw new SourceError('other processes of ours keep requesting from it')
    const wait = Math.min(MAX_PAUSE, Math.max(10, permit.waitMs))
    await pause(wait)
    waited += wait
  }
}

/**
 * The request context of a source. Each request waits for a permit in the database, so that of any number of processes one
 * requests at a time, with the gap that the source wants; a back-off that it asks of one of them holds for all.
 * `withPermit` rejects as the request does, or with `SourceError` during a back-off or after five minutes of waiting.
 */
export const createRequestContext = (db: Database, rateLimit: RateLimit, signal?: AbortSignal): RequestContext => ({
  signal,
  withPermit: async (request) => {
    const holder = await waitForPermit(db, rateLimit, signal)
    let outcome: PermitOutcome = 'failed'
    try {
      const response = await request()
      outcome = 'answered'
      return response
    } catch (error) {
      if (error instanceof SourceError && error.backOffMs !== null) outcome = { backOffMs: error.backOffMs }
      throw error
    } finally {
      await releasePermit(db, rateLimit.name, holder, rateLimit.gap, outcome)
    }
  },
})
