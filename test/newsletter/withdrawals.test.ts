/** A paper that arXiv says is withdrawn, in its comment alone: told once to those who were sent it, and chosen no more. */
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { fetchArxivFeed, fetchArxivMetadata } from '../../src/adapters/sources/arxiv.ts'
import { deriveToken } from '../../src/core/token.ts'
import { createArchive } from '../../src/newsletter/archive/archive.ts'
import { refreshPapers, storeAll } from '../../src/newsletter/intake.ts'
import { createPreviews } from '../../src/newsletter/publishing/preview.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import type { Source } from '../../src/newsletter/source.ts'
import type { Database } from '../../src/store/database.ts'
import { feedOf, type MadeUpEntry, queryAnswerOf } from '../support/fixtures/arxiv-feed.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  listingsOf,
  openNewsletter,
  SILENT,
  sendAll,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { openSourceServer, type SourceServer } from '../support/servers/source-server.ts'

const ROBOTICS = { ...LONDON_DAILY, topics: ['robotics'] }
const paper = (id: string, more: Partial<MadeUpEntry> = {}): MadeUpEntry => ({
  id,
  title: `Robot manipulation ${id}`,
  abstract: 'We propose a robot manipulation policy.',
  categories: ['cs.RO'],
  ...more,
})
const GONE = '2604.00001'
const NOTICE = 'Withdrawn due to copyright issues with the dataset'
const at = (text: string): Date => new Date(`2026-04-${text}:00Z`)

let server: SourceServer
let feed: { body: string; etag: string }
/** What the API says in the comments of papers, by id; `null`: it is down. */
let comments: Record<string, string> | null

beforeAll(async () => {
  server = await openSourceServer()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => {
  server.requests.length = 0
  comments = {}
  server.answer = (request, response, url) => {
    if (url.pathname === '/api/query') {
      if (comments === null) return void response.writeHead(503).end()
      const ids = (url.searchParams.get('id_list') ?? '').split(',')
      const known = ids.map((id) => ({ id, categories: ['cs.RO'], comment: comments?.[id] ?? '12 pages' }))
      return void response.end(queryAnswerOf(known))
    }
    if (request.headers['if-none-match'] === feed.etag) return void response.writeHead(304).end()
    response.writeHead(200, { etag: feed.etag }).end(feed.body)
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
  maxIds: 2,
}
const serve = (day: string, entries: MadeUpEntry[]): void => {
  feed = { body: feedOf(`2026-04-${day}`, entries), etag: `"${day}"` }
}
const refresh = async (db: Database, when: string): Promise<string[]> => {
  const warned: string[] = []
  const log = { ...SILENT, warn: (_: object, message: string) => void warned.push(message) }
  await refreshPapers({ db, now: () => at(when), log }, [arxiv])
  return warned
}
const publish = (db: Database, when: string) => publishDue({ db, log: SILENT, wake: wakeNobody }, at(when))
const asked = () => server.requests.filter(({ url }) => url.pathname === '/api/query').length
const newsOf = async (db: Database) =>
  (await db.selectFrom('paper_news').selectAll().orderBy('kind').execute()).map(({ paper_id, kind, version }) => [
    paper_id,
    kind,
    version,
  ])
const lastOf = async (db: Database, id: string) => {
  const issue = (await issuesOf(db, id)).at(-1)
  return {
    papers: issue?.cards.map((card) => card.id),
    news: issue?.news.map(({ title, line }) => `${title}: ${line}`),
  }
}

/** A reader who was sent the paper on Wednesday. */
const open = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  const reader = await subscribe(db, 'ada@example.org', ROBOTICS, at('13T06:00'))
  serve('14', [paper(GONE)])
  await refresh(db, '14T08:00')
  await publish(db, '15T06:00')
  expect((await lastOf(db, reader)).papers).toEqual([GONE])
  await sendAll(db)
  return { ...newsletter, db, reader }
}

test('is told as withdrawn and not as a new version, and is in no digest, welcome or preview any more', async () => {
  await using stage = await open()
  const { db, reader } = stage
  serve('15', [paper(GONE, { type: 'replace', version: 3 }), paper('2604.00002')])
  comments = { [GONE]: NOTICE }
  expect(await refresh(db, '15T08:00')).toEqual([])
  await publish(db, '16T06:00')
  const line = 'it was withdrawn. You got it in your digest of Wednesday 15 April 2026'
  const told = { papers: ['2604.00002'], news: [`Robot manipulation ${GONE}: ${line}`] }
  expect(await lastOf(db, reader)).toEqual(told)

  const now = () => at('16T07:00')
  const late = await subscribe(db, 'grace@example.org', ROBOTICS, now())
  expect((await lastOf(db, late)).papers).toEqual(['2604.00002'])
  const previews = createPreviews({ db, now })
  const preview = await previews.readDigest(ROBOTICS)
  expect(preview.cards.map(({ id }) => id)).toEqual(['2604.00002'])
  expect((await previews.readVolume(ROBOTICS))?.papers).toBe(1)

  // Hugging Face lists it with many upvotes a week later, which makes a paper eligible once more.
  const [listed] = listingsOf('2026-04-22', ['robotics'], '2026-04-22T09:00:00Z')
  if (listed === undefined) throw new Error('the day has no paper')
  const again = {
    ...listed,
    paper: { ...listed.paper, id: GONE },
    observation: { ...listed.observation, upvotes: 900 },
  }
  await storeAll(db, 'huggingface', [again, listed])
  await publish(db, '23T06:00')
  for (const id of [reader, late]) expect(await lastOf(db, id)).toEqual({ papers: [listed.paper.id], news: [] })
})

test('stands on its day page with a note that it was withdrawn, last, and with nothing that speaks for it', async () => {
  await using stage = await open()
  const { db } = stage
  const listed = listingsOf('2026-04-14', ['robotics'])
  const [other] = listed
  if (other === undefined) throw new Error('the day has no paper')
  const popular = { ...other, paper: { ...other.paper, id: GONE }, observation: { ...other.observation, upvotes: 900 } }
  await storeAll(db, 'huggingface', [popular, { ...other, observation: { ...other.observation, upvotes: 3 } }])
  const read = () => createArchive({ db, keys: KEYS, now: () => at('16T07:00') }).readDay('2026-04-14')
  expect((await read())?.cards.map(({ id }) => id)).toEqual([GONE, other.paper.id])
  serve('15', [paper(GONE, { type: 'replace', version: 2, comment: NOTICE })])
  await refresh(db, '15T08:00')
  const day = await read()
  expect(day?.total).toBe(2)
  expect(day?.cards.map(({ id }) => id)).toEqual([other.paper.id, GONE])
  expect(day?.cards.at(-1)).toMatchObject({
    url: `https://arxiv.org/abs/${GONE}`,
    reason: 'This paper was withdrawn',
    excerpt: '',
    upvotes: null,
    links: [],
    topic: null,
  })
})

test('is marked in an earlier digest that is opened in the browser', async () => {
  await using stage = await open()
  const { db, reader } = stage
  serve('15', [paper(GONE, { type: 'replace', version: 2, comment: NOTICE })])
  await refresh(db, '15T08:00')
  const { id } = await db
    .selectFrom('deliveries')
    .select('id')
    .where('subscriber_id', '=', reader)
    .executeTakeFirstOrThrow()
  const archive = createArchive({ db, keys: KEYS, now: () => at('16T07:00') })
  const read = () => archive.readDigest(deriveToken(KEYS, 'view', id, 0))
  const issue = await read()
  expect(issue?.cards).toMatchObject([
    { id: GONE, reason: 'This paper was withdrawn', excerpt: '', upvotes: null, links: [] },
  ])
  const [digest] = (await issuesOf(db, reader)).slice(-1)
  const entries = digest?.entries.map((entry) => ({ ...entry, compact: true }))
  await sql`update digests set entries = ${JSON.stringify(entries)} where kind = 'daily'`.execute(db)
  expect((await read())?.also).toMatchObject([{ id: GONE, reason: 'This paper was withdrawn' }])
})

test('is told at a later refresh where its comment cannot be read, and until then no new version is told', async () => {
  await using stage = await open()
  const { db } = stage
  serve('15', [paper(GONE, { type: 'replace', version: 3 })])
  comments = null
  expect(await refresh(db, '15T08:00')).toEqual([
    'comments of new versions could not be read; the next refresh tries again',
  ])
  expect(await newsOf(db)).toEqual([])
  // The server said for how long it wants to be left alone.
  await db.deleteFrom('source_permits').execute()
  comments = { [GONE]: NOTICE }
  expect(await refresh(db, '15T09:00')).toEqual([])
  expect(await newsOf(db)).toEqual([[GONE, 'withdrawn', null]])
  const before = asked()
  await refresh(db, '15T10:00')
  expect(asked()).toBe(before)
})

test('is reinstated by a later version whose comment says nothing of it, which its readers are told', async () => {
  await using stage = await open()
  const { db, reader } = stage
  comments = { [GONE]: NOTICE }
  serve('15', [paper(GONE, { type: 'replace', version: 2 }), paper('2604.00002')])
  await refresh(db, '15T08:00')
  await publish(db, '16T06:00')
  comments = { [GONE]: 'v3: corrected' }
  serve('16', [paper(GONE, { type: 'replace', version: 3 }), paper('2604.00003')])
  await refresh(db, '16T08:00')
  expect(await newsOf(db)).toEqual([[GONE, 'version', 3]])
  await publish(db, '17T06:00')
  expect(await lastOf(db, reader)).toEqual({
    papers: ['2604.00003'],
    news: [`Robot manipulation ${GONE}: version 3 is out`],
  })
  const late = await subscribe(db, 'grace@example.org', ROBOTICS, at('17T07:00'))
  const welcome = (await issuesOf(db, late)).at(-1)
  expect([...(welcome?.cards ?? []), ...(welcome?.also ?? [])].map(({ id }) => id)).toContain(GONE)
})

test('is asked for only where we hold it, and found too when categories are asked for', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const [listing] = listingsOf('2026-04-14', ['robotics'])
  if (listing === undefined) throw new Error('the day has no paper')
  serve('14', [paper('2604.00009', { type: 'replace', version: 2 })])
  await refresh(db, '14T08:00')
  expect([asked(), await newsOf(db)]).toEqual([0, []])
  await storeAll(db, 'huggingface', [{ ...listing, paper: { ...listing.paper, id: GONE } }])
  comments = { [GONE]: NOTICE }
  await refresh(db, '14T10:00')
  expect(await newsOf(db)).toEqual([[GONE, 'withdrawn', null]])
})

test('is known from the abstract of any source, and from the first on', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const [listing] = listingsOf('2026-04-14', ['robotics'])
  if (listing === undefined) throw new Error('the day has no paper')
  const abstract = 'This paper has been withdrawn by the authors because of an error in the robot manipulation data.'
  await storeAll(db, 'huggingface', [listing, { ...listing, paper: { ...listing.paper, id: GONE, abstract } }])
  expect(await newsOf(db)).toEqual([[GONE, 'withdrawn', null]])
  const preview = await createPreviews({ db, now: () => at('14T12:00') }).readDigest(ROBOTICS)
  expect(preview.cards.map(({ id }) => id)).toEqual([listing.paper.id])
})
