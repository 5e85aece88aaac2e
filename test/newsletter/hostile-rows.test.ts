/** Rows with values that the database or the calendar refuses: each is skipped and named, and all others are stored. */
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchArxivFeed, fetchArxivMetadata } from '../../src/adapters/sources/arxiv.ts'
import { fetchHuggingFaceDay } from '../../src/adapters/sources/hugging-face.ts'
import { readPaperFiles } from '../../src/adapters/sources/paper-files.ts'
import type { Listing } from '../../src/core/papers/paper.ts'
import { refreshPapers, storeAll } from '../../src/newsletter/intake.ts'
import type { Source } from '../../src/newsletter/source.ts'
import { escapeXml, feedOf } from '../support/fixtures/arxiv-feed.ts'
import { listingsOf, openNewsletter, SILENT } from '../support/fixtures/newsletter.ts'
import { openSourceServer, type SourceServer } from '../support/servers/source-server.ts'
import { propertyRuns } from '../support/thoroughness.ts'

const DAY = '2026-04-14'
const NOW = new Date(`${DAY}T10:00:00Z`)
const GOOD_ROWS = 20

let newsletter: Awaited<ReturnType<typeof openNewsletter>>
let server: SourceServer
beforeAll(async () => {
  newsletter = await openNewsletter()
  server = await openSourceServer()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await newsletter[Symbol.asyncDispose]()
})

let rows = 0
/** Ids that no paper has yet. */
const newIds = (count: number): string[] =>
  Array.from({ length: count }, () => `${2401 + Math.floor(rows / 90_000)}.${String(10_000 + (rows++ % 90_000))}`)
const heldOf = async (ids: string[]): Promise<number> =>
  (await newsletter.db.selectFrom('papers').select('id').where('id', 'in', ids).execute()).length
const contact = 'https://round.example.org'

const dates = [
  '0000-01-01',
  '0000-12-31T23:59:59Z',
  '0001-01-01',
  '9999-12-31',
  '9999-12-31 23:59:59 -1800',
  '0001-01-01 00:00:00 +1800',
  '10000-01-01',
  '+275761-01-01',
  '2026-02-30',
  '2026-04-14T25:61:61Z',
]
const texts = [
  '\0',
  'a\0b',
  '\ud800',
  'half \udfff pair',
  '\ufffe\uffff',
  '\u{1D4B3}'.repeat(12_000),
  `a${'\u0301'.repeat(40_000)}`,
  `${'-'.repeat(200)}/1234567`,
  `https://${'a.'.repeat(900)}example`,
  'https://a.b/\ud800\0',
  '{"a":1}',
]
const numbers = [2 ** 31, 2 ** 53, -1, 0.5, 1e308, -0]
/** Only what JSON can say. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(...dates, ...texts, ...numbers, true, {}, [], [['a']], [{ name: '\0' }], ['\ud800'], null),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.maxSafeInteger(),
  fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }),
)
const recordOf = (fields: readonly string[]) =>
  fc.dictionary(fc.constantFrom(...fields), hostile, { minKeys: 1, maxKeys: 6 })

const FLAT = (
  'id title abstract authors categories list_day published_on observed_at upvotes comments stars ' +
  'code_url project_url discussion_url arxiv_url'
).split(' ')
const OF_HUGGING_FACE =
  'id title summary authors publishedAt upvotes githubRepo projectPage githubStars numComments submittedOnDailyAt'.split(
    ' ',
  )

describe('one row of any values', () => {
  test('of a file is stored or skipped by name, and the rows around it are stored', async () => {
    await fc.assert(
      fc.asyncProperty(recordOf(FLAT), async (odd) => {
        const ids = newIds(2)
        const [before, after] = ids.map((id) => ({ id, title: `Paper ${id}`, date: DAY }))
        const lines = [before, { title: 'An odd one', ...odd }, after].map((row) => `${JSON.stringify(row)}\n`)
        const named: unknown[] = []
        for await (const batch of readPaperFiles('-', {
          today: DAY,
          stdin: Readable.from(lines.map((l) => Buffer.from(l))),
        })) {
          const { skipped } = await storeAll(newsletter.db, batch.source, batch.listings)
          named.push(...batch.problems, ...skipped)
        }
        expect(await heldOf(ids)).toBe(2)
        for (const problem of named)
          expect(problem).toEqual({ where: expect.any(String), problem: expect.stringMatching(/^\P{C}+$/u) })
      }),
      { numRuns: propertyRuns(500), examples: [[{ published_on: '0000-01-01' }], [{ list_day: '0000-04-14' }]] },
    )
  })

  test('of Hugging Face does not stop the refresh', async () => {
    const source: Source = {
      kind: 'days',
      name: 'huggingface',
      label: 'huggingface',
      rateLimit: { name: 'huggingface', gap: 0, timeout: 5000 },
      fetchDay: (day, now, context) =>
        day === DAY
          ? fetchHuggingFaceDay(day, { ...context, now, contact, baseUrl: server.baseUrl })
          : Promise.resolve({ rows: [], problems: [] }),
    }
    await fc.assert(
      fc.asyncProperty(recordOf(OF_HUGGING_FACE), async (odd) => {
        const ids = newIds(GOOD_ROWS)
        const good = ids.map((id) => ({ paper: { id, title: `Paper ${id}` } }))
        const paper = { id: newIds(1)[0], title: 'An odd one', ...odd, submittedOnDailyAt: null }
        server.answerWith(200, JSON.stringify([...good, { paper, ...odd }]))
        expect(await refreshPapers({ db: newsletter.db, now: () => NOW, log: SILENT }, [source])).toEqual([
          'huggingface',
        ])
        expect(await heldOf(ids)).toBe(GOOD_ROWS)
      }),
      { numRuns: propertyRuns(100), examples: [[{ publishedAt: '0000-01-01T00:00:00Z' }]] },
    )
  })

  test('of arXiv does not stop the refresh', async () => {
    const source: Source = {
      kind: 'feed',
      name: 'arxiv',
      label: 'arxiv:cs.CL',
      rateLimit: { name: 'arxiv', gap: 0, timeout: 5000 },
      fetchFeed: (_, now, context) =>
        fetchArxivFeed(['cs.CL'], null, now, { ...context, contact, baseUrl: server.baseUrl }),
      lateBatch: () => null,
      fetchMetadata: (ids, context) => fetchArxivMetadata(ids, { ...context, contact, baseUrl: server.baseUrl }),
      maxIds: 2,
    }
    const field = fc.oneof(fc.constantFrom(...dates, ...texts), fc.string({ maxLength: 300 }))
    const entry = fc.record(
      { id: field, title: field, abstract: field, creators: field, published: field },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(entry, async ({ published = `${DAY}T00:00:00-04:00`, ...odd }) => {
        const ids = newIds(GOOD_ROWS)
        const oddId = newIds(1)[0] ?? ''
        // XML has no place for most controls, so that a feed cannot hold them.
        const clean = (text: string) =>
          text.toWellFormed().replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
        const entries = [...ids.map((id) => ({ id })), { id: oddId, ...odd, title: odd.title ?? 'An odd one' }]
        const feed = feedOf(
          DAY,
          entries.map((one) => ({ ...one, id: escapeXml(clean(one.id)) })),
        )
        const at = feed.lastIndexOf(`<published>`)
        const body =
          feed.slice(0, at) + feed.slice(at).replace(`${DAY}T00:00:00-04:00`, () => escapeXml(clean(published)))
        server.answerWith(200, clean(body))
        expect(await refreshPapers({ db: newsletter.db, now: () => NOW, log: SILENT }, [source])).toEqual([
          'arxiv:cs.CL',
        ])
        expect(await heldOf(ids)).toBe(GOOD_ROWS)
      }),
      {
        numRuns: propertyRuns(100),
        examples: [[{ published: '0000-12-31T23:59:59Z' }], [{ published: '9999-12-31T00:00:00Z' }]],
      },
    )
  })
})

test('a listing that the database refuses is skipped and named, and all others are stored', async () => {
  const good = listingsOf(DAY, ['robotics', 'code', 'agents'])
  const like = (change: Partial<Listing>, paper: Partial<Listing['paper']> = {}): Listing => {
    const [first] = listingsOf(DAY, ['robotics'])
    if (first === undefined) throw new Error('there is no such listing')
    return { ...first, ...change, paper: { ...first.paper, ...paper } }
  }
  const bad = [
    like({ listDay: '0000-04-14' }, { id: '2501.00001' }),
    like({}, { id: '2501.00002', title: 'With \0' }),
    like({}, { id: '2501.00003', publishedOn: '2026-02-30' }),
    like(
      { observation: { at: NOW, hourKnown: true, upvotes: 2 ** 31, comments: null, stars: null } },
      { id: '2501.00004' },
    ),
    like({}, { id: 'file:'.padEnd(101, 'x') }),
    like({ listDay: 'never' }, { id: '2501.00005' }),
  ]
  const [a, b, c] = good
  const mixed = [bad[0], a, bad[1], bad[2], b, bad[3], bad[4], c, bad[5]].filter((one) => one !== undefined)
  const { skipped, ...counts } = await storeAll(newsletter.db, 'file', mixed)
  expect(counts.added).toBe(good.length)
  expect(await heldOf(good.map(({ paper }) => paper.id))).toBe(good.length)
  expect(skipped.map(({ where }) => /^paper (\S+), /.exec(where)?.[1])).toEqual(bad.map(({ paper }) => paper.id))
  for (const { problem } of skipped) expect(problem).not.toMatch(/\n|\0/)
})

test('what is skipped is named in the log by its id, and an address in its title or in what the source says is left out', async () => {
  const [good] = listingsOf(DAY, ['robotics'])
  if (good === undefined) throw new Error('there is no such listing')
  const bad = { ...good, paper: { ...good.paper, id: '2501.00009', title: 'Write to ada.canary@example.org \0' } }
  const source: Source = {
    kind: 'days',
    name: 'huggingface',
    label: 'huggingface',
    rateLimit: { name: 'huggingface', gap: 0, timeout: 5000 },
    fetchDay: async (day) => ({
      rows: day === DAY ? [good, bad] : [],
      problems: day === DAY ? [{ where: 'row 3', problem: 'its id is “ada.canary@example.org”' }] : [],
    }),
  }
  const logged: string[] = []
  const log = { ...SILENT, warn: (facts: object, event: string) => logged.push(JSON.stringify({ event, ...facts })) }
  await refreshPapers({ db: newsletter.db, now: () => NOW, log }, [source])
  const skipped = logged.filter((line) => line.includes('row skipped')).join('\n')
  expect(skipped).toContain('2501.00009')
  expect(skipped).toContain('row 3')
  expect(skipped).not.toContain('canary')
})
