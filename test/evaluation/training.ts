/**
 * Trains the relevance model on judged papers, in three steps:
 *
 * 1. The papers are cut into blocks of neighbouring list days. For each block both parts of the model, linear and network,
 *    are fitted to the papers of the other blocks, and say what they think of this one.
 * 2. Blend and trees are fitted to what they said of papers that they had not seen, which makes the probabilities honest.
 *    The quality of each topic is measured with a block left out of this step as well.
 * 3. Both parts are fitted once more, to all judged papers.
 *
 * Papers without judgements count for how common words and phrases are. A corpus without any judgements can be trained on
 * too: then an older model gives the likely relevance, and its blend stays.
 */
import type { Paper } from '../../src/core/papers/paper.ts'
import { GATE } from '../../src/core/relevance/gate.ts'
import {
  BLEND_NUMBERS,
  type Blend,
  blendLogit,
  blendNumbers,
  countInputs,
  createClassifier,
  finalLogit,
  type RelevanceModel,
  type TopicQuality,
  treeNumbers,
} from '../../src/core/relevance/model.ts'
import { packWeights } from '../../src/core/relevance/model-format.ts'
import { type Reading, readPaper } from '../../src/core/relevance/reading.ts'
import { fitDense, sigmoid } from '../../src/core/relevance/regression.ts'
import { TOPICS } from '../../src/core/topics.ts'
import { type Corpus, readCorpus, round, type Sample, type TrainingPaper } from './corpus.ts'
import { createLinearRunner, createNetworkRunner, type Example, fitLinear, fitNetwork } from './fit.ts'
import { fitTrees } from './trees-fit.ts'

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
/** Fewer judged papers cannot show which words go with a topic. */
export const MIN_JUDGED = 300

const BLOCKS = 3
/** Shares of the work that are done after counting and after the blocks. */
const PROGRESS = { counted: 0.05, blocks: 0.8 }

type OnProgress = (share: number) => void

/**
 * Trains a model on many papers. Takes about a minute for thousands; the same input gives the same model. Throws
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
  const model = 'teacher' in by ? learnFromModel(corpus, by.teacher) : learnFromGrades(corpus, by.judged, onProgress)
  onProgress(1)
  return model
}

/** A judged paper as it is learnt from. */
interface Judged {
  whole: Sample
  title: Sample
  /** By topic. */
  targets: Float32Array
}

const readJudged = (corpus: Corpus, reading: Reading, targets: Float32Array): Judged => ({
  whole: corpus.sampleOf(reading),
  title: corpus.sampleOf({ ...reading, abstract: { text: '', tokens: [] } }),
  targets,
})

/** Both parts of a model, fitted to some papers. */
const fitParts = (judged: readonly Judged[], terms: number) => {
  const examples = (of: (sample: Sample) => Example['whole']): Example[] =>
    judged.map(({ whole, title, targets }) => ({ whole: of(whole), title: of(title), targets }))
  return {
    linear: fitLinear(
      examples(({ vector }) => vector),
      terms,
    ),
    network: fitNetwork(
      examples(({ inputs }) => inputs),
      countInputs(terms),
    ),
  }
}

const packParts = ({ linear, network }: ReturnType<typeof fitParts>): Pick<RelevanceModel, 'linear' | 'network'> => {
  const terms = packWeights(linear.weights, TOPICS.length)
  const units = network.input.offsets.length
  const input = packWeights(network.input.weights, units)
  return {
    linear: { weights: terms.bytes, scales: terms.scales, offsets: Array.from(linear.offsets, round) },
    network: {
      input: input.bytes,
      scales: input.scales,
      hiddenOffsets: Array.from(network.input.offsets, round),
      output: TOPICS.flatMap((_, topic) =>
        Array.from({ length: units }, (_, unit) => round(network.output.weights[unit * TOPICS.length + topic] ?? 0)),
      ),
      offsets: Array.from(network.output.offsets, round),
    },
  }
}

const learnFromModel = (corpus: Corpus, teacher: RelevanceModel): RelevanceModel => {
  const classify = createClassifier(teacher)
  const judged = corpus.readings.map((reading) =>
    readJudged(
      corpus,
      reading,
      Float32Array.from(classify(reading).results, ({ probability }) => probability),
    ),
  )
  return {
    ...corpus.counts,
    fittedOn: { papers: corpus.readings.length, days: corpus.days, judged: teacher.fittedOn.judged },
    measured: [],
    ...packParts(fitParts(judged, corpus.size)),
    blend: teacher.blend,
    trees: teacher.trees,
  }
}

const learnFromGrades = (corpus: Corpus, papers: readonly JudgedPaper[], onProgress: OnProgress): RelevanceModel => {
  const ordered = papers.toSorted((a, b) => (a.listDay + a.id < b.listDay + b.id ? -1 : 1))
  const judged = ordered.map((paper) =>
    readJudged(
      corpus,
      readPaper(paper),
      Float32Array.from(TOPICS, ({ slug }) => Number((paper.grades[slug] ?? 0) > 0)),
    ),
  )
  const numbers = judgeUnseen(judged, corpus.size, (share) =>
    onProgress(PROGRESS.counted + (PROGRESS.blocks - PROGRESS.counted) * share),
  )
  const targets = judged.map((paper) => paper.targets)
  return {
    ...corpus.counts,
    fittedOn: { papers: corpus.readings.length, days: corpus.days, judged: papers.map(({ id }) => id).sort() },
    measured: measureTopics(numbers, targets),
    ...packParts(fitParts(judged, corpus.size)),
    ...fitSecond(numbers, targets),
  }
}

/** The numbers of a blend, by paper and topic. */
type Numbers = number[][][]

/** What parts that were fitted to the other blocks say of the papers of each block. Papers are in the order of their days. */
const judgeUnseen = (judged: readonly Judged[], terms: number, onBlock: OnProgress): Numbers =>
  blocksOf(judged.length).flatMap(([from, to], block) => {
    const { linear, network } = fitParts([...judged.slice(0, from), ...judged.slice(to)], terms)
    const [runLinear, runNetwork] = [createLinearRunner(linear), createNetworkRunner(network)]
    onBlock((block + 1) / BLOCKS)
    return judged
      .slice(from, to)
      .map(({ whole }) => blendNumbers(runLinear(whole.vector), runNetwork(whole.inputs), whole.phrases))
  })

/** Where each block begins and ends. */
const blocksOf = (count: number): [number, number][] => {
  const size = Math.ceil(count / BLOCKS)
  return Array.from({ length: BLOCKS }, (_, block) => [block * size, (block + 1) * size])
}

type Targets = readonly Float32Array[]
type Second = Pick<RelevanceModel, 'blend' | 'trees'>

/** Below this logit a paper is out of the question, and there are many such. */
const OUT_OF_QUESTION = -6

/** Fits blend and trees to the numbers of papers, and whether they are relevant. */
const fitSecond = (numbers: Numbers, targets: Targets): Second => {
  const blend = fitBlend(numbers, targets)
  const rows: number[][] = []
  const logits: number[] = []
  const relevant: number[] = []
  for (const [paper, ofPaper] of numbers.entries()) {
    for (const [topic, ofTopic] of ofPaper.entries()) {
      const logit = blendLogit(blend, topic, ofTopic)
      if (logit < OUT_OF_QUESTION) continue
      rows.push(treeNumbers(topic, ofTopic, logit))
      logits.push(logit)
      relevant.push(targets[paper]?.[topic] ?? 0)
    }
  }
  return { blend, trees: fitTrees(rows, logits, relevant) }
}

/** How strongly weights are held near 0 (ridge): those of topics more than those that all share. */
const RIDGE = { shared: 1, offset: 4, slope: 16 }

const fitBlend = (numbers: Numbers, all: Targets): Blend => {
  const topics = TOPICS.length
  const width = 1 + BLEND_NUMBERS
  const rows: Float32Array[] = []
  const targets: number[] = []
  for (const [paper, ofPaper] of numbers.entries()) {
    for (const [topic, ofTopic] of ofPaper.entries()) {
      const row = new Float32Array(width + 2 * topics)
      row[0] = 1
      row.set(ofTopic, 1)
      row[width + topic] = 1
      row[width + topics + topic] = ofTopic[0] ?? 0
      rows.push(row)
      targets.push(all[paper]?.[topic] ?? 0)
    }
  }
  const ridge = new Float64Array(width + 2 * topics).fill(RIDGE.shared)
  ridge[0] = 0
  ridge.fill(RIDGE.offset, width, width + topics).fill(RIDGE.slope, width + topics)
  const fitted = fitDense(rows, targets, ridge)
  const [common = 0] = fitted
  return {
    shared: Array.from(fitted.slice(1, width), round),
    offsets: Array.from(fitted.slice(width, width + topics), (offset) => round(common + offset)),
    slopes: Array.from(fitted.slice(width + topics), round),
  }
}

const shareOf = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((1000 * part) / whole) / 1000

/** Precision and recall by topic of what passes the gate, of papers that no step had seen. */
const measureTopics = (numbers: Numbers, targets: Targets): TopicQuality[] => {
  const passes = blocksOf(numbers.length).flatMap(([from, to]) => {
    const others = <T>(all: readonly T[]): T[] => [...all.slice(0, from), ...all.slice(to)]
    const second = fitSecond(others(numbers), others(targets))
    return numbers
      .slice(from, to)
      .map((ofPaper) => ofPaper.map((ofTopic, topic) => sigmoid(finalLogit(second, topic, ofTopic)) >= GATE))
  })
  return TOPICS.map(({ slug }, topic) => {
    const relevant = [...targets.keys()].filter((paper) => targets[paper]?.[topic] === 1)
    const hits = relevant.filter((paper) => passes[paper]?.[topic]).length
    const passed = passes.filter((ofPaper) => ofPaper[topic]).length
    return {
      topic: slug,
      relevant: relevant.length,
      precision: shareOf(hits, passed),
      recall: shareOf(hits, relevant.length),
    }
  })
}
