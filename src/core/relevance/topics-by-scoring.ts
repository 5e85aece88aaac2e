/** Which topics a model was trained for; in a file of its own, so that importing it does not load the model that ships. */
import { plainPhrase } from '../text/phrases.ts'
import type { PhraseTopic } from './evidence.ts'
import type { RelevanceModel } from './model.ts'

/** Of a topic's strong phrases so many must have been strong when a model was trained, or its slug names another subject now. */
const SAME_SUBJECT = 0.5

/** Whether a model was trained for a topic: for one of its slug, with most of its strong phrases. */
const isTopicOf = (topic: PhraseTopic, trained: PhraseTopic | undefined): boolean => {
  const before = new Set(trained?.strong.map(plainPhrase))
  const now = [...new Set(topic.strong.map(plainPhrase))]
  return now.filter((phrase) => before.has(phrase)).length >= SAME_SUBJECT * now.length && before.size > 0
}

/** The topics that a model was trained for, and the others, which are scored by their phrases. */
export const topicsByScoring = (
  { topics: trained }: Pick<RelevanceModel, 'topics'>,
  topics: readonly PhraseTopic[],
): { byModel: PhraseTopic[]; byPhrases: PhraseTopic[] } => {
  const bySlug = new Map(trained.map((topic) => [topic.slug, topic]))
  const isKnown = (topic: PhraseTopic) => isTopicOf(topic, bySlug.get(topic.slug))
  return { byModel: topics.filter(isKnown), byPhrases: topics.filter((topic) => !isKnown(topic)) }
}
