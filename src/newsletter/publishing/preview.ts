/** What preferences would bring before they are chosen: the digest of today, and how many papers a week. */
import { DAY, localDateAt, MINUTE, utcMidnight } from '../../core/calendar.ts'
import type { DigestIssue, DigestKind } from '../../core/digest/digest.ts'
import { eligibleSince } from '../../core/digest/eligibility.ts'
import { applyProfile, interestsOf } from '../../core/digest/interests.ts'
import { rankPapers } from '../../core/digest/ranking.ts'
import type { Volume } from '../../core/digest/volume.ts'
import type { Frequency, Preferences, Profile } from '../../core/subscriber/preferences.ts'
import type { Database } from '../../store/database.ts'
import { type CandidatePool, loadCandidatePool, loadWelcomePool } from './candidate-pool.ts'
import { composeDigest } from './digest.ts'
import { readUnstoredIssue } from './issue.ts'

export interface Previews {
  /**
   * The digest that these preferences would bring now; where that is empty, as at weekends, the one that welcomes a new
   * subscriber. Nothing is stored or sent.
   */
  readDigest(preferences: Preferences): Promise<DigestIssue>
  /** How many papers of the last weeks fit a profile; `null` while none are held. */
  readVolume(profile: Profile): Promise<Volume | null>
}

const WEEK = 7 * DAY
const WEEKS_COUNTED = 4
/** For how long candidates loaded for one visitor serve the others, milliseconds. A month is more to load, and changes less. */
const KEEP_POOL = MINUTE
const KEEP_MONTH = 10 * MINUTE

/**
 * A cache of one value: loads at most once in `keepFor` milliseconds of the given clock, which may jump either way,
 * however many ask at once. A failed load is not kept.
 */
const createCache = <T>(load: (at: Date) => Promise<T>, keepFor: number, now: () => Date): (() => Promise<T>) => {
  let cached: { at: number; value: Promise<T> } | undefined
  return () => {
    const at = now()
    if (cached !== undefined && Math.abs(at.getTime() - cached.at) < keepFor) return cached.value
    const loading = { at: at.getTime(), value: load(at) }
    cached = loading
    loading.value.catch(() => {
      if (cached === loading) cached = undefined
    })
    return loading.value
  }
}

/** The candidates of a new subscriber's digest. */
const loadPoolFor = (db: Database, frequency: Frequency, cutoff: Date): Promise<CandidatePool> =>
  loadCandidatePool(db, cutoff, { since: eligibleSince(frequency, cutoff, null) })

const composeIssue = (
  db: Database,
  pool: CandidatePool,
  preferences: Preferences,
  kind: DigestKind = preferences.frequency,
): Promise<DigestIssue> => {
  const { cutoff } = pool
  const request = {
    kind,
    profile: preferences,
    localDate: localDateAt(cutoff, preferences.timeZone),
    since: kind === 'welcome' ? new Date(0) : eligibleSince(kind, cutoff, null),
    recentlySent: [],
    note: null,
    news: [],
  }
  return readUnstoredIssue(db, composeDigest(pool, request, null, []))
}

/** The digest that preferences would have brought at an instant, whether empty or not. */
export const previewDigest = async (db: Database, preferences: Preferences, cutoff: Date): Promise<DigestIssue> =>
  composeIssue(db, await loadPoolFor(db, preferences.frequency, cutoff), preferences)

export const createPreviews = ({ db, now }: { db: Database; now: () => Date }): Previews => {
  const pools: Record<Frequency, () => Promise<CandidatePool>> = {
    daily: createCache((at) => loadPoolFor(db, 'daily', at), KEEP_POOL, now),
    weekly: createCache((at) => loadPoolFor(db, 'weekly', at), KEEP_POOL, now),
  }
  const welcomePool = createCache((at) => loadWelcomePool(db, at), KEEP_POOL, now)
  const monthPool = createCache(
    (at) => loadCandidatePool(db, at, { since: new Date(at.getTime() - WEEKS_COUNTED * WEEK) }),
    KEEP_MONTH,
    now,
  )
  return {
    async readDigest(preferences) {
      const today = await composeIssue(db, await pools[preferences.frequency](), preferences)
      const isEmpty = today.cards.length === 0 && today.trendingExtras.length === 0
      return isEmpty ? composeIssue(db, await welcomePool(), preferences, 'welcome') : today
    },

    async readVolume(profile) {
      const { papers, index, cutoff } = await monthPool()
      const [oldest] = papers.map((paper) => paper.listDay).sort()
      if (oldest === undefined) return null
      const weeksHeld = (cutoff.getTime() - utcMidnight(oldest).getTime()) / WEEK
      return {
        papers: rankPapers(applyProfile(papers, profile, index), interestsOf(profile)).length,
        weeks: Math.min(WEEKS_COUNTED, Math.max(1, weeksHeld)),
      }
    },
  }
}
