/** Where papers are accepted is asked of arXiv, politely and again and again, and told to those who were sent them. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { fetchArxivFeed, fetchArxivMetadata } from '../../src/adapters/sources/arxiv.ts'
import { createArchive } from '../../src/newsletter/archive/archive.ts'
import { refreshPapers } from '../../src/newsletter/intake.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import type { Source } from '../../src/newsletter/source.ts'
import type { Database } from '../../src/store/database.ts'
import { feedOf, type MadeUpEntry, queryAnswerOf } from '../support/fixtures/arxiv-feed.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  sendAll,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { openSourceServer, type SourceServer } from '../support/servers/source-server.ts'

const PAPER = '2604.00001'
const ACCEPTED = 'Accepted at ICML 2026; 12 pages'
const at = (text: string): Date => new Date(`2026-${text}:00Z`)
const paper = (id: string, more: Partial<MadeUpEntry> = {}): MadeUpEntry => ({
  id,
  title: `Robot manipulation ${id}`,
  abstract: 'We propose a robot manipulation policy.',
  categories: ['cs.RO'],
  ...more,
})

let server: SourceServer
let feed = ''
let said: Record<string, { comment?: string; journalRef?: string }> = {}

beforeAll(async () => {
  server = await openSourceServer()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => {
  server.requests.length = 0
  said = {}
  server.answer = (_, response, url) => {
    const ids = url.searchParams.get('id_list')?.split(',')
    response.end(
      ids === undefined ? feed : queryAnswerOf(ids.map((id) => ({ id, categories: ['cs.RO'], ...said[id] }))),
    )
  }
})

const contact = 'https://round.example.org'
const arxiv: Source = {
  kind: 'feed',
  name: 'arxiv',
  label: 'arxiv:cs.RO',
  rateLimit: { name: 'arxiv', gap: 0, timeout: 2000 },
  fetchFeed: (known, now, context) =>
    fetchArxivFeed(['cs.RO'], known, now, { ...context, contact, baseUrl: server.baseUrl }),
  lateBatch: () => null,
  fetchMetadata: (ids, context) => fetchArxivMetadata(ids, { ...context, contact, baseUrl: server.baseUrl }),
  maxIds: 100,
}
const refresh = (db: Database, when: string) => refreshPapers({ db, now: () => at(when), log: SILENT }, [arxiv])
const publish = async (db: Database, when: string) => {
  await publishDue({ db, log: SILENT, wake: wakeNobody }, at(when))
  await sendAll(db)
}
const asked = () =>
  server.requests.flatMap(({ url }) => (url.pathname === '/api/query' ? [url.searchParams.get('id_list')] : []))
const pageOf = (db: Database, when: string) => createArchive({ db, keys: KEYS, now: () => at(when) }).readPaper(PAPER)

/** A reader who was sent the paper on 15 April; its edition is counted. */
const open = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  const reader = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, topics: ['robotics'] }, at('04-13T06:00'))
  feed = feedOf('2026-04-14', [paper(PAPER)])
  await refresh(db, '04-14T08:00')
  await publish(db, '04-15T06:00')
  await db.insertInto('paper_digests').values({ paper_id: PAPER, local_date: '2026-04-15', digests: 1 }).execute()
  return { ...newsletter, db, reader }
}

test('a venue that arXiv names after a paper was sent is told in the next digest, once, and stands on its page', async () => {
  await using stage = await open()
  const { db, reader } = stage
  expect(asked()).toEqual([PAPER])
  said = { [PAPER]: { comment: ACCEPTED } }
  await refresh(db, '04-20T08:00')
  expect([asked(), (await pageOf(db, '04-20T09:00'))?.venue]).toEqual([[PAPER], null])
  feed = feedOf('2026-05-04', [paper('2605.00002')])
  await refresh(db, '05-04T08:00')
  expect(asked()).toEqual([PAPER, expect.stringContaining(PAPER)])
  expect(await pageOf(db, '05-04T09:00')).toMatchObject({
    venue: 'accepted at ICML 2026',
    news: [{ kind: 'venue', venue: 'accepted at ICML 2026' }],
  })
  await publish(db, '05-05T06:00')
  feed = feedOf('2026-05-05', [paper('2605.00003')])
  await refresh(db, '05-05T08:00')
  await publish(db, '05-06T06:00')
  const lines = (await issuesOf(db, reader)).map(({ news }) => news.map(({ title, line }) => `${title}: ${line}`))
  expect(lines.slice(-2)).toEqual([[`Robot manipulation ${PAPER}: it was accepted at ICML 2026`], []])
  // It is settled, and not asked for again.
  await refresh(db, '05-30T08:00')
  expect(asked().filter((ids) => ids?.includes(PAPER))).toHaveLength(2)
})

test('a venue that arXiv named already when the paper was first seen is on its page, and no news', async () => {
  said = { [PAPER]: { journalRef: 'TMLR, 2026' } }
  await using stage = await open()
  const { db } = stage
  await refresh(db, '05-04T08:00')
  expect(await pageOf(db, '05-04T09:00')).toMatchObject({ venue: 'published in TMLR', news: [] })
})

test('two processes that ask at once tell it once, and an answer that cannot be read leaves it for the next refresh', async () => {
  await using stage = await open()
  const { db } = stage
  const { answer } = server
  server.answer = (request, response, url) =>
    url.pathname === '/api/query' ? void response.writeHead(500).end() : answer(request, response, url)
  await refresh(db, '05-04T08:00')
  server.answer = answer
  said = { [PAPER]: { comment: ACCEPTED } }
  await Promise.all([refresh(db, '05-04T09:00'), refresh(db, '05-04T09:00')])
  const news = await db.selectFrom('paper_news').select(['kind', 'venue']).execute()
  expect(news).toEqual([{ kind: 'venue', venue: 'accepted at ICML 2026' }])
})
