import { describe, expect, it } from 'vitest'
import { samplePapers } from '../../../src/adapters/sources/sample-papers.ts'
import { ARXIV_ID, INSTITUTION_NAME } from '../../../src/core/papers/paper.ts'
import { GATE } from '../../../src/core/relevance/gate.ts'
import { scoreTopics } from '../../../src/core/relevance/relevance.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'

const sample = samplePapers()
const fits = new Map(sample.map(({ paper }) => [paper.id, scoreTopics(paper).filter(({ score }) => score >= GATE)]))
const papersOf = (slug: string): number =>
  [...fits.values()].filter((topics) => topics.some(({ topic }) => topic === slug)).length

describe('the sample that ships', () => {
  it('holds some fifty papers of the seven list days before 14 April 2026, each once', () => {
    expect(new Set(sample.map(({ paper }) => paper.id)).size).toBe(sample.length)
    expect(sample.length).toBeGreaterThanOrEqual(45)
    expect([...new Set(sample.map(({ listDay }) => listDay))].sort()).toEqual(
      ['03', '06', '07', '08', '09', '10', '13'].map((day) => `2026-04-${day}`),
    )
  })

  it('gives each an arXiv id, authors, a discussion, counts, and one line of 120 to 220 characters', () => {
    for (const { paper, listDay, observation } of sample) {
      expect(paper.id).toMatch(ARXIV_ID)
      expect(paper.authors.length).toBeGreaterThan(0)
      expect(paper.discussionUrl).toBe(`https://huggingface.co/papers/${paper.id}`)
      expect(paper.abstract.length).toBeGreaterThanOrEqual(120)
      expect(paper.abstract.length).toBeLessThanOrEqual(220)
      expect(observation).toMatchObject({ at: new Date(`${listDay}T09:00:00Z`), hourKnown: false })
      expect(observation.upvotes).not.toBeNull()
    }
  })

  it('names the institutions of most, as they were listed', () => {
    const institutions = sample.flatMap(({ institution }) => institution ?? [])
    expect(institutions.length).toBeGreaterThan(sample.length / 2)
    for (const { name } of institutions) expect(name).toMatch(INSTITUTION_NAME)
  })

  it.each(DEFAULT_TOPICS.all.map(({ slug }) => slug))('has a paper for subscribers of %s', (slug) => {
    expect(papersOf(slug)).toBeGreaterThanOrEqual(1)
  })

  it('has three papers each for diffusion language models and robotics', () => {
    expect(papersOf('diffusion-lm')).toBeGreaterThanOrEqual(3)
    expect(papersOf('robotics')).toBeGreaterThanOrEqual(3)
  })
})
