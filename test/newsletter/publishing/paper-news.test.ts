/** What became of papers is told to those whose digests had them, once, and to nobody else. */
import { expect, test } from 'vitest'
import type { Listing } from '../../../src/core/papers/paper.ts'
import type { PaperNews } from '../../../src/core/papers/paper-news.ts'
import { storeAll } from '../../../src/newsletter/intake.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../../src/store/database.ts'
import { storeNews } from '../../../src/store/papers/paper-news.ts'
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
  const [entry] = (await issuesOf(db, reader))[1]?.entries ?? []
  if (entry === undefined) throw new Error('the digest has no paper')
  return { ...newsletter, db, reader, other, paperId: entry.paperId }
}

/** The day's listing of a paper as it was, and with a change. */
const again = (paperId: string, seen: string, change: Partial<Listing['paper']>): Listing => {
  const listing = listingsOf('2026-04-14', undefined, seen).find(({ paper }) => paper.id === paperId)
  if (listing === undefined) throw new Error('it was not listed that day')
  return { ...listing, paper: { ...listing.paper, ...change } }
}
const told = (paperId: string, kind: PaperNews['kind'], seen: string, version: number | null = null): PaperNews => ({
  paperId,
  kind,
  version,
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
  expect((await linesOf(db, reader)).at(-1)).toEqual([[`https://arxiv.org/abs/${paperId}`, 'it was withdrawn']])
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
