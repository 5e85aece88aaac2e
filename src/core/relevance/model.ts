/**
 * The relevance model: counts and fitted weights, trained once on thousands of judged papers (`npm run train`), and how it
 * scores a paper. `model-format` has its file.
 *
 * Two parts look at a paper's words and pairs: a linear one, with a weight for every term and topic, and a small neural
 * network, which also sees the topics' phrases, and tells papers squarely about a topic from others that are relevant. A
 * blend, the same for all topics but for an offset and a slope, makes one logit of what both say, of the topic's phrases,
 * and of how well the other topics fit; decision trees correct it where that is not the same for all. Blend and trees were
 * fitted to grades, so a paper squarely about a topic comes before one that touches it. A line makes a probability of
 * being relevant of their logit; all of this was fitted to papers that the two parts had not seen.
 */
import { createPhraseEvidence, type Evidence, type PhraseCounts, type PhraseTopic } from './evidence.ts'
import { type Network, type NetworkInputs, runNetwork } from './network.ts'
import type { Reading } from './reading.ts'
import { sigmoid } from './regression.ts'
import {
  countWhole,
  createTermWeigher,
  findTerms,
  type TermOccurrence,
  type TermVector,
  type Vocabulary,
  wordsOf,
} from './terms.ts'
import { runTrees, type Tree } from './trees.ts'

/** What a model was fitted on, so that it is not measured on the papers that it learnt from. */
export interface FittedOn {
  papers: number
  /** The first and last list day of the papers, `YYYY-MM-DD`; `null` where none was known. */
  days: readonly [string, string] | null
  /** Ids of the papers whose judgements it was fitted to. */
  judged: readonly string[]
}

/** What the terms of a paper say: for every term a weight for each topic, which is its number times the topic's scale. */
export interface Linear {
  weights: Int8Array
  scales: readonly number[]
  offsets: readonly number[]
}

/** Makes one logit for a topic of the numbers of `blendNumbers`. */
export interface Blend {
  /** Weights of the numbers, which all topics share. */
  shared: readonly number[]
  /** By topic: added, and how much more or less the first number counts. */
  offsets: readonly number[]
  slopes: readonly number[]
}

/** The line from the logit of a grade to that of being relevant. */
export interface Calibration {
  slope: number
  /** By topic; lower for a topic of which too little past the gate was relevant, so that no topic is much worse than the others. */
  offsets: readonly number[]
}

/** How good a model is for a topic, on judged papers that it had not seen. */
export interface TopicQuality {
  topic: string
  /** Papers that are relevant by their judgement. */
  relevant: number
  /** Of the papers offered the share that is relevant, and of the relevant ones the share offered; `null` for none. */
  precision: number | null
  recall: number | null
}

export interface RelevanceModel {
  /** What it was trained for, with the phrases of then. Everything that is "by topic" is in their order. */
  topics: readonly PhraseTopic[]
  fittedOn: FittedOn
  /** Empty where it was trained without judgements. */
  measured: readonly TopicQuality[]
  phrases: PhraseCounts
  /** By how much the phrases of a whole paper exceed those of its title alone, in the median. */
  wholeOverTitle: number
  vocabulary: Vocabulary
  linear: Linear
  network: Network
  blend: Blend
  /** Added to the blend's logit, by `treeNumbers`. */
  trees: readonly Tree[]
  calibration: Calibration
}

/** How many numbers `phraseNumbers` gives. */
export const PHRASE_NUMBERS = 4

/** The phrases of a topic as numbers of about the same size; `lift` makes up for a missing abstract. */
export const phraseNumbers = (evidence: Evidence | undefined, lift: number): number[] => {
  if (evidence === undefined) return new Array<number>(PHRASE_NUMBERS).fill(0)
  const { strong, weak } = evidence
  return [strong.title, strong.abstract, weak.title, weak.abstract].map((sum) => Math.log1p(lift * sum))
}

/**
 * The factor for the phrases of a text much shorter than an abstract, which raises them to those of papers with such a
 * title. From half an abstract on it is close to 1.
 */
export const liftOf = (reading: Reading, averageLength: number, wholeOverTitle: number): number =>
  1 + (wholeOverTitle - 1) * Math.max(0, 1 - reading.abstract.tokens.length / averageLength) ** 2

/** The result of a model for one topic of a paper, with its evidence. */
export interface TopicProbability {
  topic: string
  /** 0 to 1: how likely the paper is relevant to the topic's subscribers. */
  probability: number
  /** How likely it is squarely about the topic, by the network alone. */
  squarely: number
  evidence: Evidence | undefined
}

/** The results of a model for a paper, and the terms that they are based on. */
export interface Classification {
  results: TopicProbability[]
  terms: ReadonlyMap<string, TermOccurrence>
  /** The terms of the paper that add most to a topic's logit, the best first; the topic by its number. */
  strongest: (topic: number, max: number) => { term: string; weight: number }[]
}

/** A word counts for all that it adds, anywhere, in the title and in the contribution. */
const strongestOf = (
  { linear, vocabulary, topics }: RelevanceModel,
  { at, weights }: TermVector,
  topic: number,
  max: number,
) => {
  const sums = new Map<string, number>()
  for (let j = 0; j < at.length; j++) {
    const term = at[j] as number
    const words = wordsOf(vocabulary.terms[term] ?? '')
    const weight = (linear.weights[term * topics.length + topic] as number) * (weights[j] as number)
    sums.set(words, (sums.get(words) ?? 0) + weight)
  }
  return [...sums]
    .filter(([, weight]) => weight > 0)
    .map(([term, weight]) => ({ term, weight }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, max)
}

/** The numbers of phrases are larger than those of terms; so much of them the network sees. */
const PHRASES_IN_NETWORK = 0.15

/** How many inputs a network has for a number of terms of whole papers, and of topics. */
export const countInputs = (terms: number, topics: number): number => terms + topics * PHRASE_NUMBERS

/** How many outputs a network has for a number of topics. */
export const countOutputs = (topics: number): number => 2 * topics

/**
 * What the network sees of a paper: its terms anywhere in it, of which there are `whole`, and then the numbers of its
 * phrases by topic. With those of title and contribution as well it was no better, and half as large again.
 */
export const networkInputs = (
  vector: TermVector,
  phrases: readonly (readonly number[])[],
  whole: number,
): NetworkInputs => {
  const at: number[] = []
  const weights: number[] = []
  for (let j = 0; j < vector.at.length; j++) {
    if ((vector.at[j] as number) >= whole) continue
    at.push(vector.at[j] as number)
    weights.push(vector.weights[j] as number)
  }
  for (const [topic, numbers] of phrases.entries())
    for (const [j, value] of numbers.entries()) {
      if (value === 0) continue
      at.push(whole + topic * PHRASE_NUMBERS + j)
      weights.push(PHRASES_IN_NETWORK * value)
    }
  return { at: Int32Array.from(at), weights: Float32Array.from(weights) }
}

const runLinear = ({ weights, scales, offsets }: Linear, { at, weights: values }: TermVector): number[] => {
  const topics = offsets.length
  const sums = new Float64Array(topics)
  for (let j = 0; j < at.length; j++) {
    const from = (at[j] as number) * topics
    const value = values[j] as number
    for (let topic = 0; topic < topics; topic++)
      sums[topic] = (sums[topic] as number) + value * (weights[from + topic] as number)
  }
  return offsets.map((offset, topic) => offset + (scales[topic] as number) * (sums[topic] as number))
}

/** How many numbers `blendNumbers` gives for a topic. */
export const BLEND_NUMBERS = 5 + PHRASE_NUMBERS

/** Where the numbers of phrases stand among them: the first, and the one after the last. */
export const PHRASES_IN_BLEND = [3, 3 + PHRASE_NUMBERS] as const

/**
 * What a blend is made of, by topic: what both parts say in the mean, what the network says of relevant and of squarely,
 * the phrases, and of the other topics how likely they are together and the likeliest of them.
 */
export const blendNumbers = (
  linear: readonly number[],
  network: readonly number[],
  phrases: readonly (readonly number[])[],
): number[][] => {
  const means = linear.map((logit, topic) => (logit + (network[topic] as number)) / 2)
  const likely = means.map(sigmoid)
  const all = likely.reduce((sum, one) => sum + one, 0)
  const [first = 0, second = 0] = likely.toSorted((a, b) => b - a)
  return means.map((logit, topic) => {
    const own = likely[topic] as number
    const [relevant, squarely] = [network[topic] as number, network[topic + linear.length] as number]
    return [logit, relevant, squarely, ...(phrases[topic] ?? []), all - own, own === first ? second : first]
  })
}

/** The logit of a topic. */
export const blendLogit = ({ shared, offsets, slopes }: Blend, topic: number, numbers: readonly number[]): number => {
  const common = numbers.reduce((sum, value, j) => sum + value * (shared[j] ?? 0), 0)
  return common + (offsets[topic] ?? 0) + (slopes[topic] ?? 0) * (numbers[0] ?? 0)
}

/** What trees see: the numbers of the blend, its logit, and the number of the topic. */
export const treeNumbers = (topic: number, numbers: readonly number[], logit: number): number[] => [
  ...numbers,
  logit,
  topic,
]

/**
 * Later papers are relevant less often than those of the days that a model learnt from say: of April and May 2026, 85 of
 * 100 past one half where 88 were promised. So much is taken off every logit.
 */
const DRIFT = 0.16

/** The logit of a topic by the second step, which is made of the numbers of the first. */
export const finalLogit = (
  { blend, trees, calibration }: Pick<RelevanceModel, 'blend' | 'trees' | 'calibration'>,
  topic: number,
  numbers: readonly number[],
): number => {
  const logit = blendLogit(blend, topic, numbers)
  const graded = logit + runTrees(trees, treeNumbers(topic, numbers, logit))
  return (calibration.offsets[topic] ?? 0) + calibration.slope * graded - DRIFT
}

/**
 * The model has seen only papers of this field. Of a text of which it knows less than this share of a paper's words, it
 * cannot know that the text is of the field at all, so its probabilities are lowered.
 */
const ENOUGH_KNOWN = 0.45

/**
 * Returns a classifier of papers by a model, for all of its topics at once. `topics`: the same with the phrases of now, where they
 * have changed since it was trained.
 */
export const createClassifier = (
  model: RelevanceModel,
  topics: readonly PhraseTopic[] = model.topics,
): ((reading: Reading) => Classification) => {
  const { weigh: weighPhrases } = createPhraseEvidence(topics)
  const weigh = createTermWeigher(model.vocabulary)
  const whole = countWhole(model.vocabulary)
  return (reading) => {
    const evidence = new Map(weighPhrases(reading, model.phrases).map((one) => [one.topic, one]))
    const lift = liftOf(reading, model.phrases.averageLength, model.wholeOverTitle)
    const terms = findTerms(reading)
    const vector = weigh(terms)
    const known = Math.min(1, vector.fullness / ENOUGH_KNOWN)
    const phrases = topics.map(({ slug }) => phraseNumbers(evidence.get(slug), lift))
    const network = runNetwork(model.network, networkInputs(vector, phrases, whole))
    const numbers = blendNumbers(runLinear(model.linear, vector), network, phrases)
    const results = topics.map(({ slug }, topic) => {
      const probability = known * sigmoid(finalLogit(model, topic, numbers[topic] ?? []))
      const squarely = known * sigmoid(network[topic + topics.length] ?? 0)
      return { topic: slug, probability, squarely, evidence: evidence.get(slug) }
    })
    return { results, terms, strongest: (topic, max) => strongestOf(model, vector, topic, max) }
  }
}
