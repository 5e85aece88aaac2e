import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLift } from '../../../src/core/digest/lift.ts'
import { type Rankable, rankPapers, selectPapers } from '../../../src/core/digest/ranking.ts'
import { GATE } from '../../../src/core/relevance/gate.ts'
import { TRENDING } from '../../../src/core/subscriber/preferences.ts'

const paper = (id: string, fits: Record<string, number>, more: Partial<Rankable> = {}): Rankable => ({
  id,
  title: `Paper ${id}`,
  upvotes: 1,
  trend: { percentile: 0.5, topPercent: null },
  relevance: Object.entries(fits).map(([topic, score]) => ({
    topic,
    score,
    matches: [{ words: topic, field: 'title' as const }],
  })),
  ...more,
})

const trending = (percentile: number): Partial<Rankable> => ({ trend: { percentile, topPercent: null } })
const ids = (ranked: { paper: Rankable }[]): string[] => ranked.map((one) => one.paper.id)

const TOPICS = ['a', 'b', 'c', 'd', 'e', 'f']
const scores = fc.double({ min: 0, max: 1, noNaN: true })
const candidate = fc.record({
  fits: fc.dictionary(fc.constantFrom(...TOPICS), fc.oneof(scores, fc.constantFrom(GATE, GATE - 0.00001, 0.8)), {
    maxKeys: 4,
  }),
  upvotes: fc.option(fc.nat(20)),
  percentile: fc.oneof(scores, fc.constantFrom(0, 0.5, 1)),
  title: fc.integer({ min: 0, max: 60 }),
})
const candidates = fc
  .array(candidate, { maxLength: 40 })
  .map((all) =>
    all.map(({ fits, upvotes, percentile, title }, at) =>
      paper(`26.${String(at).padStart(3, '0')}`, fits, { upvotes, title: `Paper ${title}`, ...trending(percentile) }),
    ),
  )
const choice = fc.uniqueArray(fc.constantFrom(...TOPICS), { minLength: 1 })

describe('ranking papers for a subscriber', () => {
  it('leaves out papers that score below the gate for all of their topics', () => {
    const papers = [paper('1', { a: GATE }), paper('2', { a: GATE - 0.001 }), paper('3', { b: 1 }), paper('4', {})]
    expect(ids(rankPapers(papers, ['a']))).toEqual(['1'])
  })

  it('leaves out papers of few upvotes that are less likely squarely about a topic', () => {
    const about = (id: string, squarely: number, upvotes: number | null) =>
      paper(id, {}, { upvotes, relevance: [{ topic: 'a', score: 0.9, squarely, matches: [] }] })
    const papers = [about('1', 0.49, 2), about('2', 0.5, 0), about('3', 0.3, 3), about('4', 0.3, null)]
    expect(ids(rankPapers(papers, ['a'])).sort()).toEqual(['2', '3', '4'])
    expect(ids(selectPapers(rankPapers(papers, ['a']), ['a'], 10)).sort()).toEqual(['2', '3', '4'])
  })

  it('names the topic that a paper fits best, of those subscribed to', () => {
    const [ranked] = rankPapers([paper('1', { a: 0.5, b: 0.7, c: 0.9 })], ['a', 'b'])
    expect(ranked).toMatchObject({ topic: 'b', matches: [{ words: 'b', field: 'title' }] })
  })

  it('lifts a paper by its trend, at most to three times its relevance', () => {
    const papers = [paper('fits', { a: 0.9 }, trending(0)), paper('trends', { a: 0.5 }, trending(1))]
    expect(rankPapers(papers, ['a']).map((one) => [one.paper.id, one.score])).toEqual([
      ['trends', 1.5],
      ['fits', 0.9],
    ])
  })

  it('breaks ties by upvotes, then by id', () => {
    const papers = [
      paper('4', { a: 0.5 }, { upvotes: null }),
      paper('3', { a: 0.5 }),
      paper('2', { a: 0.5 }, { upvotes: 9 }),
      paper('1', { a: 0.5 }),
    ]
    expect(ids(rankPapers(papers, ['a']))).toEqual(['2', '1', '3', '4'])
  })

  it('keeps the better of two papers with the same title', () => {
    const papers = [
      paper('1', { a: 0.6 }, { title: 'GUI-Agents:  a Survey' }),
      paper('2', { a: 0.7 }, { title: 'GUI Agents: A Survey.' }),
      paper('3', { a: 0.5 }, { title: '∇' }),
      paper('4', { a: 0.5 }, { title: '∂' }),
    ]
    expect(ids(rankPapers(papers, ['a']))).toEqual(['2', '3', '4'])
  })

  it('gives the same order whatever order the papers and topics come in', () => {
    fc.assert(
      fc.property(candidates, choice, fc.nat(), (papers, topics, turn) => {
        const cut = papers.length === 0 ? 0 : turn % papers.length
        const shuffled = [...papers.slice(cut), ...papers.slice(0, cut)].reverse()
        const once = rankPapers(papers, topics)
        const again = rankPapers(shuffled, topics.toReversed())
        expect(again).toEqual(once)
        expect(ids(selectPapers(again, topics.toReversed(), 5))).toEqual(ids(selectPapers(once, topics, 5)))
      }),
    )
  })

  it('loses no paper, and lowers none, when a topic is added', () => {
    fc.assert(
      fc.property(candidates, choice, fc.constantFrom(...TOPICS), (papers, topics, added) => {
        const more = new Map(rankPapers(papers, [...topics, added]).map((one) => [one.paper.title, one.score]))
        for (const { paper, score } of rankPapers(papers, topics)) {
          expect(more.get(paper.title) ?? 0).toBeGreaterThanOrEqual(score)
        }
      }),
    )
  })
})

describe('selecting the papers of a digest', () => {
  it('keeps a slot for the best paper of a topic with few papers', () => {
    const busy = Array.from({ length: 12 }, (_, at) => paper(`1${at}`, { a: 0.9 }, trending(0.9)))
    const sparse = [paper('21', { b: 0.5 }, trending(0.1)), paper('22', { b: 0.45 }, trending(0.1))]
    const chosen = ids(selectPapers(rankPapers([...busy, ...sparse], ['a', 'b']), ['a', 'b'], 10))
    expect(chosen).toHaveLength(10)
    expect(chosen.at(-1)).toBe('21')
    expect(chosen).not.toContain('22')
  })

  it('takes for a topic the paper that is best for it, though it fits another one better', () => {
    const papers = [paper('1', { a: 0.95, b: 0.8 }), paper('2', { b: 0.45 }), paper('3', { a: 0.9 })]
    expect(ids(selectPapers(rankPapers(papers, ['a', 'b']), ['a', 'b'], 2))).toEqual(['1', '3'])
  })

  it('takes the best slots when there are more topics than room', () => {
    const papers = TOPICS.map((topic, at) => paper(`${at}`, { [topic]: 0.9 - at / 20 }))
    expect(ids(selectPapers(rankPapers(papers, TOPICS), TOPICS, 3))).toEqual(['0', '1', '2'])
  })

  it('chooses nothing where there are no papers', () => {
    expect(selectPapers(rankPapers([], ['a']), ['a'], 10)).toEqual([])
    expect(rankPapers([paper('1', { a: 1 })], [])).toEqual([])
  })

  it('holds at most as many as asked, best first, all above the gate, each title once', () => {
    fc.assert(
      fc.property(candidates, choice, fc.integer({ min: 0, max: 15 }), (papers, topics, most) => {
        const ranked = rankPapers(papers, topics)
        const chosen = selectPapers(ranked, topics, most)
        expect(chosen).toHaveLength(Math.min(most, ranked.length))
        expect(ids(chosen)).toEqual(ids(ranked.filter((one) => chosen.includes(one))))
        expect(new Set(chosen.map((one) => one.paper.title)).size).toBe(chosen.length)
        for (const { paper, topic, score } of chosen) {
          const relevance = paper.relevance.find((one) => one.topic === topic)?.score ?? 0
          expect(topics).toContain(topic)
          expect(relevance).toBeGreaterThanOrEqual(GATE)
          expect(score).toBeGreaterThanOrEqual(relevance)
        }
      }),
    )
  })

  it('serves every topic that has a paper when there is room for all topics', () => {
    fc.assert(
      fc.property(candidates, choice, (papers, topics) => {
        const ranked = rankPapers(papers, topics)
        const chosen = selectPapers(ranked, topics, topics.length)
        const served = (among: typeof ranked, topic: string): boolean =>
          among.some(({ paper }) => paper.relevance.some((one) => one.topic === topic && one.score >= GATE))
        for (const topic of topics) expect(served(chosen, topic)).toBe(served(ranked, topic))
      }),
    )
  })

  it('does not change when a topic without papers is added', () => {
    fc.assert(
      fc.property(candidates, choice, fc.integer({ min: 1, max: 15 }), (papers, topics, most) => {
        const before = selectPapers(rankPapers(papers, topics), topics, most)
        const more = [...topics, 'nothing']
        expect(selectPapers(rankPapers(papers, more), more, most)).toEqual(before)
      }),
    )
  })
})

describe('votes and picks of this site', () => {
  const select = (papers: Rankable[], topics: string[], most = 10) =>
    selectPapers(rankPapers(papers, topics), topics, most)

  it('change nothing where there are none', () => {
    fc.assert(
      fc.property(candidates, choice, (papers, topics) => {
        const voteless = papers.map((one) => ({ ...one, votes: 0, picked: false, first: false }))
        const lifts = createLift([3, 1, 4])
        const unlifted = voteless.map((one) => ({ ...one, trend: lifts(one.trend, one, one.upvotes !== null) }))
        const shown = (all: ReturnType<typeof select>) =>
          all.map(({ paper, topic, score, squarely }) => [paper.id, topic, score, squarely])
        const before = shown(rankPapers(papers, topics))
        expect(shown(rankPapers(unlifted, topics))).toEqual(before)
        expect(shown(select(unlifted, topics))).toEqual(shown(select(papers, topics)))
        // As it was before there were votes.
        for (const [at, [id, , score]] of before.entries()) {
          const one = papers.find((paper) => paper.id === id)
          const fit = Math.max(
            ...(one?.relevance ?? []).filter(({ topic }) => topics.includes(topic)).map((f) => f.score),
          )
          expect(score, `place ${at}`).toBe(fit * (1 + 2 * (one?.trend.percentile ?? 0)))
        }
      }),
    )
  })

  it('bring nobody a paper that fits none of their topics', () => {
    fc.assert(
      fc.property(candidates, choice, fc.nat(10_000), (papers, topics, votes) => {
        const lift = createLift([votes + 1])
        const endorsed = papers.map((one) => {
          const endorsement = { votes: votes + 1, picked: true }
          return { ...one, ...endorsement, trend: lift(one.trend, endorsement, one.upvotes !== null) }
        })
        for (const { paper: chosen } of rankPapers(endorsed, topics)) {
          expect(chosen.relevance.some(({ topic, score }) => topics.includes(topic) && score >= GATE)).toBe(true)
        }
      }),
    )
  })

  it('count as upvotes where a paper has hardly any', () => {
    const about = (id: string, more: Partial<Rankable>) =>
      paper(id, {}, { upvotes: 1, relevance: [{ topic: 'a', score: 0.9, squarely: 0.3, matches: [] }], ...more })
    const papers = [about('1', { votes: 1 }), about('2', { votes: 2 }), about('3', { picked: true })]
    expect(ids(rankPapers(papers, ['a'])).sort()).toEqual(['2', '3'])
  })

  it('show what was picked to readers of what trends, whatever else trends, and what is pinned first', () => {
    const fit = { topic: TRENDING, score: 0.6, matches: [] }
    const others = Array.from({ length: 20 }, (_, n) => paper(`1${n + 10}`, {}, { ...trending(0.9), relevance: [fit] }))
    const low = (id: string, more: Partial<Rankable>) => paper(id, {}, { ...trending(0.1), relevance: [fit], ...more })
    const papers = [...others, low('2', { picked: true }), low('3', { picked: true, first: true }), low('4', {})]
    const shown = ids(select(papers, [TRENDING]))
    expect(shown).toHaveLength(10)
    expect(shown[0]).toBe('3')
    expect(shown).toContain('2')
    expect(shown).not.toContain('4')
  })

  it('leave most of a digest to what trends, however much is picked', () => {
    const fit = { topic: TRENDING, score: 0.6, matches: [] }
    const of = (id: string, percentile: number, picked: boolean) =>
      paper(id, {}, { ...trending(percentile), relevance: [fit], picked })
    const papers = Array.from({ length: 30 }, (_, n) => of(`${n + 10}`, n / 100, true))
    const popular = Array.from({ length: 10 }, (_, n) => of(`9${n}`, 0.9, false))
    const shown = select([...papers, ...popular], [TRENDING])
    expect(shown.filter(({ paper: one }) => one.picked)).toHaveLength(3)
  })
})
