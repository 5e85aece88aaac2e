/** The papers that past digests were chosen from: what was known then does not change, so they are kept for who asks next. */
import { LRUCache } from 'lru-cache'
import { DAY, HOUR } from '../../core/calendar.ts'
import { NEWS_SPAN, RECENTLY_SENT_DAYS } from '../../core/digest/eligibility.ts'
import type { Database } from '../../store/database.ts'
import { type CandidatePool, loadCandidatePool, loadWelcomePool } from './candidate-pool.ts'

/** Papers of all pools that are kept; with its words prepared one takes some tens of kilobytes. */
const MOST_PAPERS = 12_000
/** What is hidden or withdrawn since is left out after this long, milliseconds. */
const KEPT_FOR = HOUR
/** As an edition loads them, a whole span at once. */
const SPANS = [NEWS_SPAN, 7 * DAY, RECENTLY_SENT_DAYS * DAY]

export interface PastPools {
  /** The candidates as they were at an instant, those since another among them. */
  at(cutoff: Date, since: Date): Promise<CandidatePool>
  /** Those of a welcome that was composed from what was known at an instant. */
  welcomeAt(cutoff: Date): Promise<CandidatePool>
}

/** Loads each once, however many ask at a time. A failure is not kept. */
export const createPastPools = (db: Database): PastPools => {
  const loading = new Map<string, Promise<CandidatePool>>()
  const kept = new LRUCache<string, CandidatePool>({
    maxSize: MOST_PAPERS,
    sizeCalculation: ({ papers }) => papers.length + 1,
    ttl: KEPT_FOR,
  })
  const load = (key: string, read: () => Promise<CandidatePool>): Promise<CandidatePool> => {
    const known = kept.get(key)
    if (known !== undefined) return Promise.resolve(known)
    const underWay = loading.get(key)
    if (underWay !== undefined) return underWay
    const reading = read()
      .then((pool) => {
        kept.set(key, pool)
        return pool
      })
      .finally(() => loading.delete(key))
    loading.set(key, reading)
    return reading
  }
  return {
    at(cutoff, since) {
      const needed = cutoff.getTime() - since.getTime()
      const span = SPANS.find((one) => needed <= one) ?? RECENTLY_SENT_DAYS * DAY
      const from = new Date(cutoff.getTime() - span)
      return load(`${cutoff.getTime()} ${span}`, () => loadCandidatePool(db, cutoff, { since: from }))
    },
    welcomeAt: (cutoff) => load(`${cutoff.getTime()} welcome`, () => loadWelcomePool(db, cutoff)),
  }
}
