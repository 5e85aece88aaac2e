/**
 * Trains the relevance model. Judged papers are few, papers as such are many, so it learns in three steps:
 *
 * 1. Phrases: from the judged papers, how much the phrases of a topic say, with weights that all topics share.
 * 2. Words: by that, every paper of the corpus gets a likely answer for each topic, and from these the words and pairs
 *    that go with a topic are learnt, also those that no phrase names.
 * 3. Together: the judged papers tell how much to trust both, and correct the weights of single words.
 *
 * A corpus without judgements can be trained on too: then a model trained before gives the likely answers, and its
 * shared weights stay.
 */
import { isoWeekOf } from '../../src/core/calendar.ts'
import type { Paper } from '../../src/core/papers/paper.ts'
import { countPhrases, type Evidence, type PhraseCounts, weighEvidence } from '../../src/core/relevance/evidence.ts'
import {
  createJudge,
  liftOf,
  PHRASE_NUMBERS,
  packWeights,
  phraseNumbers,
  type RelevanceModel,
} from '../../src/core/relevance/model.ts'
import { type Reading, readPaper } from '../../src/core/relevance/reading.ts'
import {
  dot,
  fitCorrection,
  fitDense,
  fitTerms,
  sigmoid,
  steepnessOf,
  type TermWeights,
} from '../../src/core/relevance/regression.ts'
import { countTerms, createTermWeigher, sightTerms, type TermVector } from '../../src/core/relevance/terms.ts'
import { TOPICS } from '../../src/core/topics.ts'
import { UsageError } from '../../workers/exit.ts'

export type TrainingPaper = Pick<Paper, 'title' | 'abstract'> & {
  /** `YYYY-MM-DD`, where known. */
  listDay: string | null
}

/** A paper with what somebody who read it says of its topics. */
export interface JudgedPaper extends Pick<Paper, 'id' | 'title' | 'abstract'> {
  listDay: string
  /** 2 = squarely about the topic, 1 = relevant to its subscribers; other topics are absent. */
  grades: Readonly<Record<string, number>>
}

export interface TrainingInput {
  papers: readonly TrainingPaper[]
  /** Papers with judgements, or a model that was trained with some. */
  by: { judged: readonly JudgedPaper[] } | { teacher: RelevanceModel }
  /** Fewer papers are refused; less than `LEAST_PAPERS` only for a trial of what more of them would give. */
  least?: number
  /** Hears how far the work is, from 0 to 1. */
  onProgress?: (share: number) => void
}

/** What cannot be trained on; the message is one sentence for people. */
export class UntrainableCorpus extends UsageError {
  override name = 'UntrainableCorpus'
}

/** On fewer papers rare words and phrases look rarer than they are (quality fell by .03 with 500). */
export const LEAST_PAPERS = 1_500
/** Fewer judged papers cannot show how much to trust phrases and words. */
export const LEAST_JUDGED = 100

const RIDGE = 1
const FOLDS = 4

/** A paper of grade 1 counts as half relevant, so that those of grade 2 rank above it. */
const targetOf = (grade: number): number => Math.min(1, grade / 2)

interface Sample {
  evidence: ReadonlyMap<string, Evidence>
  lift: number
  vector: TermVector
}

/** How much more the phrases of whole papers weigh than those of their titles, where the title has a strong one. */
const measureTitles = (readings: readonly Reading[], counts: PhraseCounts): number => {
  const ratios: number[] = []
  for (const reading of readings) {
    const alone = weighEvidence({ ...reading, abstract: { text: '', tokens: [] } }, counts)
    const titles = new Map(alone.map(({ topic, weight, strong }) => [topic, strong.title > 0 ? weight : 0]))
    for (const { topic, weight } of weighEvidence(reading, counts)) {
      const ofTitle = titles.get(topic) ?? 0
      if (ofTitle > 0) ratios.push(weight / ofTitle)
    }
  }
  return Math.max(1, ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 1)
}

/** Rows of numbers of all papers and topics with shared weights, and an offset for each topic, fitted together. */
const fitShared = (
  rows: readonly (readonly number[])[][],
  targets: readonly Float32Array[],
): { shared: number[]; offsets: number[] } => {
  const width = rows[0]?.[0]?.length ?? 0
  const size = 1 + width + TOPICS.length
  const flat: Float64Array[] = []
  const flatTargets: number[] = []
  for (const [paper, ofPaper] of rows.entries()) {
    for (const [topic, numbers] of ofPaper.entries()) {
      const row = new Float64Array(size)
      row[0] = 1
      row.set(numbers, 1)
      row[1 + width + topic] = 1
      flat.push(row)
      flatTargets.push(targets[topic]?.[paper] ?? 0)
    }
  }
  const fitted = fitDense(flat, flatTargets, new Float64Array(size).fill(RIDGE))
  return {
    shared: Array.from(fitted.slice(1, 1 + width)),
    offsets: TOPICS.map((_, topic) => (fitted[0] ?? 0) + (fitted[1 + width + topic] ?? 0)),
  }
}

const combine = (shared: readonly number[], numbers: readonly number[]): number =>
  numbers.reduce((sum, value, j) => sum + value * (shared[j] ?? 0), 0)

const round = (value: number): number => Number(value.toPrecision(6))

/** Keeps a judged week together, so that nothing is judged by a paper of the same days, where there are weeks enough. */
const foldsOf = (judged: readonly JudgedPaper[]): number[][] => {
  const weeks = [...new Set(judged.map(({ listDay }) => isoWeekOf(listDay)))].sort()
  const foldOf = (at: number): number =>
    (weeks.length >= FOLDS ? weeks.indexOf(isoWeekOf(judged[at]?.listDay ?? '')) : at) % FOLDS
  const folds = Map.groupBy(judged.keys(), foldOf)
  return [...folds.keys()].sort().map((fold) => folds.get(fold) ?? [])
}

/** The line from logits to probabilities, fitted on logits of papers that were left out when the weights were fitted. */
const calibrate = (logits: readonly number[], relevant: readonly number[]): { slope: number; offset: number } => {
  const [offset = 0, slope = 1] = fitDense(
    logits.map((logit) => [1, logit]),
    relevant,
    [0, 1e-3],
  )
  // A fit to noise could turn the order round; then the logits stay as they are.
  return slope > 0 ? { slope: round(slope), offset: round(offset) } : { slope: 1, offset: 0 }
}

/**
 * Trains a model on many papers. Takes seconds for each thousand; the same input gives the same model. Throws
 * `UntrainableCorpus` where there are too few papers or judgements.
 */
export const trainModel = ({
  papers,
  by,
  least = LEAST_PAPERS,
  onProgress = () => undefined,
}: TrainingInput): RelevanceModel => {
  if (papers.length < least)
    throw new UntrainableCorpus(
      `${papers.length} papers are too few to train on: it takes ${least}, and some thousands to do it well.`,
    )
  if ('judged' in by && by.judged.length < LEAST_JUDGED)
    throw new UntrainableCorpus(
      `${by.judged.length} judged papers are too few to train on: it takes ${LEAST_JUDGED}. Without judgements the shipped model teaches.`,
    )
  const readings = papers.map(readPaper)
  const phrases = countPhrases(readings)
  if (phrases.averageLength === 0)
    throw new UntrainableCorpus('None of the papers has an abstract: nothing can be learnt from titles alone.')
  const wholeOverTitle = measureTitles(readings, phrases)
  const terms = readings.map(sightTerms)
  const vocabulary = countTerms(terms)
  const weigh = createTermWeigher(vocabulary)
  const size = vocabulary.terms.length
  const sampleOf = (reading: Reading, vector: TermVector): Sample => ({
    evidence: new Map(weighEvidence(reading, phrases).map((one) => [one.topic, one])),
    lift: liftOf(reading, phrases.averageLength, wholeOverTitle),
    vector,
  })
  const numbersOf = ({ evidence, lift }: Sample): number[][] =>
    TOPICS.map(({ slug }) => phraseNumbers(evidence.get(slug), lift))
  const corpus = readings.map((reading, at) => sampleOf(reading, weigh(terms[at] ?? new Map())))
  const vectors = corpus.map(({ vector }) => vector)
  const days = papers.flatMap(({ listDay }) => (listDay === null ? [] : [listDay])).sort()
  const [first, last] = [days[0], days.at(-1)]
  const common = {
    phrases: { ...phrases, averageLength: round(phrases.averageLength) },
    wholeOverTitle: round(wholeOverTitle),
    vocabulary,
  }
  const fittedDays = first === undefined || last === undefined ? null : ([first, last] as const)
  onProgress(0.1)

  const learnWords = (likely: readonly ArrayLike<number>[]): TermWeights[] =>
    TOPICS.map((_, topic) => {
      const targets = Float32Array.from(likely, (ofPaper) => ofPaper[topic] ?? 0)
      const learnt = fitTerms(vectors, targets, size)
      onProgress(0.1 + (0.4 * (topic + 1)) / TOPICS.length)
      return learnt
    })

  const finish = (weights: readonly Float32Array[]) => ({
    ...packWeights(weights),
    average: weights.map((ofTopic) =>
      round(vectors.reduce((sum, vector) => sum + dot(vector, ofTopic), 0) / vectors.length),
    ),
  })

  if ('teacher' in by) {
    const { teacher } = by
    const judge = createJudge(teacher)
    const words = learnWords(readings.map((reading) => judge(reading).results.map(({ logit }) => sigmoid(logit))))
    const trust = teacher.shared[PHRASE_NUMBERS] ?? 0
    onProgress(1)
    return {
      ...common,
      fittedOn: { papers: papers.length, days: fittedDays, judged: teacher.fittedOn.judged },
      shared: teacher.shared,
      offsets: teacher.offsets,
      ...finish(words.map(({ weights }) => weights.map((weight) => weight * trust))),
      calibration: teacher.calibration,
    }
  }

  const { judged } = by
  const judgedReadings = judged.map(readPaper)
  const samples = judgedReadings.map((reading) => sampleOf(reading, weigh(sightTerms(reading))))
  const numbers = samples.map(numbersOf)
  const targets = TOPICS.map(({ slug }) => Float32Array.from(judged, ({ grades }) => targetOf(grades[slug] ?? 0)))
  const byPhrases = fitShared(numbers, targets)
  const words = learnWords(
    corpus.map((sample) =>
      numbersOf(sample).map((row, topic) => sigmoid((byPhrases.offsets[topic] ?? 0) + combine(byPhrases.shared, row))),
    ),
  )
  const withWords = samples.map(({ vector }, paper) =>
    TOPICS.map((_, topic) => [...(numbers[paper]?.[topic] ?? []), dot(vector, words[topic]?.weights ?? [])]),
  )
  const together = fitShared(withWords, targets)
  const known = TOPICS.map((_, topic) =>
    Float32Array.from(
      withWords,
      (rows) => (together.offsets[topic] ?? 0) + combine(together.shared, rows[topic] ?? []),
    ),
  )
  onProgress(0.6)

  const correct = (chosen: readonly number[]): TermWeights[] => {
    const of = chosen.map((at) => samples[at]?.vector as TermVector)
    const steepness = steepnessOf(of, size)
    return TOPICS.map((_, topic) => {
      const pick = (values: Float32Array | undefined) => chosen.map((at) => values?.[at] ?? 0)
      return fitCorrection(of, pick(targets[topic]), pick(known[topic]), size, steepness)
    })
  }
  const folds = foldsOf(judged)
  const logits: number[] = []
  const relevant: number[] = []
  for (const [done, fold] of folds.entries()) {
    const left = new Set(fold)
    const corrections = correct([...judged.keys()].filter((at) => !left.has(at)))
    for (const at of fold) {
      for (const [topic, { slug }] of TOPICS.entries()) {
        const correction = corrections[topic] as TermWeights
        const vector = samples[at]?.vector as TermVector
        logits.push((known[topic]?.[at] ?? 0) + correction.offset + dot(vector, correction.weights))
        relevant.push((judged[at]?.grades[slug] ?? 0) > 0 ? 1 : 0)
      }
    }
    onProgress(0.6 + (0.35 * (done + 1)) / folds.length)
  }
  const corrections = correct([...judged.keys()])
  const trust = together.shared[PHRASE_NUMBERS] ?? 0
  onProgress(1)
  return {
    ...common,
    fittedOn: { papers: papers.length, days: fittedDays, judged: judged.map(({ id }) => id).sort() },
    shared: together.shared.map(round),
    offsets: together.offsets.map((offset, topic) => round(offset + (corrections[topic]?.offset ?? 0))),
    ...finish(
      words.map(({ weights }, topic) =>
        weights.map((weight, term) => trust * weight + (corrections[topic]?.weights[term] ?? 0)),
      ),
    ),
    calibration: calibrate(logits, relevant),
  }
}
