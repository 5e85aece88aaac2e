/** The model of an installation: trained on its own papers, kept by version, gone back from, and never in the way. */
import { expect, test } from 'vitest'
import { addDays } from '../../src/core/calendar.ts'
import { refreshPapers } from '../../src/newsletter/intake.ts'
import { changeModel, listModels, retrain, settleScores } from '../../src/newsletter/relevance.ts'
import type { Database } from '../../src/store/database.ts'
import { UntrainableCorpus } from '../evaluation/training.ts'
import { openNewsletter, SILENT, storeDay } from '../support/fixtures/newsletter.ts'

const now = () => new Date('2026-06-01T10:00:00Z')
const QUIET = () => undefined
/** 38 papers a day: more than a model needs. */
const DAYS = Array.from({ length: 42 }, (_, n) => addDays('2026-04-01', n))

const scoresIn = (db: Database) =>
  db.selectFrom('paper_topics').select(['paper_id', 'topic', 'score']).orderBy('paper_id').orderBy('topic').execute()

test('a model trained on the papers held is used, listed, and gone back from, and the scores go with it', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of DAYS) await storeDay(db, day)
  expect(await settleScores(db, SILENT)).toBe(DAYS.length * 38)
  expect(await settleScores(db, SILENT)).toBe(0)
  const shipped = await scoresIn(db)

  const shares: number[] = []
  const first = await retrain({ db, now, log: SILENT }, (share) => shares.push(share))
  expect(first).toMatchObject({ version: 1, papers: DAYS.length * 38, rescored: DAYS.length * 38 })
  expect(first.trial.papers).toBeGreaterThan(0)
  expect(shares).toEqual(shares.toSorted((a, b) => a - b))
  const own = await scoresIn(db)
  expect(own).not.toEqual(shipped)
  expect(await listModels(db)).toMatchObject([{ version: 1, in_use: true, first_day: DAYS[0], last_day: DAYS.at(-1) }])

  // New papers are scored by it, too: those of a day like another have its scores.
  expect(await changeModel({ db, log: SILENT }, 7, QUIET)).toBeNull()
  expect(await scoresIn(db)).toEqual(own)
  expect(await changeModel({ db, log: SILENT }, null, QUIET)).toEqual({ rescored: DAYS.length * 38 })
  expect(await scoresIn(db)).toEqual(shipped)
  expect(await changeModel({ db, log: SILENT }, 1, QUIET)).toEqual({ rescored: DAYS.length * 38 })
  expect(await scoresIn(db)).toEqual(own)

  // A stored model that cannot be read is named, and the shipped one goes on.
  await db
    .updateTable('relevance_models')
    .set((eb) => ({ model: eb.fn<string>('left', ['model', eb.lit(5_000)]) }))
    .execute()
  await changeModel({ db, log: SILENT }, null, QUIET)
  const second = await db
    .insertInto('relevance_models')
    .columns(['trained_at', 'model', 'papers', 'trial', 'in_use'])
    .expression((eb) =>
      eb.selectFrom('relevance_models').select(['trained_at', 'model', 'papers', 'trial', eb.lit(true).as('in_use')]),
    )
    .returning('version')
    .executeTakeFirstOrThrow()
  const warned: object[] = []
  const log = { ...SILENT, warn: (facts: object) => void warned.push(facts) }
  await refreshPapers({ db, now, log }, [])
  expect(warned).toEqual([{ version: second.version, trouble: 'it is cut short' }])
  expect(await scoresIn(db)).toEqual(shipped)
}, 120_000)

test('too few papers are refused in words, and nothing is kept', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-01')
  const outcome: unknown = await retrain({ db, now, log: SILENT }, QUIET).catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(UntrainableCorpus)
  expect((outcome as Error).message).toContain('1500')
  expect(await listModels(db)).toEqual([])
})
