/** A new model may take the place of the one in use, and a worse one may not. */
import { describe, expect, test } from 'vitest'
import { type DatedPaper, holdBack, mayReplace, tryModel } from '../../src/core/model-trial.ts'
import type { RelevanceModel } from '../../src/core/relevance/model.ts'
import { SHIPPED_MODEL } from '../../src/core/relevance/relevance.ts'
import { papersOfDay } from '../support/fixtures/papers.ts'

const DAYS = Array.from({ length: 15 }, (_, n) => `2026-04-${String(n + 1).padStart(2, '0')}`)
const PAPERS: DatedPaper[] = DAYS.flatMap((listDay) =>
  papersOfDay(listDay).map(({ title, summary }) => ({ title, abstract: summary, listDay })),
)

describe('an archive', () => {
  test('has the newest fifth of its days held back, each day whole', () => {
    const { learnt, heldBack } = holdBack(PAPERS)
    expect([...new Set(heldBack.map(({ listDay }) => listDay))]).toEqual(DAYS.slice(12))
    expect(learnt.length + heldBack.length).toBe(PAPERS.length)
  })
})

describe('a candidate', () => {
  const { heldBack } = holdBack(PAPERS)

  test('that is the model in use may replace it', () => {
    const trial = tryModel(SHIPPED_MODEL, SHIPPED_MODEL, heldBack)
    expect(trial).toMatchObject({ papers: heldBack.length, gain: 0 })
    expect(trial.cells).toBeGreaterThan(20)
    expect(trial.current).toBeGreaterThan(0.5)
    expect(mayReplace(trial)).toBe(true)
  })

  test('that has everything the wrong way round may not', () => {
    const wrong: RelevanceModel = {
      ...SHIPPED_MODEL,
      shared: SHIPPED_MODEL.shared.map((weight) => -weight),
      scales: SHIPPED_MODEL.scales.map((scale) => -scale),
    }
    const trial = tryModel(wrong, SHIPPED_MODEL, heldBack)
    expect(trial.gain).toBeLessThan(-0.1)
    expect(mayReplace(trial)).toBe(false)
  })

  test('that could not be measured may not', () => {
    expect(mayReplace(tryModel(SHIPPED_MODEL, SHIPPED_MODEL, []))).toBe(false)
  })
})
