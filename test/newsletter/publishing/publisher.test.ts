/** Publishing: who gets what, exactly once, and never the same paper again. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPaperFiles } from '../../../src/adapters/sources/paper-files.ts'
import { addDays, HOUR } from '../../../src/core/calendar.ts'
import { standfirstOf } from '../../../src/core/digest/headline.ts'
import { GATE } from '../../../src/core/relevance/gate.ts'
import { scoreTopics } from '../../../src/core/relevance/relevance.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import { createArchive } from '../../../src/newsletter/archive/archive.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'
import { propertyRuns, thorough } from '../../support/thoroughness.ts'

const SHARED = resolve(import.meta.dirname, '../../../../shared/data/hf-api')
const at = (text: string): Date => new Date(text)
const WEEK = ['2026-04-03', '2026-04-06', '2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']

describe('an edition', () => {
  test('owes each due subscriber one digest, and the same cohort the same one', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, '2026-04-14']) await storeDay(db, day)
    const start = at('2026-04-14T05:00:00Z')
    const ids = []
    for (const name of ['ada', 'grace', 'lin'])
      ids.push(await subscribe(db, `${name}@example.org`, LONDON_DAILY, start))
    const other = await subscribe(db, 'emmy@example.org', { ...LONDON_DAILY, topics: ['code'] }, start)
    const published = await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T06:00:00Z'))
    expect(published).toEqual({ subscribers: 4, owed: 4, digests: 2 })
    const [first, ...rest] = await Promise.all(ids.map(async (id) => (await issuesOf(db, id))[1]))
    for (const issue of rest) expect(issue).toEqual(first)
    expect((await issuesOf(db, other))[1]).not.toEqual(first)
    expect(await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T06:00:00Z'))).toMatchObject({
      owed: 0,
    })
  })

  test('uses nothing that was observed after its cut-off', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, '2026-04-14', '2026-04-15']) await storeDay(db, day)
    const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
    await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T08:59:59Z'))
    const days = (await issuesOf(db, id)).flatMap((issue) => issue.listDays)
    expect(days).toContain('2026-04-14')
    expect(days).not.toContain('2026-04-15')
  })

  test('counts what its list days list, whatever of it its readers have had or came too late for them', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, '2026-04-14']) await storeDay(db, day)
    const early = listingsOf('2026-04-15', undefined, '2026-04-15T05:00:00Z').slice(0, -8)
    const late = listingsOf('2026-04-15', undefined, '2026-04-15T15:00:00Z').slice(-8)
    await storeAll(db, 'file', early)
    await storeAll(db, 'file', late)
    const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
    const wide = { ...LONDON_DAILY, topics: DEFAULT_TOPICS.all.map(({ slug }) => slug) }
    const other = await subscribe(db, 'grace@example.org', wide, at('2026-04-14T05:00:00Z'))
    for (const day of ['15', '16'])
      await publishDue({ db, log: SILENT, wake: wakeNobody }, at(`2026-04-${day}T06:00:00Z`))
    const archive = createArchive({ db, keys: KEYS, now: () => at('2026-04-16T06:00:00Z') })
    const onPages = (await archive.readDay('2026-04-14'))?.total ?? 0
    for (const issue of [(await issuesOf(db, id))[1], (await issuesOf(db, other))[1]]) {
      expect(issue?.listDays).toEqual(['2026-04-13', '2026-04-14', '2026-04-15'])
      expect(issue?.listed).toBe(3 * onPages - late.length)
    }
    expect((await issuesOf(db, id))[2]?.listed).toBe(3 * onPages)
    // The release before shows the number from the column that it knows, and leaves the new one empty in its own digests.
    const rows = await db.selectFrom('digests').select(['considered', 'listed']).execute()
    expect(rows.map(({ considered }) => considered)).toEqual(rows.map(({ listed }) => listed))
    await db.updateTable('digests').set({ listed: null }).execute()
    const [, , old] = await issuesOf(db, id)
    expect(old === undefined ? '' : standfirstOf(old)).toBe(
      `${old?.cards.length} papers listed from Monday 13 to Wednesday 15 April`,
    )
  })

  test('covers a gap of days with one digest, which belongs to the newest of the missed dates', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, '2026-04-14', '2026-04-15', '2026-04-16']) await storeDay(db, day)
    const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
    await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-17T11:00:00Z'))
    const issues = await issuesOf(db, id)
    expect(issues.map((issue) => issue.localDate)).toEqual(['2026-04-14', '2026-04-17'])
    expect(issues[1]?.listDays).toEqual(['2026-04-14', '2026-04-15', '2026-04-16'])
  })

  test('that was interrupted is finished with the cut-off it was begun with', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, '2026-04-14', '2026-04-15']) await storeDay(db, day)
    const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
    await db
      .insertInto('editions')
      .values({ cutoff: at('2026-04-15T06:00:00Z'), published_at: null })
      .execute()
    await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T20:00:00Z'))
    expect((await issuesOf(db, id))[1]?.listDays).not.toContain('2026-04-15')
  })

  test('that two publishers publish at once is published once', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, '2026-04-14']) await storeDay(db, day)
    for (let n = 0; n < 30; n++) await subscribe(db, `reader${n}@example.org`, LONDON_DAILY, at('2026-04-14T05:00:00Z'))
    const due = at('2026-04-15T06:00:00Z')
    const both = await Promise.all([1, 2].map(() => publishDue({ db, log: SILENT, wake: wakeNobody }, due)))
    expect(both.reduce((sum, one) => sum + one.owed, 0)).toBe(30)
    expect(await db.selectFrom('deliveries').selectAll().execute()).toHaveLength(30)
  })

  test('owes an empty digest without a mail, and the next digest says so in one line', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of WEEK) await storeDay(db, day)
    const topics = ['robotics']
    const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, topics }, at('2026-04-14T05:00:00Z'))
    await storeDay(db, '2026-04-17', topics)
    for (const day of ['15', '16', '18'])
      await publishDue({ db, log: SILENT, wake: wakeNobody }, at(`2026-04-${day}T06:00:00Z`))
    const [, first, second, third] = await issuesOf(db, id)
    expect([first?.state, second?.state, third?.state]).toEqual(['skipped', 'skipped', 'queued'])
    expect(first?.cards).toEqual([])
    expect(third?.note).toBe(
      'No digest on Wednesday 15 and Thursday 16 April: no new papers matched what you follow. ' +
        'No digest on Friday 17 April: it could not be sent in time.',
    )
    expect(third?.cards).toHaveLength(1)
  })

  test('holds back a list that has come in only in part, and brings it once the day is over', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const weeks of [4, 3, 2, 1]) await storeDay(db, addDays('2026-04-15', -7 * weeks))
    const topics = ['robotics']
    const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, topics, hour: 12 }, at('2026-04-14T05:00:00Z'))
    await storeDay(db, '2026-04-15', topics)
    await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T11:00:00Z'))
    await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-16T11:00:00Z'))
    const [, held, brought] = await issuesOf(db, id)
    expect(held?.cards).toEqual([])
    expect(brought?.cards).toHaveLength(1)
    expect(brought?.note).toContain('still coming in')
  })

  test('brings a paper at its first Hugging Face listing to those alone who were not sent it when arXiv announced it', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of WEEK) await storeDay(db, day, ['code'])
    const topics = ['robotics']
    const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, topics }, at('2026-04-13T05:00:00Z'))
    const wordsOf = (n: number, count: number) => Array.from({ length: count }, (_, k) => `w${n}x${k}`).join(' ')
    const seen = (time: string, upvotes: number | null, count: number) =>
      listingsOf('2026-04-14', topics, time).flatMap(({ paper, observation }) =>
        Array.from({ length: count }, (_, n) => ({
          paper: {
            ...paper,
            id: `2604.2${String(n).padStart(4, '0')}`,
            title: `${paper.title.split(',')[0]} ${wordsOf(n, 8)}`,
            // Otherwise they would be near-duplicates, which share one place.
            abstract: `${paper.abstract} ${wordsOf(n, 60)}`,
          },
          listDay: time.slice(0, 10),
          observation: { ...observation, upvotes, comments: null },
        })),
      )
    // More than three editions of ten can hold, while they are news.
    await storeAll(db, 'arxiv', seen('2026-04-14T08:00:00Z', null, 35))
    for (const day of ['15', '16', '17', '18', '19'])
      await publishDue({ db, log: SILENT, wake: wakeNobody }, at(`2026-04-${day}T06:00:00Z`))
    const before = (await issuesOf(db, id)).flatMap((issue) => issue.cards)
    expect(before).toHaveLength(30)
    for (const card of before) {
      expect(card.upvotes).toBeNull()
      expect(card.reason).toMatch(/^Robotics & embodied AI: “/)
      expect(card.reason).not.toMatch(/upvote|top/)
    }
    await storeAll(db, 'huggingface', seen('2026-04-20T08:00:00Z', 12, 35))
    for (const day of ['21', '22'])
      await publishDue({ db, log: SILENT, wake: wakeNobody }, at(`2026-04-${day}T06:00:00Z`))
    const all = (await issuesOf(db, id)).flatMap((issue) => issue.cards)
    expect(new Set(all.map((card) => card.id)).size).toBe(35)
    expect(all).toHaveLength(35)
    expect(all.slice(30).map((card) => card.upvotes)).toEqual([12, 12, 12, 12, 12])
  })

  test('reaches a paused subscriber only once the pause is over', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for (const day of [...WEEK, '2026-04-14', '2026-04-20']) await storeDay(db, day)
    const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
    const subscriptions = createSubscriptions({
      db,
      keys: KEYS,
      now: () => at('2026-04-14T06:00:00Z'),
      wake: wakeNobody,
    })
    await subscriptions.pause(deriveToken(KEYS, 'preferences', id, 0), '2026-04-21')
    for (const day of ['15', '18', '21'])
      await publishDue({ db, log: SILENT, wake: wakeNobody }, at(`2026-04-${day}T07:00:00Z`))
    expect((await issuesOf(db, id)).map((issue) => issue.localDate)).toEqual(['2026-04-14', '2026-04-21'])
    expect(await db.selectFrom('subscribers').select('state').executeTakeFirst()).toEqual({ state: 'active' })
  })
})

test('nothing repeats, and no date has two digests, whatever is changed in between', async () => {
  const change = fc.record({
    trending: fc.boolean(),
    topics: fc.uniqueArray(fc.constantFrom('robotics', 'code', 'vlm', 'agents'), { minLength: 1, maxLength: 3 }),
    keywords: fc.subarray(['report', 'speech', 'reasoning'], { maxLength: 2 }),
    authors: fc.subarray(['Ada Lovelace']),
    muted: fc.subarray(['agent']),
    whenEmpty: fc.constantFrom('skip' as const, 'send' as const),
    papers: fc.constantFrom(null, 3 as const, 15 as const),
    leastPapers: fc.constantFrom(1 as const, 3 as const),
    frequency: fc.constantFrom('daily' as const, 'weekly' as const),
    hour: fc.integer({ min: 0, max: 23 }),
    weekday: fc.integer({ min: 1, max: 7 }),
    atOnce: fc.boolean(),
    timeZone: fc.constantFrom('UTC', 'Asia/Tokyo', 'America/Los_Angeles', 'Pacific/Kiritimati'),
  })
  const start = at('2026-04-14T05:00:00Z')
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const days = Array.from({ length: 30 }, (_, n) => addDays('2026-04-05', n))
  for (const day of days) await storeDay(db, day, ['robotics', 'code', 'vlm', 'agents', 'reasoning'])
  let reader = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 3, maxLength: 10 }),
      fc.integer({ min: 5, max: 50 }),
      async (changes, step) => {
        reader += 1
        const id = await subscribe(db, `reader${reader}@example.org`, LONDON_DAILY, start)
        let now = start
        const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => now, wake: wakeNobody })
        for (const preferences of changes) {
          now = new Date(now.getTime() + step * HOUR)
          await publishDue({ db, log: SILENT, wake: wakeNobody }, now)
          await subscriptions.changePreferences(deriveToken(KEYS, 'preferences', id, 0), preferences)
        }
        const issues = await issuesOf(db, id)
        const papers = issues.flatMap((issue) => [...issue.cards, ...issue.trendingExtras].map((card) => card.id))
        expect(new Set(papers).size).toBe(papers.length)
        const dates = issues.slice(1).map((issue) => issue.localDate)
        expect(new Set(dates).size).toBe(dates.length)
        await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))
      },
    ),
    { numRuns: propertyRuns(15) },
  )
})

describe.skipIf(!existsSync(SHARED))('on 47 recorded days (needs ../shared/data)', () => {
  test.runIf(thorough)('ten daily and two weekly digests repeat no paper, and every reason is true', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    for await (const batch of readPaperFiles(SHARED, { today: '2026-05-06' }))
      await storeAll(db, 'file', batch.listings)
    const start = at('2026-04-14T05:00:00Z')
    const daily = await subscribe(db, 'daily@example.org', LONDON_DAILY, start)
    const weekly = await subscribe(db, 'weekly@example.org', { ...LONDON_DAILY, frequency: 'weekly' }, start)
    for (let day = 0; day < 14; day++)
      await publishDue({ db, log: SILENT, wake: wakeNobody }, at(`${addDays('2026-04-15', day)}T12:00:00Z`))

    for (const [id, least] of [
      [daily, 10],
      [weekly, 2],
    ] as const) {
      const issues = await issuesOf(db, id)
      expect(issues.length - 1).toBeGreaterThanOrEqual(least)
      const papers = issues.flatMap((issue) => [...issue.cards, ...issue.trendingExtras].map((card) => card.id))
      expect(papers.length).toBeGreaterThan(10)
      expect(new Set(papers).size).toBe(papers.length)
      for (const { cards, trendingExtras, entries, localDate } of issues)
        for (const entry of entries) {
          const { title, abstract, upvotes } = await readSeen(db, entry.paperId, `${localDate}T12:00:00Z`)
          const fits = scoreTopics({ title, abstract })
          if (entry.topic !== null)
            expect(fits.find((one) => one.topic === entry.topic)?.score).toBeGreaterThanOrEqual(GATE)
          for (const match of entry.matches)
            expect(match.field === 'title' ? title : abstract).toContain(match.words.slice(0, 4))
          expect(entry.upvotes).toBe(upvotes)
          if (entry.topPercent !== null)
            expect([...cards, ...trendingExtras].find(({ id }) => id === entry.paperId)?.reason).toMatch(
              new RegExp(`top\\s${entry.topPercent}%`, 'i'),
            )
        }
    }
  })
})

const readSeen = (db: Awaited<ReturnType<typeof openNewsletter>>['db'], id: string, until: string) =>
  db
    .selectFrom('paper_texts')
    .innerJoin('observations', 'observations.paper_id', 'paper_texts.paper_id')
    .select(['title', 'abstract', 'upvotes'])
    .where('paper_texts.paper_id', '=', id)
    .where('observed_at', '<=', at(until))
    .orderBy('observed_at', 'desc')
    .executeTakeFirstOrThrow()
