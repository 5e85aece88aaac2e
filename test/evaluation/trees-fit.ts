/** Fits boosted decision trees to what a logit leaves unexplained (gradient boosting; Friedman, Annals of Statistics 2001). */
import { sigmoid } from '../../src/core/relevance/regression.ts'
import { leafOf, type Tree } from '../../src/core/relevance/trees.ts'

const TREES = 100
const DEPTH = 4
const RATE = 0.07
const RIDGE = 5
const MIN_ROWS = 80
const BINS = 48

/** Values between which the rows fall in about equal parts. */
const cutsOf = (rows: readonly ArrayLike<number>[], column: number): number[] => {
  const sorted = Float64Array.from(rows, (row) => row[column] as number).sort()
  const cuts = Array.from(
    { length: BINS - 1 },
    (_, at) => sorted[Math.floor(((at + 1) * sorted.length) / BINS)] as number,
  )
  // Rounded before rows are cut by them, so that a file gives the same trees.
  return [...new Set(cuts.map((cut) => Number(cut.toPrecision(6))))].filter((cut) => cut < (sorted.at(-1) ?? 0))
}

interface Split {
  gain: number
  column: number
  bin: number
}

/** The best split of a node by its sums of slopes and curvatures for each column and bin; `null` where none helps. */
const bestSplit = (slopes: Float64Array, curves: Float64Array, counts: Float64Array, columns: number): Split | null => {
  let best: Split | null = null
  const worth = (slope: number, curve: number): number => (slope * slope) / (curve + RIDGE)
  for (let column = 0; column < columns; column++) {
    const from = column * BINS
    let [allSlope, allCurve, all] = [0, 0, 0]
    for (let bin = from; bin < from + BINS; bin++) {
      allSlope += slopes[bin] as number
      allCurve += curves[bin] as number
      all += counts[bin] as number
    }
    let [slope, curve, count] = [0, 0, 0]
    for (let bin = 0; bin < BINS - 1; bin++) {
      slope += slopes[from + bin] as number
      curve += curves[from + bin] as number
      count += counts[from + bin] as number
      if (count < MIN_ROWS || all - count < MIN_ROWS) continue
      const gain = worth(slope, curve) + worth(allSlope - slope, allCurve - curve) - worth(allSlope, allCurve)
      if (gain > (best?.gain ?? 1e-6)) best = { gain, column, bin }
    }
  }
  return best
}

/** Fits trees to rows of numbers, on top of the logits that are known; targets are 0 or 1. The logits are not changed. */
export const fitTrees = (
  rows: readonly ArrayLike<number>[],
  known: ArrayLike<number>,
  targets: ArrayLike<number>,
): Tree[] => {
  const columns = rows[0]?.length ?? 0
  const cuts = Array.from({ length: columns }, (_, column) => cutsOf(rows, column))
  const binOf = (column: number, value: number): number => {
    const at = (cuts[column] as number[]).findIndex((cut) => value <= cut)
    return at === -1 ? (cuts[column] as number[]).length : at
  }
  const bins = Uint8Array.from({ length: rows.length * columns }, (_, at) =>
    binOf(at % columns, (rows[Math.floor(at / columns)] as ArrayLike<number>)[at % columns] as number),
  )
  const logits = Float64Array.from(known)
  const trees: Tree[] = []
  for (let round = 0; round < TREES; round++) {
    const probabilities = logits.map(sigmoid)
    const tree = growTree({ bins, cuts, columns, probabilities, targets })
    for (let row = 0; row < rows.length; row++)
      logits[row] = (logits[row] as number) + (tree.leaves[leafOf(tree, rows[row] as ArrayLike<number>)] as number)
    trees.push(tree)
  }
  return trees
}

interface Growth {
  bins: Uint8Array
  cuts: readonly number[][]
  columns: number
  probabilities: Float64Array
  targets: ArrayLike<number>
}

const growTree = ({ bins, cuts, columns, probabilities, targets }: Growth): Tree => {
  const nodes = 2 ** DEPTH - 1
  const numbers = new Array<number>(nodes).fill(0)
  const thresholds = new Array<number | null>(nodes).fill(null)
  const splitBins = new Int32Array(nodes).fill(BINS)
  const nodeOf = new Int32Array(probabilities.length)
  for (let depth = 0; depth < DEPTH; depth++) {
    const first = 2 ** depth - 1
    const count = 2 ** depth
    const [slopes, curves, counts] = [0, 1, 2].map(() => new Float64Array(count * columns * BINS)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    for (let row = 0; row < nodeOf.length; row++) {
      const from = ((nodeOf[row] as number) - first) * columns * BINS
      const p = probabilities[row] as number
      const slope = (targets[row] as number) - p
      for (let column = 0; column < columns; column++) {
        const at = from + column * BINS + (bins[row * columns + column] as number)
        slopes[at] = (slopes[at] as number) + slope
        curves[at] = (curves[at] as number) + p * (1 - p)
        counts[at] = (counts[at] as number) + 1
      }
    }
    for (let node = 0; node < count; node++) {
      const [from, to] = [node * columns * BINS, (node + 1) * columns * BINS]
      const split = bestSplit(slopes.subarray(from, to), curves.subarray(from, to), counts.subarray(from, to), columns)
      if (split === null) continue
      numbers[first + node] = split.column
      thresholds[first + node] = cuts[split.column]?.[split.bin] ?? null
      splitBins[first + node] = split.bin
    }
    for (let row = 0; row < nodeOf.length; row++) {
      const node = nodeOf[row] as number
      const goesRight = (bins[row * columns + (numbers[node] as number)] as number) > (splitBins[node] as number)
      nodeOf[row] = 2 * node + (goesRight ? 2 : 1)
    }
  }
  const [slopes, curves] = [new Float64Array(nodes + 1), new Float64Array(nodes + 1)]
  for (let row = 0; row < nodeOf.length; row++) {
    const leaf = (nodeOf[row] as number) - nodes
    const p = probabilities[row] as number
    slopes[leaf] = (slopes[leaf] as number) + (targets[row] as number) - p
    curves[leaf] = (curves[leaf] as number) + p * (1 - p)
  }
  const leaves = Array.from(slopes, (slope, leaf) =>
    Number(((RATE * slope) / ((curves[leaf] as number) + RIDGE)).toPrecision(4)),
  )
  return { numbers, thresholds, leaves }
}
