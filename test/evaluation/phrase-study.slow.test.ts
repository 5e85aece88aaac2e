/** The weights by which phrases alone are scored are those that the judged papers give, and are as good as is said of them. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { TITLE_ALONE, WHOLE } from '../../src/core/relevance/phrase-score.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { readListings, readRowsFile } from './input-files.ts'
import { joinPapers, readLabels } from './judged-papers.ts'
import { studyPhrases } from './phrase-study.ts'
import type { JudgedPaper } from './training.ts'

const folder = path.resolve(import.meta.dirname, '../../../shared/data')
const at = (name: string): string => path.join(folder, name)
const say = (): void => undefined

const readJudged = async (): Promise<JudgedPaper[]> => {
  const listings = await Promise.all(
    ['history-2024-05_2026-03.jsonl.gz', 'eval/papers.jsonl'].map((name) => readListings(at(name), say)),
  )
  const labels = await Promise.all(
    ['eval/topic-labels-history.jsonl', 'eval/topic-labels.jsonl'].map((name) =>
      readRowsFile(at(name), readLabels, say),
    ),
  )
  return joinPapers(listings.flat(), labels.flat(), []).papers.flatMap(({ grades, ...paper }) =>
    grades === null ? [] : [{ ...paper, grades }],
  )
}

test.skipIf(!existsSync(folder))(
  'topics are found by phrases that were fitted without them (skipped where ../shared/data is absent)',
  { timeout: 600_000 },
  async () => {
    const judged = await readJudged()
    expect(judged).toHaveLength(7_268)
    for (const { titleAlone, shipped, precision, recall } of [
      { titleAlone: false, shipped: WHOLE, precision: 0.81, recall: 0.6 },
      { titleAlone: true, shipped: TITLE_ALONE, precision: 0.79, recall: 0.4 },
    ]) {
      const { weights, qualities } = studyPhrases(judged, DEFAULT_TOPICS.all, titleAlone)
      for (const [n, weight] of weights.entries()) expect(weight).toBeCloseTo(shipped[n] ?? 0, 1)
      const sum = (kind: 'hits' | 'passed' | 'relevant') => qualities.reduce((all, one) => all + one[kind], 0)
      expect(sum('hits') / sum('passed')).toBeGreaterThan(precision - 0.01)
      expect(sum('hits') / sum('relevant')).toBeGreaterThan(recall - 0.01)
    }
  },
)
