/** Papers as a reader with words of their own sees them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyProfile, interestsOf } from '../../../src/core/digest/interests.ts'
import { createPaperIndex } from '../../../src/core/digest/paper-index.ts'
import { rankPapers } from '../../../src/core/digest/ranking.ts'
import type { Profile } from '../../../src/core/subscriber/preferences.ts'

const paper = (id: string, title: string, abstract: string, authors: string[] = []) => ({
  id,
  title,
  abstract,
  authors,
  upvotes: 1,
  trend: { percentile: 0, topPercent: null },
  relevance: [{ topic: 'robotics', score: 0.5, matches: [] }],
})

const PAPERS = [
  paper('1', 'Reading Sheet-Music with Robots', 'A method.', ['Yann LeCun', 'Ada Lovelace']),
  paper('2', 'Robots', 'We read sheet music. A survey follows.', ['Y. LeCun']),
  paper('3', 'On a sheet, music is written', 'The sheet of music.', ['Grace M. Hopper']),
  paper('4', '{S}heet $\\alpha$-Music', 'Nothing.', []),
]
const index = createPaperIndex(PAPERS)

const profile = (more: Partial<Profile>): Profile => ({
  trending: false,
  topics: [],
  keywords: [],
  authors: [],
  muted: [],
  whenEmpty: 'skip',
  papers: null,
  leastPapers: 1,
  ...more,
})

const ranked = (more: Partial<Profile>) => {
  const wanted = profile(more)
  return rankPapers(applyProfile(PAPERS, wanted, index), interestsOf(wanted)).map(({ paper, score, matches }) => ({
    id: paper.id,
    score,
    matches,
  }))
}

describe('a keyword', () => {
  test('scores highest in the title, lower in the abstract, and matches across no comma', () => {
    expect(ranked({ keywords: ['sheet music'] })).toEqual([
      { id: '1', score: 1, matches: [{ words: 'Sheet-Music', field: 'title' }] },
      { id: '2', score: 0.7, matches: [{ words: 'sheet music', field: 'abstract' }] },
    ])
  })

  test('is looked for in what a reader sees, not in LaTeX', () => {
    expect(ranked({ keywords: ['α-music'] })).toMatchObject([{ id: '4' }])
  })
})

describe('an author who is followed', () => {
  test('brings their papers, named as the paper names them', () => {
    expect(ranked({ authors: ['yann lecun'] })).toEqual([
      { id: '1', score: 1, matches: [{ words: 'Yann LeCun', field: 'authors' }] },
    ])
    expect(ranked({ authors: ['Y. LeCun'] }).map(({ id }) => id)).toEqual(['1', '2'])
    expect(ranked({ authors: ['Hopper, Grace'] }).map(({ id }) => id)).toEqual(['3'])
  })
})

describe('a muted word', () => {
  test('drops a paper whatever else it has', () => {
    expect(ranked({ topics: ['robotics'], keywords: ['sheet music'], muted: ['surveys'] }).map(({ id }) => id)).toEqual(
      ['1', '3', '4'],
    )
  })
})

test('applying a profile changes no paper, and every match is found in the text', () => {
  const before = structuredClone(PAPERS)
  const word = fc.constantFrom('sheet', 'music', 'robot', 'a', 'method', 'survey', 'nothing', 'zebra')
  const phrase = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(fc.array(phrase, { maxLength: 4 }), fc.array(phrase, { maxLength: 2 }), (keywords, muted) => {
      const seen = applyProfile(PAPERS, profile({ topics: ['robotics'], keywords, muted }), index)
      for (const one of seen) {
        for (const { matches } of one.relevance)
          for (const { words, field } of matches) if (field === 'abstract') expect(one.abstract).toContain(words)
        const text = `${one.title} . ${one.abstract}`.toLowerCase()
        for (const out of muted) if (!out.includes(' ')) expect(text).not.toMatch(new RegExp(`\\b${out}s?\\b`))
      }
      expect(PAPERS).toEqual(before)
    }),
  )
})
