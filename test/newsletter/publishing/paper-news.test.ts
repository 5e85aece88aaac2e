/** What became of papers is told to those whose digests had them, once, and to nobody else. */
import { expect, test } from 'vitest'
import { addDays } from '../../../src/core/calendar.ts'
import type { Listing } from '../../../src/core/papers/paper.ts'
import { MANY_UPVOTES, type PaperNews } from '../../../src/core/papers/paper-news.ts'
import { cancelEdition } from '../../../src/newsletter/edition-cancellation.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../../src/store/database.ts'
import { storeNews } from '../../../src/store/papers/paper-news.ts'
import {
  BY_OPERATOR,
  issuesOf,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  sendAll,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const WEEK = ['2026-04-03', '2026-04-06', '2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']
const at = (text: string): Date => new Date(text)
const publish = (db: Database, when: string) => publishDue({ db, log: SILENT, wake: wakeNobody }, at(when))
const ROBOTICS = { ...LONDON_DAILY, topics: ['robotics'] }

const open = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of WEEK) await storeDay(db, day)
  const start = at('2026-04-14T05:00:00Z')
  const reader = await subscribe(db, 'ada@example.org', ROBOTICS, start)
  await subscribe(db, 'grace@example.org', ROBOTICS, start)
  const other = await subscribe(db, 'emmy@example.org', { ...LONDON_DAILY, topics: ['code'] }, start)
  await storeDay(db, '2026-04-14')
  await publish(db, '2026-04-15T06:00:00Z')
  await sendAll(db)
  const [entry] = (await issuesOf(db, reader))[1]?.entries ?? []
  if (entry === undefined) throw new Error('the digest has no paper')
  return { ...newsletter, db, reader, other, paperId: entry.paperId }
}

/** The listing of a paper as it was, and with a change. */
const again = (paperId: string, seen: string, change: Partial<Listing['paper']>): Listing => {
  const listings = [...WEEK, '2026-04-14'].flatMap((day) => listingsOf(day, undefined, seen))
  const listing = listings.find(({ paper }) => paper.id === paperId)
  if (listing === undefined) throw new Error('it was not listed')
  return { ...listing, paper: { ...listing.paper, ...change } }
}
const told = (paperId: string, kind: PaperNews['kind'], seen: string, version: number | null = null): PaperNews => ({
  paperId,
  kind,
  version,
  ...(kind === 'venue' ? { venue: 'accepted at ICML 2026' } : {}),
  seenAt: at(seen),
})
const linesOf = async (db: Database, id: string) =>
  (await issuesOf(db, id)).map(({ news }) => news.map(({ url, line }) => [url, line]))

test('code that comes after a paper was sent is told in the next digest, with its link, and not again', async () => {
  await using stage = await open()
  const { db, reader, other, paperId } = stage
  const codeUrl = 'https://github.com/example/robot'
  await storeAll(db, 'file', [again(paperId, '2026-04-15T10:00:00Z', { codeUrl })])
  await storeAll(db, 'file', [again(paperId, '2026-04-15T11:00:00Z', { codeUrl: 'https://github.com/example/moved' })])
  await storeDay(db, '2026-04-15')
  await publish(db, '2026-04-16T06:00:00Z')
  await storeDay(db, '2026-04-16')
  await publish(db, '2026-04-17T06:00:00Z')
  expect(await linesOf(db, reader)).toEqual([
    [],
    [],
    [['https://github.com/example/moved', 'code is available now']],
    [],
  ])
  expect((await linesOf(db, other)).flat()).toEqual([])
})

test('news that fell on an empty digest is told by the next with papers', async () => {
  await using stage = await open()
  const { db, reader, paperId } = stage
  await storeNews(db, [told(paperId, 'version', '2026-04-15T10:00:00Z', 2)])
  await publish(db, '2026-04-16T06:00:00Z')
  await storeNews(db, [told(paperId, 'version', '2026-04-16T10:00:00Z', 3)])
  await publish(db, '2026-04-17T06:00:00Z')
  await storeDay(db, '2026-04-17')
  await publish(db, '2026-04-18T06:00:00Z')
  const issues = await issuesOf(db, reader)
  expect(issues.at(-1)?.cards.length).toBeGreaterThan(0)
  expect((await linesOf(db, reader)).at(-1)).toEqual([[`https://arxiv.org/abs/${paperId}`, 'version 3 is out']])
})

test('a withdrawn paper is told to those who were sent it, and offered to nobody any more', async () => {
  await using stage = await open()
  const { db, reader, other, paperId } = stage
  await storeNews(db, [
    told(paperId, 'withdrawn', '2026-04-15T08:00:00Z'),
    told('2604.99999', 'code', '2026-04-15T10:00:00Z'),
  ])
  await storeDay(db, '2026-04-15')
  await publish(db, '2026-04-16T06:00:00Z')
  expect((await linesOf(db, reader)).at(-1)).toEqual([
    [`https://arxiv.org/abs/${paperId}`, 'it was withdrawn. You got it in your digest of Wednesday 15 April 2026'],
  ])
  const late = await subscribe(db, 'late@example.org', ROBOTICS, at('2026-04-16T07:00:00Z'))
  expect((await issuesOf(db, late))[0]?.entries.map((entry) => entry.paperId)).not.toContain(paperId)
  expect((await linesOf(db, other)).flat()).toEqual([])
})

test('readers who were sent the same stay one cohort, with news as without', async () => {
  await using stage = await open()
  const { db, paperId } = stage
  await storeNews(db, [told(paperId, 'version', '2026-04-15T10:00:00Z', 2)])
  await storeDay(db, '2026-04-15')
  expect(await publish(db, '2026-04-16T06:00:00Z')).toMatchObject({ owed: 3, digests: 2 })
})

/** The lines of the next two digests, each sent, the first of them on 16 April. */
const nextLines = async (db: Database, id: string, days = ['2026-04-15', '2026-04-16']) => {
  for (const day of days) {
    await storeDay(db, day)
    await publish(db, `${addDays(day, 1)}T06:00:00Z`)
    await sendAll(db)
  }
  const lines = (await linesOf(db, id)).slice(-days.length)
  return lines.map((all) => all.map(([, line]) => line))
}

test('of two readers of one digest only the one whom the paper reached is told, even where both got the same since', async () => {
  await using stage = await open()
  const { db, reader, paperId } = stage
  await db.updateTable('deliveries').set({ state: 'failed' }).where('subscriber_id', '=', reader).execute()
  await storeDay(db, '2026-04-15')
  await publish(db, '2026-04-16T06:00:00Z')
  await sendAll(db)
  // From here on both have the same digest before the next.
  const grace = (await db.selectFrom('subscribers').select('id').where('email', '=', 'grace@example.org').execute())[0]
  await storeNews(db, [told(paperId, 'code', '2026-04-16T10:00:00Z'), told(paperId, 'venue', '2026-04-16T10:00:00Z')])
  expect(await nextLines(db, grace?.id ?? '', ['2026-04-16'])).toEqual([
    ['it was accepted at ICML 2026', 'code is available now'],
  ])
  expect((await linesOf(db, reader)).flat()).toEqual([])
})

test('news comes to those who were sent a paper long ago, in a digest or in their welcome, and to nobody else', async () => {
  await using stage = await open()
  const { db, reader, other, paperId } = stage
  const [welcomed] = (await issuesOf(db, other))[0]?.entries ?? []
  for (const day of ['2026-04-15', '2026-05-04']) {
    await storeDay(db, day)
    await publish(db, `${addDays(day, 1)}T06:00:00Z`)
    await sendAll(db)
  }
  const seen = '2026-05-05T10:00:00Z'
  await storeNews(db, [told(paperId, 'venue', seen), told(welcomed?.paperId ?? '', 'code', seen)])
  expect(await nextLines(db, reader, ['2026-05-05', '2026-05-06'])).toEqual([['it was accepted at ICML 2026'], []])
  expect((await linesOf(db, other)).slice(-2)).toEqual([[[null, 'code is available now']], []])
})

test('what was told in a digest that did not arrive, or of a paper that was still under way, is told by the next', async () => {
  await using stage = await open()
  const { db, reader, paperId } = stage
  await storeNews(db, [told(paperId, 'venue', '2026-04-15T10:00:00Z')])
  await storeDay(db, '2026-04-15')
  await publish(db, '2026-04-16T06:00:00Z')
  const [, , third] = await issuesOf(db, reader)
  const underWay = third?.entries[0]?.paperId ?? ''
  expect(third?.news).toHaveLength(1)
  await db.updateTable('deliveries').set({ state: 'failed' }).where('local_date', '=', '2026-04-16').execute()
  await storeDay(db, '2026-04-16')
  await publish(db, '2026-04-17T06:00:00Z')
  expect((await linesOf(db, reader))[3]).toHaveLength(1)
  // The next is deferred, and what it holds gets code meanwhile: that waits until it has arrived.
  const deferred = (await issuesOf(db, reader))[3]?.entries[0]?.paperId ?? ''
  await db.updateTable('deliveries').set({ state: 'deferred' }).where('state', '=', 'queued').execute()
  await storeNews(db, [told(deferred, 'code', '2026-04-17T10:00:00Z'), told(underWay, 'code', '2026-04-17T10:00:00Z')])
  await storeDay(db, '2026-04-17')
  await publish(db, '2026-04-18T06:00:00Z')
  expect((await linesOf(db, reader))[4]).toEqual([])
  await db.updateTable('deliveries').set({ state: 'sent' }).where('state', '=', 'deferred').execute()
  await sendAll(db)
  expect(await nextLines(db, reader, ['2026-04-20'])).toEqual([['code is available now']])
})

test('more than five things come in two digests, each once', async () => {
  await using stage = await open()
  const { db, reader } = stage
  const sent = (await issuesOf(db, reader)).flatMap(({ entries }) => entries.map(({ paperId }) => paperId))
  expect(sent.length).toBeGreaterThan(6)
  await storeNews(
    db,
    sent.slice(0, 7).map((id) => told(id, 'venue', '2026-04-15T10:00:00Z')),
  )
  const lines = await nextLines(db, reader)
  expect(lines.map((all) => all.length)).toEqual([5, 2])
})

test('a canceled edition tells nothing, and who hears of the news from the next hears it once', async () => {
  await using stage = await open()
  const { db, reader, paperId } = stage
  await storeNews(db, [told(paperId, 'code', '2026-04-15T10:00:00Z')])
  await storeDay(db, '2026-04-15')
  await publish(db, '2026-04-16T06:00:00Z')
  const { id } = await db.selectFrom('editions').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow()
  const ports = { db, log: SILENT, now: () => at('2026-04-16T06:30:00Z') }
  await cancelEdition(ports, id, { by: 'test', why: null, again: false, actor: BY_OPERATOR, dryRun: false })
  expect(await nextLines(db, reader, ['2026-04-16', '2026-04-17'])).toEqual([['code is available now'], []])
})

test('a paper that was sent with fewer passes 500 upvotes once, and one that had them when it was sent does not', async () => {
  await using stage = await open()
  const { db, reader, paperId } = stage
  const counted = async (id: string, when: string, upvotes: number) => {
    const listing = again(id, when, {})
    await storeAll(db, 'file', [{ ...listing, observation: { ...listing.observation, upvotes } }])
  }
  const [, many = ''] = (await issuesOf(db, reader))[1]?.entries.map((entry) => entry.paperId) ?? []
  await db.updateTable('observations').set({ upvotes: 800 }).where('paper_id', '=', many).execute()
  await counted(paperId, '2026-04-15T10:00:00Z', MANY_UPVOTES - 1)
  await counted(many, '2026-04-15T11:00:00Z', 900)
  expect(await nextLines(db, reader, ['2026-04-15'])).toEqual([[]])
  await counted(paperId, '2026-04-16T10:00:00Z', MANY_UPVOTES)
  await counted(paperId, '2026-04-16T11:00:00Z', MANY_UPVOTES + 50)
  expect(await nextLines(db, reader, ['2026-04-16', '2026-04-17'])).toEqual([['it has reached 500 upvotes'], []])
})

test('of a paper that an operator hides nothing is told, nor of one that was reinstated before the next digest', async () => {
  await using stage = await open()
  const { db, reader, paperId } = stage
  const [, hidden = ''] = (await issuesOf(db, reader))[1]?.entries.map((entry) => entry.paperId) ?? []
  await storeNews(db, [
    told(paperId, 'withdrawn', '2026-04-15T10:00:00Z'),
    told(hidden, 'code', '2026-04-15T10:00:00Z'),
  ])
  // The digest that would tell it is empty.
  await publish(db, '2026-04-16T06:00:00Z')
  await db.updateTable('papers').set({ hidden_at: new Date() }).where('id', '=', hidden).execute()
  await storeNews(db, [told(paperId, 'version', '2026-04-16T10:00:00Z', 3)])
  expect(await nextLines(db, reader, ['2026-04-16'])).toEqual([['version 3 is out']])
})
