/** Votes, picks and pins on the pages of the site and in feeds. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Archive, createArchive } from '../../../src/newsletter/archive/archive.ts'
import { createFeeds } from '../../../src/newsletter/feeds.ts'
import { addCuration, addCurator, addVotes } from '../../support/fixtures/endorsements.ts'
import { KEYS, openNewsletter, storeDay } from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-15T06:00:00Z')
const BEFORE = new Date('2026-04-14T20:00:00Z')
const LATER = new Date('2026-04-15T07:00:00Z')

let newsletter: Awaited<ReturnType<typeof openNewsletter>>
let archive: Archive
/** By upvotes, the least first. */
let papers: string[]
let ada: string
beforeAll(async () => {
  newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-13', '2026-04-14']) await storeDay(db, day)
  archive = createArchive({ db, keys: KEYS, now: () => NOW })
  papers = (await archive.readDay('2026-04-14', 2))?.cards.map(({ id }) => id).reverse() ?? []
  ada = await addCurator(db, 'Ada Lovelace')
})
afterAll(() => newsletter[Symbol.asyncDispose]())

const plain = (text: string | undefined): string => (text ?? '').replaceAll('\u00a0', ' ')

test('a day without pins, picks and votes has its papers by upvotes alone', async () => {
  const day = await archive.readDay()
  const counts = day?.cards.map(({ upvotes }) => upvotes ?? -1) ?? []
  expect(counts).toEqual(counts.toSorted((a, b) => b - a))
  expect(day?.cards.some(({ pinned }) => pinned)).toBe(false)
})

test('what is pinned to a day comes first on its page, what another day lists too, and says who pinned it', async () => {
  const { db } = newsletter
  const [own = '', undone = ''] = papers
  const other = (await archive.readDay('2026-04-13'))?.cards[3]?.id ?? ''
  const pin = { curator: ada, action: 'pin' as const, listDay: '2026-04-14' }
  await addCuration(db, { ...pin, paper: own, note: 'Start with this one', at: BEFORE })
  await addCuration(db, { ...pin, paper: other, note: null, at: new Date(BEFORE.getTime() + 1) })
  await addCuration(db, { ...pin, paper: undone, note: null, at: BEFORE, undoneAt: NOW })
  const day = await archive.readDay()
  expect(day?.listDay).toBe('2026-04-14')
  expect(day?.total).toBe(39)
  expect(day?.cards.map(({ id, pinned }) => (pinned ? id : '')).filter(Boolean)).toEqual([own, other])
  expect(day?.cards.slice(0, 2).map(({ id }) => id)).toEqual([own, other])
  expect(plain(day?.cards[0]?.reason)).toMatch(/; pinned by Ada Lovelace: “Start with this one”$/)
  const second = await archive.readDay('2026-04-14', 2)
  expect(second?.cards.map(({ id }) => id)).not.toContain(own)
  // On its own day the other is picked, and stands by its upvotes.
  const card = (await archive.readDay('2026-04-13'))?.cards[3]
  expect(card?.pinned).toBeUndefined()
  await db.deleteFrom('curations').execute()
})

test('a paper says who picked it and how many readers are for it wherever it is shown', async () => {
  const { db } = newsletter
  const [id = '', few = '', late = ''] = papers
  await addCuration(db, { curator: ada, action: 'pick', paper: id, note: 'Its “ablation”\nalone', at: BEFORE })
  await addCuration(db, { curator: ada, action: 'pick', paper: late, note: 'Why', at: LATER })
  await addVotes(db, id, 7, BEFORE)
  await addVotes(db, few, 4, BEFORE)
  await addVotes(db, few, 9, LATER)
  const said = '7 readers here voted for it; picked by Ada Lovelace: “Its ‘ablation’ alone”'
  const page = await archive.readPaper(id)
  expect(page).toMatchObject({ votes: 7, pick: { by: 'Ada Lovelace', note: 'Its ‘ablation’ alone' } })
  expect(await archive.readPaper(few)).toMatchObject({ votes: null, pick: null })
  const topic = page?.topics[0]?.slug ?? ''
  const lists = [
    (await archive.readDay('2026-04-14', 2))?.cards,
    (await archive.readWeek('2026-W16', 1))?.cards.concat((await archive.readWeek('2026-W16', 3))?.cards ?? []),
    (await archive.readTopic(topic, 1)).cards,
    page === null ? [] : [page.card],
  ]
  for (const cards of lists) {
    const reasons = cards?.filter((card) => card.id === id).map(({ reason }) => plain(reason)) ?? []
    for (const reason of reasons) expect(reason.endsWith(said), reason).toBe(true)
    expect(cards?.some((card) => card.id === few && card.reason.includes('reader'))).toBe(false)
    expect(cards?.some((card) => card.id === late && card.reason.includes('picked'))).toBe(false)
  }
  expect(lists[0]?.some((card) => card.id === id)).toBe(true)
  expect(lists[2]?.some((card) => card.id === id)).toBe(true)
})

test('a feed names the curator and not the readers, and a pick is news of its paper', async () => {
  const { db } = newsletter
  const [id = ''] = papers
  const feeds = createFeeds({ db, keys: KEYS, now: () => NOW, baseUrl: 'https://round.example.org' })
  const entry = (await feeds.readPapers(null)).find(({ html, id: tag }) => tag.endsWith(id) && html !== '')
  expect(plain(entry?.html)).toContain('picked by Ada Lovelace: “Its ‘ablation’ alone”')
  expect(entry?.html).not.toContain('readers here')
  expect(entry?.updated).toEqual(BEFORE)
  const found = await feeds.readSearch({ q: '', topic: '', author: 'Lovelace', from: '', to: '', after: '' })
  expect(Array.isArray(found) && found.filter(({ html }) => html.includes('picked by')).length).toBe(1)
})

test('where papers have as many upvotes, or none are counted, votes decide', async () => {
  const { db } = newsletter
  await db.updateTable('observations').set({ upvotes: null }).execute()
  await db.deleteFrom('votes').execute()
  const [least = '', next = ''] = papers
  await addVotes(db, least, 2, BEFORE)
  await addVotes(db, next, 1, BEFORE)
  const cards = (await archive.readDay('2026-04-14'))?.cards ?? []
  expect(cards.slice(0, 2).map(({ id }) => id)).toEqual([least, next])
})

test('what is hidden is nowhere, though it is pinned', async () => {
  const { db } = newsletter
  const [own = ''] = papers
  const pin = { curator: ada, action: 'pin' as const, listDay: '2026-04-14', paper: own, note: null, at: BEFORE }
  await addCuration(db, pin)
  expect((await archive.readDay())?.cards[0]?.id).toBe(own)
  await db.updateTable('papers').set({ hidden_at: BEFORE }).where('id', '=', own).execute()
  const day = await archive.readDay()
  expect(day?.total).toBe(37)
  expect(day?.cards.some(({ pinned }) => pinned)).toBe(false)
  const feeds = createFeeds({ db, keys: KEYS, now: () => NOW, baseUrl: 'https://round.example.org' })
  expect((await feeds.readPapers(null)).some(({ id }) => id.endsWith(own))).toBe(false)
})
