/** The line about empty digests. */
import { describe, expect, test } from 'vitest'
import { NOTHING_NEW, skippedAsEmpty } from '../../../src/core/digest/empty-digest.ts'
import { untoldLines } from '../../../src/core/digest/skipped-digests.ts'

/** What a digest due at six in the morning (UTC) of a date says of empty ones; a list is there from nine on. */
const said = (from: string, to: string, date: string, frequency: 'daily' | 'weekly' = 'daily', hour = '06') =>
  untoldLines(
    {
      skipped: skippedAsEmpty(
        { from, to, frequency },
        { at: new Date(`${date}T${hour}:00:00Z`), localDate: date },
        NOTHING_NEW,
      ),
      atOnce: [],
    },
    { sent: new Set(), isAtOnce: false },
  )

describe('the line about empty digests', () => {
  test('names one day, two days, or the first and the last, and why nothing came', () => {
    expect(said('2026-04-14', '2026-04-14', '2026-04-15')).toBe(
      'No digest on Tuesday 14 April: no new papers matched what you follow.',
    )
    expect(said('2026-04-14', '2026-04-15', '2026-04-16')).toMatch(/^No digest on Tuesday 14 and Wednesday 15 April: /)
    expect(said('2026-04-14', '2026-04-16', '2026-04-17')).toMatch(/^No digest from Tuesday 14 to Thursday 16 April: /)
  })

  test('names no day on which no list of papers came', () => {
    // At six the list of Friday comes on Saturday, and that of Monday on Tuesday.
    expect(said('2026-04-19', '2026-04-20', '2026-04-21')).toBeNull()
    expect(said('2026-04-18', '2026-04-20', '2026-04-21')).toMatch(/^No digest on Saturday 18 April: /)
    expect(said('2026-04-18', '2026-04-21', '2026-04-22')).toMatch(/^No digest on Saturday 18 and Tuesday 21 April: /)
  })

  test('goes by the hour at which the reader’s digests are due', () => {
    // At noon the list of Monday is there on Monday.
    expect(said('2026-04-18', '2026-04-20', '2026-04-21', 'daily', '12')).toMatch(/^No digest on Monday 20 April: /)
    expect(said('2026-04-18', '2026-04-19', '2026-04-20', 'daily', '12')).toBeNull()
  })

  test('of weekly digests names their dates, at weekends too', () => {
    expect(said('2026-04-12', '2026-04-12', '2026-04-19', 'weekly')).toMatch(/^No digest on Sunday 12 April: /)
    expect(said('2026-04-12', '2026-04-19', '2026-04-26', 'weekly')).toMatch(
      /^No digest on Sunday 12 and Sunday 19 April: /,
    )
  })
})
