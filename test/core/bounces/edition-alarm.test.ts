import { expect, test } from 'vitest'
import { alarmReason } from '../../../src/core/bounces/edition-alarm.ts'

test.each([
  [{ handed: 0, hard: 0, complaints: 0 }, false],
  [{ handed: 30, hard: 1, complaints: 0 }, false],
  [{ handed: 200, hard: 9, complaints: 0 }, false],
  [{ handed: 300, hard: 10, complaints: 0 }, true],
  [{ handed: 1_000, hard: 29, complaints: 0 }, false],
  [{ handed: 1_000, hard: 30, complaints: 0 }, true],
  [{ handed: 1_000, hard: 0, complaints: 2 }, false],
  [{ handed: 3_000, hard: 0, complaints: 3 }, true],
  [{ handed: 10_000, hard: 0, complaints: 7 }, false],
  [{ handed: 10_000, hard: 0, complaints: 8 }, true],
])('%j stops an edition: %s', (returns, expected) => {
  expect(alarmReason(returns) !== null).toBe(expected)
})
