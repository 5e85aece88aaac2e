/** Settings replayed over past days, and two of them side by side. */
import { expect, test } from 'vitest'
import { addDays } from '../../src/core/calendar.ts'
import type { Preferences } from '../../src/core/subscriber/preferences.ts'
import { deriveToken } from '../../src/core/token.ts'
import { createComparisons, readStart } from '../../src/newsletter/comparison.ts'
import { createPastPools } from '../../src/newsletter/publishing/past-pools.ts'
import { dueDates, replay } from '../../src/newsletter/publishing/replay.ts'
import type { Database } from '../../src/store/database.ts'
import { readDigestsOfReader } from '../../src/store/reader-digests.ts'
import { stopMail } from '../../src/store/subscribers.ts'
import { liveDays } from '../support/fixtures/lived-days.ts'
import { KEYS, LONDON_DAILY, listingsOf, openNewsletter, storeDay, subscribe } from '../support/fixtures/newsletter.ts'

const TOPICS = ['robotics', 'code', 'vlm', 'agents', 'data', 'rl-llm']
const EARLIER = ['2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']
const START = new Date('2026-04-14T05:00:00Z')
const [FIRST, LAST] = ['2026-04-15', '2026-04-24']
const NOW = new Date('2026-04-24T12:00:00Z')

const READERS: Record<string, Preferences> = {
  few: { ...LONDON_DAILY, topics: ['robotics', 'code', 'vlm'], papers: 3, muted: ['evaluation'] },
  trending: { ...LONDON_DAILY, topics: ['data'], trending: true, keywords: ['code generation'], whenEmpty: 'send' },
  enough: { ...LONDON_DAILY, topics: ['vlm'], leastPapers: 2 },
  'at once': { ...LONDON_DAILY, topics: ['agents'], trending: true, frequency: 'weekly', weekday: 5, atOnce: true },
  weekly: { ...LONDON_DAILY, topics: ['agents', 'rl-llm'], frequency: 'weekly', weekday: 5 },
}

/** Ten days, papers of which were listed each weekday morning, published to these readers at six; returns their ids. */
const liveTenDays = async (db: Database): Promise<Map<string, string>> => {
  for (const day of EARLIER) await storeDay(db, day, TOPICS)
  const ids = new Map<string, string>()
  for (const [name, preferences] of Object.entries(READERS))
    ids.set(name, await subscribe(db, `${name}@example.org`, preferences, START))
  const days = Array.from({ length: 11 }, (_, n) => addDays('2026-04-14', n)).filter((day) => !/(18|19)$/.test(day))
  const listings = days.flatMap((day) => [
    ...listingsOf(day, TOPICS, `${day}T03:00:00Z`),
    // Seen a second time in the evening, with more upvotes.
    ...listingsOf(day, TOPICS, `${day}T19:00:00Z`).map((one) => ({
      ...one,
      observation: { ...one.observation, upvotes: (one.observation.upvotes ?? 0) * 2 },
    })),
  ])
  await liveDays(db, listings, { first: FIRST, last: LAST, time: '06:00' })
  return ids
}

test('a replay has the digests that were published, and a change what it would have brought', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ids = await liveTenDays(db)
  const pools = createPastPools({ db, now: () => NOW })
  for (const [name, id] of ids) {
    const preferences = READERS[name] ?? LONDON_DAILY
    const due = dueDates(preferences, { first: FIRST, last: LAST }, NOW)
    const replayed = await replay(pools, preferences, due, await readStart(db, id, FIRST))
    const made = (await readDigestsOfReader(db, id)).filter(({ kind }) => kind !== 'welcome')
    const published = await Promise.all(
      made.map(async ({ digestId, localDate }) => {
        const digest = await db
          .selectFrom('digests')
          .select('entries')
          .where('id', '=', digestId)
          .executeTakeFirstOrThrow()
        return { localDate, entries: digest.entries }
      }),
    )
    expect([name, replayed]).toEqual([name, published])
    expect(published.flatMap(({ entries }) => entries).length).toBeGreaterThan(7)
  }

  const comparisons = createComparisons({ db, keys: KEYS, now: () => NOW, pools })
  const token = deriveToken(KEYS, 'preferences', ids.get('few') ?? '', 0)
  const compare = (typed: Preferences | null) => comparisons.compare(token, typed)
  const few = READERS.few ?? LONDON_DAILY
  const alone = await compare(null)
  // The first papers were seen on 8 April.
  expect(alone).toMatchObject({
    first: '2026-04-08',
    last: LAST,
    days: 17,
    typed: null,
    gained: { count: 0 },
    lost: { count: 0 },
  })
  const change = await compare({ ...few, topics: ['robotics', 'agents'] })
  if (change === null || typeof change === 'string' || change.typed === null) throw new Error('nothing was compared')
  expect(change.typed.papers - change.stored.papers).toBe(change.gained.count - change.lost.count)
  expect(change.gained.best.some(({ reason }) => reason.startsWith('LLM agents'))).toBe(true)
  expect(change.gained.best.length).toBe(Math.min(10, change.gained.count))
  expect(change.lost.count).toBeGreaterThan(5)
})

test('of a dead link, of one who left, and before any papers there is nothing to compare', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const pools = createPastPools({ db, now: () => NOW })
  const comparisons = createComparisons({ db, keys: KEYS, now: () => NOW, pools })
  expect(await comparisons.compare('x'.repeat(43), null)).toBe(null)
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, START)
  const token = deriveToken(KEYS, 'preferences', id, 0)
  expect(await comparisons.compare(token, null)).toBe('no-papers')
  await storeDay(db, '2026-04-23', TOPICS)
  expect(await comparisons.compare(token, null)).toMatchObject({ days: 2 })
  await stopMail(db, id, 'unsubscribed')
  expect(await comparisons.compare(token, null)).toBe('not-subscribed')
})
