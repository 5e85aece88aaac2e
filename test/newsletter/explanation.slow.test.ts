/** Why each paper of a recorded month came to readers or did not, compared with what was sent. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Preferences } from '../../src/core/subscriber/preferences.ts'
import { judgeExplanations } from '../support/fixtures/judged-explanations.ts'
import { liveDays, storeBetween } from '../support/fixtures/lived-days.ts'
import { LONDON_DAILY, openNewsletter, subscribe } from '../support/fixtures/newsletter.ts'
import { hasRecordedDays, writeRecordedDays } from '../support/fixtures/recorded-days.ts'

const START = new Date('2026-04-01T05:00:00Z')
const READERS: Preferences[] = [
  { ...LONDON_DAILY, topics: ['agents', 'robotics', 'vlm'], muted: ['benchmark'], papers: 5 },
  { ...LONDON_DAILY, topics: ['data'], trending: true, keywords: ['world model'], leastPapers: 3 },
  { ...LONDON_DAILY, topics: ['reasoning', 'code'], frequency: 'weekly', weekday: 5, atOnce: true },
]

describe.skipIf(!hasRecordedDays)(`of a recorded month${hasRecordedDays ? '' : ' (skipped: no recorded days)'}`, () => {
  test('every paper sent is told as sent, every other has one reason, and each change that is offered brings its paper', {
    timeout: 600_000,
  }, async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const folder = await mkdtemp(join(tmpdir(), 'recorded-'))
    const listings = await writeRecordedDays(folder, '2026-03-09', '2026-04-30')
    await rm(folder, { recursive: true })
    await storeBetween(db, listings, new Date(0), START)
    const ids: string[] = []
    for (const [n, preferences] of READERS.entries())
      ids.push(await subscribe(db, `reader${n}@example.org`, preferences, START))
    await liveDays(db, listings, { first: '2026-04-02', last: '2026-04-30', time: '06:00' })
    for (const id of ids) {
      const judged = await judgeExplanations(db, id, new Date('2026-04-30T12:00:00Z'))
      expect(judged.faults).toEqual([])
      expect(judged.sent).toBeGreaterThan(20)
      // A count that came after a digest does not change what it was chosen from.
      expect(judged.exact.no).toBe(0)
    }
  })
})
