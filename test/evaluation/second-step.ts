/**
 * The second step of training: fits what makes probabilities of the numbers that both parts of a model gave for papers that
 * they had not seen, and measures each topic with a block of papers left out of this step as well.
 */
import { GATE } from '../../src/core/relevance/gate.ts'
import {
  BLEND_NUMBERS,
  type Blend,
  blendLogit,
  finalLogit,
  PHRASES_IN_BLEND,
  type RelevanceModel,
  type TopicQuality,
  treeNumbers,
} from '../../src/core/relevance/model.ts'
import { fitDense, sigmoid } from '../../src/core/relevance/regression.ts'
import { runTrees } from '../../src/core/relevance/trees.ts'
import { round } from './corpus.ts'
import { fitTrees } from './trees-fit.ts'

/** In how many blocks papers are cut. */
export const BLOCKS = 3

/** The numbers of a blend, by paper and topic. */
export type Numbers = number[][][]

/** Where each block begins and ends. */
export const blocksOf = (count: number): [number, number][] => {
  const size = Math.ceil(count / BLOCKS)
  return Array.from({ length: BLOCKS }, (_, block) => [block * size, (block + 1) * size])
}

/** By paper, and by topic how likely it is relevant, and after all topics again how likely it is squarely about them. */
export type Targets = readonly Float32Array[]
type Second = Pick<RelevanceModel, 'blend' | 'trees' | 'calibration'>

/** Fits the second step to the numbers of papers, which are in the order of their days, and measures its quality by topic, which have these slugs. */
export const fitSecondStep = (
  numbers: Numbers,
  targets: Targets,
  slugs: readonly string[],
): Second & Pick<RelevanceModel, 'measured'> => {
  const unseen = logitsOfUnseen(numbers, targets)
  const cautions = cautionsFor(unseen, targets)
  const second = fitSecond(numbers, targets)
  const { slope, offsets } = second.calibration
  return {
    ...second,
    calibration: { slope, offsets: offsets.map((offset, topic) => round(offset - (cautions[topic] ?? 0))) },
    measured: measureTopics(unseen, targets, slugs),
  }
}

/** Below this logit a paper is out of the question, and there are many such. */
const OUT_OF_QUESTION = -6

/**
 * What a relevant paper is worth where one squarely about the topic is worth 1. At 1, which leaves the order of the two to
 * chance, nDCG@10 was .0025 lower on two sets of papers left out, and precision no better; at 1/2 hardly different.
 */
const RELEVANT_WORTH = 2 / 3

const worthOf = (targets: Float32Array | undefined, topic: number): number =>
  RELEVANT_WORTH * (targets?.[topic] ?? 0) + (1 - RELEVANT_WORTH) * (targets?.[topic + targets.length / 2] ?? 0)

/** Fits blend and trees to the numbers of papers and their grades, and the calibration to whether they are relevant. */
const fitSecond = (numbers: Numbers, targets: Targets): Second => {
  const blend = fitBlend(numbers, targets)
  const rows: number[][] = []
  const logits: number[] = []
  const worths: number[] = []
  const relevant: number[] = []
  for (const [paper, ofPaper] of numbers.entries()) {
    for (const [topic, ofTopic] of ofPaper.entries()) {
      const logit = blendLogit(blend, topic, ofTopic)
      if (logit < OUT_OF_QUESTION) continue
      rows.push(treeNumbers(topic, ofTopic, logit))
      logits.push(logit)
      worths.push(worthOf(targets[paper], topic))
      relevant.push(targets[paper]?.[topic] ?? 0)
    }
  }
  const trees = fitTrees(rows, logits, worths)
  const graded = rows.map((row, at) => [1, (logits[at] ?? 0) + runTrees(trees, row)])
  const [offset = 0, slope = 1] = fitDense(graded, relevant, CALIBRATION_RIDGE)
  return { blend, trees, calibration: { slope: round(slope), offsets: blend.offsets.map(() => round(offset)) } }
}

/** Enough for a line to exist where hardly anything is relevant. */
const CALIBRATION_RIDGE = [0.01, 0.01]

/** How strongly weights are held near 0 (ridge): those of topics more than those that all share. */
const RIDGE = { shared: 1, offset: 4, slope: 16 }

const fitBlend = (numbers: Numbers, all: Targets): Blend => {
  const topics = numbers[0]?.length ?? 0
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
      targets.push(worthOf(all[paper], topic))
    }
  }
  const ridge = new Float64Array(width + 2 * topics).fill(RIDGE.shared)
  ridge[0] = 0
  ridge.fill(RIDGE.offset, width, width + topics).fill(RIDGE.slope, width + topics)
  const fitted = fitWithoutMistrust(rows, targets, ridge)
  const [common = 0] = fitted
  return {
    shared: Array.from(fitted.slice(1, width), round),
    offsets: Array.from(fitted.slice(width, width + topics), (offset) => round(common + offset)),
    slopes: Array.from(fitted.slice(width + topics), round),
  }
}

/** A phrase of a topic must not speak against it: where a weight of phrases would be below 0, it is fitted as 0. */
const fitWithoutMistrust = (rows: Float32Array[], targets: number[], ridge: Float64Array): Float64Array => {
  const [first, end] = PHRASES_IN_BLEND.map((at) => 1 + at) as [number, number]
  for (;;) {
    const fitted = fitDense(rows, targets, ridge)
    const mistrusted = [...fitted.keys()].filter((at) => at >= first && at < end && (fitted[at] as number) < -1e-9)
    if (mistrusted.length === 0) return fitted
    for (const row of rows) for (const at of mistrusted) row[at] = 0
  }
}

const shareOf = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((1000 * part) / whole) / 1000

/** What the second step says of the papers of each block, fitted to those of the other blocks: logits by paper and topic. */
const logitsOfUnseen = (numbers: Numbers, targets: Targets): number[][] =>
  blocksOf(numbers.length).flatMap(([from, to]) => {
    const second = fitSecond(without(numbers, from, to), without(targets, from, to))
    return numbers.slice(from, to).map((ofPaper) => ofPaper.map((ofTopic, topic) => finalLogit(second, topic, ofTopic)))
  })

export const without = <T>(all: readonly T[], from: number, to: number): T[] => [
  ...all.slice(0, from),
  ...all.slice(to),
]

/** How much of what passes the gate is to be relevant, in every topic. */
const LEAST_PRECISION = 0.83
const CAUTION = { step: 0.05, most: 1.5 }
/** Of fewer papers no share can be told. */
const ENOUGH_PASSED = 30

/**
 * By topic what to take off its logits so that enough of what passes the gate is relevant: where the model errs most it
 * offers less. With this, and all logits higher by the same, precision and recall over all topics stayed what they were.
 */
export const cautionsFor = (logits: readonly number[][], targets: Targets): number[] =>
  Array.from({ length: logits[0]?.length ?? 0 }, (_, topic) => {
    let caution = 0
    for (; caution < CAUTION.most; caution += CAUTION.step) {
      const passed = [...logits.keys()].filter((paper) => passes(logits[paper]?.[topic], caution))
      const hits = passed.filter((paper) => targets[paper]?.[topic] === 1).length
      if (passed.length < ENOUGH_PASSED || hits >= LEAST_PRECISION * passed.length) break
    }
    return caution
  })

const passes = (logit = Number.NEGATIVE_INFINITY, caution = 0): boolean => sigmoid(logit - caution) >= GATE

/** Precision and recall by topic of what passes the gate, of papers that no step had seen. */
const measureTopics = (logits: readonly number[][], targets: Targets, slugs: readonly string[]): TopicQuality[] => {
  const passed = blocksOf(logits.length).flatMap(([from, to]) => {
    const cautions = cautionsFor(without(logits, from, to), without(targets, from, to))
    return logits.slice(from, to).map((ofPaper) => ofPaper.map((logit, topic) => passes(logit, cautions[topic])))
  })
  return slugs.map((slug, topic) => {
    const relevant = [...targets.keys()].filter((paper) => targets[paper]?.[topic] === 1)
    const hits = relevant.filter((paper) => passed[paper]?.[topic]).length
    return {
      topic: slug,
      relevant: relevant.length,
      precision: shareOf(hits, passed.filter((ofPaper) => ofPaper[topic]).length),
      recall: shareOf(hits, relevant.length),
    }
  })
}
