/** arXiv as it answers: its feed and its API on a good day, and everything that a bad one has. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fetchArxivFeed, fetchArxivMetadata } from '../../../src/adapters/sources/arxiv.ts'
import { SourceError } from '../../../src/core/papers/source-error.ts'
import { feedOf, queryAnswerOf } from '../../support/fixtures/arxiv-feed.ts'
import { openSourceServer, type SourceServer } from '../../support/servers/source-server.ts'

const NOW = new Date('2026-04-14T08:00:00Z')
const DAY = '2026-04-14'
const HELD = { etag: '"abc"', lastModified: 'Tue, 14 Apr 2026 04:00:20 GMT' }
let source: SourceServer

beforeAll(async () => {
  source = await openSourceServer()
})
afterAll(() => source[Symbol.asyncDispose]())
beforeEach(() => {
  source.requests.length = 0
})

const options = (more: object) => ({
  contact: 'https://round.example.org',
  withPermit: <T>(ask: () => Promise<T>) => ask(),
  baseUrl: source.baseUrl,
  ...more,
})
const fetchFeed = (known: typeof HELD | null = null, more = {}, now = NOW) =>
  fetchArxivFeed(['cs.CL', 'cs.LG'], known, now, options(more))
const readFeed = async (known: typeof HELD | null = null, more = {}) => {
  const feed = await fetchFeed(known, more)
  if (feed === 'unchanged') throw new Error('it was unchanged')
  return feed
}
const errorOf = async (outcome: Promise<unknown>): Promise<SourceError> => {
  const error: unknown = await outcome.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(SourceError)
  return error as SourceError
}
const entries = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ id: `2604.${String(at + 1).padStart(5, '0')}` }))

describe('the feed', () => {
  it('of several categories is one request, which says who asks', async () => {
    source.answerWith(200, feedOf(DAY, []))
    await fetchFeed()
    expect(source.requests.map(({ url }) => url.pathname)).toEqual(['/atom/cs.CL+cs.LG'])
    expect(source.requests[0]?.headers).toMatchObject({
      'user-agent': 'PaperRound (+https://round.example.org)',
      accept: 'application/atom+xml',
    })
    expect(source.requests[0]?.headers).not.toHaveProperty('if-none-match')
  })

  it('gives what is new and what is cross-listed, counts replacements, and keeps the categories', async () => {
    source.answerWith(
      200,
      feedOf(DAY, [
        { id: '2604.00001', title: 'R&D of <b>bold</b> $x<y$', categories: ['cs.CL', 'cs.LG'] },
        { id: '2604.00002', type: 'cross', categories: ['cs.CV', 'cs.LG'] },
        { id: '2503.00003', type: 'replace' },
        { id: '2503.00004', type: 'replace-cross' },
      ]),
    )
    const feed = await readFeed()
    expect(feed).toMatchObject({
      problems: [],
      announced: { new: 1, cross: 1, replace: 1, 'replace-cross': 1 },
      batchDay: DAY,
      isFull: false,
    })
    expect(feed.rows.map(({ paper, listDay }) => [paper.id, paper.title, paper.categories, listDay])).toEqual([
      ['2604.00001', 'R&D of <b>bold</b> $x<y$', ['cs.CL', 'cs.LG'], DAY],
      ['2604.00002', 'Paper 2604.00002', ['cs.CV', 'cs.LG'], DAY],
    ])
  })

  it('tells the version of what replaces a paper, or that it is withdrawn', async () => {
    source.answerWith(
      200,
      feedOf(DAY, [
        { id: '2503.00003', type: 'replace', version: 3 },
        {
          id: '2503.00004',
          type: 'replace-cross',
          version: 2,
          abstract: 'This paper has been withdrawn by the author.',
        },
        { id: '2503.00005', type: 'replace', version: 1 },
        { id: '2503.00006', type: 'replace', version: 2, comment: 'Withdrawn due to a licence issue' },
        { id: '2503.00007', type: 'cross', comment: 'This paper has been withdrawn by the author' },
        { id: '2503.00008', type: 'replace', version: 4, comment: 'Replaces a withdrawn submission' },
      ]),
    )
    const feed = await readFeed()
    expect(feed.news).toEqual([
      { paperId: '2503.00003', kind: 'version', version: 3, seenAt: NOW },
      { paperId: '2503.00004', kind: 'withdrawn', version: null, seenAt: NOW },
      { paperId: '2503.00006', kind: 'withdrawn', version: null, seenAt: NOW },
      { paperId: '2503.00007', kind: 'withdrawn', version: null, seenAt: NOW },
      { paperId: '2503.00008', kind: 'version', version: 4, seenAt: NOW },
    ])
    expect(feed.rows).toEqual([])
  })

  it('that shows a paper once for each category gives it once', async () => {
    const twice = { id: '2604.00001', categories: ['cs.CL', 'cs.LG'] }
    source.answerWith(200, feedOf(DAY, [twice, { ...twice, type: 'cross' }]))
    const feed = await readFeed()
    expect([feed.rows.length, feed.announced.new, feed.announced.cross]).toEqual([1, 1, 1])
  })

  it('is empty at weekends', async () => {
    source.answerWith(200, feedOf('2026-04-18', []))
    expect(await fetchFeed()).toMatchObject({ rows: [], problems: [], batchDay: null })
  })

  it('is asked for by its version, and may be unchanged', async () => {
    source.answerWith(304, '')
    expect(await fetchFeed(HELD)).toBe('unchanged')
    expect(source.requests[0]?.headers).toMatchObject({
      'if-none-match': HELD.etag,
      'if-modified-since': HELD.lastModified,
    })
  })

  it('says its version, unless that could not be said back', async () => {
    source.answerWith(200, feedOf(DAY, []), { etag: 'W/"1"', 'last-modified': HELD.lastModified })
    expect((await readFeed()).validators).toEqual({ etag: 'W/"1"', lastModified: HELD.lastModified })
    source.answerWith(200, feedOf(DAY, []), { etag: `"${'x'.repeat(300)}"` })
    expect((await readFeed()).validators).toEqual({ etag: null, lastModified: null })
  })

  it('that holds 2000 entries may be cut', async () => {
    source.answerWith(200, feedOf(DAY, entries(2000)))
    const feed = await readFeed()
    expect([feed.rows.length, feed.isFull]).toEqual([2000, true])
  })

  it('is read although an entry is odd, which is named', async () => {
    source.answerWith(200, feedOf(DAY, [...entries(20), { id: '2604.00021', type: 'withdrawn' }]))
    const feed = await readFeed()
    expect(feed.rows).toHaveLength(20)
    expect(feed.problems).toEqual([{ where: 'entry 21', problem: 'it does not say whether it is new' }])
  })
})

describe('a feed with an error gives nothing at all', () => {
  const whole = feedOf(DAY, entries(3))
  const bomb = `<!DOCTYPE feed [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(1000)}"><!ENTITY c "${'&b;'.repeat(1000)}">]>`
  it.each([
    ['cut short', whole.slice(0, -20), 'its answer cannot be read: it breaks off before its end'],
    ['cut within an entry', whole.slice(0, 1500), 'its answer cannot be read: it breaks off before its end'],
    ['without a body', '', 'its answer cannot be read: it holds no element'],
    ['as a web page', '<!DOCTYPE html><h1>Sorry</h1>', 'it answered with a web page'],
    ['as a well-formed web page', '<html><h1>Sorry</h1></html>', 'it answered with a web page'],
    ['as JSON', '[]', 'its answer cannot be read: it is not well-formed XML (line 1)'],
    ['as another feed', '<rss version="2.0"><channel/></rss>', 'its answer is no Atom feed'],
    [
      'with a bomb of entities',
      whole.replace('<feed', `${bomb}<feed`),
      'its answer cannot be read: it has a document type',
    ],
    [
      'with a file of ours',
      whole.replace('<feed', '<!DOCTYPE feed [<!ENTITY a SYSTEM "file:///etc/passwd">]><feed'),
      'its answer cannot be read: it has a document type',
    ],
    [
      'with entries of another shape',
      whole.replaceAll('published>', 'issued>'),
      'its entries have an unknown shape: entry 1, it does not say when it was announced',
    ],
    [
      'of tomorrow',
      feedOf('2026-04-15', entries(1)),
      'its entries have an unknown shape: entry 1, it is of 2026-04-15, a day that has not come',
    ],
  ])('%s', async (_, body, message) => {
    source.answerWith(200, body)
    expect((await errorOf(fetchFeed())).message).toBe(message)
  })

  it.each([
    [400, {}, 'it answered 400', null],
    [500, {}, 'it answered 500', null],
    [304, {}, 'it answered 304', null],
    [503, {}, 'it answered 503', null],
    [503, { 'retry-after': '120' }, 'it answered 503', 120_000],
    [429, { 'retry-after': '90' }, 'it asks us to wait', 90_000],
    [429, {}, 'it asks us to wait', 300_000],
    [406, {}, 'it answered 406', 300_000],
    [406, { 'retry-after': '120' }, 'it answered 406', 120_000],
  ])('with status %i and %j', async (status, headers, message, backOffMs) => {
    source.answerWith(status, '', headers as Record<string, string>)
    const error = await errorOf(fetchFeed())
    expect([error.message, error.backOffMs]).toEqual([message, backOffMs])
  })

  it('when its body does not come to its end in time', async () => {
    source.answer = (_, response) => void response.writeHead(200).write(whole.slice(0, 500))
    expect((await errorOf(fetchFeed(null, { timeout: 50 }))).message).toBe('it took longer than 0.05 s')
  })

  it('when the connection breaks within the body', async () => {
    source.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '9999' }).write(whole.slice(0, 500), () => response.destroy())
    }
    expect((await errorOf(fetchFeed())).message).toMatch(/^it cannot be reached, or broke off/)
  })

  it('for a small answer that unpacks into a large one', async () => {
    source.answer = (_, response) =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, 32)))
    expect((await errorOf(fetchFeed())).message).toBe('its answer is larger than 15 MB')
  })

  it('for a redirect to another host, while one on the same host takes a permit of its own', async () => {
    source.answerWith(302, '', { location: 'http://169.254.169.254/latest' })
    expect((await errorOf(fetchFeed())).message).toBe('it redirects to another host')
    source.answer = (_, response, url) =>
      url.pathname === '/moved' ? void response.end(whole) : void response.writeHead(301, { location: '/moved' }).end()
    let permits = 0
    const withPermit = <T>(ask: () => Promise<T>) => {
      permits += 1
      return ask()
    }
    expect((await readFeed(null, { withPermit })).rows).toHaveLength(3)
    expect(permits).toBe(2)
  })
})

describe('metadata', () => {
  const ask = (ids: string[]) => fetchArxivMetadata(ids, options({}))

  it('is asked for by ids in one request, and as many as were asked for', async () => {
    source.answerWith(200, queryAnswerOf([]))
    await ask(['2604.00001', '2604.00002'])
    expect(source.requests.map(({ url }) => url.pathname + url.search)).toEqual([
      '/api/query?id_list=2604.00001,2604.00002&max_results=2',
    ])
  })

  it('comes by id, the primary category first; what was not asked for or is no category is left out', async () => {
    source.answerWith(
      200,
      queryAnswerOf([
        { id: '2604.00001', categories: ['cs.LG', 'cs.CL', '68T50', 'I.2.7', 'cond-mat.stat-mech'] },
        { id: '2604.00009', categories: ['cs.CV'] },
        { id: '2604.00002', categories: [] },
      ]),
    )
    expect([...(await ask(['2604.00001', '2604.00002', '2604.00003']))]).toEqual([
      ['2604.00001', { categories: ['cs.LG', 'cond-mat.stat-mech', 'cs.CL'], isWithdrawn: false, venue: null }],
      ['2604.00002', { categories: [], isWithdrawn: false, venue: null }],
    ])
  })

  it('tells by comment or abstract that a paper is withdrawn', async () => {
    source.answerWith(
      200,
      queryAnswerOf([
        { id: '2604.00001', categories: ['cs.LG'], comment: '12 pages. Paper withdrawn' },
        { id: '2604.00002', categories: ['cs.LG'], abstract: 'This paper has been withdrawn.' },
        { id: '2604.00003', categories: ['cs.LG'], comment: 'We withdraw the claim in section 3' },
      ]),
    )
    const metadata = await ask(['2604.00001', '2604.00002', '2604.00003'])
    expect([...metadata.values()].map(({ isWithdrawn }) => isWithdrawn)).toEqual([true, true, false])
  })

  it('tells where a paper was accepted, but of no meeting before its first version', async () => {
    source.answerWith(
      200,
      queryAnswerOf([
        { id: '2604.00001', categories: ['cs.LG'], comment: 'Accepted at ICML 2026; 12 pages' },
        { id: '2604.00002', categories: ['cs.LG'], comment: 'Accepted at ICML 2025' },
        { id: '2604.00003', categories: ['cs.LG'], comment: 'Submitted to TMLR', journalRef: 'TMLR, 2026' },
      ]),
    )
    const metadata = await ask(['2604.00001', '2604.00002', '2604.00003'])
    expect([...metadata.values()].map(({ venue }) => venue)).toEqual([
      'accepted at ICML 2026',
      null,
      'published in TMLR',
    ])
  })

  it('that arXiv refuses is an error, though it says so with status 200', async () => {
    const error =
      '<entry><id>https://arxiv.org/api/errors#incorrect_id_format_for_x</id><title>Error</title><summary>no</summary></entry>'
    source.answerWith(200, queryAnswerOf([]).replace('</feed>', `${error}</feed>`))
    expect((await errorOf(ask(['2604.00001']))).message).toBe('it refused the query')
  })

  it('that is cut short is an error', async () => {
    source.answerWith(200, queryAnswerOf([{ id: '2604.00001', categories: ['cs.LG'] }]).slice(0, -9))
    expect((await errorOf(ask(['2604.00001']))).message).toMatch(/breaks off before its end/)
  })
})

const recorded = resolve(import.meta.dirname, '../../../../shared/data/arxiv/arxiv-atom-announce-cs.AI-2025-08-20.xml')

describe.skipIf(!existsSync(recorded))('a recorded feed (needs ../shared/data)', () => {
  it('gives seven papers with authors, abstracts and categories', async () => {
    source.answerWith(200, readFileSync(recorded, 'utf8'))
    const feed = await fetchFeed(null, {}, new Date('2025-08-20T05:00:00Z'))
    if (feed === 'unchanged') throw new Error('it was unchanged')
    expect(feed).toMatchObject({ problems: [], announced: { new: 2, cross: 5 }, batchDay: '2025-08-20' })
    for (const { paper } of feed.rows) {
      expect(paper.id).toMatch(/^2508\.1[34]\d{3}$/)
      expect(paper.abstract).toMatch(/^[A-Z].{20}/)
      expect(paper.abstract).not.toMatch(/Announce Type|Abstract:/)
      expect(paper.categories).toContain('cs.AI')
      expect(paper.authors.join()).not.toMatch(/\\/)
    }
    expect(feed.rows[2]?.paper.authors).toEqual(['Paulo André Lima de Castro'])
  })

  it('cut anywhere gives nothing', async () => {
    const text = readFileSync(recorded, 'utf8')
    for (let part = 1; part < 40; part++) {
      source.answerWith(200, text.slice(0, Math.floor((text.length * part) / 40)))
      await errorOf(fetchFeed(null, {}, new Date('2025-08-20T05:00:00Z')))
    }
  })
})
