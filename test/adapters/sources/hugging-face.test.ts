import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fetchHuggingFaceDay } from '../../../src/adapters/sources/hugging-face.ts'
import { SourceError } from '../../../src/core/papers/source-error.ts'

const DAY = '2026-04-14'
const NOW = new Date('2026-04-14T12:30:00Z')

let server: Server
let baseUrl: string
let answer: (request: IncomingMessage, response: ServerResponse, url: URL) => void
let requests: { url: URL; headers: IncomingMessage['headers'] }[]

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://source.test')
    requests.push({ url, headers: request.headers })
    answer(request, response, url)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  requests = []
})

const fetchDay = (more = {}) =>
  fetchHuggingFaceDay(DAY, {
    contact: 'https://round.example.org',
    withPermit: (ask) => ask(),
    now: NOW,
    baseUrl,
    ...more,
  })
const row = (number: number, paper: object = {}) => ({
  paper: {
    id: `2604.${String(number).padStart(5, '0')}`,
    title: `Paper ${number}`,
    summary: 'About it.',
    authors: [],
    upvotes: number,
    publishedAt: '2026-04-12T00:00:00.000Z',
    submittedOnDailyAt: `${DAY}T01:00:00.000Z`,
    ...paper,
  },
  numComments: 2,
})
const rows = (count: number): ReturnType<typeof row>[] => Array.from({ length: count }, (_, at) => row(at + 1))
const send = (response: ServerResponse, status: number, body: string, headers = {}): void => {
  response.writeHead(status, headers).end(body)
}
const answerWith = (status: number, body: string, headers = {}): void => {
  answer = (_, response) => send(response, status, body, headers)
}
const errorOf = async (more = {}): Promise<SourceError> => {
  const outcome: unknown = await fetchDay(more).catch((error: unknown) => error)
  expect(outcome).toBeInstanceOf(SourceError)
  return outcome as SourceError
}

/** A server that holds a day's list and serves it as the API does, with its own idea of the most rows a page. */
const answerFrom = (list: unknown[], most = 100): void => {
  answer = (_, response, url) => {
    const limit = Math.min(Number(url.searchParams.get('limit') ?? 50), most)
    const start = Number(url.searchParams.get('p') ?? 0) * limit
    send(response, 200, JSON.stringify(list.slice(start, start + limit)), { 'content-type': 'application/json' })
  }
}

describe('a list day', () => {
  it('is asked for by date, with a limit, and with our address for complaints', async () => {
    answerFrom(rows(3))
    await fetchDay()
    expect(requests).toHaveLength(1)
    expect(Object.fromEntries(requests[0]?.url.searchParams ?? [])).toEqual({ date: DAY, limit: '100', p: '0' })
    expect(requests[0]?.url.pathname).toBe('/api/daily_papers')
    expect(requests[0]?.headers['user-agent']).toBe('PaperRound (+https://round.example.org)')
  })

  it('gives papers with their counts as seen now', async () => {
    answerFrom(rows(1))
    expect(await fetchDay()).toMatchObject({
      opened: true,
      problems: [],
      rows: [
        {
          paper: { id: '2604.00001', title: 'Paper 1', discussionUrl: 'https://huggingface.co/papers/2604.00001' },
          listDay: DAY,
          observation: { at: NOW, hourKnown: true, upvotes: 1, comments: 2, stars: null },
        },
      ],
    })
  })

  it.each([0, 1, 49, 50, 51, 99, 100, 101, 250])('of %i papers is read to its end', async (count) => {
    answerFrom(rows(count))
    expect((await fetchDay()).rows).toHaveLength(count)
  })

  it('is read to its end even where the server takes no notice of our limit', async () => {
    answerFrom(rows(120), 50)
    expect((await fetchDay()).rows).toHaveLength(120)
  })

  it('ends where a server gives the same page again and again', async () => {
    answer = (_, response) => send(response, 200, JSON.stringify(rows(60)))
    expect((await fetchDay()).rows).toHaveLength(60)
    expect(requests).toHaveLength(2)
  })

  it('holds each paper once, though a list that grows shows one again on the next page', async () => {
    answerFrom([...rows(100), row(100), row(101)])
    expect((await fetchDay()).rows).toHaveLength(101)
  })

  it('that is not open yet is empty', async () => {
    answerWith(400, '{"error": "date"}')
    expect(await fetchDay()).toEqual({ rows: [], problems: [], opened: false })
  })

  it('of the past that is refused is an error', async () => {
    answerWith(400, '{"error": "date"}')
    expect((await errorOf({ now: new Date('2026-04-16T00:00:00Z') })).message).toBe('it answered 400')
  })

  it('leaves out and names one odd row among many', async () => {
    answerFrom([...rows(20), { paper: { id: 'odd' } }])
    const { rows: found, problems } = await fetchDay()
    expect(found).toHaveLength(20)
    expect(problems).toEqual([{ where: 'row 21', problem: 'its id is not one of arXiv' }])
  })
})

describe('a source with an error gives nothing at all', () => {
  it.each([
    ['an object', '{"error": "no"}', 'its answer is no list of papers'],
    ['a web page', '<!doctype html><h1>Sorry</h1>', 'it answered with a web page'],
    ['words', 'nope', 'its answer is not JSON, or cut short'],
    ['JSON cut short', JSON.stringify(rows(9)).slice(0, 300), 'its answer is not JSON, or cut short'],
    ['nothing', '', 'its answer is not JSON, or cut short'],
    ['rows of another shape', '[{"id": 1}, {"id": 2}]', 'its rows have an unknown shape: row 1, it has no "paper"'],
    [
      'another day',
      JSON.stringify([row(1, { submittedOnDailyAt: '2026-04-10T01:00:00.000Z' })]),
      'it answered with the list of another day',
    ],
  ])('for %s', async (_, body, message) => {
    answerWith(200, body)
    expect((await errorOf()).message).toBe(message)
  })

  it('when a later page fails', async () => {
    answer = (_, response, url) =>
      url.searchParams.get('p') === '0' ? send(response, 200, JSON.stringify(rows(100))) : send(response, 500, '')
    expect((await errorOf()).message).toBe('it answered 500')
  })

  it.each([302, 404, 500, 503])('for status %i', async (status) => {
    answerWith(status, JSON.stringify(rows(3)))
    const error = await errorOf()
    expect([error.message, error.backOffMs]).toEqual([`it answered ${status}`, null])
  })

  it.each([
    [{ 'retry-after': '90' }, 90],
    [{ ratelimit: '"api";r=0;t=120' }, 120],
    [{ 'retry-after': '5', ratelimit: '"api";r=0;t=120' }, 120],
    [{ 'retry-after': 'Tue, 14 Apr 2026 13:00:00 GMT', date: 'Tue, 14 Apr 2026 12:30:00 GMT' }, 30 * 60],
    [{ 'retry-after': 'Tue, 14 Apr 2026 13:00:00 GMT', date: 'Tue, 14 Apr 2026 13:30:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, 5 * 60],
    [{ 'retry-after': '99999999' }, 24 * 60 * 60],
    [{}, 5 * 60],
  ])('for too many requests, and says for how long to stay away by %j', async (headers, seconds) => {
    answerWith(429, 'slow down', headers)
    const error = await errorOf()
    expect([error.message, error.backOffMs]).toEqual(['it asks us to wait', seconds * 1000])
  })

  it('when the body does not come to its end in time', async () => {
    answer = (_, response) => {
      response.writeHead(200).write('[')
    }
    expect((await errorOf({ timeout: 50 })).message).toBe('it took longer than 0.05 s')
  })

  it('when it does not answer in time', async () => {
    answer = () => {}
    expect((await errorOf({ timeout: 50 })).message).toBe('it took longer than 0.05 s')
  })

  it('when the connection breaks within the body', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('[', () => response.destroy())
    }
    expect((await errorOf()).message).toMatch(/^it cannot be reached, or broke off/)
  })

  it('when no server listens there', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    expect((await errorOf({ baseUrl: `http://127.0.0.1:${port}` })).message).toBe(
      'it cannot be reached, or broke off (ECONNREFUSED)',
    )
  })

  it('for an answer without end', async () => {
    answer = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    }
    expect((await errorOf()).message).toBe('its answer is larger than 5 MB')
  })

  it('for a small answer that unpacks into a large one', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, 32)))
    }
    expect((await errorOf()).message).toBe('its answer is larger than 5 MB')
  })

  it.each(['http://127.0.0.2:9/', 'http://169.254.169.254/latest', '//evil.example/', 'file:///etc/passwd'])(
    'for a redirect to %j',
    async (location) => {
      answerWith(302, '', { location })
      expect((await errorOf()).message).toBe('it redirects to another host')
      expect(requests).toHaveLength(1)
    },
  )

  it('for redirects without end', async () => {
    answerWith(302, '', { location: '/api/daily_papers?again' })
    expect((await errorOf()).message).toBe('it redirects again and again')
  })

  it('for pages without end', async () => {
    answer = (_, response, url) => {
      const page = Number(url.searchParams.get('p'))
      send(response, 200, JSON.stringify(Array.from({ length: 100 }, (__, at) => row(page * 100 + at))))
    }
    expect((await errorOf()).message).toBe('its list has more than 20 pages')
  })
})

it('follows a redirect on the same host', async () => {
  answer = (_, response, url) =>
    url.pathname === '/moved'
      ? send(response, 200, JSON.stringify(rows(2)))
      : send(response, 301, '', { location: '/moved' })
  expect((await fetchDay()).rows).toHaveLength(2)
})

it('stops when asked to, with the reason it was given', async () => {
  const stop = new AbortController()
  answer = () => stop.abort(new Error('the service stops'))
  await expect(fetchDay({ signal: stop.signal })).rejects.toThrow('the service stops')
})

const recorded = path.resolve(import.meta.dirname, '../../../../shared/data/hf-api', `${DAY}.json`)

describe.skipIf(!existsSync(recorded))('a recorded day (skipped where ../shared/data is absent)', () => {
  it('gives 32 papers', async () => {
    answerFrom(JSON.parse(readFileSync(recorded, 'utf8')) as unknown[])
    const { rows: found, problems } = await fetchDay()
    expect([found.length, problems]).toEqual([32, []])
  })
})
