/** The relevance model of an installation: another one scores the papers held anew, and only then. */
import { expect, test } from 'vitest'
import { samplePapers } from '../../src/adapters/sources/sample-papers.ts'
import { fingerprintOf } from '../../src/core/relevance/model-format.ts'
import { PHRASES_FINGERPRINT } from '../../src/core/relevance/phrase-precision.ts'
import { createScorer, SHIPPED_MODEL } from '../../src/core/relevance/relevance.ts'
import { refreshPapers } from '../../src/newsletter/intake.ts'
import { createModelScorer, settleScores, shippedScorer } from '../../src/newsletter/relevance.ts'
import type { Database } from '../../src/store/database.ts'
import { openNewsletter, SILENT, storeDay } from '../support/fixtures/newsletter.ts'

test('without topics of one’s own, papers have the scores and the scorer the name that they had', async () => {
  const { score, name, byPhrases } = shippedScorer()
  expect(name).toBe(`shipped ${fingerprintOf(SHIPPED_MODEL)} ${PHRASES_FINGERPRINT}`)
  expect(byPhrases).toEqual([])
  for (const { paper } of samplePapers()) expect(score(paper)).toEqual(createScorer(SHIPPED_MODEL)(paper))
})

const scoresIn = (db: Database) =>
  db.selectFrom('paper_topics').select(['paper_id', 'topic', 'score']).orderBy('paper_id').orderBy('topic').execute()

test('a model that the operator names scores the papers held anew, and going back to the shipped one as well', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-01')
  const papers = 38
  expect(await settleScores(db, shippedScorer())).toBe(papers)
  expect(await settleScores(db, shippedScorer())).toBe(0)
  const shipped = await scoresIn(db)

  const { blend } = SHIPPED_MODEL
  const bolder = createModelScorer({
    ...SHIPPED_MODEL,
    blend: { ...blend, offsets: blend.offsets.map((offset) => offset + 1) },
  })
  expect(await settleScores(db, bolder)).toBe(papers)
  expect(await scoresIn(db)).not.toEqual(shipped)
  expect(await settleScores(db, bolder)).toBe(0)

  const ports = { db, now: () => new Date('2026-04-01T12:00:00Z'), log: SILENT }
  await refreshPapers({ ...ports, scorer: bolder }, [])
  expect(await scoresIn(db)).not.toEqual(shipped)
  await refreshPapers(ports, [])
  expect(await scoresIn(db)).toEqual(shipped)
})
