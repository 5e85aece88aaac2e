/** What makes subscribers of one edition receive the same digest. */
import { createHash } from 'node:crypto'

export interface Cohort {
  kind: 'daily' | 'weekly' | 'welcome'
  cutoff: Date
  localDate: string
  topics: readonly string[]
  since: Date
  /** Of what was sent before, only the papers that could come again: pasts that differ elsewhere make no difference. */
  carried: readonly string[]
  /** The line about digests that had nothing, `null` mostly. */
  note: string | null
}

/** 32 bytes, equal for equal cohorts. */
export const cohortKey = (cohort: Cohort): Buffer =>
  createHash('sha256')
    .update(
      JSON.stringify([
        cohort.kind,
        cohort.cutoff.toISOString(),
        cohort.localDate,
        [...cohort.topics].sort(),
        cohort.since.toISOString(),
        [...cohort.carried].sort(),
        cohort.note,
      ]),
    )
    .digest()
