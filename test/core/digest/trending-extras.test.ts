/** Trending extras: papers from outside a reader's topics. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Rankable } from '../../../src/core/digest/ranking.ts'
import { selectTrendingExtras } from '../../../src/core/digest/trending-extras.ts'

const paper = (id: string, percentile: number, upvotes: number | null = 9): Rankable => ({
  id,
  title: id,
  upvotes,
  trend: { percentile, topPercent: null },
  relevance: [],
})
const ids = (papers: Rankable[]): string[] => papers.map(({ id }) => id)
const nothing = (): boolean => false

test('the three papers with the highest trend are extras, and none below the upper tenth or without upvotes', () => {
  const papers = [
    paper('a', 0.9),
    paper('b', 0.99),
    paper('c', 0.89),
    paper('d', 1, null),
    paper('e', 0.95),
    paper('f', 0.85),
  ]
  expect(ids(selectTrendingExtras(papers, [], nothing))).toEqual(['b', 'e', 'a'])
  expect(ids(selectTrendingExtras([paper('c', 0.89), paper('d', 1, null), paper('e', 1, 0)], [], nothing))).toEqual([])
})

test('a paper that is chosen already, or says nearly the same, is no extra', () => {
  const papers = [paper('a', 1), paper('b', 0.95), paper('c', 0.92)]
  const isAlike = (one: string, other: string): boolean => one === 'a' && other === 'b'
  expect(ids(selectTrendingExtras(papers, papers.slice(0, 1), isAlike))).toEqual(['c'])
})

test('the order of the papers makes no difference', () => {
  const some = fc.uniqueArray(
    fc.record({ id: fc.nat(50), trend: fc.constantFrom(0.5, 0.9, 0.95), upvotes: fc.nat(3) }),
    {
      selector: ({ id }) => id,
    },
  )
  fc.assert(
    fc.property(some, (all) => {
      const papers = all.map(({ id, trend, upvotes }) => paper(String(id), trend, upvotes))
      expect(selectTrendingExtras(papers.toReversed(), [], nothing)).toEqual(selectTrendingExtras(papers, [], nothing))
    }),
  )
})
