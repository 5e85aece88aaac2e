/** Scores how well a paper fits each topic, as a probability, with the words in it that tell why. */

import type { Paper } from '../papers/paper.ts'
import { DEFAULT_TOPICS } from '../topics.ts'
import type { Evidence, PhraseOccurrence, PhraseTopic } from './evidence.ts'
import shipped from './model.json' with { type: 'json' }
import { type Classification, createClassifier, type RelevanceModel, type TopicProbability } from './model.ts'
import { readModel } from './model-format.ts'
import { precisionOf } from './phrase-precision.ts'
import { createPhraseScorer } from './phrase-score.ts'
import { type Quote, type Reading, readPaper } from './reading.ts'
import { topicsByScoring } from './topics-by-scoring.ts'

/** A phrase or word of a paper that is evidence for a topic. */
export interface Match extends Quote {
  /** `phrase` of the topic's own list, or `term` that the model has learnt goes with the topic. */
  kind: 'phrase' | 'term'
}

export interface TopicRelevance {
  topic: string
  /**
   * 0 to 1: how likely the paper is relevant to the topic's subscribers, by its likely grade: one squarely about the topic has
   * more than one that touches it. From `GATE` on it is offered to them.
   */
  score: number
  /** Best first, at most three. */
  matches: Match[]
}

/** A topic below this is left out. */
const MIN_SCORE = 0.005
const MAX_MATCHES = 3
/** A match with less than this share of the best one's weight explains nothing. */
const MIN_SHARE = 0.15

/** Whether a phrase is a part of another: "agent" of "GUI agent", "reward model" of "reward modeling". */
const isWithin = (phrase: string, other: string): boolean =>
  phrase.length < other.length && (` ${other} `.includes(` ${phrase} `) || other.startsWith(phrase))

/** Of two phrases one within the other the longer is shown, unless only the shorter is in the title. */
const isReplacedBy = (part: PhraseOccurrence, other: PhraseOccurrence): boolean => {
  if (isWithin(part.phrase, other.phrase)) return other.title > 0 || part.title === 0
  return isWithin(other.phrase, part.phrase) && other.title > 0 && part.title === 0
}

interface Candidate extends Match {
  plain: string
}

/** The phrases of a topic in a paper, those first that tell most by themselves. */
const phraseSigns = ({ topic, parts }: Evidence): Candidate[] =>
  parts
    .filter((part) => !parts.some((other) => isReplacedBy(part.occurrence, other.occurrence)))
    .map(({ occurrence: { phrase, words, title }, weight }) => {
      const field = title > 0 ? ('title' as const) : ('abstract' as const)
      return { plain: phrase, words, field, weight, precision: precisionOf(topic, phrase, field)?.relevant ?? 0 }
    })
    .sort((a, b) => b.precision - a.precision || b.weight - a.weight || (a.plain < b.plain ? -1 : 1))
    .slice(0, MAX_MATCHES)
    .map(({ plain, words, field }) => ({ plain, words, field, kind: 'phrase' }))

/** The words that add most to a topic; more than are shown, since some overlap. */
const termSigns = (classification: Classification, reading: Reading, topic: number): Candidate[] => {
  const telling = classification.strongest(topic, 3 * MAX_MATCHES)
  const least = (telling[0]?.weight ?? 0) * MIN_SHARE
  return telling
    .filter(({ weight }) => weight >= least)
    .flatMap(({ term }) => {
      const seen = classification.terms.get(term)
      if (seen === undefined) return []
      const words = reading[seen.field].text.slice(seen.start, seen.end)
      return [{ plain: term, words, field: seen.field, kind: 'term' as const }]
    })
}

const overlaps = (a: string, b: string): boolean => {
  const words = new Set(a.split(' '))
  return b.split(' ').some((word) => words.has(word))
}

/** The topic's phrases first, which readers associate with it; where none of them is strong, learnt words too. */
const matchesOf = (
  classification: Classification,
  { evidence }: TopicProbability,
  reading: Reading,
  topic: number,
): Match[] => {
  const signs = evidence === undefined ? [] : phraseSigns(evidence)
  const hasStrongPhrase = evidence?.parts.some(({ strong }) => strong) ?? false
  if (!hasStrongPhrase) {
    for (const sign of termSigns(classification, reading, topic)) {
      if (signs.length >= MAX_MATCHES) break
      if (!signs.some(({ plain }) => overlaps(plain, sign.plain))) signs.push(sign)
    }
  }
  return shown(signs)
}

const shown = (signs: readonly Candidate[]): Match[] =>
  signs.map(({ plain: _, words, ...sign }) => ({ ...sign, words: words.replace(/\s+/g, ' ') }))

/**
 * A scorer of papers: how well a paper fits each topic, best first; topics that next to nothing speaks for, or nothing
 * that could be shown, are left out. A score depends on the paper's title and abstract, the topics and the model alone, never on
 * what an installation holds; a title without an abstract can pass all the same. Topics that the model was not trained for
 * are scored by their phrases; what it knows besides of topics that there are no longer serves the others. Takes well under a
 * millisecond.
 */
export const createScorer = (
  model: RelevanceModel,
  topics: readonly PhraseTopic[] = model.topics,
): ((paper: Pick<Paper, 'title' | 'abstract'>) => TopicRelevance[]) => {
  const { byModel, byPhrases } = topicsByScoring(model, topics)
  const offered = new Map(byModel.map((topic) => [topic.slug, topic]))
  const classify = createClassifier(
    model,
    model.topics.map((trained) => offered.get(trained.slug) ?? trained),
  )
  const scoreByPhrases = createPhraseScorer(byPhrases, model.phrases)
  return (paper) => {
    const reading = readPaper(paper)
    const classification = classify(reading)
    const byModel = classification.results.flatMap((result, topic) => {
      if (result.probability < MIN_SCORE || !offered.has(result.topic)) return []
      const matches = matchesOf(classification, result, reading, topic)
      return matches.length === 0 ? [] : [{ topic: result.topic, score: result.probability, matches }]
    })
    const others = scoreByPhrases(reading).flatMap(({ topic, probability, evidence }) =>
      probability < MIN_SCORE ? [] : [{ topic, score: probability, matches: shown(phraseSigns(evidence)) }],
    )
    return [...byModel, ...others].sort((a, b) => b.score - a.score || (a.topic < b.topic ? -1 : 1))
  }
}

/** The model that ships with the project. */
export const SHIPPED_MODEL: RelevanceModel = readModel(shipped)

/** Scores by the shipped model, for the topics that ship. */
export const scoreTopics = createScorer(SHIPPED_MODEL, DEFAULT_TOPICS.all)
