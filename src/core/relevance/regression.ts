/** Logistic regression of few numbers by Newton's method, and what all fits need. */

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
