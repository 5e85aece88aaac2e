import { describe, expect, it } from 'vitest'
import { createRandom, sigmoid } from '../../src/core/relevance/regression.ts'
import { leafOf, runTrees } from '../../src/core/relevance/trees.ts'
import { fitTrees } from './trees-fit.ts'

const random = createRandom(3)
/** Two numbers that matter only together, and one that does not matter. */
const rows = Array.from({ length: 4_000 }, () => [random(), random(), random()])
const targets = rows.map(([a = 0, b = 0]) => Number(a > 0.5 === b > 0.5))

describe('boosted trees', () => {
  it('learn what no straight line can, and leave the rest to the logit that is known', () => {
    const known = rows.map(() => 0)
    const trees = fitTrees(rows, known, targets)
    const chance = (values: number[]): number => sigmoid(runTrees(trees, values))
    expect(chance([0.9, 0.9, 0.1])).toBeGreaterThan(0.9)
    expect(chance([0.1, 0.2, 0.9])).toBeGreaterThan(0.9)
    expect(chance([0.9, 0.1, 0.5])).toBeLessThan(0.1)
    expect(fitTrees(rows, known, targets)).toEqual(trees)
  })

  it('add little where the logit is right already', () => {
    const even = rows.map(() => Number(random() < 0.5))
    const known = rows.map(() => 0)
    const trees = fitTrees(rows, known, even)
    const added = rows.map((row) => Math.abs(runTrees(trees, row)))
    expect(added.reduce((sum, one) => sum + one, 0) / added.length).toBeLessThan(0.4)
  })

  it('send a number above a threshold right, and everything left where there is none', () => {
    const tree = { numbers: [0, 0, 1], thresholds: [1, null, 2], leaves: [10, 11, 12, 13] }
    expect(
      [
        [0, 9],
        [1, 9],
        [2, 2],
        [2, 3],
      ].map((values) => leafOf(tree, values)),
    ).toEqual([0, 0, 2, 3])
  })
})
