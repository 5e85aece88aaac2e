/**
 * Trains the relevance model on judged papers, in three steps:
 *
 * 1. The papers are cut into blocks of neighbouring list days. For each block both parts of the model, linear and network,
 *    are fitted to the papers of the other blocks, and say what they think of this one.
 * 2. Blend and trees are fitted to what they said of papers that they had not seen (`second-step`), which makes the
 *    probabilities honest.
 * 3. Both parts are fitted once more, to all judged papers.
 *
 * Papers without judgements count for how common words and phrases are. A corpus without any judgements can be trained on
 * too: then an older model gives the likely relevance, and its blend stays.
 */
import type { Paper } from '../../src/core/papers/paper.ts'
import type { PhraseTopic } from '../../src/core/relevance/evidence.ts'
import {
  blendNumbers,
  countInputs,
  countOutputs,
  createClassifier,
  type RelevanceModel,
} from '../../src/core/relevance/model.ts'
import { packWeights } from '../../src/core/relevance/model-format.ts'
import { type Reading, readPaper } from '../../src/core/relevance/reading.ts'
import { topicsByScoring } from '../../src/core/relevance/topics-by-scoring.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { type Corpus, readCorpus, round, type Sample, type TrainingPaper } from './corpus.ts'
import { createLinearRunner, createNetworkRunner, type Example, fitLinear, fitNetwork } from './fit.ts'
import { BLOCKS, blocksOf, fitSecondStep, type Numbers, without } from './second-step.ts'

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
  /** What to train it for: by default the topics that ship. A model is for those of them of which enough is known. */
  topics?: readonly PhraseTopic[]
  /** Called with the share of the work that is done, from 0 to 1. */
  onProgress?: (share: number) => void
}

/** Papers that no model can be trained on; the message is one sentence for people. */
export class UntrainableCorpus extends Error {
  override name = 'UntrainableCorpus'
}

/** On fewer papers rare words and phrases look rarer than they are (quality fell by .03 with 500). */
export const MIN_PAPERS = 1_500
/** Fewer judged papers cannot show which words go with a topic. */
export const MIN_JUDGED = 300

/** Of fewer relevant papers nothing can be learnt: such a topic is left to its phrases. */
export const MIN_RELEVANT = 10

/** Shares of the work that are done after counting and after the blocks. */
const PROGRESS = { counted: 0.05, blocks: 0.8 }

type OnProgress = (share: number) => void

/**
 * Trains a model on many papers, for those of the topics that enough judged papers are relevant to, or that the teacher knows.
 * Takes about a minute for thousands; the same input gives the same model. Throws `UntrainableCorpus` where there are too
 * few papers or judgements, or no abstracts.
 */
export const trainModel = ({
  papers,
  by,
  topics = DEFAULT_TOPICS.all,
  onProgress = () => undefined,
}: TrainingInput): RelevanceModel => {
  if (papers.length < MIN_PAPERS)
    throw new UntrainableCorpus(
      `${papers.length} papers are too few to train on: it takes ${MIN_PAPERS}, and some thousands to do it well.`,
    )
  if ('judged' in by && by.judged.length < MIN_JUDGED)
    throw new UntrainableCorpus(
      `${by.judged.length} judged papers are too few to train on: it takes ${MIN_JUDGED}. Without judgements the shipped model teaches.`,
    )
  const trained = 'teacher' in by ? topicsOfTeacher(by.teacher, topics) : topicsWithJudgements(by.judged, topics)
  if (trained.length === 0)
    throw new UntrainableCorpus(
      `To no topic ${MIN_RELEVANT} judged papers are relevant: nothing can be learnt. Topics are found by their phrases meanwhile.`,
    )
  const corpus = readCorpus(papers, trained)
  if (corpus === null)
    throw new UntrainableCorpus('None of the papers has an abstract: nothing can be learnt from titles alone.')
  onProgress(PROGRESS.counted)
  const model =
    'teacher' in by
      ? learnFromModel(corpus, trained, by.teacher)
      : learnFromGrades(corpus, trained, by.judged, onProgress)
  onProgress(1)
  return model
}

const topicsWithJudgements = (judged: readonly JudgedPaper[], topics: readonly PhraseTopic[]): PhraseTopic[] =>
  topics.filter(({ slug }) => judged.filter(({ grades }) => (grades[slug] ?? 0) > 0).length >= MIN_RELEVANT)

/** All that the teacher knows, with the phrases of now: its blend and trees are for just these. */
const topicsOfTeacher = (teacher: RelevanceModel, topics: readonly PhraseTopic[]): PhraseTopic[] => {
  const known = new Map(topicsByScoring(teacher, topics).byModel.map((topic) => [topic.slug, topic]))
  return teacher.topics.map((topic) => known.get(topic.slug) ?? topic)
}

/** A judged paper as it is learnt from. */
interface Judged {
  whole: Sample
  title: Sample
  /** By topic how likely it is relevant, and after all topics again how likely it is squarely about them. */
  targets: Float32Array
}

const readJudged = (corpus: Corpus, reading: Reading, targets: Float32Array): Judged => ({
  whole: corpus.sampleOf(reading),
  title: corpus.sampleOf({ ...reading, abstract: { text: '', tokens: [] } }),
  targets,
})

/** Both parts of a model, fitted to some papers. */
const fitParts = (judged: readonly Judged[], size: Corpus['size']) => {
  const topics = (judged[0]?.targets.length ?? 0) / 2
  const examples = (of: (sample: Sample) => Example['whole']): Example[] =>
    judged.map(({ whole, title, targets }) => ({ whole: of(whole), title: of(title), targets }))
  return {
    linear: fitLinear(
      examples(({ vector }) => vector),
      size.all,
    ),
    network: fitNetwork(
      examples(({ inputs }) => inputs),
      countInputs(size.whole, topics),
    ),
  }
}

const packParts = ({ linear, network }: ReturnType<typeof fitParts>): Pick<RelevanceModel, 'linear' | 'network'> => {
  const topics = linear.offsets.length
  const outputs = countOutputs(topics)
  const terms = packWeights(linear.weights, topics)
  const units = network.input.offsets.length
  const input = packWeights(network.input.weights, units)
  return {
    linear: { weights: terms.bytes, scales: terms.scales, offsets: Array.from(linear.offsets, round) },
    network: {
      input: input.bytes,
      scales: input.scales,
      hiddenOffsets: Array.from(network.input.offsets, round),
      output: Array.from(
        { length: units * outputs },
        // From unit after unit to output after output.
        (_, at) => round(network.output.weights[(at % units) * outputs + Math.floor(at / units)] ?? 0),
      ),
      offsets: Array.from(network.output.offsets, round),
    },
  }
}

const learnFromModel = (corpus: Corpus, topics: readonly PhraseTopic[], teacher: RelevanceModel): RelevanceModel => {
  const classify = createClassifier(teacher, topics)
  const judged = corpus.readings.map((reading) => {
    const { results } = classify(reading)
    const likely = [...results.map(({ probability }) => probability), ...results.map(({ squarely }) => squarely)]
    return readJudged(corpus, reading, Float32Array.from(likely))
  })
  return {
    ...corpus.counts,
    topics,
    fittedOn: { papers: corpus.readings.length, days: corpus.days, judged: teacher.fittedOn.judged },
    measured: [],
    ...packParts(fitParts(judged, corpus.size)),
    blend: teacher.blend,
    trees: teacher.trees,
    calibration: teacher.calibration,
  }
}

const learnFromGrades = (
  corpus: Corpus,
  topics: readonly PhraseTopic[],
  papers: readonly JudgedPaper[],
  onProgress: OnProgress,
): RelevanceModel => {
  const ordered = papers.toSorted((a, b) => (a.listDay + a.id < b.listDay + b.id ? -1 : 1))
  const judged = ordered.map((paper) => {
    const grades = topics.map(({ slug }) => paper.grades[slug] ?? 0)
    const targets = [...grades.map((grade) => Number(grade > 0)), ...grades.map((grade) => Number(grade > 1))]
    return readJudged(corpus, readPaper(paper), Float32Array.from(targets))
  })
  const numbers = judgeUnseen(judged, corpus.size, (share) =>
    onProgress(PROGRESS.counted + (PROGRESS.blocks - PROGRESS.counted) * share),
  )
  const targets = judged.map((paper) => paper.targets)
  return {
    ...corpus.counts,
    topics,
    fittedOn: { papers: corpus.readings.length, days: corpus.days, judged: papers.map(({ id }) => id).sort() },
    ...packParts(fitParts(judged, corpus.size)),
    ...fitSecondStep(
      numbers,
      targets,
      topics.map(({ slug }) => slug),
    ),
  }
}

/** What parts that were fitted to the other blocks say of the papers of each block. Papers are in the order of their days. */
const judgeUnseen = (judged: readonly Judged[], size: Corpus['size'], onBlock: OnProgress): Numbers =>
  blocksOf(judged.length).flatMap(([from, to], block) => {
    const { linear, network } = fitParts(without(judged, from, to), size)
    const [runLinear, runNetwork] = [createLinearRunner(linear), createNetworkRunner(network)]
    onBlock((block + 1) / BLOCKS)
    return judged
      .slice(from, to)
      .map(({ whole }) => blendNumbers(runLinear(whole.vector), runNetwork(whole.inputs), whole.phrases))
  })
