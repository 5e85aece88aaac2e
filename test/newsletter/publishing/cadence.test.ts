/** How often digests come: daily with a least number of papers, and weekly with what stands out at once. */
import { expect, test } from 'vitest'
import { addDays } from '../../../src/core/calendar.ts'
import { subjectOf } from '../../../src/core/digest/headline.ts'
import type { Listing } from '../../../src/core/papers/paper.ts'
import type { Preferences } from '../../../src/core/subscriber/preferences.ts'
import { cancelEdition } from '../../../src/newsletter/edition-cancellation.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { passOverDue } from '../../../src/newsletter/next-due.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../../src/store/database.ts'
import {
  issuesOf,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const WEEK = ['2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']
const START = new Date('2026-04-14T05:00:00Z')
const SHEET_MUSIC: Preferences = { ...LONDON_DAILY, topics: [], keywords: ['sheet music'] }

/** A paper on sheet music of a list day, seen at 09:00 UTC. */
const sheetMusic = (listDay: string, n: number, upvotes = 5): Listing => {
  const [first] = listingsOf(listDay, ['code'], `${listDay}T09:00:00Z`)
  if (first === undefined) throw new Error('no paper to begin from')
  const id = `2604.${listDay.slice(8)}9${n}0`
  return {
    ...first,
    paper: { ...first.paper, id, title: `Reading Sheet Music, Part ${id}`, abstract: `Nothing to see in ${id}.` },
    observation: { ...first.observation, upvotes },
  }
}

const publish = (db: Database, date: string) =>
  publishDue({ db, log: SILENT, wake: wakeNobody }, new Date(`${date}T06:00:00Z`))

const open = async (preferences: Partial<Preferences>, email = 'ada@example.org') => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of WEEK) await storeDay(db, day)
  const id = await subscribe(db, email, { ...SHEET_MUSIC, ...preferences }, START)
  return { db, id, [Symbol.asyncDispose]: () => newsletter[Symbol.asyncDispose]() }
}

test('a day with too few papers is skipped, and a later digest has them and says so', async () => {
  await using newsletter = await open({ leastPapers: 3 })
  const { db, id } = newsletter
  for (const [day, n] of [
    ['2026-04-14', 1],
    ['2026-04-15', 1],
    ['2026-04-16', 0],
    // Days after, when the first would be news no longer.
    ['2026-04-20', 2],
  ] as const)
    await storeAll(
      db,
      'file',
      Array.from({ length: n }, (_, place) => sheetMusic(day, place)),
    )
  for (const day of ['15', '16', '17', '18', '19', '20', '21']) await publish(db, `2026-04-${day}`)
  const [, ...issues] = await issuesOf(db, id)
  expect(issues.map(({ state }) => state)).toEqual([...Array(6).fill('skipped'), 'queued'])
  expect(
    issues
      .at(-1)
      ?.cards.map((card) => card.id)
      .toSorted(),
  ).toEqual(['2604.14900', '2604.15900', '2604.20900', '2604.20910'])
  expect(issues.at(-1)?.note).toBe(
    'Wednesday 15 and Thursday 16 April had 1 paper each, fewer than the 3 you asked for: they are here. ' +
      'No digest on Friday 17 and Saturday 18 April: no new papers matched what you follow.',
  )
})

/** More papers than a claim about the month needs, none of them of what anybody here follows. */
const storeMonth = async (db: Database): Promise<void> => {
  for (let day = 1; day <= 25; day++) {
    const listDay = addDays('2026-03-16', day)
    const [first] = listingsOf(listDay, ['code'], `${listDay}T09:00:00Z`)
    if (first === undefined) throw new Error('no paper to begin from')
    await storeAll(
      db,
      'file',
      Array.from({ length: 12 }, (_, n) => ({
        ...first,
        paper: { ...first.paper, id: `2603.${String(day * 100 + n).padStart(5, '0')}`, title: `Filler ${day} ${n}` },
        observation: { ...first.observation, upvotes: n },
      })),
    )
  }
}

test('a paper in the top 1 % of the month comes at once to weekly readers who asked, and not again with the week', async () => {
  await using newsletter = await open({ frequency: 'weekly', atOnce: true })
  const { db, id } = newsletter
  await storeMonth(db)
  const weekly = await subscribe(db, 'grace@example.org', { ...SHEET_MUSIC, frequency: 'weekly' }, START)
  await storeAll(db, 'file', [sheetMusic('2026-04-14', 1, 900), sheetMusic('2026-04-14', 2, 3)])
  expect(await publish(db, '2026-04-15')).toMatchObject({ subscribers: 1, owed: 1, digests: 1 })
  // A day on which nothing stands out leaves no trace.
  expect(await publish(db, '2026-04-16')).toMatchObject({ subscribers: 1, owed: 0, digests: 0 })
  await storeAll(db, 'file', [sheetMusic('2026-04-16', 3, 4)])
  for (const day of ['17', '18']) await publish(db, `2026-04-${day}`)

  const [, atOnce, week, ...more] = await issuesOf(db, id)
  expect(more).toEqual([])
  expect([atOnce?.kind, atOnce?.localDate, atOnce?.cards.map((card) => card.id)]).toEqual([
    'at-once',
    '2026-04-15',
    ['2604.14910'],
  ])
  expect(atOnce && subjectOf(atOnce, 'Paper Round')).toBe('At once: Reading Sheet Music, Part…')
  expect([atOnce?.trendingExtras, atOnce?.news, atOnce?.note]).toEqual([[], [], null])
  expect([week?.kind, week?.localDate]).toEqual(['weekly', '2026-04-18'])
  expect(week?.cards.map((card) => card.id).toSorted()).toEqual(['2604.14920', '2604.16930'])
  expect(week?.note).toBe('1 paper came at once, on Wednesday 15 April, and is not repeated here.')

  const [, only, ...others] = await issuesOf(db, weekly)
  expect(others).toEqual([])
  expect(only?.cards.map((card) => card.id)).toContain('2604.14910')
  expect(only?.note).toBeNull()
})

test('at most three papers come at once; the others come the day after', async () => {
  await using newsletter = await open({ frequency: 'weekly', atOnce: true })
  const { db, id } = newsletter
  await storeMonth(db)
  await storeAll(
    db,
    'file',
    [1, 2, 3, 4].map((n) => sheetMusic('2026-04-14', n, 900)),
  )
  for (const day of ['15', '16']) await publish(db, `2026-04-${day}`)
  const [, first, second] = await issuesOf(db, id)
  expect([first?.cards.length, second?.cards.length, second?.kind]).toEqual([3, 1, 'at-once'])
})

test('a digest that an operator canceled, or that was passed over, is told by the next', async () => {
  await using newsletter = await open({})
  const { db, id } = newsletter
  await storeAll(db, 'file', [sheetMusic('2026-04-14', 1)])
  await publish(db, '2026-04-15')
  const ports = { db, log: SILENT, now: () => new Date('2026-04-15T07:00:00Z') }
  await cancelEdition(ports, await editionOf(db), {
    by: 'Ada',
    why: 'a wrong title',
    again: false,
    dryRun: false,
  })
  const at = new Date('2026-04-16T06:30:00Z')
  expect(await passOverDue(db, at, at, 'it could not be sent in time')).toBe(1)
  await publish(db, '2026-04-17')
  const issues = await issuesOf(db, id)
  expect(issues.at(-1)?.cards.map((card) => card.id)).toEqual(['2604.14910'])
  expect(issues.at(-1)?.note).toBe(
    'No digest on Wednesday 15 April: it was canceled. No digest on Thursday 16 April: it could not be sent in time.',
  )
  await storeAll(db, 'file', [sheetMusic('2026-04-17', 1)])
  await publish(db, '2026-04-18')
  expect((await issuesOf(db, id)).at(-1)?.note).toBeNull()
})

const editionOf = async (db: Database): Promise<number> =>
  (await db.selectFrom('editions').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow()).id
