import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import shipped from '../../src/core/phrase-statistics.json' with { type: 'json' }
import { TOPICS } from '../../src/core/topics.ts'
import { measurePhrases } from '../../workers/phrase-statistics.ts'

const history = path.resolve(import.meta.dirname, '../../../shared/data/history-2024-05_2026-03.jsonl.gz')
const hasHistory = existsSync(history)

describe('measuring phrases', () => {
  /** Some papers squarely about each topic, and some that only touch it. */
  const papers = TOPICS.flatMap(({ strong, weak }) => [
    ...strong
      .slice(0, 6)
      .map((phrase) => ({ title: `On ${phrase}`, abstract: `More of ${phrase} and ${strong.at(-1)}.` })),
    ...strong.slice(0, 3).map((phrase) => ({ title: 'A study', abstract: `Some ${phrase}, among other things.` })),
    ...weak.map((phrase) => ({ title: 'A study', abstract: `There is ${phrase} here, and ${phrase} there.` })),
  ])

  it('counts the papers that hold a phrase, each once however often it stands there', () => {
    const few = papers.filter(({ title, abstract }) => /masked diffusion\b/i.test(`${title} ${abstract}`))
    expect(measurePhrases(papers).frequencies['masked diffusion']).toBe(few.length)
    expect(measurePhrases(papers).papers).toBe(papers.length)
  })

  it('finds for every topic where a paper passes', () => {
    const { passes, wholeOverTitle } = measurePhrases(papers)
    expect(Object.keys(passes)).toHaveLength(TOPICS.length)
    for (const pass of Object.values(passes)) expect(pass).toBeGreaterThan(0)
    expect(wholeOverTitle).toBeGreaterThan(1)
  })

  it('refuses to fit a topic of which it saw no papers', () => {
    expect(() => measurePhrases([{ title: 'Storks', abstract: 'Where they go.' }])).toThrow('too few papers')
  })
})

describe.skipIf(!hasHistory)('the shipped statistics (skipped where ../shared/data has no history)', () => {
  it('are what the history gives, or workers/phrase-statistics.ts is to be run again', () => {
    const lines = gunzipSync(readFileSync(history)).toString('utf8').trim().split('\n')
    const measured = measurePhrases(lines.map((line) => JSON.parse(line) as { title: string; abstract: string }))
    expect(measured).toEqual(shipped)
  })
})
