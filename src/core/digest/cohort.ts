/** What makes subscribers of one edition receive the same digest. */
import { createHash } from 'node:crypto'
import type { GroupSection } from '../groups/group-list.ts'
import { type FrozenNews, newsKey } from '../papers/paper-news.ts'
import { keyOfPhrase } from '../subscriber/custom-terms.ts'
import type { Profile } from '../subscriber/preferences.ts'
import type { DigestKind } from './digest.ts'
import { mostPapers } from './digest-size.ts'
import { interestsOf } from './interests.ts'
import { leastPapers } from './least-papers.ts'
import { NOTHING_UNTOLD, type UntoldBefore } from './skipped-digests.ts'

export interface Cohort {
  kind: DigestKind
  cutoff: Date
  localDate: string
  profile: Profile
  since: Date
  /** Of recently sent papers only those that could be chosen again: other differences of history do not count. */
  recentlySent: readonly string[]
  /** What it begins with; `null` mostly. */
  note: string | null
  /** What it tells of digests before it, if it has papers; absent where there is nothing. */
  untold?: UntoldBefore
  /** What has become of papers sent before, and what of it is left for later digests. */
  news: readonly FrozenNews[]
  untoldNews?: readonly FrozenNews[]
  /** The sections of its readers' groups; absent mostly. */
  sections?: readonly GroupSection[]
}

/** 32 bytes, equal for equal cohorts whatever the order of lists; spellings that find the same papers are equal. */
export const cohortKey = (cohort: Cohort): Buffer =>
  createHash('sha256')
    .update(
      JSON.stringify([
        cohort.kind,
        cohort.cutoff.toISOString(),
        cohort.localDate,
        interestsOf(cohort.profile).sort(),
        cohort.profile.muted.map(keyOfPhrase).sort(),
        cohort.profile.whenEmpty,
        mostPapers(cohort.kind, cohort.profile.papers),
        leastPapers(cohort.kind, cohort.profile),
        cohort.since.toISOString(),
        [...cohort.recentlySent].sort(),
        cohort.note,
        cohort.untold ?? NOTHING_UNTOLD,
        cohort.news.map(newsKey),
        ...(cohort.untoldNews?.length ? [cohort.untoldNews.map(newsKey)] : []),
        ...(cohort.sections === undefined ? [] : [{ sections: cohort.sections }]),
      ]),
    )
    .digest()

/** 32 bytes, equal for those of a cohort whose tastes make the same of its digest: these entries, as JSON. */
export const tasteCohortKey = (cohort: string, entries: string): Buffer =>
  createHash('sha256').update(cohort).update(entries).digest()
