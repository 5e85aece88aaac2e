/** Logistic regression in three sizes: a few dense numbers, thousands of sparse ones, and either beside a known part. */
import type { TermVector } from './terms.ts'

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit))

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed (mulberry32). */
export const createRandom = (seed: number): (() => number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Solves `matrix · x = right` for a symmetric positive definite matrix (row by row), which it overwrites. */
const solve = (matrix: Float64Array, right: Float64Array): Float64Array => {
  const size = right.length
  const at = (row: number, column: number): number => matrix[row * size + column] as number
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = at(row, column)
      for (let k = 0; k < column; k++) sum -= at(row, k) * at(column, k)
      matrix[row * size + column] = row === column ? Math.sqrt(Math.max(sum, 1e-12)) : sum / at(column, column)
    }
  }
  const x = Float64Array.from(right)
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < row; k++) x[row] = (x[row] as number) - at(row, k) * (x[k] as number)
    x[row] = (x[row] as number) / at(row, row)
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let k = row + 1; k < size; k++) x[row] = (x[row] as number) - at(k, row) * (x[k] as number)
    x[row] = (x[row] as number) / at(row, row)
  }
  return x
}

const NEWTON_STEPS = 25
const CLOSE_ENOUGH = 1e-6

/**
 * Fits weights of few features by Newton's method: rows of equal length, targets from 0 to 1, and for each feature how
 * strongly its weight is held near 0 (ridge).
 */
export const fitDense = (
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  ridge: ArrayLike<number>,
): Float64Array => {
  const size = ridge.length
  const weights = new Float64Array(size)
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const gradient = Float64Array.from(weights, (weight, j) => -(ridge[j] as number) * weight)
    const curvature = new Float64Array(size * size)
    for (let j = 0; j < size; j++) curvature[j * size + j] = (ridge[j] as number) + 1e-9
    for (const [i, row] of rows.entries()) {
      let logit = 0
      for (let j = 0; j < size; j++) logit += (weights[j] as number) * (row[j] as number)
      const p = sigmoid(logit)
      const error = (targets[i] as number) - p
      const spread = Math.max(p * (1 - p), 1e-6)
      for (let j = 0; j < size; j++) {
        const value = row[j] as number
        if (value === 0) continue
        gradient[j] = (gradient[j] as number) + error * value
        for (let k = 0; k <= j; k++)
          curvature[j * size + k] = (curvature[j * size + k] as number) + spread * value * (row[k] as number)
      }
    }
    const change = solve(curvature, gradient)
    let largest = 0
    for (let j = 0; j < size; j++) {
      weights[j] = (weights[j] as number) + (change[j] as number)
      largest = Math.max(largest, Math.abs(change[j] as number))
    }
    if (largest < CLOSE_ENOUGH) break
  }
  return weights
}

/** A weight for each term, and one for every paper alike. */
export interface TermWeights {
  weights: Float32Array
  offset: number
}

export const dot = ({ at, weights }: TermVector, terms: ArrayLike<number>, from = 0): number => {
  let sum = 0
  for (let j = 0; j < at.length; j++) sum += (weights[j] as number) * (terms[from + (at[j] as number)] as number)
  return sum
}

const EPOCHS = 3
const LEARNING_RATE = 0.15
const DECAY = 1e-4

/**
 * Fits weights of many terms over thousands of papers, by steps that each look at one paper and are the smaller, the
 * more a term has been seen (AdaGrad; Duchi, Hazan and Singer, JMLR 2011). Few rounds, against overfitting.
 */
export const fitTerms = (papers: readonly TermVector[], targets: ArrayLike<number>, terms: number): TermWeights => {
  const weights = new Float32Array(terms)
  const seen = new Float32Array(terms).fill(1e-6)
  let offset = 0
  let seenOffset = 1e-6
  const random = createRandom(1)
  const order = Int32Array.from(papers, (_, i) => i)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let i = order.length - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1))
      const moved = order[i] as number
      order[i] = order[other] as number
      order[other] = moved
    }
    for (const i of order) {
      const paper = papers[i] as TermVector
      const error = sigmoid(offset + dot(paper, weights)) - (targets[i] as number)
      seenOffset += error * error
      offset -= (LEARNING_RATE * error) / Math.sqrt(seenOffset)
      for (let j = 0; j < paper.at.length; j++) {
        const term = paper.at[j] as number
        const slope = error * (paper.weights[j] as number) + DECAY * (weights[term] as number)
        seen[term] = (seen[term] as number) + slope * slope
        weights[term] = (weights[term] as number) - (LEARNING_RATE * slope) / Math.sqrt(seen[term] as number)
      }
    }
  }
  return { weights, offset }
}

const CORRECTION_STEPS = 60
const CORRECTION_RIDGE = 0.01
const OFFSET_RIDGE = 2

/** The largest eigenvalue of the papers' products: how steep the loss can be. By the power method. */
export const steepnessOf = (papers: readonly TermVector[], terms: number): number => {
  let direction = new Float32Array(terms).fill(1 / Math.sqrt(terms))
  let length = 0
  for (let round = 0; round < 12; round++) {
    const next = new Float32Array(terms)
    for (const paper of papers) {
      const along = dot(paper, direction)
      for (let j = 0; j < paper.at.length; j++) {
        const term = paper.at[j] as number
        next[term] = (next[term] as number) + along * (paper.weights[j] as number)
      }
    }
    length = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0))
    direction = next.map((value) => value / (length || 1))
  }
  return length
}

/**
 * Fits term weights on top of logits that are known already, over hundreds of papers, so that the two together meet the
 * targets: gradient steps with momentum (Nesterov). `steepness` is that of the papers.
 */
export const fitCorrection = (
  papers: readonly TermVector[],
  targets: ArrayLike<number>,
  known: ArrayLike<number>,
  terms: number,
  steepness: number,
): TermWeights => {
  const step = 1 / (0.3 * steepness + CORRECTION_RIDGE)
  const offsetStep = 1 / (0.25 * papers.length + OFFSET_RIDGE)
  let [weights, before] = [new Float32Array(terms), new Float32Array(terms)]
  let [offset, offsetBefore] = [0, 0]
  const gradient = new Float32Array(terms)
  for (let round = 0; round < CORRECTION_STEPS; round++) {
    const momentum = round / (round + 3)
    const ahead = before
    for (let j = 0; j < terms; j++)
      ahead[j] = (weights[j] as number) + momentum * ((weights[j] as number) - (before[j] as number))
    const offsetAhead = offset + momentum * (offset - offsetBefore)
    for (let j = 0; j < terms; j++) gradient[j] = CORRECTION_RIDGE * (ahead[j] as number)
    let offsetGradient = OFFSET_RIDGE * offsetAhead
    for (const [i, paper] of papers.entries()) {
      const error = sigmoid((known[i] as number) + offsetAhead + dot(paper, ahead)) - (targets[i] as number)
      offsetGradient += error
      for (let j = 0; j < paper.at.length; j++) {
        const term = paper.at[j] as number
        gradient[term] = (gradient[term] as number) + error * (paper.weights[j] as number)
      }
    }
    for (let j = 0; j < terms; j++) ahead[j] = (ahead[j] as number) - step * (gradient[j] as number)
    ;[weights, before] = [ahead, weights]
    ;[offset, offsetBefore] = [offsetAhead - offsetStep * offsetGradient, offset]
  }
  return { weights, offset }
}
