/**
 * Trains the relevance model. Judged papers are few and papers as such are many, so it learns in three steps:
 *
 * 1. Phrases: from the judged papers, how much the phrases of a topic count, with weights that all topics share.
 * 2. Words: by that, every paper of the corpus gets a likely relevance to each topic, and from these are learnt the words
 *    and pairs that go with a topic, also those that no phrase names.
 * 3. Both: the judged papers tell how much to trust both, and correct the weights of single words.
 *
 * A corpus without judgements can be trained on too: then an older model gives the likely relevance, and its shared
 * weights stay.
 */
import { isoWeekOf } from '../../src/core/calendar.ts'
import type { Paper } from '../../src/core/papers/paper.ts'
import { createClassifier, PHRASE_NUMBERS, type RelevanceModel } from '../../src/core/relevance/model.ts'
import { readPaper } from '../../src/core/relevance/reading.ts'
import {
  dot,
  fitCorrection,
  fitDense,
  sigmoid,
  steepnessOf,
  type TermWeights,
} from '../../src/core/relevance/regression.ts'
import { TOPICS } from '../../src/core/topics.ts'
import { type Corpus, fitWords, packTerms, readCorpus, round, type Sample, type TrainingPaper } from './corpus.ts'

/** A paper with the grades that a person who read it gave for its topics. */
export interface JudgedPaper extends Pick<Paper, 'id' | 'title' | 'abstract'> {
  listDay: string
  /** 2 = squarely about the topic, 1 = relevant to its subscribers; other topics are absent. */
  grades: Readonly<Record<string, number>>
}

export interface TrainingInput {
  papers: readonly TrainingPaper[]
  /** Papers with judgements, or a model that was trained with some. */
  by: { judged: readonly JudgedPaper[] } | { teacher: RelevanceModel }
  /** Called with the share of the work that is done, from 0 to 1. */
  onProgress?: (share: number) => void
}

/** Papers that no model can be trained on; the message is one sentence for people. */
export class UntrainableCorpus extends Error {
  override name = 'UntrainableCorpus'
}

/** On fewer papers rare words and phrases look rarer than they are (quality fell by .03 with 500). */
export const MIN_PAPERS = 1_500
/** Fewer judged papers cannot show how much to trust phrases and words. */
export const MIN_JUDGED = 100

const RIDGE = 1
const FOLDS = 4
/** Shares of the work that are done after counting, after learning words, and after the folds. */
const PROGRESS = { counted: 0.1, words: 0.5, together: 0.6, folds: 0.95 }

type OnProgress = (share: number) => void

/**
 * Trains a model on many papers. Takes seconds for each thousand; the same input gives the same model. Throws
 * `UntrainableCorpus` where there are too few papers or judgements, or no abstracts.
 */
export const trainModel = ({ papers, by, onProgress = () => undefined }: TrainingInput): RelevanceModel => {
  if (papers.length < MIN_PAPERS)
    throw new UntrainableCorpus(
      `${papers.length} papers are too few to train on: it takes ${MIN_PAPERS}, and some thousands to do it well.`,
    )
  if ('judged' in by && by.judged.length < MIN_JUDGED)
    throw new UntrainableCorpus(
      `${by.judged.length} judged papers are too few to train on: it takes ${MIN_JUDGED}. Without judgements the shipped model teaches.`,
    )
  const corpus = readCorpus(papers)
  if (corpus === null)
    throw new UntrainableCorpus('None of the papers has an abstract: nothing can be learnt from titles alone.')
  onProgress(PROGRESS.counted)
  const model =
    'teacher' in by ? learnFromModel(corpus, by.teacher, onProgress) : learnFromGrades(corpus, by.judged, onProgress)
  onProgress(1)
  return model
}

const learnWords = (corpus: Corpus, likely: readonly ArrayLike<number>[], onProgress: OnProgress): TermWeights[] =>
  fitWords(corpus, likely, (share) => onProgress(PROGRESS.counted + (PROGRESS.words - PROGRESS.counted) * share))

const learnFromModel = (corpus: Corpus, teacher: RelevanceModel, onProgress: OnProgress): RelevanceModel => {
  const classify = createClassifier(teacher)
  const likely = corpus.readings.map((reading) => classify(reading).results.map(({ logit }) => sigmoid(logit)))
  const words = learnWords(corpus, likely, onProgress)
  const trust = teacher.shared[PHRASE_NUMBERS] ?? 0
  return {
    ...corpus.counts,
    fittedOn: { papers: corpus.samples.length, days: corpus.days, judged: teacher.fittedOn.judged },
    shared: teacher.shared,
    offsets: teacher.offsets,
    ...packTerms(
      corpus,
      words.map(({ weights }) => weights.map((weight) => weight * trust)),
    ),
    calibration: teacher.calibration,
  }
}

const learnFromGrades = (corpus: Corpus, judged: readonly JudgedPaper[], onProgress: OnProgress): RelevanceModel => {
  const samples = judged.map((paper) => corpus.sampleOf(readPaper(paper)))
  const targets = TOPICS.map(({ slug }) => Float32Array.from(judged, ({ grades }) => targetOf(grades[slug] ?? 0)))
  const byPhrases = fitShared(
    samples.map(({ phrases }) => phrases),
    targets,
  )
  const likely = corpus.samples.map(({ phrases }) => logitsOf(byPhrases, phrases).map(sigmoid))
  const words = learnWords(corpus, likely, onProgress)
  const withWords = samples.map(({ phrases, vector }) =>
    TOPICS.map((_, topic) => [...(phrases[topic] ?? []), dot(vector, words[topic]?.weights ?? [])]),
  )
  const together = fitShared(withWords, targets)
  const logits = withWords.map((rows) => logitsOf(together, rows))
  const known = TOPICS.map((_, topic) => Float32Array.from(logits, (ofPaper) => ofPaper[topic] ?? 0))
  onProgress(PROGRESS.together)

  const basis = { samples, targets, known, size: corpus.size }
  const calibration = calibrateByFolds(basis, judged, (share) =>
    onProgress(PROGRESS.together + (PROGRESS.folds - PROGRESS.together) * share),
  )
  const corrections = fitCorrections(basis, [...judged.keys()])
  const trust = together.shared[PHRASE_NUMBERS] ?? 0
  return {
    ...corpus.counts,
    fittedOn: { papers: corpus.samples.length, days: corpus.days, judged: judged.map(({ id }) => id).sort() },
    shared: together.shared.map(round),
    offsets: together.offsets.map((offset, topic) => round(offset + (corrections[topic]?.offset ?? 0))),
    ...packTerms(
      corpus,
      words.map(({ weights }, topic) =>
        weights.map((weight, term) => trust * weight + (corrections[topic]?.weights[term] ?? 0)),
      ),
    ),
    calibration,
  }
}

/** A paper of grade 1 counts as half relevant, so that those of grade 2 rank above it. */
const targetOf = (grade: number): number => Math.min(1, grade / 2)

/** Weights of numbers that all topics share, and an offset for each topic. */
interface SharedWeights {
  shared: number[]
  offsets: number[]
}

/** Fits shared weights and offsets to the numbers of all papers and topics; `targets` are by topic and paper, 0 to 1. */
const fitShared = (
  rows: readonly (readonly (readonly number[])[])[],
  targets: readonly Float32Array[],
): SharedWeights => {
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

const logitsOf = ({ shared, offsets }: SharedWeights, rows: readonly (readonly number[])[]): number[] =>
  TOPICS.map(
    (_, topic) =>
      // The sum of the products is taken first: in another order the last digits of a model would differ.
      (offsets[topic] ?? 0) + (rows[topic] ?? []).reduce((sum, value, j) => sum + value * (shared[j] ?? 0), 0),
  )

/** The judged papers, and what is known of them before single words are corrected; by topic and paper. */
interface Basis {
  samples: readonly Sample[]
  targets: readonly Float32Array[]
  /** Logits by phrases and words. */
  known: readonly Float32Array[]
  size: number
}

/** Fits corrections of single words, by topic, to some of the judged papers. */
const fitCorrections = ({ samples, targets, known, size }: Basis, chosen: readonly number[]): TermWeights[] => {
  const vectors = chosen.map((at) => (samples[at] as Sample).vector)
  const steepness = steepnessOf(vectors, size)
  return TOPICS.map((_, topic) => {
    const pick = (values: Float32Array | undefined) => chosen.map((at) => values?.[at] ?? 0)
    return fitCorrection(vectors, pick(targets[topic]), pick(known[topic]), size, steepness)
  })
}

/** Fits the calibration to logits of judged papers, each by corrections that were fitted without its fold. */
const calibrateByFolds = (
  basis: Basis,
  judged: readonly JudgedPaper[],
  onFold: OnProgress,
): RelevanceModel['calibration'] => {
  const folds = foldsOf(judged)
  const logits: number[] = []
  const relevant: number[] = []
  for (const [done, fold] of folds.entries()) {
    const left = new Set(fold)
    const corrections = fitCorrections(
      basis,
      [...judged.keys()].filter((at) => !left.has(at)),
    )
    for (const at of fold) {
      for (const [topic, { slug }] of TOPICS.entries()) {
        const correction = corrections[topic] as TermWeights
        const { vector } = basis.samples[at] as Sample
        logits.push((basis.known[topic]?.[at] ?? 0) + correction.offset + dot(vector, correction.weights))
        relevant.push((judged[at]?.grades[slug] ?? 0) > 0 ? 1 : 0)
      }
    }
    onFold((done + 1) / folds.length)
  }
  return calibrate(logits, relevant)
}

/** Folds of judged papers. Where there are enough weeks each stays together, so that no paper is predicted by others of its days. */
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
  // A fit to noise could reverse the order; then the logits stay as they are.
  return slope > 0 ? { slope: round(slope), offset: round(offset) } : { slope: 1, offset: 0 }
}
