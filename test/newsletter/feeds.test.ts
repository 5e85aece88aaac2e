/** What feeds show of the papers held: why each is there, and when something of it changed. */
import { expect, test } from 'vitest'
import { createFeeds } from '../../src/newsletter/feeds.ts'
import { storeAll } from '../../src/newsletter/intake.ts'
import { storeNews } from '../../src/store/papers/paper-news.ts'
import { KEYS, listingsOf, openNewsletter, storeDay } from '../support/fixtures/newsletter.ts'

const at = (instant: string) => new Date(instant)
const BASE = 'https://round.example.org'

test('are the papers of a topic with the words found, the newest first; all papers are in the feed of all', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-10', '2026-04-13', '2026-04-14']) await storeDay(db, day)
  const feeds = createFeeds({ db, keys: KEYS, now: () => at('2026-04-13T12:00:00Z'), baseUrl: BASE })
  const robotics = await feeds.readPapers(['robotics'])
  expect(robotics.length).toBeGreaterThan(1)
  for (const { html, topics, id } of robotics) {
    expect(html).toMatch(/^<p><em>Robotics &amp; embodied AI: “/)
    expect(topics).toContain('Robotics & embodied AI')
    expect(id).toMatch(/^tag:round\.example\.org,2026:papers\/2604\./)
  }
  const dates = robotics.map(({ published }) => published.getTime())
  expect(dates).toEqual(dates.toSorted((a, b) => b - a))
  expect(new Set(robotics.map(({ published }) => published.toISOString().slice(0, 10)))).toEqual(
    new Set(['2026-04-13', '2026-04-10']),
  )
  const both = await feeds.readPapers(['robotics', 'agents'])
  expect(both.length).toBeGreaterThan(robotics.length)
  const all = await feeds.readPapers(null)
  expect(all.length).toBe(Math.min(100, listingsOf('2026-04-13').length + listingsOf('2026-04-10').length))
})

test('of a search the newest come first, whatever matches better, with the ids of all feeds', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-10', '2026-04-13', '2026-04-14']) await storeDay(db, day)
  const feeds = createFeeds({ db, keys: KEYS, now: () => at('2026-04-13T12:00:00Z'), baseUrl: BASE })
  const nothing = { q: '', topic: '', author: '', from: '', to: '', after: '' }
  const found = await feeds.readSearch({ ...nothing, q: 'report', topic: 'robotics' })
  if (found === null || 'problem' in found) throw new Error('not searched')
  expect(found.length).toBeGreaterThan(1)
  const all = await feeds.readPapers(null)
  expect(found).toEqual(
    all
      .filter(({ id }) => found.some((entry) => entry.id === id))
      .map((entry) => expect.objectContaining({ id: entry.id, published: entry.published })),
  )
  for (const { html } of found) expect(html).toMatch(/^<p><em>Robotics &amp; embodied AI: “/)
  expect(await feeds.readSearch(nothing)).toBeNull()
  expect(await feeds.readSearch({ ...nothing, q: '-agents' })).toEqual({ problem: 'no-words' })
  expect(await feeds.readSearch({ ...nothing, q: 'nonesuchword' })).toEqual([])
})

test('of an author and of an institution are their newest papers, filed under topics', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const linked = (day: string) =>
    listingsOf(day, ['robotics', 'agents']).map((one, n) =>
      n > 0 ? one : { ...one, institution: { name: 'PLAN-Lab', fullName: 'Perception Lab' } },
    )
  for (const day of ['2026-04-10', '2026-04-13', '2026-04-14']) await storeAll(db, 'huggingface', linked(day))
  const feeds = createFeeds({ db, keys: KEYS, now: () => at('2026-04-13T12:00:00Z'), baseUrl: BASE })
  const author = await feeds.readAuthor('ada-lovelace')
  expect(author?.name).toBe('Ada Lovelace')
  expect(author?.entries.map(({ published }) => published.toISOString().slice(0, 10))).toEqual([
    '2026-04-13',
    '2026-04-13',
    '2026-04-10',
    '2026-04-10',
  ])
  const institution = await feeds.readInstitution('plan-lab')
  expect(institution).toMatchObject({ name: 'Perception Lab', entries: { length: 2 } })
  for (const { topics } of [...(author?.entries ?? []), ...(institution?.entries ?? [])])
    expect(topics.length).toBeGreaterThan(0)
  expect(await feeds.readAuthor('nobody')).toBeNull()
  expect(await feeds.readInstitution('nobody')).toBeNull()
  const before = createFeeds({ db, keys: KEYS, now: () => at('2026-04-01T12:00:00Z'), baseUrl: BASE })
  expect(await before.readInstitution('plan-lab')).toBeNull()
})

test('an empty feed is dated by the newest list, and by today where there is none yet', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-10', '2026-04-13']) await storeDay(db, day, ['robotics'])
  const since = (now: string) => createFeeds({ db, keys: KEYS, now: () => at(now), baseUrl: BASE }).readEmptySince()
  expect(await since('2026-04-12T12:34:56Z')).toEqual(at('2026-04-10T00:00:00Z'))
  expect(await since('2026-04-01T12:34:56Z')).toEqual(at('2026-04-01T00:00:00Z'))
})

test('an entry keeps its id and date, is updated by a version or withdrawal and not by a vote, and a hidden one is gone', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const [first, second] = listingsOf('2026-04-13', ['robotics', 'agents'])
  if (first === undefined || second === undefined) throw new Error('the day has no papers')
  await storeAll(db, 'file', [first, second])
  const feeds = createFeeds({ db, keys: KEYS, now: () => at('2026-04-15T12:00:00Z'), baseUrl: BASE })
  const read = async () => (await feeds.readPapers(null)).find(({ id }) => id.endsWith(first.paper.id))
  const before = await read()
  const voted = { ...first.observation, at: at('2026-04-13T15:00:00Z'), hourKnown: true, upvotes: 999 }
  await storeAll(db, 'file', [{ ...first, observation: voted }])
  expect(await read()).toEqual(before)

  await storeNews(db, [{ paperId: first.paper.id, kind: 'version', version: 2, seenAt: at('2026-04-14T09:00:00Z') }])
  await storeAll(db, 'file', [{ ...first, observation: voted, paper: { ...first.paper, title: 'A Newer Title' } }])
  expect(await read()).toMatchObject({
    id: before?.id,
    published: before?.published,
    title: 'A Newer Title',
    updated: at('2026-04-14T09:00:00Z'),
  })
  await storeNews(db, [
    { paperId: first.paper.id, kind: 'withdrawn', version: null, seenAt: at('2026-04-15T09:00:00Z') },
  ])
  expect(await read()).toMatchObject({ updated: at('2026-04-15T09:00:00Z'), summary: '' })
  expect((await read())?.html).toContain('This paper was withdrawn')
  await db.updateTable('papers').set({ hidden_at: new Date() }).where('id', '=', first.paper.id).execute()
  expect(await read()).toBeUndefined()
})
