/** The papers that a model is trained on, read once and counted: their phrases, their words, and each as numbers. */
import type { Paper } from '../../src/core/papers/paper.ts'
import {
  countPhrases,
  createPhraseEvidence,
  type Evidence,
  type PhraseCounts,
  type PhraseEvidence,
  type PhraseTopic,
} from '../../src/core/relevance/evidence.ts'
import { liftOf, networkInputs, phraseNumbers, type RelevanceModel } from '../../src/core/relevance/model.ts'
import type { NetworkInputs } from '../../src/core/relevance/network.ts'
import { type Reading, readPaper } from '../../src/core/relevance/reading.ts'
import {
  countTerms,
  countWhole,
  createTermWeigher,
  findTerms,
  type TermVector,
} from '../../src/core/relevance/terms.ts'

export type TrainingPaper = Pick<Paper, 'title' | 'abstract'> & {
  /** `YYYY-MM-DD`, where known. */
  listDay: string | null
}

/** One paper as the regression sees it. */
export interface Sample {
  /** The numbers of its phrases, by topic. */
  phrases: readonly (readonly number[])[]
  /** Its words and pairs, weighted. */
  vector: TermVector
  /** Both, as a network sees them, without what the title and the contribution say apart. */
  inputs: NetworkInputs
}

export interface Corpus {
  readings: readonly Reading[]
  /** How many terms the vocabulary has, and how many of them are of whole papers. */
  size: { all: number; whole: number }
  /** Reads a paper by the counts of this corpus. */
  sampleOf: (reading: Reading) => Sample
  /** The first and last list day of the papers; `null` where none is known. */
  days: readonly [string, string] | null
  /** The parts of a model that are counts of this corpus. */
  counts: Pick<RelevanceModel, 'phrases' | 'wholeOverTitle' | 'vocabulary'>
}

/** Six digits: more would only make the file of a model longer. */
export const round = (value: number): number => Number(value.toPrecision(6))

/** How much more the phrases of whole papers weigh than those of their titles, where the title has a strong one. */
const measureTitles = ({ weigh }: PhraseEvidence, readings: readonly Reading[], counts: PhraseCounts): number => {
  const ratios: number[] = []
  for (const reading of readings) {
    const alone = weigh({ ...reading, abstract: { text: '', tokens: [] } }, counts)
    const titles = new Map(alone.map(({ topic, weight, strong }) => [topic, strong.title > 0 ? weight : 0]))
    for (const { topic, weight } of weigh(reading, counts)) {
      const ofTitle = titles.get(topic) ?? 0
      if (ofTitle > 0) ratios.push(weight / ofTitle)
    }
  }
  return Math.max(1, ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 1)
}

/** Reads and counts papers and the phrases of some topics in them; `null` where none of them has an abstract. */
export const readCorpus = (papers: readonly TrainingPaper[], topics: readonly PhraseTopic[]): Corpus | null => {
  const readings = papers.map(readPaper)
  const phraseEvidence = createPhraseEvidence(topics)
  const phrases = countPhrases(phraseEvidence, readings)
  if (phrases.averageLength === 0) return null
  const wholeOverTitle = measureTitles(phraseEvidence, readings, phrases)
  const vocabulary = countTerms(readings.map(findTerms))
  const whole = countWhole(vocabulary)
  const weigh = createTermWeigher(vocabulary)
  const sampleOf = (reading: Reading): Sample => {
    const evidence = new Map<string, Evidence>(phraseEvidence.weigh(reading, phrases).map((one) => [one.topic, one]))
    const lift = liftOf(reading, phrases.averageLength, wholeOverTitle)
    const numbers = topics.map(({ slug }) => phraseNumbers(evidence.get(slug), lift))
    const vector = weigh(findTerms(reading))
    return { phrases: numbers, vector, inputs: networkInputs(vector, numbers, whole) }
  }
  const days = papers.flatMap(({ listDay }) => (listDay === null ? [] : [listDay])).sort()
  const [first, last] = [days[0], days.at(-1)]
  return {
    readings,
    size: { all: vocabulary.terms.length, whole },
    sampleOf,
    days: first === undefined || last === undefined ? null : [first, last],
    counts: {
      phrases: { ...phrases, averageLength: round(phrases.averageLength) },
      wholeOverTitle: round(wholeOverTitle),
      vocabulary,
    },
  }
}
