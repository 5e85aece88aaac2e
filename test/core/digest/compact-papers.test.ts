/** Which papers are shown in short. */
import { describe, expect, test } from 'vitest'
import { selectCompact } from '../../../src/core/digest/compact-papers.ts'
import type { RankedPaper } from '../../../src/core/digest/ranking.ts'

const ranked = (id: string, squarely: number, upvotes: number | null, topic = 'robotics'): RankedPaper => ({
  paper: {
    id,
    title: id,
    upvotes,
    trend: { percentile: 0, topPercent: null },
    relevance: [{ topic, score: 0.9, squarely, matches: [] }],
  },
  topic,
  matches: [],
  squarely,
  score: squarely,
})

const compact = (...papers: RankedPaper[]) => [...selectCompact(papers)].map(({ id }) => id)

describe('papers in short', () => {
  test('are those that are about their topic only in part, however many have voted for them', () => {
    expect(compact(ranked('1', 0.9, 0), ranked('2', 0.5, 300), ranked('3', 0.6, 300))).toEqual(['2'])
  })

  test('are those of few upvotes sooner, where none were counted too', () => {
    expect(compact(ranked('1', 0.9, 0), ranked('2', 0.6, 2), ranked('3', 0.6, 3), ranked('4', 0.6, null))).toEqual([
      '2',
      '4',
    ])
  })

  test('are not all of a digest: the most fitting stays', () => {
    expect(compact(ranked('1', 0.4, 9), ranked('2', 0.5, 1), ranked('3', 0.3, 9))).toEqual(['1', '3'])
  })

  test('are none of the reader’s own keywords', () => {
    expect(compact(ranked('1', 0.9, 9), ranked('2', 0.1, 0, 'keyword:sheet music'))).toEqual([])
  })
})
