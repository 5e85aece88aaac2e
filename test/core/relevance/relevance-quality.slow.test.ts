/** The relevance model against judged papers: trained on those of two years, measured on the weeks after. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPaperFiles } from '../../../src/adapters/sources/paper-files.ts'
import type { Listing } from '../../../src/core/papers/paper.ts'
import { GATE } from '../../../src/core/relevance/gate.ts'
import { writeModel } from '../../../src/core/relevance/model-format.ts'
import { readPaper } from '../../../src/core/relevance/reading.ts'
import { createScorer, SHIPPED_MODEL } from '../../../src/core/relevance/relevance.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import { scoreByPhrases } from '../../evaluation/baselines.ts'
import { joinPapers, readLabels } from '../../evaluation/judged-papers.ts'
import { studyLibraries } from '../../evaluation/library-study.ts'
import { studyGate, studyRelevance } from '../../evaluation/relevance-study.ts'
import { type JudgedPaper, trainModel } from '../../evaluation/training.ts'

const folder = path.resolve(import.meta.dirname, '../../../../shared/data')
const hasData = existsSync(folder)
/** Training takes a minute and a half, on a busy machine several. */
const TEST_TIMEOUT = 1_200_000

const readAll = async (name: string): Promise<Listing[]> => {
  const listings: Listing[] = []
  for await (const batch of readPaperFiles(path.join(folder, name), { today: '2026-06-01' }))
    listings.push(...batch.listings)
  return listings
}

const readJudged = async (listings: readonly Listing[], file: string) => {
  const labels = readLabels(await readFile(path.join(folder, 'eval', file), 'utf8'))
  return joinPapers(listings, labels.rows, []).papers
}

describe.skipIf(!hasData)('relevance on the judged days (skipped where ../shared/data is absent)', () => {
  it(
    'learns from the papers of two years how to rank those of the five weeks after, and which to offer',
    async () => {
      const listings = await readAll('history-2024-05_2026-03.jsonl.gz')
      const judged = (await readJudged(listings, 'topic-labels-history.jsonl')).flatMap(
        ({ grades, ...paper }): JudgedPaper[] => (grades === null ? [] : [{ ...paper, grades }]),
      )
      expect(judged.length).toBeGreaterThan(6_000)
      const corpus = listings.map(({ paper, listDay }) => ({ ...paper, listDay }))
      const model = trainModel({ papers: corpus, by: { judged } })
      const score = createScorer(model)
      const held = await readJudged(await readAll('eval/papers.jsonl'), 'topic-labels.jsonl')
      const scores = held.map((paper) => {
        const found = new Map(score(paper).map((one) => [one.topic, one.score]))
        return DEFAULT_TOPICS.all.map(({ slug }) => found.get(slug) ?? 0)
      })
      const relevance = studyRelevance(held, scores)
      const phrases = studyRelevance(held, scoreByPhrases(held.map(readPaper), SHIPPED_MODEL.phrases))
      expect(relevance.cells).toBeGreaterThan(180)
      expect(relevance.ndcg10).toBeGreaterThanOrEqual(0.91)
      expect(relevance.ndcg10 ?? 0).toBeGreaterThan((phrases.ndcg10 ?? 1) + 0.05)
      const gate = studyGate(held, scores, GATE)
      expect(gate?.precision).toBeGreaterThanOrEqual(0.85)
      expect(gate?.recall).toBeGreaterThanOrEqual(0.8)
      for (const { relevant, precision } of Object.values(gate?.byTopic ?? {}))
        if (relevant >= 10) expect(precision).toBeGreaterThanOrEqual(0.65)
      // Of libraries of one topic, by titles alone and with abstracts, so many have it suggested first.
      for (const withAbstracts of [false, true]) {
        const { topics, first } = studyLibraries(held, model, withAbstracts)
        expect(topics).toBeGreaterThanOrEqual(25)
        expect(first.mean).toBeGreaterThanOrEqual(0.95)
      }
      // What training says of its own quality is measured on other papers, and true within a few points.
      const hits = model.measured.reduce((sum, { relevant, recall }) => sum + relevant * (recall ?? 0), 0)
      const relevantOnes = model.measured.reduce((sum, { relevant }) => sum + relevant, 0)
      expect(hits / relevantOnes).toBeGreaterThan(0.7)
      expect(hits / relevantOnes).toBeLessThan(0.9)
      expect(Buffer.byteLength(writeModel(model))).toBeLessThan(4_000_000)
    },
    TEST_TIMEOUT,
  )
})
