import { describe, expect, it } from 'vitest'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { cautionsFor } from './second-step.ts'

/** Papers of which the first topic's score promises more than is true, and the second's does not. */
const COUNT = 1_000
const logits = Array.from({ length: COUNT }, (_, paper) =>
  DEFAULT_TOPICS.all.map((_, topic) => (topic < 2 ? 4 * (paper / COUNT) - 2 : -5)),
)
const relevantFrom = [700, 500]
const targets = logits.map((_, paper) =>
  Float32Array.from({ length: 2 * DEFAULT_TOPICS.all.length }, (_, topic) =>
    Number(paper >= (relevantFrom[topic] ?? COUNT)),
  ),
)

const precisionOf = (topic: number, caution: number): number => {
  const passed = [...logits.keys()].filter((paper) => (logits[paper]?.[topic] ?? 0) >= caution)
  return passed.filter((paper) => targets[paper]?.[topic] === 1).length / passed.length
}

describe('the second step of training', () => {
  it('is cautious with a topic of which too little past the gate is relevant, as far as needed, and with no other', () => {
    const [first = 0, second, ...others] = cautionsFor(logits, targets)
    expect(precisionOf(0, 0)).toBeCloseTo(0.6)
    expect(precisionOf(0, first)).toBeGreaterThanOrEqual(0.83)
    expect(precisionOf(0, first - 0.1)).toBeLessThan(0.83)
    expect(second).toBe(0)
    expect(new Set(others)).toEqual(new Set([0]))
  })
})
