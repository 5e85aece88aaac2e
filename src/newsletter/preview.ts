/** What a choice would bring before it is made: the digest of today, and how many papers a week. */
import { DAY, localDateAt, MINUTE, utcMidnight } from '../core/calendar.ts'
import type { DigestIssue, DigestKind } from '../core/digest/digest.ts'
import { eligibleSince } from '../core/digest/eligibility.ts'
import { applyProfile, interestsOf } from '../core/digest/interests.ts'
import { rankPapers } from '../core/digest/ranking.ts'
import type { Volume } from '../core/digest/volume.ts'
import type { Frequency, Preferences, Profile } from '../core/subscriber/preferences.ts'
import type { Database } from '../store/database.ts'
import { type CandidatePool, composeDigest, loadCandidatePool, loadWelcomePool, readUnstoredIssue } from './digest.ts'

export interface Previews {
  /**
   * The digest that these preferences would bring now; where that has nothing, as at weekends, the one that welcomes a
   * new subscriber. Nothing is stored or sent.
   */
  readDigest(preferences: Preferences): Promise<DigestIssue>
  /** How many papers of the last weeks fit a profile; `null` while none are held. */
  readVolume(profile: Profile): Promise<Volume | null>
}

const WEEK = 7 * DAY
const WEEKS_COUNTED = 4
/** How long what was loaded for one visitor serves the others. A month of papers is more to load, and changes less. */
const KEEP_CHOICE = MINUTE
const KEEP_MONTH = 10 * MINUTE

/** Loads at most once in `keepFor` milliseconds of the given clock, however many ask; a failed load is not kept. */
const createCache = <T>(load: (at: Date) => Promise<T>, keepFor: number, now: () => Date): (() => Promise<T>) => {
  let kept: { at: number; value: Promise<T> } | undefined
  return () => {
    const at = now()
    if (kept !== undefined && Math.abs(at.getTime() - kept.at) < keepFor) return kept.value
    const mine = { at: at.getTime(), value: load(at) }
    kept = mine
    mine.value.catch(() => {
      if (kept === mine) kept = undefined
    })
    return mine.value
  }
}

const loadFor = (db: Database, frequency: Frequency, cutoff: Date): Promise<CandidatePool> =>
  loadCandidatePool(db, cutoff, { since: eligibleSince(frequency, cutoff, null) })

const issueFrom = (
  db: Database,
  choice: CandidatePool,
  preferences: Preferences,
  kind: DigestKind = preferences.frequency,
): Promise<DigestIssue> => {
  const { cutoff } = choice
  const request = {
    kind,
    profile: preferences,
    localDate: localDateAt(cutoff, preferences.timeZone),
    since: kind === 'welcome' ? new Date(0) : eligibleSince(kind, cutoff, null),
    recentlySent: [],
    note: null,
    news: [],
  }
  return readUnstoredIssue(db, composeDigest(choice, request, null, []))
}

/** The same for once, as of an instant. */
export const previewDigest = async (db: Database, preferences: Preferences, cutoff: Date): Promise<DigestIssue> =>
  issueFrom(db, await loadFor(db, preferences.frequency, cutoff), preferences)

export const createPreviews = ({ db, now }: { db: Database; now: () => Date }): Previews => {
  const choices: Record<Frequency, () => Promise<CandidatePool>> = {
    daily: createCache((at) => loadFor(db, 'daily', at), KEEP_CHOICE, now),
    weekly: createCache((at) => loadFor(db, 'weekly', at), KEEP_CHOICE, now),
  }
  const welcome = createCache((at) => loadWelcomePool(db, at), KEEP_CHOICE, now)
  const month = createCache(
    (at) => loadCandidatePool(db, at, { since: new Date(at.getTime() - WEEKS_COUNTED * WEEK) }),
    KEEP_MONTH,
    now,
  )
  return {
    async readDigest(preferences) {
      const today = await issueFrom(db, await choices[preferences.frequency](), preferences)
      const isEmpty = today.cards.length === 0 && today.trendingExtras.length === 0
      return isEmpty ? issueFrom(db, await welcome(), preferences, 'welcome') : today
    },

    async readVolume(profile) {
      const { papers, index, cutoff } = await month()
      const [oldest] = papers.map((paper) => paper.listDay).sort()
      if (oldest === undefined) return null
      const held = (cutoff.getTime() - utcMidnight(oldest).getTime()) / WEEK
      return {
        papers: rankPapers(applyProfile(papers, profile, index), interestsOf(profile)).length,
        weeks: Math.min(WEEKS_COUNTED, Math.max(1, held)),
      }
    },
  }
}
