import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ArrivalOutcome, type DigestArrival, hasFailedForLong } from '../../../src/core/bounces/soft-bounces.ts'
import { DAY } from '../../../src/core/calendar.ts'

const attempts = (outcomes: ArrivalOutcome[], everyDays: number): DigestArrival[] =>
  outcomes.map((outcome, n) => ({ at: new Date(Date.UTC(2026, 3, 1) + n * everyDays * DAY), outcome }))
const stops = (outcomes: ArrivalOutcome[], everyDays: number) =>
  hasFailedForLong(attempts(outcomes, everyDays).reverse())

test.each([
  ['three weekly ones in a row', ['failed', 'failed', 'failed'], 7, true],
  ['three daily ones: a long weekend', ['failed', 'failed', 'failed'], 1, false],
  ['eight daily ones', Array<ArrivalOutcome>(8).fill('failed'), 1, true],
  ['two weekly ones', ['failed', 'failed'], 7, false],
  ['one that arrived between', ['failed', 'failed', 'arrived', 'failed'], 7, false],
  ['one that arrived at last', ['failed', 'failed', 'failed', 'arrived'], 7, false],
  ['one that is still open at last', ['failed', 'failed', 'failed', 'open'], 7, true],
  ['refusals of us alone', ['ours', 'ours', 'ours', 'ours'], 7, false],
] as [string, ArrivalOutcome[], number, boolean][])('%s', (_, outcomes, everyDays, expected) => {
  expect(stops(outcomes, everyDays)).toBe(expected)
})

test('as a ledger kept by hand would say, whatever the history', () => {
  const outcome = fc.constantFrom<ArrivalOutcome>('arrived', 'failed', 'open', 'ours')
  fc.assert(
    fc.property(fc.array(fc.tuple(outcome, fc.integer({ min: 1, max: 8 })), { maxLength: 20 }), (steps) => {
      // Told forward in time, as it happens, where the rule looks back.
      let day = 0
      let streak: number[] = []
      const history: DigestArrival[] = []
      for (const [outcome, pause] of steps) {
        day += pause
        history.push({ at: new Date(day * DAY), outcome })
        if (outcome === 'arrived') streak = []
        if (outcome === 'failed') streak.push(day)
      }
      const expected = streak.length >= 3 && (streak.at(-1) ?? 0) - (streak[0] ?? 0) >= 7
      expect(hasFailedForLong(history.reverse())).toBe(expected)
    }),
    { numRuns: 500 },
  )
})
