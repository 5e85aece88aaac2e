/**
 * The relevance model: counts and fitted weights, trained once on thousands of papers (`npm run train`), kept in a file
 * without any of their sentences, and validated when it is read.
 *
 * A paper's logit for a topic is the sum of three parts: the topic's own offset, what its phrases say (four numbers with
 * weights that all topics share), and what each of its words and pairs says (a weight for every term and topic). What a
 * text does not show, because it is short or in another language, counts as in the average paper.
 */
import { createHash } from 'node:crypto'
import { TOPICS } from '../topics.ts'
import { type Evidence, type PhraseCounts, TOPIC_PHRASES, weighEvidence } from './evidence.ts'
import type { Reading } from './reading.ts'
import { dot } from './regression.ts'
import { createTermWeigher, findTerms, type TermOccurrence, type TermVector, type Vocabulary } from './terms.ts'

/** The version of the file's format. Another version is refused: its numbers would mean something else. */
export const MODEL_VERSION = 1

/** What a model was fitted on, so that it is not measured on the papers that it learnt from. */
export interface FittedOn {
  papers: number
  /** The first and last list day of the papers, `YYYY-MM-DD`; `null` where none was known. */
  days: readonly [string, string] | null
  /** Ids of the papers whose judgements it was fitted to. */
  judged: readonly string[]
}

export interface RelevanceModel {
  fittedOn: FittedOn
  phrases: PhraseCounts
  /** By how much the phrases of a whole paper exceed those of its title alone, in the median. */
  wholeOverTitle: number
  vocabulary: Vocabulary
  /** Weights of the numbers of `phraseNumbers`, and last of the words as first learnt (they are within `weights`). */
  shared: readonly number[]
  /** By topic, in the order of `TOPICS`. */
  offsets: readonly number[]
  /** What the words of the average paper say, by topic. */
  average: readonly number[]
  /** Term after term for one topic after the other; a weight is its number times the topic's scale. */
  weights: Int8Array
  scales: readonly number[]
  /** From logit to probability (Platt), fitted on papers that the weights had not seen. */
  calibration: { slope: number; offset: number }
}

/** A model that cannot be used; the message is one sentence for people. */
export class UnusableModel extends Error {
  override name = 'UnusableModel'
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
  logit: number
  /** 0 to 1: how likely the paper is relevant to the topic's subscribers. */
  probability: number
  evidence: Evidence | undefined
}

/** The results of a model for a paper, and the terms that they are based on. */
export interface Classification {
  results: TopicProbability[]
  terms: ReadonlyMap<string, TermOccurrence>
  /** The terms of the paper that add most to a topic's logit, the best first; the topic by its number. */
  strongest: (topic: number, max: number) => { term: string; weight: number }[]
}

const strongestOf = (model: RelevanceModel, { at, weights }: TermVector, topic: number, max: number) => {
  const best: { term: number; weight: number }[] = []
  const from = topic * model.vocabulary.terms.length
  for (let j = 0; j < at.length; j++) {
    const term = at[j] as number
    const weight = (model.weights[from + term] as number) * (weights[j] as number)
    if (weight <= (best.length < max ? 0 : (best.at(-1)?.weight ?? 0))) continue
    const place = best.findIndex((other) => other.weight < weight)
    best.splice(place === -1 ? best.length : place, 0, { term, weight })
    if (best.length > max) best.pop()
  }
  return best.map(({ term, weight }) => ({ term: model.vocabulary.terms[term] ?? '', weight }))
}

/** Returns a classifier of papers by a model, for all topics at once. */
export const createClassifier = (model: RelevanceModel): ((reading: Reading) => Classification) => {
  const weigh = createTermWeigher(model.vocabulary)
  const size = model.vocabulary.terms.length
  const { slope, offset } = model.calibration
  return (reading) => {
    const evidence = new Map(weighEvidence(reading, model.phrases).map((one) => [one.topic, one]))
    const lift = liftOf(reading, model.phrases.averageLength, model.wholeOverTitle)
    const terms = findTerms(reading)
    const vector = weigh(terms)
    const results = TOPICS.map(({ slug }, at) => {
      const numbers = phraseNumbers(evidence.get(slug), lift)
      const phrases = numbers.reduce((sum, value, j) => sum + value * (model.shared[j] ?? 0), 0)
      const unseen = (1 - vector.fullness) * (model.average[at] ?? 0)
      const words = (model.scales[at] ?? 0) * dot(vector, model.weights, at * size) + unseen
      const logit = (model.offsets[at] ?? 0) + phrases + words
      const probability = 1 / (1 + Math.exp(-(slope * logit + offset)))
      return { topic: slug, logit, probability, evidence: evidence.get(slug) }
    })
    return { results, terms, strongest: (topic, max) => strongestOf(model, vector, topic, max) }
  }
}

const STEPS = 127

/** Packs the weights of each topic into bytes: they are known no more exactly than to a hundredth of the largest. */
export const packWeights = (byTopic: readonly Float32Array[]): Pick<RelevanceModel, 'weights' | 'scales'> => {
  const size = byTopic[0]?.length ?? 0
  const weights = new Int8Array(size * byTopic.length)
  const scales = byTopic.map((ofTopic, topic) => {
    const largest = ofTopic.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0)
    const scale = largest / STEPS || 1
    ofTopic.forEach((weight, term) => {
      weights[topic * size + term] = Math.round(weight / scale)
    })
    return scale
  })
  return { weights, scales }
}

const toBase64 = (bytes: ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** A model as the JSON of its file. */
export const writeModel = (model: RelevanceModel): string =>
  `${JSON.stringify({
    version: MODEL_VERSION,
    topics: TOPICS.map(({ slug }) => slug),
    ...model,
    vocabulary: {
      papers: model.vocabulary.papers,
      terms: model.vocabulary.terms.join('\n'),
      frequencies: toBase64(model.vocabulary.frequencies),
      usualLength: model.vocabulary.usualLength,
    },
    weights: toBase64(model.weights),
  })}\n`

/** Twelve hex digits that differ between models. */
export const fingerprintOf = (model: RelevanceModel): string =>
  createHash('sha256').update(writeModel(model)).digest('hex').slice(0, 12)

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const areNumbers = (value: unknown, count: number): value is number[] =>
  Array.isArray(value) && value.length === count && value.every((one) => Number.isFinite(one))

const areStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** Throws `UnusableModel` for a part that is missing or invalid. */
const insist: (holds: boolean, part: string) => asserts holds = (holds, part) => {
  if (!holds) throw new UnusableModel(`The model is damaged: ${part} is missing or invalid.`)
}

const readPhrases = (value: unknown): PhraseCounts => {
  insist(isRecord(value) && isRecord(value.frequencies), 'the count of phrases')
  const { papers, averageLength, frequencies } = value
  insist(Number(papers) > 0 && Number(averageLength) > 0, 'the count of phrases')
  const unknown = TOPIC_PHRASES.find((phrase) => !Number.isFinite((frequencies as Record<string, unknown>)[phrase]))
  if (unknown !== undefined)
    throw new UnusableModel(`The model knows nothing of the phrase "${unknown}": train it again (npm run train).`)
  // All of its parts were validated above.
  return value as unknown as PhraseCounts
}

const readVocabulary = (value: unknown): Vocabulary => {
  insist(isRecord(value) && typeof value.terms === 'string' && Number(value.papers) > 0, 'the vocabulary')
  const terms = value.terms === '' ? [] : value.terms.split('\n')
  insist(typeof value.frequencies === 'string', 'the vocabulary')
  const bytes = Uint8Array.from(Buffer.from(value.frequencies, 'base64'))
  insist(bytes.length === terms.length * Uint16Array.BYTES_PER_ELEMENT, 'the vocabulary')
  const { usualLength } = value
  insist(typeof usualLength === 'number' && usualLength > 0, 'the vocabulary')
  return { papers: Number(value.papers), terms, frequencies: new Uint16Array(bytes.buffer), usualLength }
}

const readFittedOn = (value: unknown): FittedOn => {
  insist(isRecord(value) && Number.isFinite(value.papers) && areStrings(value.judged), 'what it was fitted on')
  const { papers, days, judged } = value
  insist(days === null || (areStrings(days) && days.length === 2), 'what it was fitted on')
  return { papers: Number(papers), days: days as [string, string] | null, judged }
}

/** Reads the parsed JSON of a model's file. Throws `UnusableModel`, with a sentence that says what is wrong. */
export const readModel = (value: unknown): RelevanceModel => {
  if (!isRecord(value) || value.version === undefined)
    throw new UnusableModel('This is no relevance model: train one with npm run train.')
  if (value.version !== MODEL_VERSION)
    throw new UnusableModel(
      `The model is of version ${String(value.version)}, and this program reads version ${MODEL_VERSION}: train it again.`,
    )
  const { topics, wholeOverTitle, shared, offsets, average, scales, calibration, weights } = value
  if (!areStrings(topics) || topics.join() !== TOPICS.map(({ slug }) => slug).join())
    throw new UnusableModel('The model is for other topics than these: train it again (npm run train).')
  insist(typeof wholeOverTitle === 'number' && wholeOverTitle >= 1, 'the weight of a title')
  insist(areNumbers(shared, PHRASE_NUMBERS + 1), 'the weights of phrases')
  insist(areNumbers(offsets, TOPICS.length) && areNumbers(scales, TOPICS.length), 'the weights of topics')
  insist(areNumbers(average, TOPICS.length), 'the average paper')
  insist(isRecord(calibration), 'the calibration')
  const { slope, offset } = calibration
  insist(typeof slope === 'number' && slope > 0 && typeof offset === 'number', 'the calibration')
  const vocabulary = readVocabulary(value.vocabulary)
  insist(typeof weights === 'string', 'the weights of terms')
  const bytes = Int8Array.from(Buffer.from(weights, 'base64'))
  insist(bytes.length === TOPICS.length * vocabulary.terms.length, 'the weights of terms')
  return {
    fittedOn: readFittedOn(value.fittedOn),
    phrases: readPhrases(value.phrases),
    wholeOverTitle,
    vocabulary,
    shared,
    offsets,
    average,
    weights: bytes,
    scales,
    calibration: { slope, offset },
  }
}
