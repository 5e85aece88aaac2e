/** The papers that past digests were chosen from: what was known then does not change, so they are kept for who asks next. */
import { LRUCache } from 'lru-cache'
import { DAY, HOUR } from '../../core/calendar.ts'
import { NEWS_SPAN, RECENTLY_SENT_DAYS } from '../../core/digest/eligibility.ts'
import type { Database } from '../../store/database.ts'
import { keepResult } from '../kept-results.ts'
import { type CandidatePool, loadCandidatePool, loadWelcomePool, loadWords, type PoolWords } from './candidate-pool.ts'

/** Pools that are kept: those of a month for some times of sending. */
const MOST_POOLS = 200
/** Papers of all pools that are kept, of one or two kilobytes each: their words are shared. */
const MOST_PAPERS = 40_000
/** What is hidden or withdrawn since is left out after this long, milliseconds. */
const KEPT_FOR = HOUR
/** As an edition loads them, a whole span at once. */
const SPANS = [NEWS_SPAN, 7 * DAY, RECENTLY_SENT_DAYS * DAY]
/** For so long before now the words of papers are shared: a month, and what its first digest may choose from. */
const SHARED_SPAN = (30 + RECENTLY_SENT_DAYS) * DAY

export interface PastPools {
  /** The candidates as they were at an instant, those since another among them. */
  at(cutoff: Date, since: Date): Promise<CandidatePool>
  /** Those of a welcome that was composed from what was known at an instant. */
  welcomeAt(cutoff: Date): Promise<CandidatePool>
}

/** Loads each once, however many ask at a time. A failure is not kept. */
export const createPastPools = ({ db, now }: { db: Database; now: () => Date }): PastPools => {
  const loading = new LRUCache<string, Promise<CandidatePool>>({ max: MOST_POOLS, ttl: KEPT_FOR })
  /** How many papers each that is kept has. */
  const sizes = new LRUCache<string, number>({
    maxSize: MOST_PAPERS,
    sizeCalculation: (papers) => papers + 1,
    dispose: (_, key) => loading.delete(key),
  })
  let shared: { since: number; until: number; words: Promise<PoolWords> } | null = null

  /** The words of what was eligible from one instant to another; `undefined` where that is too long ago to share them. */
  const wordsOf = (from: Date, until: Date): Promise<PoolWords> | undefined => {
    const at = now().getTime()
    const isFresh = shared !== null && Math.abs(at - shared.until) < KEPT_FOR && until.getTime() <= shared.until
    if (!isFresh && from.getTime() >= at - SHARED_SPAN && until.getTime() <= at) {
      const made = {
        since: at - SHARED_SPAN,
        until: at,
        words: loadWords(db, new Date(at), new Date(at - SHARED_SPAN)),
      }
      made.words.catch(() => {
        if (shared === made) shared = null
      })
      shared = made
    }
    return shared !== null && from.getTime() >= shared.since && until.getTime() <= shared.until
      ? shared.words
      : undefined
  }

  const load = (key: string, read: () => Promise<CandidatePool>): Promise<CandidatePool> =>
    keepResult(loading, key, async () => {
      const pool = await read()
      sizes.set(key, pool.papers.length)
      return pool
    })

  return {
    at(cutoff, since) {
      const needed = cutoff.getTime() - since.getTime()
      const span = SPANS.find((one) => needed <= one) ?? RECENTLY_SENT_DAYS * DAY
      const from = new Date(cutoff.getTime() - span)
      return load(`${cutoff.getTime()} ${span}`, async () =>
        loadCandidatePool(db, cutoff, { since: from }, await wordsOf(from, cutoff)),
      )
    },
    welcomeAt: (cutoff) => load(`${cutoff.getTime()} welcome`, () => loadWelcomePool(db, cutoff)),
  }
}
