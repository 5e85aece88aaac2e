/** Which relevance model scores the papers held: the one that ships with the project, or one that the operator names. */
import type { RelevanceModel, TopicQuality } from '../core/relevance/model.ts'
import { fingerprintOf } from '../core/relevance/model-format.ts'
import { PHRASES_FINGERPRINT } from '../core/relevance/phrase-precision.ts'
import { createScorer, SHIPPED_MODEL, scoreTopics } from '../core/relevance/relevance.ts'
import type { Database } from '../store/database.ts'
import { rescore, type Score } from '../store/papers/listings.ts'
import { readScoredBy, storeScoredBy } from '../store/papers/paper-scores.ts'

/** What scores papers, and the name by which its stored scores are told from those of another model. */
export interface Scorer {
  name: string
  score: Score
  /** How good it is by topic, as measured in training; empty where that was not possible. */
  measured: readonly TopicQuality[]
}

/** The scores are a model's; which words are kept with them the counts of phrases decide. */
const nameOf = (model: RelevanceModel): string => `${fingerprintOf(model)} ${PHRASES_FINGERPRINT}`

export const SHIPPED_SCORER: Scorer = {
  name: `shipped ${nameOf(SHIPPED_MODEL)}`,
  score: scoreTopics,
  measured: SHIPPED_MODEL.measured,
}

/** A scorer by another model, such as one that `npm run train` made after a change of topics. */
export const createModelScorer = (model: RelevanceModel): Scorer => ({
  name: `model ${nameOf(model)}`,
  score: createScorer(model),
  measured: model.measured,
})

/**
 * Scores all papers anew where the stored scores are of another model: after an update that ships another, or a change
 * of RELEVANCE_MODEL. Returns how many papers were scored.
 */
export const settleScores = async (db: Database, { name, score }: Scorer): Promise<number> => {
  if ((await readScoredBy(db)) === name) return 0
  const scored = await rescore(db, score)
  await storeScoredBy(db, name)
  return scored
}
