/** What became of each paper when a digest was chosen. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type ExplainedChoice, fateOf } from '../../../src/core/digest/choice.ts'
import { selectUnsent } from '../../../src/core/digest/near-duplicates.ts'
import { type Rankable, rankPapers, selectPapers } from '../../../src/core/digest/ranking.ts'
import { selectTrendingExtras } from '../../../src/core/digest/trending-extras.ts'

const TOPICS = ['a', 'b', 'c']
const MOST = 3

const candidate = fc.record({
  fits: fc.dictionary(
    fc.constantFrom(...TOPICS),
    fc.record({ score: fc.double({ min: 0.3, max: 1, noNaN: true }), squarely: fc.constantFrom(0.4, 0.9) }),
  ),
  upvotes: fc.nat(6),
  percentile: fc.constantFrom(0.5, 0.95),
  title: fc.nat(40),
  isMuted: fc.nat(5).map((n) => n === 0),
  wasSent: fc.nat(5).map((n) => n === 0),
})

const papers = fc.array(candidate, { maxLength: 30 }).map((all) =>
  all.map(({ fits, upvotes, percentile, title, ...rest }, at) => ({
    ...rest,
    id: `26.${String(at).padStart(3, '0')}`,
    title: `Paper ${title}`,
    upvotes,
    trend: { percentile, topPercent: null },
    relevance: Object.entries(fits).map(([topic, fit]) => ({ topic, matches: [], ...fit })),
  })),
)

/** Papers whose numbers are the same but for the last digit say nearly the same. */
const isAlike = (one: string, other: string): boolean =>
  one.slice(0, -1) === other.slice(0, -1) && Number(one.slice(-1)) % 5 === Number(other.slice(-1)) % 5

const choose = (all: (Rankable & { isMuted: boolean; wasSent: boolean })[]): ExplainedChoice => {
  const open = all.filter(({ wasSent }) => !wasSent)
  const seen = open.filter(({ isMuted }) => !isMuted)
  const interests = ['a', 'b']
  const ranked = rankPapers(seen, interests)
  const sent = all.filter(({ wasSent }) => wasSent).map(({ id }) => id)
  const selected = selectUnsent(ranked, (some) => selectPapers(some, interests, MOST), isAlike, sent)
  const taken = [
    ...selected.chosen.map(({ paper }) => paper),
    ...selected.twins.map((twin) => twin.ranked.paper),
    ...[...selected.seeAlso.values()].flat(),
    ...all.filter(({ wasSent }) => wasSent),
  ]
  const extras = selectTrendingExtras(seen, taken, isAlike).slice(0, MOST - selected.chosen.length)
  return { open, seen, interests, ranked, most: MOST, ...selected, extras, isWanted: true, waits: false }
}

it('is one thing for each paper, and what the choice says', () => {
  const kinds = new Set<string>()
  fc.assert(
    fc.property(papers, (all) => {
      const choice = choose(all)
      const came = [...choice.chosen.map(({ paper }) => paper.id), ...choice.extras.map(({ id }) => id)]
      const fates = new Map(all.map(({ id }) => [id, fateOf(id, choice)]))
      for (const { kind } of fates.values()) kinds.add(kind)
      expect(came.map((id) => fates.get(id))).toEqual(
        came.map((_, at) => expect.objectContaining({ kind: 'chosen', place: at + 1, of: came.length })),
      )
      expect([...fates.values()].filter(({ kind }) => kind === 'chosen')).toHaveLength(came.length)
      for (const { id, isMuted, wasSent, relevance, upvotes } of all) {
        const fate = fates.get(id)
        expect(fate?.kind === 'not-open').toBe(wasSent)
        if (!wasSent) expect(fate?.kind === 'muted').toBe(isMuted)
        if (fate?.kind === 'off-topic')
          expect(relevance.every(({ topic, score }) => topic === 'c' || score < 0.5)).toBe(true)
        if (fate?.kind === 'unvoted') expect(upvotes).toBeLessThanOrEqual(2)
        // What a place of a topic went to may have a lower score than what was left out.
        if (fate?.kind === 'below') expect([fate.place > 1, choice.chosen.length]).toEqual([true, MOST])
      }
    }),
  )
  expect([...kinds].sort()).toEqual([
    'below',
    'chosen',
    'folded',
    'muted',
    'not-open',
    'off-topic',
    'same-title',
    'twin',
    'unvoted',
  ])
})
