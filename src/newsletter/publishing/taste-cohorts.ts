/**
 * Readers with a taste: their digest is that of their cohort in an order of their own. What the cohort could be sent is
 * ranked once for all of its tastes, and a digest that a taste leaves as it was is the cohort's.
 */
import { LRUCache } from 'lru-cache'
import { tasteCohortKey } from '../../core/digest/cohort.ts'
import type { Profile } from '../../core/subscriber/preferences.ts'
import { termOfTopic } from '../../core/taste/paper-terms.ts'
import { decayed } from '../../core/taste/taste.ts'
import type { TasteFit } from '../../core/taste/term-index.ts'
import type { StoredTaste } from '../../store/tastes.ts'
import type { CandidatePool } from './candidate-pool.ts'
import type { DigestRequest } from './digest-request.ts'
import { type FrozenChoice, freezeChoice } from './frozen-choice.ts'
import { choosePapers, rankOpenPapers } from './paper-choice.ts'

/** Cohorts whose ranking is kept for tastes to come, of some hundred papers each. */
const MOST_CACHED = 1_000

interface RankedCohort {
  ranked: ReturnType<typeof rankOpenPapers>
  /** Its entries without a taste, as JSON. */
  plain: string
}

/** What a taste makes of a cohort's digest, and the key of those who get the same; `null` where it is the cohort's own. */
export type OrderByTaste = (
  cohortKey: string,
  pool: CandidatePool,
  request: DigestRequest,
  taste: StoredTaste,
) => { key: string; choice: FrozenChoice } | null

/**
 * How well the papers of a pool fit a taste, as it is by the cut-off. What its reader follows counts for nothing in it: how
 * much comes of that is for the settings, and a topic may be followed since the taste was learnt.
 */
export const tasteFit = (
  { cutoff, terms }: Pick<CandidatePool, 'cutoff' | 'terms'>,
  { weights, movedAt }: Pick<StoredTaste, 'weights' | 'movedAt'>,
  { topics }: Pick<Profile, 'topics'>,
): TasteFit => {
  const left = decayed(movedAt, cutoff)
  const followed = new Set(topics.map(termOfTopic))
  return terms().fit(
    weights.filter(({ term }) => !followed.has(term)).map((one) => ({ ...one, weight: one.weight * left })),
  )
}

export const createTasteOrder = (): OrderByTaste => {
  const cohorts = new LRUCache<string, RankedCohort>({ max: MOST_CACHED })

  const rankCohort = (cohortKey: string, pool: CandidatePool, request: DigestRequest): RankedCohort => {
    const known = cohorts.get(cohortKey)
    if (known !== undefined) return known
    const ranked = rankOpenPapers(pool, request)
    const plain = JSON.stringify(freezeChoice(choosePapers(pool, request, null, ranked), pool).entries)
    const cohort = { ranked, plain }
    cohorts.set(cohortKey, cohort)
    return cohort
  }

  return (cohortKey, pool, request, taste) => {
    const { ranked, plain } = rankCohort(cohortKey, pool, request)
    const fit = tasteFit(pool, taste, request.profile)
    const choice = freezeChoice(choosePapers(pool, request, fit, ranked), pool, fit)
    const own = JSON.stringify(choice.entries)
    return own === plain ? null : { key: tasteCohortKey(cohortKey, own).toString('hex'), choice }
  }
}
