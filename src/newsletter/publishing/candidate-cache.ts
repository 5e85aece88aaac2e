/** The papers that previews and welcomes are chosen from, loaded once for all who look or confirm within minutes. */
import { DAY, MINUTE } from '../../core/calendar.ts'
import { eligibleSince } from '../../core/digest/eligibility.ts'
import type { Frequency } from '../../core/subscriber/preferences.ts'
import type { Database } from '../../store/database.ts'
import { type CandidatePool, loadCandidatePool, loadWelcomePool, readWelcomeCutoff } from './candidate-pool.ts'

export const WEEK = 7 * DAY
export const WEEKS_COUNTED = 4
/**
 * For how long candidates loaded for one visitor serve the others, milliseconds. A month is more to load, and changes less;
 * those of a welcome hardly change until the next refresh.
 */
const KEEP_POOL = MINUTE
const KEEP_WELCOME = 10 * MINUTE
const KEEP_MONTH = 10 * MINUTE

export interface CandidateCache {
  /** Those of a new subscriber's digest. */
  digest(frequency: Frequency): Promise<CandidatePool>
  /** Those of a welcome, as they were at the last refresh. */
  welcome(): Promise<CandidatePool>
  /** Those of the last four weeks. */
  month(): Promise<CandidatePool>
}

/**
 * A cache of one value: loads at most once in `keepFor` milliseconds of the given clock, which may jump either way,
 * however many ask at once, and sooner for another key. A failed load is not kept.
 */
const createCache = <T>(
  load: (at: Date) => Promise<T>,
  keepFor: number,
  now: () => Date,
): ((key?: string) => Promise<T>) => {
  let cached: { at: number; key: string; value: Promise<T> } | undefined
  return (key = '') => {
    const at = now()
    if (cached !== undefined && cached.key === key && Math.abs(at.getTime() - cached.at) < keepFor) return cached.value
    const loading = { at: at.getTime(), key, value: load(at) }
    cached = loading
    loading.value.catch(() => {
      if (cached === loading) cached = undefined
    })
    return loading.value
  }
}

/** The candidates of a new subscriber's digest. */
export const loadPoolFor = (db: Database, frequency: Frequency, cutoff: Date): Promise<CandidatePool> =>
  loadCandidatePool(db, cutoff, { since: eligibleSince(frequency, cutoff, null) })

export const createCandidateCache = ({ db, now }: { db: Database; now: () => Date }): CandidateCache => {
  const digests = {
    daily: createCache((at) => loadPoolFor(db, 'daily', at), KEEP_POOL, now),
    weekly: createCache((at) => loadPoolFor(db, 'weekly', at), KEEP_POOL, now),
  }
  const month = createCache(
    (at) => loadCandidatePool(db, at, { since: new Date(at.getTime() - WEEKS_COUNTED * WEEK) }),
    KEEP_MONTH,
    now,
  )
  const welcome = createCache((at) => loadWelcomePool(db, at), KEEP_WELCOME, now)
  const readRefreshed = async () => (await readWelcomeCutoff(db, now()))?.toISOString()
  return {
    // Of one minute of the clock, as a preview that is kept is: one is never made of what was loaded in the minute before.
    digest: async (frequency) =>
      digests[frequency](`${await readRefreshed()} ${Math.floor(now().getTime() / KEEP_POOL)}`),
    // After a refresh nobody is welcomed with the papers of before it, which a new installation would not have at all.
    welcome: async () => welcome(await readRefreshed()),
    month: () => month(),
  }
}
