/** Papers that say nearly the same take one place. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPaperFiles } from '../../../src/adapters/sources/paper-files.ts'
import { createSimilarityCheck, selectDistinct, selectUnsent } from '../../../src/core/digest/near-duplicates.ts'
import type { RankedPaper } from '../../../src/core/digest/ranking.ts'

const SHARED = resolve(import.meta.dirname, '../../../../shared/data/hf-api')

const ABSTRACT =
  'Large models forget what they were told long before the end of a session. We keep a small store beside the model, ' +
  'write to it once a turn, and read from it by a learned query. On nine benchmarks of long sessions the model with the ' +
  'store answers a third more questions, at a tenth of the cost of a window that holds everything.'

const isAlike = (one: [title: string, abstract: string], other: [title: string, abstract: string]): boolean =>
  createSimilarityCheck([
    { id: '1', title: one[0], abstract: one[1] },
    { id: '2', title: other[0], abstract: other[1] },
  ])('1', '2')

describe('two papers', () => {
  test('are similar when one is a revision of the other', () => {
    const revised = ABSTRACT.replace('nine', 'eleven').replace('a third', '40%').replace('small', 'compact')
    expect(isAlike(['A Small Store', ABSTRACT], ['Remembering Sessions', revised])).toBe(true)
  })

  test('are similar when their titles differ in one word', () => {
    const title = 'A Store for Long Sessions with Large Models'
    expect(isAlike([title, 'x'], [`${title}, Revisited`, 'y'])).toBe(true)
    expect(isAlike(['Scaling Laws', 'x'], ['Scaling Law', 'y'])).toBe(false)
  })

  test('are not similar for common words in short texts', () => {
    expect(
      isAlike(
        ['Advances in robots', 'This report is about robots.'],
        ['Advances in speech', 'This report is about speech.'],
      ),
    ).toBe(false)
  })
})

describe.skipIf(!existsSync(SHARED))('on 47 recorded days (needs ../shared/data)', () => {
  test('no two of the papers are judged similar', async () => {
    const papers = new Map<string, { id: string; title: string; abstract: string }>()
    for await (const batch of readPaperFiles(SHARED, { today: '2026-05-06' }))
      for (const { paper } of batch.listings) papers.set(paper.id, paper)
    const ids = [...papers.keys()]
    const isAlike = createSimilarityCheck([...papers.values()])
    const pairs = ids.flatMap((id, at) =>
      ids
        .slice(at + 1, at + 150)
        .filter((other) => isAlike(id, other))
        .map((other) => [id, other]),
    )
    expect(pairs).toEqual([])
  })
})

const ranked = (ids: number[]): RankedPaper[] =>
  ids.map((id) => ({
    paper: { id: String(id), title: '', upvotes: null, trend: { percentile: 0, topPercent: null }, relevance: [] },
    topic: 'a',
    matches: [],
    squarely: 1,
    score: 1,
  }))

test('no two chosen papers are similar: the higher stays, the lower is named under it, and the next takes the place', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(30), { maxLength: 20 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(10),
      (ids, kinds, most) => {
        const isAlike = (one: string, other: string) => Number(one) % kinds === Number(other) % kinds
        const { chosen, seeAlso } = selectDistinct(ranked(ids), (left) => left.slice(0, most), isAlike)
        const shown = chosen.map(({ paper }) => Number(paper.id))
        const firsts = ids.filter((id, at) => ids.findIndex((other) => other % kinds === id % kinds) === at)
        expect(shown).toEqual(firsts.slice(0, most))
        for (const [id, others] of seeAlso) {
          expect(shown).toContain(Number(id))
          for (const other of others) {
            expect(isAlike(id, other.id)).toBe(true)
            expect(ids.indexOf(Number(other.id))).toBeGreaterThan(ids.indexOf(Number(id)))
          }
        }
      },
    ),
  )
})

test('what says nearly the same as a paper sent before gives its place to the next, and is handed back', () => {
  const isAlike = (one: string, other: string) => Number(one) % 10 === Number(other) % 10
  const select = (left: readonly RankedPaper[]) => left.slice(0, 2)
  const { chosen, twins } = selectUnsent(ranked([11, 2, 3, 12]), select, isAlike, ['1', '5'])
  expect(chosen.map(({ paper }) => paper.id)).toEqual(['2', '3'])
  expect(twins.map(({ ranked: { paper }, of }) => [paper.id, of])).toEqual([['11', '1']])
})

test('two texts listed three days apart in October 2024 are one, and a share of words that different papers had is not', () => {
  const words = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `word${from + n}`).join(' ')
  // 100 words each: 57 shared are 0.40 of all, 47 shared 0.31.
  expect(isAlike(['One', words(0, 100)], ['Other', words(43, 143)])).toBe(true)
  expect(isAlike(['One', words(0, 100)], ['Other', words(53, 153)])).toBe(false)
})
