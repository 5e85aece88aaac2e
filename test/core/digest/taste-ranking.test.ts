/** A taste puts papers in another order, within bounds, and takes nothing away: whatever it is, no topic loses its place. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Rankable, rankPapers, selectPapers, servedTopics } from '../../../src/core/digest/ranking.ts'
import { likedIn, MOST_LIFT, rankByTaste } from '../../../src/core/digest/taste-ranking.ts'
import { learnTaste, type Press } from '../../../src/core/taste/taste.ts'
import { createTermIndex } from '../../../src/core/taste/term-index.ts'

const NOW = new Date('2026-04-14T10:00:00Z')
const TOPICS = ['a', 'b', 'c', 'd', 'e']
const TERMS = ['masked diffusion', 'diffusion', 'benchmark', 'topic:a', 'topic:b', 'author:ada lovelace', 'robot']

const candidates = fc
  .array(
    fc.record({
      fits: fc.dictionary(fc.constantFrom(...TOPICS), fc.constantFrom(0.3, 0.6, 0.7, 0.9), { maxKeys: 3 }),
      upvotes: fc.option(fc.nat(20)),
      percentile: fc.constantFrom(0, 0.3, 0.5, 0.9, 1),
      terms: fc.dictionary(fc.constantFrom(...TERMS), fc.double({ min: 0.01, max: 1, noNaN: true }), { maxKeys: 4 }),
    }),
    { maxLength: 30 },
  )
  .map((all) =>
    all.map(({ fits, upvotes, percentile, terms }, n) => ({
      paper: {
        id: `26.${String(n).padStart(3, '0')}`,
        title: `Paper ${n}`,
        upvotes,
        trend: { percentile, topPercent: null },
        relevance: Object.entries(fits).map(([topic, score]) => ({ topic, score, matches: [] })),
      } satisfies Rankable,
      terms: Object.entries(terms).map(([term, weight]) => ({ term, label: term, weight })),
    })),
  )
const presses = fc.array(
  fc.record({
    direction: fc.constantFrom<'more' | 'less'>('more', 'less'),
    daysAgo: fc.nat(400),
    terms: fc.dictionary(fc.constantFrom(...TERMS), fc.double({ min: 0.01, max: 1, noNaN: true }), { maxKeys: 5 }),
  }),
  { maxLength: 40 },
)
const taste = presses.map((all) =>
  learnTaste(
    all.map(
      ({ direction, daysAgo, terms }, n): Press => ({
        paperId: String(n),
        direction,
        at: new Date(NOW.getTime() - daysAgo * 86_400_000),
        terms: Object.entries(terms).map(([term, weight]) => ({ term, label: term, weight })),
      }),
    ),
    NOW,
  ),
)
const topicsOf = fc.uniqueArray(fc.constantFrom(...TOPICS), { minLength: 1 })

const ids = (some: readonly { paper: Rankable }[]): string[] => some.map(({ paper }) => paper.id)

test('whatever was pressed, each topic with an offered paper that has a place without the taste has one with it', () => {
  fc.assert(
    fc.property(candidates, taste, topicsOf, fc.constantFrom(1, 3, 5, 10), (papers, weights, topics, most) => {
      const ranked = rankPapers(
        papers.map(({ paper }) => paper),
        topics,
      )
      const fit = createTermIndex(papers.map(({ paper, terms }) => ({ id: paper.id, terms }))).fit(weights)
      const byTaste = rankByTaste(ranked, fit)
      // Nothing is added, and nothing is muted.
      expect(ids(byTaste).sort()).toEqual(ids(ranked).sort())
      for (const { score, plainScore = 0 } of byTaste) {
        expect(score).toBeLessThanOrEqual(plainScore * MOST_LIFT)
        expect(score).toBeGreaterThanOrEqual(plainScore / MOST_LIFT)
      }
      const wanted = new Set(topics)
      const [plain, chosen] = [ranked, byTaste].map((some) => selectPapers(some, topics, most))
      expect(chosen).toHaveLength(plain?.length ?? 0)
      const served = servedTopics(chosen ?? [], wanted)
      for (const topic of servedTopics(plain ?? [], wanted)) expect(served).toContain(topic)
      if (most >= topics.length) expect(served).toEqual(servedTopics(ranked, wanted))
    }),
  )
})

test('the order of papers, presses and weights does not matter', () => {
  fc.assert(
    fc.property(
      candidates.chain((papers) =>
        fc.tuple(fc.constant(papers), fc.shuffledSubarray(papers, { minLength: papers.length })),
      ),
      taste.chain((weights) =>
        fc.tuple(fc.constant(weights), fc.shuffledSubarray(weights, { minLength: weights.length })),
      ),
      topicsOf,
      ([papers, shuffled], [weights, mixed], topics) => {
        const order = (some: typeof papers, of: typeof weights) => {
          const index = createTermIndex(some.map(({ paper, terms }) => ({ id: paper.id, terms })))
          const ranked = rankPapers(
            some.map(({ paper }) => paper),
            topics,
          )
          return ids(selectPapers(rankByTaste(ranked, index.fit(of)), topics, 10))
        }
        expect(order(shuffled, weights)).toEqual(order(papers, weights))
        expect([...mixed].sort((a, b) => (a.term < b.term ? -1 : 1))).toEqual(
          [...weights].sort((a, b) => (a.term < b.term ? -1 : 1)),
        )
      },
    ),
  )
})

const paper = (id: string): Rankable => ({
  id,
  title: `Paper ${id}`,
  upvotes: 1,
  trend: { percentile: 0.5, topPercent: null },
  relevance: [{ topic: 'a', score: 0.8, matches: [] }],
})
const INDEX = createTermIndex([
  {
    id: '1',
    terms: [
      { term: 'masked diffusion', label: 'masked diffusion', weight: 0.6 },
      { term: 'diffusion', label: 'Diffusion', weight: 0.5 },
      { term: 'author:ada lovelace', label: 'Ada Lovelace', weight: 0.4 },
      { term: 'topic:a', label: 'A', weight: 0.4 },
    ],
  },
  { id: '2', terms: [{ term: 'benchmark', label: 'benchmark', weight: 0.9 }] },
])
const weight = (term: string, value: number) => ({
  term,
  label: term.replace('author:ada lovelace', 'Ada Lovelace'),
  weight: value,
})

test('a paper that the reader seems to like comes first and says what of it, each thing once and without the topic it came by', () => {
  const fit = INDEX.fit([
    weight('topic:a', 2),
    weight('masked diffusion', 1),
    weight('diffusion', 0.9),
    weight('author:ada lovelace', 0.5),
    weight('benchmark', -0.5),
  ])
  const ranked = rankPapers([paper('2'), paper('1')], ['a'])
  expect(ids(rankByTaste(ranked, fit))).toEqual(['1', '2'])
  expect(rankByTaste(ranked, fit).map((one) => likedIn(one, fit))).toEqual([
    ['“masked diffusion”', 'papers by Ada Lovelace'],
    [],
  ])
})

test('an empty taste moves nothing and says nothing', () => {
  const ranked = rankPapers([paper('2'), paper('1')], ['a'])
  const fit = INDEX.fit([])
  expect(rankByTaste(ranked, fit).map(({ score, paper: { id } }) => [id, score])).toEqual(
    ranked.map(({ score, paper: { id } }) => [id, score]),
  )
  expect(rankByTaste(ranked, fit).flatMap((one) => likedIn(one, fit))).toEqual([])
})
