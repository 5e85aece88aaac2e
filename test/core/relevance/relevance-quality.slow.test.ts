/** The relevance model against judged papers: trained on some weeks, measured on the weeks after. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPaperFiles } from '../../../src/adapters/sources/paper-files.ts'
import type { Listing } from '../../../src/core/papers/paper.ts'
import { GATE } from '../../../src/core/relevance/gate.ts'
import { readPaper } from '../../../src/core/relevance/reading.ts'
import { createScorer, SHIPPED_MODEL } from '../../../src/core/relevance/relevance.ts'
import { TOPICS } from '../../../src/core/topics.ts'
import { scoreByPhrases } from '../../evaluation/baselines.ts'
import { joinPapers, readLabels } from '../../evaluation/judged-papers.ts'
import { studyGate, studyRelevance } from '../../evaluation/relevance-study.ts'
import { type JudgedPaper, trainModel } from '../../evaluation/training.ts'

const folder = path.resolve(import.meta.dirname, '../../../../shared/data')
const hasData = existsSync(folder)
/** Training takes a quarter of a minute, on a busy machine a whole one. */
const TEST_TIMEOUT = 240_000

const readAll = async (name: string): Promise<Listing[]> => {
  const listings: Listing[] = []
  for await (const batch of readPaperFiles(path.join(folder, name), { today: '2026-06-01' }))
    listings.push(...batch.listings)
  return listings
}

const readJudged = async () => {
  const labels = readLabels(await readFile(path.join(folder, 'eval/topic-labels.jsonl'), 'utf8'))
  return joinPapers(await readAll('eval/papers.jsonl'), labels.rows, []).papers
}

describe.skipIf(!hasData)('relevance on the judged days (skipped where ../shared/data is absent)', () => {
  it(
    'learns from three weeks how to rank the three after, better than phrases alone do',
    async () => {
      const papers = await readJudged()
      const weeks = [...new Set(papers.map(({ week }) => week))].sort()
      const [seen, later] = [weeks.slice(0, 3), weeks.slice(3)]
      const judged = papers.flatMap(({ grades, ...paper }): JudgedPaper[] =>
        grades !== null && seen.includes(paper.week) ? [{ ...paper, grades }] : [],
      )
      const corpus = (await readAll('history-2024-05_2026-03.jsonl.gz')).map(({ paper, listDay }) => ({
        ...paper,
        listDay,
      }))
      const score = createScorer(trainModel({ papers: corpus, by: { judged } }))
      const held = papers.filter(({ week }) => later.includes(week))
      const scores = held.map((paper) => {
        const found = new Map(score(paper).map((one) => [one.topic, one.score]))
        return TOPICS.map(({ slug }) => found.get(slug) ?? 0)
      })
      const relevance = studyRelevance(held, scores)
      const phrases = studyRelevance(held, scoreByPhrases(held.map(readPaper), SHIPPED_MODEL.phrases))
      expect(relevance.cells).toBeGreaterThan(80)
      expect(relevance.ndcg10).toBeGreaterThanOrEqual(0.85)
      expect(relevance.ndcg10 ?? 0).toBeGreaterThan((phrases.ndcg10 ?? 1) + 0.02)
      const gate = studyGate(held, scores, GATE)
      expect(gate?.precision).toBeGreaterThan(0.65)
      expect(gate?.recall).toBeGreaterThan(0.75)
    },
    TEST_TIMEOUT,
  )
})
