/** What readers write themselves, however they write it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  keyOfPhrase,
  MOST_OWN,
  PHRASE_LENGTH,
  readAuthors,
  readKeywords,
  readMuted,
} from '../../../src/core/subscriber/custom-terms.ts'

const problemOf = (read: string[] | { problem: string }): string | null => (Array.isArray(read) ? null : read.problem)

describe('keywords', () => {
  test('are one a line or between commas, distinct by what they find, in the reader’s own spelling', () => {
    expect(readKeywords('sheet music\n\n  Lean 4 \r\nSheet-Musics, LEAN 4')).toEqual(['Lean 4', 'sheet music'])
    expect(readKeywords(['sheet music', ' ', 'Lean 4'])).toEqual(['Lean 4', 'sheet music'])
    expect(readKeywords('')).toEqual([])
  })

  test('keep every script and lose pictures and what is invisible', () => {
    expect(readKeywords('🎵 sheet music 🎵')).toEqual(['sheet music'])
    expect(readKeywords('لغة عربية\n\u202eabc\u202c\n机器翻译')).toEqual(['abc', 'لغة عربية', '机器翻译'])
  })

  test('are found however LaTeX writes them', () => {
    expect(keyOfPhrase('$\\alpha$-divergence')).toBe(keyOfPhrase('α divergences'))
  })

  test.each([
    ['x'.repeat(500), `“${'x'.repeat(40)}…” is too long. The limit is 60 characters.`],
    ['🎵', '“🎵” is too short. Use at least two letters or digits.'],
    ['C++', '“C++” is too short. Use at least two letters or digits.'],
    ['<b>RAG</b>', 'Remove < and > from “<b>RAG</b>”.'],
    ['https://example.org/x', '“https://example.org/x” is a web address. Enter words that appear in papers.'],
    [
      Array.from({ length: 23 }, (_, n) => `word ${n}`).join('\n'),
      'You have 23 keywords, and the limit is 20. Remove 3.',
    ],
  ])('are refused in words: %s', (given, problem) => {
    expect(problemOf(readKeywords(given))).toBe(problem)
  })

  test('of a wrong type are refused in words', () => {
    for (const given of [7, {}, [1], [['a']]])
      expect(problemOf(readKeywords(given))).toBe('Send the keywords as a list of strings.')
  })

  test('twenty in twenty spellings are twenty', () => {
    const words = Array.from({ length: MOST_OWN }, (_, n) => `word ${n}`)
    expect(readKeywords([...words, ...words.map((word) => word.toUpperCase())])).toHaveLength(MOST_OWN)
  })

  test('are parted at a Greek question mark, which is the same character as a semicolon', () => {
    expect(readKeywords('sheet music\u037elean')).toEqual(['lean', 'sheet music'])
  })

  test('once read are read again unchanged, short, and one of each key', () => {
    const entry = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a,b;c', 'Ünï', '\\alpha x'),
    )
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (given) => {
        const read = readKeywords(given)
        if (!Array.isArray(read)) return read.problem.length < 200
        expect(readKeywords(read)).toEqual(read)
        expect(readKeywords(read.join('\n'))).toEqual(read)
        expect(new Set(read.map(keyOfPhrase)).size).toBe(read.length)
        return read.every((word) => word.length <= PHRASE_LENGTH)
      }),
      { numRuns: 500 },
    )
  })
})

describe('authors', () => {
  test('keep the comma of "Hinton, Geoffrey", and are one however they are spelt', () => {
    expect(readAuthors('Hinton, Geoffrey\nGEOFFREY HINTON; Grace Hopper')).toEqual(['Hinton, Geoffrey', 'Grace Hopper'])
  })

  test('are refused in words when they are no names', () => {
    expect(problemOf(readAuthors('J. S.'))).toBe('“J. S.” isn’t a full name. Enter one such as Grace Hopper.')
    expect(problemOf(readAuthors('∇'))).toBe('“∇” isn’t a full name. Enter one such as Grace Hopper.')
    expect(problemOf(readAuthors('x'.repeat(81)))).toMatch(/is too long\. The limit is 80 characters/)
  })
})

test('a muted word is no keyword', () => {
  expect(readMuted('survey', ['Lean 4'])).toEqual(['survey'])
  expect(problemOf(readMuted('lean-4', ['Lean 4']))).toBe(
    '“lean-4” is also one of your keywords. Remove it from one of the two.',
  )
})
