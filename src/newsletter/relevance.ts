/** Which relevance model scores the papers held: the one that ships with the project, or one that the operator names. */
import type { RelevanceModel, TopicQuality } from '../core/relevance/model.ts'
import { fingerprintOf } from '../core/relevance/model-format.ts'
import { PHRASES_FINGERPRINT } from '../core/relevance/phrase-precision.ts'
import { createScorer, SHIPPED_MODEL } from '../core/relevance/relevance.ts'
import { topicsByScoring } from '../core/relevance/topics-by-scoring.ts'
import { DEFAULT_TOPICS, fingerprintOfTopics, type TopicSet, topics } from '../core/topics.ts'
import type { Database } from '../store/database.ts'
import { rescore, type Score } from '../store/papers/listings.ts'
import { readScoredBy, storeScoredBy } from '../store/papers/paper-scores.ts'

/** What scores papers, and the name by which its stored scores are told from those of another model. */
export interface Scorer {
  name: string
  score: Score
  /** Slugs of topics that it scores by their phrases, for the model was not trained for them. */
  byPhrases: readonly string[]
  /** How good it is by topic, as measured in training; empty where that was not possible. */
  measured: readonly TopicQuality[]
}

/** The scores are a model's; which words are kept with them the counts of phrases decide. */
const nameOf = (model: RelevanceModel): string => `${fingerprintOf(model)} ${PHRASES_FINGERPRINT}`

/** What tells scores for one set of topics from those for another; nothing for the topics that ship. */
const nameOfTopics = (set: TopicSet): string => (set === DEFAULT_TOPICS ? '' : ` topics ${fingerprintOfTopics(set)}`)

const createNamedScorer = (name: string, model: RelevanceModel): Scorer => {
  const set = topics()
  const { byModel, byPhrases } = topicsByScoring(model, set.all)
  const known = new Set(byModel.map(({ slug }) => slug))
  return {
    name: `${name} ${nameOf(model)}${nameOfTopics(set)}`,
    score: createScorer(model, set.all),
    byPhrases: byPhrases.map(({ slug }) => slug),
    measured: model.measured.filter(({ topic }) => known.has(topic)),
  }
}

let shipped: Scorer | null = null

/** A scorer of the topics in use by the model that ships with the project; made when it is first asked for. */
export const shippedScorer = (): Scorer => {
  shipped ??= createNamedScorer('shipped', SHIPPED_MODEL)
  return shipped
}

/** A scorer by another model, such as one that `npm run train` made after a change of topics. */
export const createModelScorer = (model: RelevanceModel): Scorer => createNamedScorer('model', model)

/**
 * Scores all papers anew where the stored scores are of another model: after an update that ships another, or a change
 * of RELEVANCE_MODEL or of the topics. Returns how many papers were scored.
 */
export const settleScores = async (db: Database, { name, score }: Scorer): Promise<number> => {
  if ((await readScoredBy(db)) === name) return 0
  const scored = await rescore(db, score)
  await storeScoredBy(db, name)
  return scored
}
