/** What makes subscribers of one edition receive the same digest. */
import { createHash } from 'node:crypto'
import type { FrozenNews } from '../papers/paper-news.ts'
import { keyOfPhrase } from '../subscriber/custom-terms.ts'
import type { Profile } from '../subscriber/preferences.ts'
import { interestsOf } from './interests.ts'

export interface Cohort {
  kind: 'daily' | 'weekly' | 'welcome'
  cutoff: Date
  localDate: string
  profile: Profile
  since: Date
  /** Of what was sent before, only the papers that could come again: pasts that differ elsewhere make no difference. */
  recentlySent: readonly string[]
  /** The line about digests that had nothing, `null` mostly. */
  note: string | null
  /** What has become of papers sent before; pasts without such papers make no difference. */
  news: readonly FrozenNews[]
}

/** 32 bytes, equal for equal cohorts; spellings that find the same papers make no difference. */
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
        cohort.since.toISOString(),
        [...cohort.recentlySent].sort(),
        cohort.note,
        cohort.news.map(({ paperId, kind, version }) => [paperId, kind, version]),
      ]),
    )
    .digest()
