/** What preferences would bring before they are chosen: the digest of today, and how many papers a week. */
import { localDateAt, utcMidnight } from '../../core/calendar.ts'
import { type BroadAuthor, findBroadAuthor } from '../../core/digest/broad-author.ts'
import type { DigestIssue, DigestKind } from '../../core/digest/digest.ts'
import { eligibleSince } from '../../core/digest/eligibility.ts'
import { applyProfile, interestsOf } from '../../core/digest/interests.ts'
import { rankPapers } from '../../core/digest/ranking.ts'
import type { Volume } from '../../core/digest/volume.ts'
import type { Preferences, Profile } from '../../core/subscriber/preferences.ts'
import type { Database } from '../../store/database.ts'
import { keepByContent } from './by-content.ts'
import { type CandidateCache, createCandidateCache, loadPoolFor, WEEK, WEEKS_COUNTED } from './candidate-cache.ts'
import type { CandidatePool } from './candidate-pool.ts'
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
  /** Of the authors of a profile those whose names stand for several, going by the papers of the last weeks. */
  readBroadAuthors(profile: Profile): Promise<BroadAuthor[]>
}

const composeIssue = (
  db: Database,
  pool: CandidatePool,
  preferences: Preferences,
  kind: DigestKind = preferences.frequency,
): Promise<DigestIssue> => {
  const { cutoff } = pool
  const request = {
    kind,
    // How few papers bring none is not what a preview is for: it shows what there is.
    profile: { ...preferences, leastPapers: 1 as const },
    localDate: localDateAt(cutoff, preferences.timeZone),
    since: kind === 'welcome' ? new Date(0) : eligibleSince(preferences.frequency, cutoff, null),
    recentlySent: [],
    note: null,
    news: [],
  }
  return readUnstoredIssue(db, composeDigest(pool, request, null, []))
}

/** The digest that preferences would have brought at an instant, whether empty or not. */
export const previewDigest = async (db: Database, preferences: Preferences, cutoff: Date): Promise<DigestIssue> =>
  composeIssue(db, await loadPoolFor(db, preferences.frequency, cutoff), preferences)

/** The digest that would welcome a new subscriber with these preferences now. */
export const previewWelcome = async (
  { db, candidates }: { db: Database; candidates: Pick<CandidateCache, 'welcome'> },
  preferences: Preferences,
): Promise<DigestIssue> => composeIssue(db, await candidates.welcome(), preferences, 'welcome')

/** Over how many weeks papers can be counted, 1 to `WEEKS_COUNTED`; `null` while none are held. */
const weeksHeldOf = (papers: CandidatePool['papers'], cutoff: Date): number | null => {
  const [oldest] = papers.map((paper) => paper.listDay).sort()
  if (oldest === undefined) return null
  return Math.min(WEEKS_COUNTED, Math.max(1, (cutoff.getTime() - utcMidnight(oldest).getTime()) / WEEK))
}

/** `candidates` are shared with whoever else needs them. */
export const createPreviews = ({
  db,
  now,
  candidates = createCandidateCache({ db, now }),
}: {
  db: Database
  now: () => Date
  candidates?: CandidateCache
}): Previews => {
  const issues = keepByContent<CandidatePool, DigestIssue>()
  const volumes = keepByContent<CandidatePool, Volume | null>()
  const readIssueOf = (pool: CandidatePool, preferences: Preferences, kind: DigestKind) =>
    issues(pool, [kind, preferences], () => composeIssue(db, pool, preferences, kind))
  return {
    async readDigest(preferences) {
      const { frequency } = preferences
      const today = await readIssueOf(await candidates.digest(frequency), preferences, frequency)
      const isEmpty = today.cards.length === 0 && today.trendingExtras.length === 0
      return isEmpty ? readIssueOf(await candidates.welcome(), preferences, 'welcome') : today
    },

    async readVolume(profile) {
      const pool = await candidates.month()
      const { trending, topics, keywords, authors, muted, whenEmpty, papers: asked, leastPapers } = profile
      return volumes(pool, { trending, topics, keywords, authors, muted }, async () => {
        const { papers, index, cutoff } = pool
        const weeks = weeksHeldOf(papers, cutoff)
        if (weeks === null) return null
        const chosen = { trending, topics, keywords, authors, muted, whenEmpty, papers: asked, leastPapers }
        return { papers: rankPapers(applyProfile(papers, chosen, index), interestsOf(chosen)).length, weeks }
      })
    },

    async readBroadAuthors({ authors }) {
      if (authors.length === 0) return []
      const { papers, index, cutoff } = await candidates.month()
      const weeks = weeksHeldOf(papers, cutoff)
      return weeks === null
        ? []
        : authors.flatMap((author) => findBroadAuthor(author, index.findAuthor(author), weeks) ?? [])
    },
  }
}
