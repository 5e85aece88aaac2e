import { describe, expect, it } from 'vitest'
import { readPaper } from '../../../src/core/relevance/reading.ts'
import { countTerms, countWhole, createTermWeigher, findTerms, wordsOf } from '../../../src/core/relevance/terms.ts'

const PAPER = readPaper({
  title: 'Quorvex for storks',
  abstract: 'Herons have been studied for long. We propose a model of flight, which helps. Herons are left to others.',
})

describe('the terms of a paper', () => {
  it('are counted once more where they stand in the title or in the sentence that says what it does', () => {
    const terms = [...findTerms(PAPER).keys()]
    expect(terms.filter((term) => term.startsWith('title:'))).toEqual(['title:quorvex', 'title:stork'])
    expect(terms).toContain('contribution:flight')
    expect(terms).toContain('heron')
    expect(terms).not.toContain('contribution:heron')
    expect(wordsOf('contribution:flight')).toBe('flight')
    expect(wordsOf('left')).toBe('left')
  })

  it('come into a vector in which what a paper does weighs more than what it mentions as often', () => {
    const others = Array.from({ length: 12 }, (_, number) =>
      readPaper({ title: `Paper ${number}`, abstract: 'Some birds are seen. Nobody knows.' }),
    )
    const four = [PAPER, PAPER, PAPER, PAPER, ...others]
    const vocabulary = countTerms(four.map(findTerms))
    expect(vocabulary.terms.slice(countWhole(vocabulary)).every((term) => term.includes(':'))).toBe(true)
    const { at, weights, fullness } = createTermWeigher(vocabulary)(findTerms(PAPER))
    const weightOf = (word: string): number =>
      at.reduce((sum, term, j) => sum + (wordsOf(vocabulary.terms[term] ?? '') === word ? (weights[j] ?? 0) : 0), 0)
    expect(fullness).toBe(1)
    expect(weightOf('stork')).toBeGreaterThan(weightOf('heron'))
    expect(weightOf('flight')).toBeGreaterThan(weightOf('left'))
  })
})
