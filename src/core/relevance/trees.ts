/** Boosted decision trees over a few numbers: what they add to a logit where one straight line does not do for all. */

/** A complete binary tree, its nodes row by row from the top: a number above a node's threshold goes right. */
export interface Tree {
  /** By node, which number it looks at. */
  numbers: readonly number[]
  /** By node; `null` where everything goes left. */
  thresholds: readonly (number | null)[]
  /** One more than there are nodes. */
  leaves: readonly number[]
}

/** The leaf that some numbers fall into. */
export const leafOf = ({ numbers, thresholds }: Tree, values: ArrayLike<number>): number => {
  let node = 0
  while (node < thresholds.length) {
    const threshold = thresholds[node] ?? null
    const goesRight = threshold !== null && (values[numbers[node] as number] as number) > threshold
    node = 2 * node + (goesRight ? 2 : 1)
  }
  return node - thresholds.length
}

/** The sum of what the trees say. */
export const runTrees = (trees: readonly Tree[], values: ArrayLike<number>): number => {
  let sum = 0
  for (const tree of trees) sum += tree.leaves[leafOf(tree, values)] as number
  return sum
}
