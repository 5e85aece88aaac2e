/** Lists of subscribers: filters, counts, and pages of all of them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ListedSubscriber } from '../../src/core/subscriber/listed-subscriber.ts'
import {
  countListed,
  EVERYBODY,
  listSubscribers,
  readBusiestMoment,
  readSubscriberPages,
  type SubscriberFilter,
} from '../../src/store/subscriber-list.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

const DUE = new Date('2026-05-01T07:00:00Z')
const standard = { frequency: 'daily', hour: 7, weekday: 6, time_zone: 'UTC', next_due_at: DUE } as const
const asked = (day: string) => ({ requested_at: new Date(`2026-04-${day}T12:00:00Z`) })
let newsletter: Awaited<ReturnType<typeof openNewsletter>>
beforeAll(async () => {
  newsletter = await openNewsletter()
  await newsletter.db
    .insertInto('subscribers')
    .values([
      {
        ...standard,
        ...asked('01'),
        email: 'ada@example.org',
        state: 'active',
        topics: ['robotics'],
        keywords: ['Lean 4'],
      },
      {
        ...standard,
        ...asked('02'),
        email: 'grace_h@example.com',
        state: 'active',
        topics: ['code', 'robotics'],
        frequency: 'weekly',
      },
      {
        ...standard,
        ...asked('03'),
        email: 'alan@example.org',
        state: 'paused',
        topics: [],
        trending: true,
        paused_until: '2026-06-01',
      },
      {
        ...standard,
        ...asked('04'),
        email: 'left@example.org',
        state: 'unsubscribed',
        topics: ['code'],
        authors: ['Ada Lovelace'],
        next_due_at: null,
      },
      { ...standard, ...asked('05'), email: null, state: 'erased', topics: [], next_due_at: null },
    ])
    .execute()
})
afterAll(() => newsletter[Symbol.asyncDispose]())

const namesOf = (rows: ListedSubscriber[]) => rows.map(({ email }) => email?.split('@')[0] ?? null)

test.each<[Partial<SubscriberFilter>, (string | null)[]]>([
  [{}, [null, 'left', 'alan', 'grace_h', 'ada']],
  [{ states: ['active', 'paused'] }, ['alan', 'grace_h', 'ada']],
  [{ topics: ['code'] }, ['left', 'grace_h']],
  [{ topics: ['trending', 'code'] }, ['left', 'alan', 'grace_h']],
  [{ frequency: 'weekly' }, ['grace_h']],
  [{ since: new Date('2026-04-02T12:00:00Z'), until: new Date('2026-04-03T12:00:00Z') }, ['grace_h']],
  [{ text: 'EXAMPLE.ORG' }, ['left', 'alan', 'ada']],
  [{ text: 'lean' }, ['ada']],
  [{ text: 'lovelace' }, ['left']],
  [{ text: '_' }, ['grace_h']],
  [{ text: '%' }, []],
  [{ text: 'ada', states: ['active'] }, ['ada']],
])('%j lets through whom it names, the newest first', async (some, names) => {
  const { db } = newsletter
  const filter = { ...EVERYBODY, ...some }
  expect(namesOf(await listSubscribers(db, filter, 100))).toEqual(names)
  expect((await countListed(db, filter)).all).toBe(names.length)
  expect(namesOf(await listSubscribers(db, filter, 1))).toEqual(names.slice(0, 1))
  const pages: (string | null)[][] = []
  for await (const page of readSubscriberPages(db, filter, 2)) pages.push(namesOf(page))
  expect(pages.flat().sort()).toEqual([...names].sort())
  expect(pages.every((page) => page.length <= 2)).toBe(true)
})

test('they are counted by state, and those who get digests by frequency and topic', async () => {
  expect(await countListed(newsletter.db, EVERYBODY)).toEqual({
    all: 5,
    states: { active: 2, erased: 1, paused: 1, unsubscribed: 1 },
    frequencies: { daily: 2, weekly: 1 },
    topics: [
      { topic: 'robotics', count: 2 },
      { topic: 'code', count: 1 },
      { topic: 'trending', count: 1 },
    ],
  })
  expect(await readBusiestMoment(newsletter.db)).toEqual({ at: DUE, count: 3 })
})
