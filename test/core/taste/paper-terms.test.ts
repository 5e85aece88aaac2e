/** The terms of a paper can be read as they stand in it, and each counts once. */
import { expect, test } from 'vitest'
import { kindOfTerm, paperTerms } from '../../../src/core/taste/paper-terms.ts'

const PAPER = {
  title: 'Masked Diffusion Language Models for Robotics',
  abstract:
    'We study masked diffusion models for language. Masked diffusion is trained by denoising, and we ask whether robots ' +
    'can plan with it. On a benchmark of manipulation tasks masked diffusion plans better than autoregressive models.',
  authors: ['Ada Lovelace', 'Lovelace, Ada', 'Grace Hopper'],
  topics: [{ topic: 'diffusion-lm', score: 0.9 }],
}

test('words are as the paper has them, topics have their label and authors their name, each term once', () => {
  const terms = paperTerms(PAPER)
  const labels = terms.map(({ label }) => label)
  expect(labels).toContain('masked diffusion')
  expect(labels).toContain('Diffusion language models')
  expect(labels).toContain('Grace Hopper')
  expect(new Set(terms.map(({ term }) => term)).size).toBe(terms.length)
  expect(terms.filter(({ term }) => kindOfTerm(term) === 'author')).toHaveLength(2)
  expect(terms.find(({ label }) => label === 'Diffusion language models')?.term).toBe('topic:diffusion-lm')
  for (const { weight } of terms) expect(weight).toBeGreaterThan(0)
})

test('of many authors the first and the last are terms', () => {
  const authors = Array.from({ length: 300 }, (_, n) => `Ada Byron${String.fromCharCode(97 + (n % 26))}${n}`)
  const named = paperTerms({ ...PAPER, authors }).filter(({ term }) => kindOfTerm(term) === 'author')
  expect(named).toHaveLength(8)
  expect(named.at(-1)?.label).toBe(authors.at(-1))
})

test('a paper without words, topics and authors has no terms', () => {
  expect(paperTerms({ title: '', abstract: '', authors: [], topics: [] })).toEqual([])
})
