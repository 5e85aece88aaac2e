/** What is learnt of presses: more or less of what papers hold, less of what was said long ago, and little of a single press. */
import { expect, test } from 'vitest'
import { decayed, HALF_LIFE_DAYS, learnTaste, MOST_TERMS, type Press } from '../../../src/core/taste/taste.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000)
const press = (paperId: string, direction: Press['direction'], at: Date, ...terms: string[]): Press => ({
  paperId,
  direction,
  at,
  terms: terms.map((term) => ({ term, label: term, weight: 1 })),
})
const weightsOf = (presses: Press[]) =>
  Object.fromEntries(learnTaste(presses, NOW).map(({ term, weight }) => [term, weight]))

test('more of a term counts for it, less against it and half as much, and the same said of both leaves what is more', () => {
  const weights = weightsOf([press('1', 'more', NOW, 'a', 'b'), press('2', 'less', NOW, 'b', 'c')])
  expect(weights.a).toBeGreaterThan(0)
  expect(weights.b).toBeCloseTo((weights.a ?? 0) / 2)
  expect(weights.c).toBeCloseTo(-(weights.a ?? 0) / 2)
})

test('after a half-life what was said counts half, and the order of presses does not matter', () => {
  expect(decayed(daysAgo(HALF_LIFE_DAYS), NOW)).toBeCloseTo(0.5)
  const presses = [press('1', 'more', daysAgo(HALF_LIFE_DAYS), 'old'), press('2', 'more', NOW, 'new')]
  const weights = weightsOf(presses)
  expect(weights.old).toBeCloseTo((weights.new ?? 0) / 2)
  expect(learnTaste(presses.toReversed(), NOW)).toEqual(learnTaste(presses, NOW))
})

test('one press is hardly a taste, many that agree are, and no number of them passes the weight of one paper', () => {
  const many = (count: number) =>
    weightsOf(Array.from({ length: count }, (_, n) => press(String(n), 'more', NOW, 'a'))).a ?? 0
  expect(many(1)).toBeLessThan(0.2)
  expect(many(20)).toBeGreaterThan(4 * many(1))
  expect(many(1_000)).toBeLessThan(1)
})

test('the weightiest terms are kept', () => {
  const terms = Array.from({ length: 100 }, (_, n) => ({ term: `t${n}`, label: `t${n}`, weight: (n + 1) / 100 }))
  const learnt = learnTaste([{ paperId: '1', direction: 'more', at: NOW, terms }], NOW)
  expect(learnt).toHaveLength(MOST_TERMS)
  expect(learnt[0]?.term).toBe('t99')
  expect(learnt.map(({ term }) => term)).not.toContain('t0')
})
