/** The lists and the page of a paper, read from a real database. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Archive, createArchive } from '../../../src/newsletter/archive/archive.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { KEYS, listingsOf, openNewsletter } from '../../support/fixtures/newsletter.ts'

let newsletter: Awaited<ReturnType<typeof openNewsletter>>
let archive: Archive
beforeAll(async () => {
  newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-03-31', '2026-04-10', '2026-04-13', '2026-04-14'])
    await storeAll(db, 'file', listingsOf(day))
  const later = listingsOf('2026-04-14', ['robotics'], '2026-04-15T07:30:00Z')
  await storeAll(
    db,
    'file',
    later.map((one) => ({ ...one, observation: { ...one.observation, upvotes: 400 } })),
  )
  archive = createArchive({ db, keys: KEYS, now: () => new Date('2026-04-16T06:00:00Z') })
})
afterAll(() => newsletter[Symbol.asyncDispose]())

const upvotesOf = (list: { cards: { upvotes: number | null }[] } | null) =>
  list?.cards.map(({ upvotes }) => upvotes ?? -1) ?? []
const isFalling = (counts: number[]) => counts.every((count, n) => n === 0 || count <= (counts[n - 1] ?? 0))

test('a week and a month have the papers of all their days, the most upvoted first, on pages that follow each other', async () => {
  const week = await archive.readWeek('2026-W16', 1)
  expect(week).toMatchObject({ total: 76, pages: 3, before: '2026-W15', after: null, first: '2026-04-13' })
  expect(week?.days).toEqual([
    { date: '2026-04-13', papers: 38 },
    { date: '2026-04-14', papers: 38 },
  ])
  const parts = await Promise.all([1, 2, 3].map((page) => archive.readWeek('2026-W16', page)))
  const all = parts.flatMap((part) => part?.cards ?? [])
  expect(new Set(all.map(({ id }) => id)).size).toBe(76)
  expect(isFalling(parts.flatMap(upvotesOf))).toBe(true)
  expect(all[0]).toMatchObject({ upvotes: 400, id: '2604.14023' })
  expect(week?.counted).toEqual({ at: new Date('2026-04-15T07:30:00Z'), hourKnown: true })
  expect(await archive.readMonth('2026-04', 1)).toMatchObject({ total: 114, before: '2026-03', after: null })
  expect(await archive.readWeek('2026-W16', 4)).toMatchObject({ cards: [], total: 76, pages: 3 })
})

test.each(['2026-W17', '2026-W99', '2019-W01', '0000-W01', '2026-05', '2026-13', '2019-01', 'x'])(
  'nothing is held of %s',
  async (name) => {
    expect(await (name.includes('W') ? archive.readWeek(name, 1) : archive.readMonth(name, 1))).toBeNull()
  },
)

test('a topic has its own papers alone, each with a reason that names the topic', async () => {
  const topic = await archive.readTopic('robotics', 1)
  expect(topic.total).toBeGreaterThanOrEqual(3)
  for (const { reason } of topic.cards) expect(reason).toContain('Robotics & embodied AI:')
  expect(topic.days).toEqual({ first: '2026-03-31', last: '2026-04-14' })
})

test('a paper has its topics with the words found, its counts in the order of time, and papers like it', async () => {
  const page = await archive.readPaper('2604.14023')
  expect(page?.topics[0]).toMatchObject({ slug: 'robotics', why: expect.stringContaining('in the title') })
  expect(page?.history.map(({ upvotes }) => upvotes)).toEqual([expect.any(Number), 400])
  expect(page?.rank).toContain('most upvoted of the 38')
  expect(page?.similar.map(({ id }) => id)).toContain('2604.13023')
  expect(page?.similar.map(({ id }) => id)).not.toContain('2604.14023')
  expect(page?.authors).toEqual([{ name: 'Ada Lovelace', slug: 'ada-lovelace' }])
  // What a file holds may be anybody's text: of it an excerpt alone is shown.
  expect(page?.abstract).toBeNull()
  expect(await archive.readPaper('2604.99999')).toBeNull()
})

test('a withdrawn paper says so and shows neither abstract, links nor counts', async () => {
  const { db } = newsletter
  await db
    .insertInto('paper_news')
    .values({ paper_id: '2604.13023', kind: 'withdrawn', version: null, seen_at: new Date('2026-04-15T06:00:00Z') })
    .execute()
  const page = await archive.readPaper('2604.13023')
  expect(page).toMatchObject({
    withdrawn: true,
    history: [],
    topics: [],
    card: { excerpt: '', links: [], upvotes: null },
  })
  expect((await archive.readDay('2026-04-13', 2))?.cards.at(-1)?.id).toBe('2604.13023')
  expect((await archive.readPaper('2604.14023'))?.similar.map(({ id }) => id)).not.toContain('2604.13023')
})
