/** How well a paper fits each topic, as a probability, with the words in it that say so. */

import type { Paper } from '../papers/paper.ts'
import type { Evidence, Sighting } from './evidence.ts'
import shipped from './model.json' with { type: 'json' }
import { createJudge, type Judgement, type RelevanceModel, readModel, type TopicProbability } from './model.ts'
import { type Field, type Reading, readPaper } from './reading.ts'

/** A phrase or word that speaks for a topic, as it stands in the paper. */
export interface Match {
  /** The words as the paper writes them, such as `GUI agents`. */
  words: string
  field: Field
}

export interface TopicRelevance {
  topic: string
  /** 0 to 1: how likely the paper is relevant to the topic's subscribers. From `GATE` (`core/gate`) on it is offered to them. */
  score: number
  /** Best first, at most three. */
  matches: Match[]
}

/** A topic below this is left out. */
const LEAST_SCORE = 0.005
const MOST_MATCHES = 3
/** A match with less than this share of the best one's weight explains nothing. */
const LEAST_SHARE = 0.15
const TITLE_PREFERENCE = 2

/** Whether a phrase is the lesser part of another: "agent" of "GUI agent", "reward model" of "reward modeling". */
const isWithin = (phrase: string, other: string): boolean =>
  phrase.length < other.length && (` ${other} `.includes(` ${phrase} `) || other.startsWith(phrase))

/** Of two phrases one within the other the longer tells more, unless the shorter alone stands in the title. */
const isOutdoneBy = (part: Sighting, other: Sighting): boolean => {
  if (isWithin(part.phrase, other.phrase)) return other.title > 0 || part.title === 0
  return isWithin(other.phrase, part.phrase) && other.title > 0 && part.title === 0
}

interface Sign extends Match {
  plain: string
}

const phraseSigns = ({ parts }: Evidence): Sign[] => {
  // The title is what the reader has before them: its words explain more than those of the abstract.
  const weightOf = ({ sighting, weight }: Evidence['parts'][number]): number =>
    sighting.title > 0 ? weight * TITLE_PREFERENCE : weight
  const ordered = parts.toSorted(
    (a, b) => weightOf(b) - weightOf(a) || (a.sighting.phrase < b.sighting.phrase ? -1 : 1),
  )
  const signs: Sign[] = []
  let least = 0
  for (const part of ordered) {
    if (signs.length >= MOST_MATCHES || weightOf(part) < least) break
    if (parts.some((other) => isOutdoneBy(part.sighting, other.sighting))) continue
    if (signs.length === 0) least = weightOf(part) * LEAST_SHARE
    const { phrase, words, title } = part.sighting
    signs.push({ plain: phrase, words, field: title > 0 ? 'title' : 'abstract' })
  }
  return signs
}

/** The words that add most to a topic; some more than are shown, since some overlap. */
const termSigns = (judgement: Judgement, reading: Reading, topic: number): Sign[] => {
  const telling = judgement.strongest(topic, 3 * MOST_MATCHES)
  const least = (telling[0]?.weight ?? 0) * LEAST_SHARE
  return telling
    .filter(({ weight }) => weight >= least)
    .flatMap(({ term }) => {
      const seen = judgement.terms.get(term)
      if (seen === undefined) return []
      return [{ plain: term, words: reading[seen.field].text.slice(seen.start, seen.end), field: seen.field }]
    })
}

const overlaps = (a: string, b: string): boolean => {
  const words = new Set(a.split(' '))
  return b.split(' ').some((word) => words.has(word))
}

/** The topic's phrases first, since a reader knows them for it; where none of them is strong, the words learnt as well. */
const matchesOf = (judgement: Judgement, { evidence }: TopicProbability, reading: Reading, topic: number): Match[] => {
  const signs = evidence === undefined ? [] : phraseSigns(evidence)
  const speaksForItself = evidence?.parts.some(({ strong }) => strong) ?? false
  if (!speaksForItself) {
    for (const sign of termSigns(judgement, reading, topic)) {
      if (signs.length >= MOST_MATCHES) break
      if (!signs.some(({ plain }) => overlaps(plain, sign.plain))) signs.push(sign)
    }
  }
  return signs.map(({ words, field }) => ({ words: words.replace(/\s+/g, ' '), field }))
}

/**
 * A scorer of papers: how well a paper fits each topic, best first; topics that next to nothing speaks for, or nothing
 * that could be shown, are left out. A score depends on the paper's title and abstract and the model alone, never on
 * what an installation holds; a title without an abstract can pass all the same. Takes well under a millisecond.
 */
export const createScorer = (
  model: RelevanceModel,
): ((paper: Pick<Paper, 'title' | 'abstract'>) => TopicRelevance[]) => {
  const judge = createJudge(model)
  return (paper) => {
    const reading = readPaper(paper)
    const judgement = judge(reading)
    return judgement.results
      .flatMap((result, topic) => {
        if (result.probability < LEAST_SCORE) return []
        const matches = matchesOf(judgement, result, reading, topic)
        return matches.length === 0 ? [] : [{ topic: result.topic, score: result.probability, matches }]
      })
      .sort((a, b) => b.score - a.score || (a.topic < b.topic ? -1 : 1))
  }
}

/** The model that ships with the project. */
export const SHIPPED_MODEL: RelevanceModel = readModel(shipped)

/** Scores by the shipped model. */
export const scoreTopics = createScorer(SHIPPED_MODEL)
