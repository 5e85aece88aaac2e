/** arXiv beside Hugging Face, over a real connection: one paper where both list it, asked politely and never twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fetchArxivFeed, fetchArxivMetadata } from '../../src/adapters/sources/arxiv.ts'
import { fetchHuggingFaceDay } from '../../src/adapters/sources/hugging-face.ts'
import { HOUR } from '../../src/core/calendar.ts'
import { lateBatch } from '../../src/core/papers/arxiv-announcement.ts'
import { refreshPapers, storeAll } from '../../src/newsletter/intake.ts'
import { dryRunSource } from '../../src/newsletter/intake-dry-run.ts'
import type { Source } from '../../src/newsletter/source.ts'
import type { Database } from '../../src/store/database.ts'
import { readCandidates, readTrendHistory } from '../../src/store/papers/papers.ts'
import { readRefresh } from '../../src/store/refreshes.ts'
import { feedOf, type MadeUpEntry, queryAnswerOf } from '../support/fixtures/arxiv-feed.ts'
import { listingsOf, openNewsletter, SILENT } from '../support/fixtures/newsletter.ts'
import { asHuggingFaceDay } from '../support/fixtures/papers.ts'
import { openSourceServer, type SourceServer } from '../support/servers/source-server.ts'

const TUESDAY = new Date('2026-04-14T08:00:00Z')
const WEDNESDAY = new Date('2026-04-15T08:00:00Z')
const PAPER = {
  id: '2604.00001',
  title: 'Robots that learn',
  abstract: 'A robot manipulation policy.',
  categories: ['cs.RO'],
}
let server: SourceServer
/** What the server holds of arXiv, and what its API knows. */
let feed: { body: string; etag: string }
let categories: { id: string; categories: string[] }[]
/** What the server holds of Hugging Face, by day. */
let days: Record<string, string>

beforeAll(async () => {
  server = await openSourceServer()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => {
  server.requests.length = 0
  server.most = 0
  categories = []
  days = {}
  server.answer = (request, response, url) => {
    if (url.pathname === '/api/daily_papers') {
      const isFirst = url.searchParams.get('p') === '0'
      return void response.end(isFirst ? (days[url.searchParams.get('date') ?? ''] ?? '[]') : '[]')
    }
    if (url.pathname === '/api/query') return void response.end(queryAnswerOf(categories))
    if (request.headers['if-none-match'] === feed.etag) return void response.writeHead(304).end()
    response.writeHead(200, { etag: feed.etag }).end(feed.body)
  }
})

const contact = 'https://round.example.org'
const arxiv = (gap = 0): Source => ({
  kind: 'feed',
  name: 'arxiv',
  label: 'arxiv:cs.RO',
  rateLimit: { name: 'arxiv', gap, timeout: 2000 },
  fetchFeed: (known, now, context) =>
    fetchArxivFeed(['cs.RO'], known, now, { ...context, contact, baseUrl: server.baseUrl }),
  lateBatch,
  fetchMetadata: (ids, context) => fetchArxivMetadata(ids, { ...context, contact, baseUrl: server.baseUrl }),
  maxIds: 2,
})
const huggingFace = (): Source => ({
  kind: 'days',
  name: 'huggingface',
  label: 'huggingface',
  rateLimit: { name: 'huggingface', gap: 0, timeout: 2000 },
  fetchDay: (day, now, context) => fetchHuggingFaceDay(day, { ...context, now, contact, baseUrl: server.baseUrl }),
})
const serve = (day: string, entries: MadeUpEntry[]): void => {
  feed = { body: feedOf(day, entries), etag: `"${day} ${entries.length}"` }
}
const serveVotes = (day: string, upvotes: number): void => {
  const paper = { id: PAPER.id, title: 'Robots That Learn', summary: 'As Hugging Face has it.', upvotes }
  days[day] = asHuggingFaceDay(day, [paper])
}
/** A log that keeps its warnings. */
const openLog = () => {
  const warned: { notice?: string; error?: string }[] = []
  return { ...SILENT, warned, warn: (facts: object) => void warned.push(facts) }
}
const refresh = (db: Database, now: Date, sources: Source[], log = openLog()) =>
  refreshPapers({ db, now: () => now, log }, sources)
const asked = (path: string) => server.requests.filter(({ url }) => url.pathname.startsWith(path))
const read = async (db: Database) => ({
  papers: await db.selectFrom('papers').selectAll().orderBy('id').execute(),
  texts: await db.selectFrom('paper_texts').selectAll().orderBy('paper_id').orderBy('revision').execute(),
  observations: await db.selectFrom('observations').selectAll().orderBy('observed_at').execute(),
})
const dump = async (db: Database) => ({
  ...(await read(db)),
  topics: await db.selectFrom('paper_topics').selectAll().orderBy('paper_id').orderBy('topic').execute(),
  feeds: await db.selectFrom('source_feeds').selectAll().execute(),
  questions: await db.selectFrom('category_questions').selectAll().execute(),
  refreshes: await db.selectFrom('source_refreshes').selectAll().execute(),
})

describe('a paper that both sources list', () => {
  test.each([['arXiv first'], ['Hugging Face first']])(
    'is one paper, %s, with what each of them knows',
    async (order) => {
      await using newsletter = await openNewsletter()
      const { db } = newsletter
      serve('2026-04-14', [PAPER])
      serveVotes('2026-04-14', 7)
      const first = order === 'arXiv first'
      const sources = first ? [arxiv(), huggingFace()] : [huggingFace(), arxiv()]
      for (const source of sources) await refresh(db, TUESDAY, [source])
      await refresh(db, WEDNESDAY, sources)
      const { papers, texts } = await read(db)
      expect(papers).toMatchObject([{ id: PAPER.id, source: 'huggingface', list_day: '2026-04-14' }])
      expect(texts.at(-1)).toMatchObject({
        // Hugging Face tells the texts, arXiv fills what it leaves out: alternating between them makes no revision.
        revision: 2,
        title: 'Robots That Learn',
        abstract: 'As Hugging Face has it.',
        categories: ['cs.RO'],
        discussion_url: `https://huggingface.co/papers/${PAPER.id}`,
      })
    },
  )

  test.each([
    ['before', [huggingFace, arxiv]],
    // As when recorded days are imported.
    ['after', [arxiv, huggingFace]],
  ])('keeps the upvotes of Tuesday, stored %s what arXiv, which gives none, says on Wednesday', async (_, order) => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serveVotes('2026-04-14', 7)
    serve('2026-04-15', [PAPER])
    for (const source of order) await refresh(db, source === arxiv ? WEDNESDAY : TUESDAY, [source()])
    expect(await readCandidates(db, WEDNESDAY, { listDays: ['2026-04-14'] })).toMatchObject([
      { upvotes: 7, observedAt: TUESDAY },
    ])
  })

  test('is news when arXiv announces it, and once more at its first Hugging Face listing, with votes from then on', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER])
    await refresh(db, TUESDAY, [arxiv()])
    const listedAt = new Date('2026-04-20T08:00:00Z')
    serveVotes('2026-04-20', 7)
    await refresh(db, listedAt, [huggingFace()])
    await refresh(db, new Date(listedAt.getTime() + HOUR), [huggingFace()])

    const since = (text: string) => ({ since: new Date(text) })
    const atArxiv = await readCandidates(db, WEDNESDAY, since('2026-04-13T00:00:00Z'))
    expect(atArxiv).toMatchObject([{ id: PAPER.id, upvotes: null, eligibleAt: TUESDAY }])
    expect(await readCandidates(db, new Date('2026-04-19T00:00:00Z'), since('2026-04-16T00:00:00Z'))).toEqual([])
    const atListing = await readCandidates(db, new Date('2026-04-20T12:00:00Z'), since('2026-04-17T12:00:00Z'))
    // An hour old for its votes, not six days: nobody could vote before.
    expect(atListing).toMatchObject([{ id: PAPER.id, upvotes: 7, eligibleAt: listedAt, ageHours: 1 }])
    const later = new Date('2026-04-23T12:00:00Z')
    expect(await readCandidates(db, later, since('2026-04-20T12:00:00Z'))).toEqual([])
    expect(await readTrendHistory(db, later, 28, [6])).toMatchObject([{ paperId: PAPER.id, ageHours: 1 }])
  })

  test('so long after that it might be sent twice is not news again', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER])
    await refresh(db, TUESDAY, [arxiv()])
    serveVotes('2026-04-27', 7)
    await refresh(db, new Date('2026-04-27T08:00:00Z'), [huggingFace()])
    expect((await read(db)).papers).toMatchObject([{ listed_on: '2026-04-27', eligible_again_at: null }])
  })
})

describe('the feed', () => {
  test('that has not changed is not sent again, and that is a success', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER])
    await refresh(db, TUESDAY, [arxiv()])
    const before = await read(db)
    const later = new Date(TUESDAY.getTime() + HOUR)
    expect(await refresh(db, later, [arxiv()])).toEqual(['arxiv:cs.RO'])
    expect(await read(db)).toEqual(before)
    expect(asked('/atom').map(({ headers }) => headers['if-none-match'])).toEqual([undefined, feed.etag])
    expect(await readRefresh(db, 'arxiv:cs.RO')).toMatchObject({ succeeded_at: later, error: null })
  })

  test('whose papers could not be stored is asked for as a whole again', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER])
    // A fault of the database in the middle: it refuses what it should take.
    await db.schema.alterTable('observations').renameTo('elsewhere').execute()
    expect(await refresh(db, TUESDAY, [arxiv()])).toEqual([])
    await db.schema.alterTable('elsewhere').renameTo('observations').execute()
    expect(await refresh(db, TUESDAY, [arxiv()])).toEqual(['arxiv:cs.RO'])
    expect((await read(db)).papers).toHaveLength(1)
  })

  test('that still serves the batch of yesterday is noticed, each time, and makes no new day', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER])
    await refresh(db, TUESDAY, [arxiv()])
    const before = await read(db)
    for (const etag of [feed.etag, '"another"']) {
      feed.etag = etag
      const log = openLog()
      expect(await refresh(db, WEDNESDAY, [arxiv()], log)).toEqual(['arxiv:cs.RO'])
      expect(log.warned.map(({ notice }) => notice)).toEqual([
        'it serves the batch of 2026-04-14, and that of 2026-04-15 should be there (a holiday at arXiv, or its feed is late)',
      ])
    }
    expect(await read(db)).toEqual(before)
  })

  test('that serves the batch of yesterday under a new date is noticed by its papers', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const batch = [PAPER, { id: '2604.00002' }, { id: '2604.00003' }]
    serve('2026-04-14', batch)
    await refresh(db, TUESDAY, [arxiv()])
    serve('2026-04-15', [...batch, { id: '2604.00004' }])
    const log = openLog()
    await refresh(db, WEDNESDAY, [arxiv()], log)
    expect(log.warned.map(({ notice }) => notice)).toEqual([
      'most of its batch of 2026-04-15 was served on an earlier day',
    ])
    const { papers } = await read(db)
    expect(papers.map((paper) => paper.list_day)).toEqual(['2026-04-14', '2026-04-14', '2026-04-14', '2026-04-15'])
  })

  test('that is cut short changes nothing', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER])
    await refresh(db, TUESDAY, [arxiv()])
    const { refreshes: _, ...before } = await dump(db)
    serve('2026-04-15', [{ id: '2604.00002' }, { id: '2604.00003' }])
    feed.body = feed.body.slice(0, -30)
    const log = openLog()
    expect(await refresh(db, WEDNESDAY, [arxiv()], log)).toEqual([])
    expect(log.warned).toMatchObject([{ error: 'its answer cannot be read: it breaks off before its end' }])
    const { refreshes: __, ...after } = await dump(db)
    expect(after).toEqual(before)
  })
})

describe('the rate limit', () => {
  test('holds over all processes: one request at a time, with the gap between them', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER])
    const gap = 150
    // Each with a source and permits of its own, as processes have.
    await Promise.all(Array.from({ length: 4 }, () => refresh(db, TUESDAY, [arxiv(gap)])))
    const times = server.requests.map((request) => request.at)
    expect(asked('/atom')).toHaveLength(4)
    for (const [at, time] of times.slice(1).entries()) expect(time - (times[at] ?? 0)).toBeGreaterThan(gap - 10)
    expect(server.most).toBe(1)
  })

  test.each([
    ['arxiv:cs.RO', arxiv],
    ['huggingface', huggingFace],
  ])('a 429 keeps everybody from asking %s, after a restart too', async (_, source) => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    server.answerWith(429, '', { 'retry-after': '600' })
    const log = openLog()
    await refresh(db, TUESDAY, [source()], log)
    const { length } = server.requests
    await refresh(db, TUESDAY, [source()], log)
    expect(log.warned.map(({ error }) => error)).toEqual([
      'it asks us to wait',
      'it asked us to wait, and there are up to 10 minutes left',
    ])
    expect([length, server.requests.length]).toEqual([1, 1])
  })

  test('after a stop no source is requested from, and no failure is recorded', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    const stop = new AbortController()
    server.answer = () => stop.abort()
    const ports = { db, now: () => TUESDAY, log: openLog(), signal: stop.signal }
    expect(await refreshPapers(ports, [arxiv(), huggingFace()])).toEqual([])
    expect(server.requests).toHaveLength(1)
    expect(await readRefresh(db, 'arxiv:cs.RO')).toBeUndefined()
  })
})

describe('categories of papers from elsewhere', () => {
  const ids = ['2604.14001', '2604.14002', '2604.14003', '2604.14004', '2604.14005']
  const storeOthers = (db: Database) =>
    storeAll(
      db,
      'huggingface',
      listingsOf('2026-04-14', ['robotics', 'code', 'vlm', 'agents', 'reasoning']).map((one, at) => ({
        ...one,
        paper: { ...one.paper, id: ids[at] ?? 'file:more' },
      })),
    )

  test('are added some at each refresh, in one more revision, and none is requested twice', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [])
    await storeOthers(db)
    categories = ids.slice(1).map((id) => ({ id, categories: ['cs.AI', 'cs.RO'] }))
    for (let hour = 0; hour < 4; hour++) await refresh(db, TUESDAY, [arxiv()])
    expect(asked('/api/query').map(({ url }) => url.searchParams.get('id_list'))).toEqual([
      '2604.14005,2604.14004',
      '2604.14003,2604.14002',
      '2604.14001',
    ])
    const { papers, texts } = await read(db)
    expect(papers.map((paper) => [paper.id, paper.revision])).toEqual(ids.map((id, at) => [id, at === 0 ? 1 : 2]))
    const [before, after] = texts.filter((text) => text.paper_id === ids[1])
    expect(after).toEqual({ ...before, revision: 2, categories: ['cs.AI', 'cs.RO'] })
    // The next list says nothing of categories, and takes none away.
    expect(await storeOthers(db)).toEqual({ added: 0, changed: 0, unchanged: 5, skipped: [] })
  })

  test('are not requested where arXiv is no source', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await storeOthers(db)
    await refresh(db, TUESDAY, [huggingFace()])
    expect(asked('/api/query')).toEqual([])
  })

  test('that could not be read are requested again, and the source counts as read', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    await storeOthers(db)
    serve('2026-04-14', [])
    const answer = server.answer
    server.answer = (request, response, url) =>
      url.pathname === '/api/query' ? void response.writeHead(500).end() : answer(request, response, url)
    const log = openLog()
    expect(await refresh(db, new Date('2026-04-18T12:00:00Z'), [arxiv()], log)).toEqual(['arxiv:cs.RO'])
    expect(log.warned).toMatchObject([{ error: 'it answered 500' }])
    expect(await db.selectFrom('category_questions').selectAll().execute()).toEqual([])
  })
})

describe('a look', () => {
  test('tells what would be stored and why the rest would not, and leaves everything as it was', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serve('2026-04-14', [PAPER, { id: '2604.00002', categories: ['cs.RO', 'cs.AI'] }])
    await refresh(db, TUESDAY, [arxiv()])
    const [other] = listingsOf('2026-04-14', ['robotics'])
    await storeAll(db, 'huggingface', other === undefined ? [] : [other])
    categories = [{ id: other?.paper.id ?? '', categories: ['cs.RO'] }]
    const before = await dump(db)
    const many = Array.from({ length: 12 }, (_, at) => ({ id: `2604.010${at + 10}` }))
    serve('2026-04-14', [
      PAPER,
      { id: '2604.00002', title: 'Another title', categories: ['cs.RO', 'cs.AI'] },
      { id: '2604.00003', type: 'cross', abstract: '' },
      { id: '2503.00004', type: 'replace' },
      { id: '2604.00005', type: 'withdrawn' },
      ...many,
    ])
    const trial = await dryRunSource({ db, now: () => WEDNESDAY, log: SILENT }, arxiv())
    expect(trial).toEqual({
      source: 'arxiv:cs.RO',
      wouldStore: { added: 13, changed: 1, unchanged: 1 },
      understood: {
        papers: 15,
        listDays: { '2026-04-14': 15 },
        categories: { 'cs.CL': 13, 'cs.RO': 2, 'cs.AI': 1 },
        without: { abstract: 1, authors: 0, upvotes: 15 },
        announced: { new: 14, cross: 1, replace: 1, 'replace-cross': 0 },
        batchDay: '2026-04-14',
      },
      skipped: [{ where: 'entry 5', problem: 'it does not say whether it is new' }],
      notices: [expect.stringMatching(/^it serves the batch of 2026-04-14/)],
      uncategorised: { papers: 1, answered: 1 },
      titles: [
        { id: PAPER.id, title: PAPER.title },
        { id: '2604.00002', title: 'Another title' },
        ...['2604.00003', '2604.01010', '2604.01011'].map((id) => ({ id, title: `Paper ${id}` })),
      ],
    })
    expect(await dump(db)).toEqual(before)
    // It asked for all, though that version was known, and noted none: the refresh gets it all.
    expect(asked('/atom').at(-1)?.headers).not.toHaveProperty('if-none-match')
    await refresh(db, WEDNESDAY, [arxiv()])
    expect((await read(db)).papers).toHaveLength(16)
  })

  test('at lists by day reads the three newest, or the one asked for', async () => {
    await using newsletter = await openNewsletter()
    const { db } = newsletter
    serveVotes('2026-04-13', 7)
    const ports = { db, now: () => TUESDAY, log: SILENT }
    expect(await dryRunSource(ports, huggingFace())).toMatchObject({
      wouldStore: { added: 1, changed: 0, unchanged: 0 },
      understood: { papers: 1, listDays: { '2026-04-13': 1 }, without: { upvotes: 0 } },
    })
    expect(asked('/api').map(({ url }) => url.searchParams.get('date'))).toEqual([
      '2026-04-14',
      '2026-04-13',
      '2026-04-12',
    ])
    await dryRunSource(ports, huggingFace(), ['2026-04-01'])
    expect(asked('/api').at(-1)?.url.searchParams.get('date')).toBe('2026-04-01')
    expect((await read(db)).papers).toEqual([])
  })
})
