import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPaperFiles } from '../../src/adapters/sources/paper-files.ts'
import { countPhrases, createPhraseEvidence } from '../../src/core/relevance/evidence.ts'
import { type Reading, readPaper } from '../../src/core/relevance/reading.ts'
import { plainPhrase } from '../../src/core/text/phrases.ts'
import { DEFAULT_TOPICS, isTopic, topicBySlug } from '../../src/core/topics.ts'

describe('the topics', () => {
  it('are 38, in five groups, each once', () => {
    expect(DEFAULT_TOPICS.groups.map((group) => [group.label, group.topics.length])).toEqual([
      ['Agents & code', 5],
      ['Language & reasoning', 9],
      ['Vision, video & sound', 9],
      ['Robots, science & practice', 7],
      ['Methods & foundations', 8],
    ])
    expect(new Set(DEFAULT_TOPICS.all.map((topic) => topic.slug)).size).toBe(38)
    expect(new Set(DEFAULT_TOPICS.all.map((topic) => topic.label)).size).toBe(38)
  })

  it('have slugs that fit into an address of a page', () => {
    for (const { slug } of DEFAULT_TOPICS.all) expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  })

  it('each have strong and weak phrases with something left of them when written plainly', () => {
    for (const topic of DEFAULT_TOPICS.all) {
      expect(topic.strong.length).toBeGreaterThan(5)
      expect(topic.weak.length).toBeGreaterThan(0)
      for (const phrase of [...topic.strong, ...topic.weak]) expect(plainPhrase(phrase)).toMatch(/^\S+( \S+)*$/)
    }
  })

  it('are found by slug, and nothing else is', () => {
    expect(topicBySlug('gui-agents')?.label).toBe('GUI, web & computer-use agents')
    expect(topicBySlug('GUI-agents')).toBeUndefined()
    expect(isTopic('robotics')).toBe(true)
    for (const slug of ['', 'robotic', '__proto__', 'constructor', 'toString']) expect(isTopic(slug)).toBe(false)
  })
})

const history = path.resolve(import.meta.dirname, '../../../shared/data/history-2024-05_2026-03.jsonl.gz')

describe.skipIf(!existsSync(history))('the phrases (skipped where ../shared/data has no history)', () => {
  it('each stand in three papers of the history or more, so that none is fitted to a single paper', async () => {
    const readings: Reading[] = []
    for await (const { listings } of readPaperFiles(history, { today: '2026-06-01' }))
      readings.push(...listings.map(({ paper }) => readPaper(paper)))
    expect(readings.length).toBe(7_461)
    const rare = Object.entries(countPhrases(createPhraseEvidence(DEFAULT_TOPICS.all), readings).frequencies).filter(
      ([, frequency]) => frequency < 3,
    )
    expect(rare).toEqual([])
  })
})
