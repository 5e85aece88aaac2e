/** The days of bioRxiv and medRxiv, read from a server on this machine that answers as theirs does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchPreprintDay, PREPRINT_RATE_LIMIT } from '../../../src/adapters/sources/preprints.ts'
import { SourceError } from '../../../src/core/papers/source-error.ts'
import { openSourceServer, type SourceServer } from '../../support/servers/source-server.ts'

const DAY = '2026-04-01'
const NOW = new Date('2026-04-02T06:00:00Z')

let source: SourceServer
beforeAll(async () => {
  source = await openSourceServer()
})
afterAll(() => source[Symbol.asyncDispose]())

const row = (number: number, more: object = {}) => ({
  doi: `10.64898/${DAY.replaceAll('-', '.')}.${700_000 + number}`,
  title: `On cells, part ${number}`,
  authors: 'Byron, A.; Hopper, G. M.; ',
  author_corresponding: 'Ada Byron',
  author_corresponding_institution: 'A University',
  date: DAY,
  version: '1',
  type: 'new results',
  license: 'cc_by',
  category: 'cell biology',
  jatsxml: 'https://www.biorxiv.org/content/early/source.xml',
  abstract: 'Cells <i>move</i>.',
  funder: 'NA',
  published: 'NA',
  server: 'biorxiv',
  ...more,
})

/** Serves a list as their interface does: a hundred rows from the cursor on, and how many there are as a text. */
const serve = (list: object[], { most = 100, total = true } = {}): void => {
  source.requests.length = 0
  source.answer = (_, response, url) => {
    const cursor = Number(url.pathname.split('/').at(-2))
    const rows = list.slice(cursor, cursor + most)
    const message =
      rows.length === 0
        ? { status: 'no posts found' }
        : { status: 'ok', cursor, count: rows.length, ...(total ? { total: String(list.length) } : {}) }
    response.end(JSON.stringify({ messages: [message], collection: rows }))
  }
}

const fetchDay = (categories: string[] = [], more = {}) =>
  fetchPreprintDay('biorxiv', categories, DAY, {
    contact: 'https://round.example.org',
    withPermit: (ask) => ask(),
    now: NOW,
    baseUrl: source.baseUrl,
    ...more,
  })

describe('a day of bioRxiv', () => {
  it('is asked for by its date, and gives papers with cleaned texts, DOI and category, and no counts', async () => {
    serve([row(1)])
    const { rows, news, problems } = await fetchDay()
    expect(source.requests.map(({ url }) => url.pathname)).toEqual([`/details/biorxiv/${DAY}/${DAY}/0/json`])
    expect(source.requests[0]?.headers['user-agent']).toBe('PaperRound (+https://round.example.org)')
    expect(rows).toEqual([
      {
        paper: {
          id: 'biorxiv:10.64898/2026.04.01.700001',
          title: 'On cells, part 1',
          abstract: 'Cells move.',
          authors: ['A. Byron', 'G. M. Hopper'],
          publishedOn: DAY,
          categories: ['cell-biology'],
          codeUrl: null,
          projectUrl: null,
          discussionUrl: null,
        },
        listDay: DAY,
        observation: { at: NOW, hourKnown: true, upvotes: null, comments: null, stars: null },
      },
    ])
    expect([news, problems]).toEqual([[], []])
  })

  it.each([
    ['of a hundred', { most: 100 }, 3],
    ['shorter than promised', { most: 30 }, 9],
    ['without a total', { most: 100, total: false }, 4],
  ])('is read to its end by pages %s', async (_, how, requests) => {
    serve(
      Array.from({ length: 250 }, (_, number) => row(number)),
      how,
    )
    const { rows } = await fetchDay()
    expect(new Set(rows.map(({ paper }) => paper.id)).size).toBe(250)
    expect(source.requests).toHaveLength(requests)
  })

  it('takes later versions for news of papers, not for papers', async () => {
    serve([row(1), row(2, { version: '3' })])
    const { rows, news } = await fetchDay()
    expect(rows).toHaveLength(1)
    expect(news).toEqual([{ paperId: 'biorxiv:10.64898/2026.04.01.700002', kind: 'version', version: 3, seenAt: NOW }])
  })

  it('has the papers of some categories where these are named', async () => {
    serve([row(1), row(2, { category: 'Neuroscience' }), row(3, { category: 'genomics', version: '2' })])
    const { rows, news } = await fetchDay(['neuroscience'])
    expect(rows.map(({ paper }) => paper.categories)).toEqual([['neuroscience']])
    expect(news).toEqual([])
  })

  it('on which nothing was posted yet is empty', async () => {
    serve([])
    expect(await fetchDay()).toEqual({ rows: [], news: [], problems: [] })
  })

  it('skips a few odd rows, and fails where they are many', async () => {
    serve([
      ...Array.from({ length: 40 }, (_, number) => row(number)),
      row(50, { doi: '10.1038/x' }),
      row(51, { title: '' }),
    ])
    const { rows, problems } = await fetchDay()
    expect(rows).toHaveLength(40)
    expect(problems).toEqual([
      { where: 'row 41', problem: 'its "doi" is not one of bioRxiv or medRxiv' },
      { where: 'row 42', problem: 'it has no title' },
    ])
    serve([row(1), { doi: 7 }])
    await expect(fetchDay()).rejects.toThrow('its rows have an unknown shape: row 2')
  })

  it.each([
    [200, '<html>Just a moment</html>', 'it answered with a web page'],
    [200, '{"messages":[', 'its answer is not JSON, or cut short'],
    [200, '[]', 'its answer is no list of papers'],
    [200, '{"messages":[{"status":"error"}],"collection":[{}]}', 'its answer has the status "error"'],
    [503, '', 'it answered 503'],
    [429, '', 'it asks us to wait'],
  ])('is not read at all where the server answers %i %s', async (status, body, message) => {
    source.answerWith(status, body)
    const failed = await fetchDay().catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(SourceError)
    expect((failed as SourceError).message).toBe(message)
  })

  it('waits three seconds between requests, of both servers together', () => {
    expect(PREPRINT_RATE_LIMIT).toMatchObject({ name: 'biorxiv', gap: 3_000 })
  })
})
