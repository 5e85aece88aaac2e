/** How well a paper fits each topic: BM25F over the topic's phrases, with the words that matched. */
import {
  type Evidence,
  type PhraseCounts,
  type Reading,
  readEvidence,
  type Sighting,
  weighEvidence,
} from './evidence.ts'
import type { Paper } from './paper.ts'
import shipped from './phrase-statistics.json' with { type: 'json' }

/** A phrase of a topic found in a paper, as it stands there. */
export interface Match {
  /** The words as the paper writes them, such as `GUI agents`. */
  words: string
  field: 'title' | 'abstract'
}

export interface TopicRelevance {
  topic: string
  /** 0 to 1; above `GATE` the paper is offered to the topic's subscribers. */
  score: number
  /** Best first, at most three. */
  matches: Match[]
}

/** Counts, and what was fitted on the same papers (`workers/phrase-statistics.ts`). */
export interface PhraseStatistics extends PhraseCounts {
  /** By how much the evidence of a whole paper exceeds that of its title alone, in the median. */
  wholeOverTitle: number
  /** The evidence with which a paper passes, by topic. */
  passes: Readonly<Record<string, number>>
}

const statistics: PhraseStatistics = shipped

/** The score from which on a paper is offered to a topic's subscribers. */
export const GATE = 0.4
/** A topic below this is left out: what speaks for it is one common word. */
const LEAST_SCORE = 0.005
/** The odds grow with the square of the evidence: steeper would end at 1 for every good paper and rank none of them. */
const STEEPNESS = 2
const MOST_MATCHES = 3
/** A match with less than this share of the best one's weight explains nothing. */
const LEAST_SHARE = 0.15
const TITLE_PREFERENCE = 2

/**
 * A text much shorter than an abstract cannot show the evidence that the whole paper would: it is raised to what papers
 * with such a title have. From half an abstract on this is next to nothing.
 */
const liftOf = ({ length }: Reading, { averageLength, wholeOverTitle }: PhraseStatistics): number =>
  1 + (wholeOverTitle - 1) * Math.max(0, 1 - length / averageLength) ** 2

/** `GATE` at the topic's passing evidence, rising strictly from 0 to 1. */
const scoreOf = (weight: number, passes: number): number =>
  1 / (1 + ((1 - GATE) / GATE) * (passes / weight) ** STEEPNESS)

/** Whether a phrase is the lesser part of another: "agent" of "GUI agent", "reward model" of "reward modeling". */
const isWithin = (phrase: string, other: string): boolean =>
  phrase !== other && (` ${other} `.includes(` ${phrase} `) || other.startsWith(phrase))

/** Of two phrases one within the other the longer tells more, unless the shorter alone stands in the title. */
const isOutdoneBy = (part: Sighting, other: Sighting): boolean => {
  if (isWithin(part.phrase, other.phrase)) return other.inTitle > 0 || part.inTitle === 0
  return isWithin(other.phrase, part.phrase) && other.inTitle > 0 && part.inTitle === 0
}

const matchesOf = ({ parts }: Evidence): Match[] => {
  const telling = parts
    .filter(({ sighting }) => !parts.some((other) => isOutdoneBy(sighting, other.sighting)))
    // The title is what the reader has before them: its words explain more than those of the abstract.
    .map(({ sighting, weight }) => ({ sighting, weight: sighting.inTitle > 0 ? weight * TITLE_PREFERENCE : weight }))
    .sort((a, b) => b.weight - a.weight || (a.sighting.phrase < b.sighting.phrase ? -1 : 1))
  const least = (telling[0]?.weight ?? 0) * LEAST_SHARE
  return telling
    .filter(({ weight }) => weight >= least)
    .slice(0, MOST_MATCHES)
    .map(({ sighting }) => ({
      words: sighting.words.replace(/\s+/g, ' '),
      field: sighting.inTitle > 0 ? 'title' : 'abstract',
    }))
}

/**
 * How well a paper fits each topic, best first; topics that next to nothing speaks for are left out. A score depends on
 * the paper's title and abstract and the shipped statistics alone, never on what an installation holds; with a title
 * and no abstract, or one line of it, a paper can pass all the same.
 */
export const scoreTopics = (paper: Pick<Paper, 'title' | 'abstract'>): TopicRelevance[] => {
  const reading = readEvidence(paper)
  const lift = liftOf(reading, statistics)
  return weighEvidence(reading, statistics)
    .flatMap((evidence) => {
      const passes = statistics.passes[evidence.topic]
      if (passes === undefined) throw new Error(`nothing was fitted for the topic ${evidence.topic}`)
      const score = scoreOf(evidence.weight * lift, passes)
      return score < LEAST_SCORE ? [] : [{ topic: evidence.topic, score, matches: matchesOf(evidence) }]
    })
    .sort((a, b) => b.score - a.score || (a.topic < b.topic ? -1 : 1))
}
