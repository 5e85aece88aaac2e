/** The file of a relevance model: its weights packed into bytes, without a sentence of any paper, and validated when it is read. */
import { createHash } from 'node:crypto'
import { DEFAULT_TOPICS } from '../topics.ts'
import type { PhraseCounts, PhraseTopic } from './evidence.ts'
import {
  BLEND_NUMBERS,
  type Blend,
  type Calibration,
  countInputs,
  countOutputs,
  type FittedOn,
  type Linear,
  type RelevanceModel,
  type TopicQuality,
} from './model.ts'
import type { Network } from './network.ts'
import { countWhole, type Vocabulary } from './terms.ts'
import type { Tree } from './trees.ts'

/** The version of the file's format. Another version is refused: its numbers would mean something else. */
export const MODEL_VERSION = 3

/** A model that cannot be used; the message is one sentence for people. */
export class UnusableModel extends Error {
  override name = 'UnusableModel'
}

const STEPS = 127

/** Packs weights into bytes, with a scale for each of their columns: they are known no more exactly than that. */
export const packWeights = (weights: Float32Array, columns: number): { bytes: Int8Array; scales: number[] } => {
  const largest = new Float64Array(columns)
  for (let j = 0; j < weights.length; j++)
    largest[j % columns] = Math.max(largest[j % columns] as number, Math.abs(weights[j] as number))
  const scales = Array.from(largest, (most) => Number((most / STEPS).toPrecision(6)) || 1)
  return { bytes: Int8Array.from(weights, (weight, j) => Math.round(weight / (scales[j % columns] as number))), scales }
}

const toBase64 = (bytes: ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

const sameList = (one: readonly string[], other: readonly string[]): boolean => one.join('\n') === other.join('\n')

/** A topic of a model as its file has it: one that ships with the project by its slug, another with its phrases. */
const writeTopic = ({ slug, strong, weak }: PhraseTopic): string | PhraseTopic => {
  const shipped = DEFAULT_TOPICS.bySlug(slug)
  const isShipped = shipped !== undefined && sameList(shipped.strong, strong) && sameList(shipped.weak, weak)
  return isShipped ? slug : { slug, strong, weak }
}

/** A model as the JSON of its file. */
export const writeModel = ({ topics, ...model }: RelevanceModel): string =>
  `${JSON.stringify({
    version: MODEL_VERSION,
    topics: topics.map(writeTopic),
    ...model,
    vocabulary: {
      papers: model.vocabulary.papers,
      terms: model.vocabulary.terms.join('\n'),
      frequencies: toBase64(model.vocabulary.frequencies),
      usualLength: model.vocabulary.usualLength,
    },
    linear: { ...model.linear, weights: toBase64(model.linear.weights) },
    network: { ...model.network, input: toBase64(model.network.input) },
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

/** A topic that no longer ships has no phrases any more; what the model learnt of it serves the others all the same. */
const readTopic = (value: unknown): PhraseTopic => {
  if (typeof value === 'string') return DEFAULT_TOPICS.bySlug(value) ?? { slug: value, strong: [], weak: [] }
  insist(isRecord(value) && typeof value.slug === 'string', 'a topic')
  const { slug, strong, weak } = value
  insist(areStrings(strong) && areStrings(weak), 'a topic')
  return { slug, strong, weak }
}

const readTopics = (value: unknown): PhraseTopic[] => {
  insist(Array.isArray(value) && value.length > 0, 'the list of topics')
  const topics = value.map(readTopic)
  insist(new Set(topics.map(({ slug }) => slug)).size === topics.length, 'the list of topics')
  return topics
}

const readPhrases = (value: unknown): PhraseCounts => {
  insist(isRecord(value) && isRecord(value.frequencies), 'the count of phrases')
  const { papers, averageLength, frequencies } = value
  insist(Number(papers) > 0 && Number(averageLength) > 0, 'the count of phrases')
  insist(Object.values(frequencies as Record<string, unknown>).every(Number.isFinite), 'the count of phrases')
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

const isShare = (value: unknown): value is number | null =>
  value === null || (typeof value === 'number' && value >= 0 && value <= 1)

const readMeasured = (value: unknown): TopicQuality[] => {
  insist(Array.isArray(value), 'its measured quality')
  return value.map((one: unknown) => {
    insist(isRecord(one) && typeof one.topic === 'string' && Number.isFinite(one.relevant), 'its measured quality')
    const { topic, relevant, precision, recall } = one
    insist(isShare(precision) && isShare(recall), 'its measured quality')
    return { topic, relevant: Number(relevant), precision, recall }
  })
}

const readBytes = (value: unknown, count: number, part: string): Int8Array => {
  insist(typeof value === 'string', part)
  const bytes = Int8Array.from(Buffer.from(value, 'base64'))
  insist(bytes.length === count, part)
  return bytes
}

const readLinear = (value: unknown, terms: number, topics: number): Linear => {
  insist(isRecord(value), 'the weights of terms')
  const { scales, offsets } = value
  insist(areNumbers(scales, topics) && areNumbers(offsets, topics), 'the weights of terms')
  return { weights: readBytes(value.weights, terms * topics, 'the weights of terms'), scales, offsets }
}

const readNetwork = (value: unknown, whole: number, topics: number): Network => {
  insist(isRecord(value) && Array.isArray(value.scales), 'the network')
  const { scales, hiddenOffsets, output, offsets } = value
  const units = scales.length
  insist(areNumbers(scales, units) && areNumbers(hiddenOffsets, units), 'the network')
  insist(areNumbers(output, units * countOutputs(topics)) && areNumbers(offsets, countOutputs(topics)), 'the network')
  const input = readBytes(value.input, units * countInputs(whole, topics), 'the network')
  return { input, scales, hiddenOffsets, output, offsets }
}

const readBlend = (value: unknown, topics: number): Blend => {
  insist(isRecord(value), 'the blend')
  const { shared, offsets, slopes } = value
  insist(areNumbers(shared, BLEND_NUMBERS), 'the blend')
  insist(areNumbers(offsets, topics) && areNumbers(slopes, topics), 'the blend')
  return { shared, offsets, slopes }
}

const readCalibration = (value: unknown, topics: number): Calibration => {
  insist(isRecord(value), 'the calibration')
  const { slope, offsets } = value
  insist(Number(slope) > 0 && areNumbers(offsets, topics), 'the calibration')
  return { slope: Number(slope), offsets }
}

const isNode = (value: unknown): boolean => value === null || Number.isFinite(value)

const readTrees = (value: unknown): Tree[] => {
  insist(Array.isArray(value), 'the trees')
  return value.map((tree: unknown) => {
    insist(isRecord(tree) && Array.isArray(tree.thresholds) && tree.thresholds.every(isNode), 'the trees')
    const { numbers, thresholds, leaves } = tree
    const nodes = tree.thresholds.length
    insist(areNumbers(numbers, nodes) && areNumbers(leaves, nodes + 1), 'the trees')
    insist(
      numbers.every((at) => Number.isInteger(at) && at >= 0 && at < BLEND_NUMBERS + 2),
      'the trees',
    )
    return { numbers, thresholds: thresholds as (number | null)[], leaves }
  })
}

/** Reads the parsed JSON of a model's file. Throws `UnusableModel`, with a sentence that says what is wrong. */
export const readModel = (value: unknown): RelevanceModel => {
  if (!isRecord(value) || value.version === undefined)
    throw new UnusableModel('This is no relevance model: train one with npm run train.')
  if (value.version !== MODEL_VERSION)
    throw new UnusableModel(
      `The model is of version ${String(value.version)}, and this program reads version ${MODEL_VERSION}: train it again.`,
    )
  const { wholeOverTitle } = value
  const topics = readTopics(value.topics)
  insist(typeof wholeOverTitle === 'number' && wholeOverTitle >= 1, 'the weight of a title')
  const vocabulary = readVocabulary(value.vocabulary)
  return {
    topics,
    fittedOn: readFittedOn(value.fittedOn),
    measured: readMeasured(value.measured),
    phrases: readPhrases(value.phrases),
    wholeOverTitle,
    vocabulary,
    linear: readLinear(value.linear, vocabulary.terms.length, topics.length),
    network: readNetwork(value.network, countWhole(vocabulary), topics.length),
    blend: readBlend(value.blend, topics.length),
    trees: readTrees(value.trees),
    calibration: readCalibration(value.calibration, topics.length),
  }
}
