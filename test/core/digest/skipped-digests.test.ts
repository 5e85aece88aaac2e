/** What a digest says of those before it that were not sent. */
import { expect, test } from 'vitest'
import { NOTHING_NEW } from '../../../src/core/digest/empty-digest.ts'
import {
  CANCELED,
  joinSkipped,
  NOT_IN_TIME,
  type SkippedDigests,
  skippedFor,
  skippedForFew,
  untoldLines,
} from '../../../src/core/digest/skipped-digests.ts'

const told = (skipped: SkippedDigests[], sent: string[] = ['a', 'b', 'c', 'd', 'e']) =>
  untoldLines({ skipped: joinSkipped(skipped), atOnce: [] }, { sent: new Set(sent), isAtOnce: false })
const few = (date: string, papers: string[], least = 3) => skippedForFew(date, papers, least)

test('each digest that had too few papers is told with how many it had', () => {
  expect(told([few('2026-04-13', ['a'])])).toBe(
    'Monday 13 April had 1 paper, fewer than the 3 you asked for: it is here.',
  )
  expect(told([few('2026-04-13', ['a']), few('2026-04-14', ['b'])])).toBe(
    'Monday 13 and Tuesday 14 April had 1 paper each, fewer than the 3 you asked for: they are here.',
  )
  expect(told([few('2026-04-13', ['a'], 5), few('2026-04-14', ['b', 'c'], 5)])).toBe(
    'Monday 13 April had 1 paper and Tuesday 14 April had 2, fewer than the 5 you asked for: they are here.',
  )
  expect(told([few('2026-04-13', ['a'], 5), few('2026-04-14', ['b'], 5), few('2026-04-15', ['c'], 5)])).toBe(
    'Monday 13 to Wednesday 15 April had 1 paper each, fewer than the 5 you asked for: they are here.',
  )
})

test('that papers are here is said only where all of them are', () => {
  expect(told([few('2026-04-13', ['a']), few('2026-04-14', ['b'])], ['a'])).toBe(
    'Monday 13 and Tuesday 14 April had 1 paper each, fewer than the 3 you asked for.',
  )
})

test('different reasons are told in the order of their dates, and those in a row together', () => {
  expect(
    told([
      skippedFor('2026-04-16', CANCELED),
      skippedFor('2026-04-13', NOTHING_NEW),
      skippedFor('2026-04-14', NOTHING_NEW),
      few('2026-04-15', ['a']),
      skippedFor('2026-04-17', NOT_IN_TIME),
    ]),
  ).toBe(
    'No digest on Monday 13 and Tuesday 14 April: no new papers matched what you follow. ' +
      'Wednesday 15 April had 1 paper, fewer than the 3 you asked for: it is here. ' +
      'No digest on Thursday 16 April: it was canceled. No digest on Friday 17 April: it could not be sent in time.',
  )
  expect(told([])).toBeNull()
})

test('one date is told once, by the first reason that is known of it', () => {
  expect(told([skippedFor('2026-04-13', CANCELED), skippedFor('2026-04-13', NOT_IN_TIME)])).toBe(
    'No digest on Monday 13 April: it was canceled.',
  )
})

test('what came at once is told by the regular digest alone', () => {
  const untold = {
    skipped: [],
    atOnce: [
      { date: '2026-04-14', papers: 1 },
      { date: '2026-04-16', papers: 2 },
    ],
  }
  const sent = new Set<string>()
  expect(untoldLines(untold, { sent, isAtOnce: true })).toBeNull()
  expect(untoldLines(untold, { sent, isAtOnce: false })).toBe(
    '3 papers came at once, on Tuesday 14 and Thursday 16 April, and are not repeated here.',
  )
  expect(untoldLines({ skipped: [], atOnce: [{ date: '2026-04-14', papers: 1 }] }, { sent, isAtOnce: false })).toBe(
    '1 paper came at once, on Tuesday 14 April, and is not repeated here.',
  )
})
