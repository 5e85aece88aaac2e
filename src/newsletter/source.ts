/** What a source of papers is to the newsletter, and how it is asked: one request at a time, over all processes. */
import { MINUTE, SECOND } from '../core/calendar.ts'
import type { Listing, SourceName } from '../core/papers/paper.ts'
import type { Problem } from '../core/papers/paper-file.ts'
import type { PaperNews } from '../core/papers/paper-news.ts'
import { SourceError } from '../core/papers/source-error.ts'
import type { Database } from '../store/database.ts'
import { acquirePermit, type PermitOutcome, releasePermit } from '../store/source-permits.ts'

/** How often a source may be asked: what shares one turn, and for how many milliseconds. */
interface RateLimit {
  name: string
  /** Between the end of one request and the start of the next. */
  gap: number
  /** The most that one request takes. */
  patience: number
}

/** With what each request is made. */
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
  /** What it tells of papers that were listed before. */
  news: PaperNews[]
  problems: Problem[]
  /** How many entries were understood, by what they announce. */
  announced: Record<string, number>
  /** Of the newest entry, `YYYY-MM-DD`; `null` for an empty feed. */
  batchDay: string | null
  isFull: boolean
  validators: FeedVersion
}

/** A source with lists by day (Hugging Face), one that shows its latest batch (arXiv), or one read whole (files). */
export type Source =
  | {
      kind: 'days'
      name: SourceName
      label: string
      rateLimit: RateLimit
      fetchDay: (day: string, now: Date, context: RequestContext) => Promise<{ rows: Listing[]; problems: Problem[] }>
    }
  | {
      kind: 'feed'
      name: SourceName
      label: string
      rateLimit: RateLimit
      fetchFeed: (known: FeedVersion | null, now: Date, context: RequestContext) => Promise<FeedReading | 'unchanged'>
      /** Why the newest batch is not the one to be expected, or `null`. */
      lateBatch: (batchDay: string | null, now: Date) => string | null
      /** Categories by id, of at most `mostIds` papers. */
      fetchCategories: (ids: readonly string[], context: RequestContext) => Promise<ReadonlyMap<string, string[]>>
      mostIds: number
    }
  | {
      kind: 'whole'
      label: string
      read: (now: Date) => AsyncIterable<{ source: SourceName; listings: Listing[]; problems?: Problem[] }>
    }

/** A request that dies without ending its turn holds up the others for so long beyond its own patience. */
const LEASE_MARGIN = 10 * SECOND
/** Another's request may end long before its lease does. */
const LONGEST_PAUSE = SECOND
/** Whoever has not had a turn by then comes again at the next refresh. */
const MOST_WAITING = 5 * MINUTE

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms))

const inWords = (ms: number): string => {
  const minutes = Math.ceil(ms / MINUTE)
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}

const waitForPermit = async (db: Database, { name, patience }: RateLimit, signal?: AbortSignal): Promise<string> => {
  const holder = crypto.randomUUID()
  let waited = 0
  for (;;) {
    signal?.throwIfAborted()
    const withPermit = await acquirePermit(db, name, holder, patience + LEASE_MARGIN)
    if (withPermit.kind === 'taken') return withPermit.holder
    if (withPermit.kind === 'resting')
      throw new SourceError(`it asked us to wait, and there are up to ${inWords(withPermit.waitMs)} left`)
    if (waited >= MOST_WAITING) throw new SourceError('others of our processes keep asking it')
    const wait = Math.min(LONGEST_PAUSE, Math.max(10, withPermit.waitMs))
    await pause(wait)
    waited += wait
  }
}

/**
 * How a source is asked. A turn is taken from the database, so that however many processes there are, one asks at a
 * time and with the pause that the source wants; what it asks of one of them, to stay away for a while, they all keep.
 */
export const createRequestContext = (db: Database, rateLimit: RateLimit, signal?: AbortSignal): RequestContext => ({
  signal,
  withPermit: async (request) => {
    const holder = await waitForPermit(db, rateLimit, signal)
    let outcome: PermitOutcome = 'failed'
    try {
      const answer = await request()
      outcome = 'answered'
      return answer
    } catch (error) {
      if (error instanceof SourceError && error.backOffMs !== null) outcome = { backOffMs: error.backOffMs }
      throw error
    } finally {
      await releasePermit(db, rateLimit.name, holder, rateLimit.gap, outcome)
    }
  },
})
