/** The API of the whole service on a real database, over HTTP: each answer is what its OpenAPI document says, and true. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEFAULT_TOPICS } from '../../../src/core/topics.ts'
import { papersOfDay } from '../../support/fixtures/papers.ts'
import { startTestService, type TestService } from '../../support/servers/service.ts'

const DAYS = ['2026-04-10', '2026-04-13', '2026-04-14']
const EMAIL = 'ada@example.org'

interface Operation {
  operationId: string
  responses: Record<string, { content: Record<string, { schema: object }> }>
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>
}
interface Summary {
  id: string
  title: string
  page: string
  upvotes: number
}
interface List {
  papers: Summary[]
  total: number
  next: string | null
}

let service: TestService
let document: OpenApi
beforeAll(async () => {
  service = await startTestService({ clock: '2026-04-14T09:30:00Z', days: DAYS })
  document = (await (await fetch(`${service.url}/api/v1/openapi.json`)).json()) as OpenApi
}, 120_000)
afterAll(() => service[Symbol.asyncDispose]())

/** The path of an operation, whatever stands for its parameters. */
const operationAt = (method: string, path: string): Operation => {
  const parts = path.replace(/\?.*/, '').split('/')
  const [, methods] =
    Object.entries(document.paths).find(([template]) => {
      const own = template.split('/')
      return own.length === parts.length && own.every((part, i) => part.startsWith('{') || part === parts[i])
    }) ?? []
  const operation = methods?.[method]
  if (operation === undefined) throw new Error(`the document has no ${method} ${path}`)
  return operation
}

const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).map(([name, value]) => [name, closed(value)])
  return { ...('properties' in schema ? { additionalProperties: false } : {}), ...Object.fromEntries(entries) }
}

const seen = new Set<string>()
/** Asks, and holds the answer against the schema that the document has for it: no field is wrong, missing or unheard of. */
const call = async (path: string, { method = 'GET', ...init }: RequestInit = {}) => {
  const answer = await fetch(service.url + path, { method, ...init })
  const { responses, operationId } = operationAt(method.toLowerCase(), path)
  const type = answer.headers.get('content-type')?.replace(/;.*/, '') ?? ''
  const { content } = responses[answer.status] ?? responses[`${String(answer.status)[0]}XX`] ?? { content: {} }
  expect([path, answer.status, Object.keys(content)]).toEqual([path, answer.status, [type]])
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const body = await answer.json()
  const validate = ajv.compile(closed(content[type]?.schema) as object)
  validate(body)
  expect([path, validate.errors]).toEqual([path, null])
  seen.add(operationId)
  return { status: answer.status, headers: answer.headers, body }
}
const read = async <T = List>(path: string): Promise<T> => {
  const { status, body } = await call(path)
  expect([path, status]).toEqual([path, 200])
  return body as T
}

const byUpvotes = (day: string) => papersOfDay(day).sort((a, b) => b.upvotes - a.upvotes || (a.id < b.id ? -1 : 1))

test('the document is OpenAPI 3.1, as another program judges it, and names no route of readers or operators', async () => {
  const judged = await new Validator().validate({ ...structuredClone(document) })
  expect(judged.errors ?? null).toBeNull()
  expect(judged.valid).toBe(true)
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1' } })
  expect(Object.keys(document.paths).sort()).toEqual([
    '/api/v1/authors/{author}',
    '/api/v1/days',
    '/api/v1/days/{date}',
    '/api/v1/institutions/{institution}',
    '/api/v1/library',
    '/api/v1/months/{month}',
    '/api/v1/papers/{archive}/{number}',
    '/api/v1/papers/{paper}',
    '/api/v1/preview',
    '/api/v1/search',
    '/api/v1/subscribe',
    '/api/v1/subscribe/proof',
    '/api/v1/topics',
    '/api/v1/topics/{topic}',
    '/api/v1/weeks/{week}',
  ])
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
})

test('a day’s papers come in parts, most upvoted first, each paper once', async () => {
  const first = await read('/api/v1/days/2026-04-14')
  const second = await read(`/api/v1/days/2026-04-14?after=${first.next}`)
  const papers = [...first.papers, ...second.papers]
  expect([first.total, second.next]).toEqual([38, null])
  expect(papers.map(({ id, upvotes }) => [id, upvotes])).toEqual(
    byUpvotes('2026-04-14').map(({ id, upvotes }) => [id, upvotes]),
  )
  expect((await read(`/api/v1/days/2026-04-14?after=p9`)).papers).toEqual([])
})

test('a library suggests what to follow, with the papers that are held, and what of it could not be read', async () => {
  const body = '@misc{a, title = {Robots that fold laundry}, eprint = {2604.13021}}\nDear all,'
  const headers = { 'content-type': 'text/plain' }
  const suggested = await call('/api/v1/library', { method: 'POST', headers, body })
  expect([suggested.status, suggested.body]).toMatchObject([
    200,
    // The abstract of the paper of this id is about documents.
    {
      format: 'BibTeX',
      read: 1,
      used: 1,
      topics: [{ slug: 'document-ai', entries: 1, chosen: true }],
      faults: [{ line: 2 }],
    },
  ])
  const nothing = await call('/api/v1/library', { method: 'POST', headers, body: 'Dear all,' })
  expect([nothing.status, nothing.body]).toMatchObject([422, { errors: [{ field: 'library' }] }])
})

test('the days, a week and a topic are those of the site', async () => {
  expect(await read('/api/v1/days')).toEqual({ days: [...DAYS].reverse(), next: null })
  expect(await read('/api/v1/days?after=2026-04-14')).toEqual({ days: ['2026-04-13', '2026-04-10'], next: null })
  const week = await read<List & { days: object[]; weekBefore: string }>('/api/v1/weeks/2026-W16')
  expect(week).toMatchObject({ total: 76, weekBefore: '2026-W15', weekAfter: null, next: 'p2' })
  expect(week.days).toEqual([
    { date: '2026-04-13', papers: 38 },
    { date: '2026-04-14', papers: 38 },
  ])
  const month = await read<List & { days: object[]; first: string }>('/api/v1/months/2026-04')
  expect(month).toMatchObject({ total: 114, first: '2026-04-01', monthBefore: null, monthAfter: null, next: 'p2' })
  expect(month.days).toHaveLength(3)
  const { topics } = await read<{ topics: { slug: string }[] }>('/api/v1/topics')
  expect(topics.map(({ slug }) => slug)).toEqual(DEFAULT_TOPICS.all.map(({ slug }) => slug))
  const topic = await read<List & { label: string }>('/api/v1/topics/robotics')
  expect(topic.label).toContain('Robotics')
  expect(topic.total).toBeGreaterThanOrEqual(3)
})

test('a paper is told in full, and under the id of a version at its own address', async () => {
  const [{ id = '', upvotes = 0 } = {}] = byUpvotes('2026-04-14')
  const paper = await read<Summary & { history: object[]; authorNames: string[] }>(`/api/v1/papers/${id}`)
  expect(paper).toMatchObject({ id, upvotes, page: expect.stringMatching(`/papers/${id}$`) })
  expect(paper.authorNames).toEqual(['Ada Lovelace', 'Grace Hopper'])
  expect(paper.history).toHaveLength(1)
  expect((await fetch(paper.page.replace(/^https?:\/\/[^/]+/, service.url))).status).toBe(200)
  const moved = await fetch(`${service.url}/api/v1/papers/${id}v2`, { redirect: 'manual' })
  expect([moved.status, moved.headers.get('location')]).toEqual([301, `/api/v1/papers/${id}`])
  expect((await call('/api/v1/papers/hep-ex/0307015')).status).toBe(404)
})

test('an author has all their papers at one address, however the name is written', async () => {
  const author = await read<List & { slug: string; names: string[] }>('/api/v1/authors/ada-lovelace')
  expect(author).toMatchObject({ slug: 'ada-lovelace', names: ['Ada Lovelace'], total: 114, next: 'p2' })
  const second = await read('/api/v1/authors/ada-lovelace?after=p2')
  expect(second.papers.filter(({ id }) => author.papers.some((one) => one.id === id))).toEqual([])
  const [{ id = '' } = {}] = author.papers
  const { authorSlugs } = await read<{ authorSlugs: string[] }>(`/api/v1/papers/${id}`)
  expect(authorSlugs).toEqual(['ada-lovelace', 'grace-hopper'])
  const other = await fetch(`${service.url}/api/v1/authors/Lovelace,%20Ada`, { redirect: 'manual' })
  expect([other.status, other.headers.get('location')]).toEqual([301, '/api/v1/authors/ada-lovelace'])
})

interface Parameter {
  name: string
  description?: string
  schema: { type?: string; enum?: unknown[]; anyOf?: object[]; format?: string }
}
/** Every field that may be sent, by operation. */
const sentFields = (): { at: string; field: Parameter }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const { parameters = [], requestBody } = operation as Operation & {
        parameters?: Parameter[]
        requestBody?: { content: Record<string, { schema: { properties: Record<string, Parameter['schema']> } }> }
      }
      const inBody = Object.values(requestBody?.content ?? {}).flatMap(({ schema }) =>
        Object.entries(schema.properties).map(([name, { ...field }]) => ({
          name,
          ...('description' in field ? { description: String(field.description) } : {}),
          schema: field,
        })),
      )
      return [...parameters, ...inBody].map((field) => ({ at: `${method} ${path} ${field.name}`, field }))
    }),
  )

test('the document says of each field that may be sent what it is and what is right in it', () => {
  const fields = sentFields()
  expect(fields.length).toBeGreaterThan(40)
  for (const { at, field } of fields) {
    const { type, enum: values, anyOf } = field.schema
    expect([at, type ?? values ?? anyOf, field.description]).toEqual([
      at,
      expect.anything(),
      expect.stringMatching(/\w{3}/),
    ])
  }
  const named = Object.fromEntries(fields.map(({ at, field }) => [at, field.schema]))
  expect(named['get /api/v1/search from']).toMatchObject({ type: 'string', format: 'date' })
  expect(named['get /api/v1/preview frequency']).toMatchObject({ enum: ['daily', 'weekly'] })
  expect(named['post /api/v1/subscribe hour']).toMatchObject({ type: 'integer', minimum: 0, maximum: 23 })
  expect(named['post /api/v1/subscribe email']).toMatchObject({ type: 'string', format: 'email' })
  expect(JSON.stringify(document)).not.toContain('sentAs')
})

test('what the document says is right is taken, and what it says is wrong is refused by the name of its field', async () => {
  const subscribe = (choices: object) =>
    call('/api/v1/subscribe', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: EMAIL, topics: ['robotics'], ...choices }),
    })
  const wrongByField: Record<string, unknown[]> = {
    topics: ['alchemy', ['robotics', 'alchemy'], 7],
    frequency: ['hourly'],
    hour: [24, -1, 'noon'],
    weekday: [0, 8],
    papers: [4, 'all'],
    when_empty: ['never'],
    least_papers: [4, 'all'],
    at_once: ['maybe'],
    timezone: [7],
    email: ['ada', 7],
  }
  for (const [field, values] of Object.entries(wrongByField))
    for (const value of values) {
      const { status, body } = await subscribe({ [field]: value })
      const { errors = [] } = body as { errors?: { field: string }[] }
      expect([field, value, status, errors.map((error) => error.field)]).toEqual([field, value, 400, [field]])
    }
  const right = [
    { frequency: 'weekly', hour: 0, weekday: 7 },
    { papers: 15, when_empty: 'send', least_papers: 3, at_once: true },
    { papers: 'usual' },
  ]
  for (const choices of [...right, { topics: 'robotics,code' }, { keywords: ['Lean 4'], authors: 'Grace Hopper' }])
    expect([choices, (await subscribe(choices)).status]).toEqual([choices, 202])
})

test('a search finds papers by their words, in parts by a cursor', async () => {
  const first = await read('/api/v1/search?q=advances')
  const ids = new Set(first.papers.map(({ id }) => id))
  let { next } = first
  while (next !== null) {
    const part: List = await read(`/api/v1/search?q=advances&after=${encodeURIComponent(next)}`)
    for (const { id } of part.papers) {
      expect([id, ids.has(id)]).toEqual([id, false])
      ids.add(id)
    }
    next = part.next
  }
  expect([ids.size, first.total]).toEqual([114, 114])
})

test('a preview is the digest of a choice', async () => {
  const digest = await read<List & { follows: string[] }>('/api/v1/preview?topics=robotics,code&frequency=daily')
  expect(digest.follows).toHaveLength(2)
  expect(digest.papers.length).toBeGreaterThan(1)
})

test('a sign-up brings the one email to confirm by, and says the same for every address', async () => {
  const post = (email: string) =>
    call('/api/v1/subscribe', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, topics: ['robotics'], frequency: 'weekly' }),
    })
  const { status, body } = await post(EMAIL)
  expect([status, body]).toEqual([202, { status: 'check your inbox' }])
  expect((await service.mail.waitFor(EMAIL, 1)).links.get('confirm')).toContain('/confirm/')
  expect((await post(EMAIL)).body).toEqual(body)
  expect((await post('grace@example.org')).body).toEqual(body)
  // A form is taken too, and answered alike.
  const form = await call('/api/v1/subscribe', { method: 'POST', body: new URLSearchParams({ email: 'x' }) })
  expect([form.status, form.body]).toEqual([
    400,
    expect.objectContaining({ title: 'Not subscribed', errors: [expect.objectContaining({ field: 'email' })] }),
  ])
  const proved = await call('/api/v1/subscribe/proof', { method: 'POST', body: new URLSearchParams({ proof: 'x' }) })
  expect([proved.status, proved.body]).toEqual([202, body])
})

test.each([
  ['/api/v1/days/2026-04-12', 404, 'no list at weekends'],
  ['/api/v1/days/2031-01-01', 404, 'has not come yet'],
  ['/api/v1/days/2026-02-30', 404, 'Write days as'],
  ['/api/v1/days/2026-04-14?after=x', 400, 'Send as “after”'],
  ['/api/v1/days?after=p2', 400, 'Send as “after”'],
  ['/api/v1/days?after=2026-04-14&after=2026-04-13', 400, 'given twice'],
  ['/api/v1/weeks/2026-04', 404, 'one is written'],
  ['/api/v1/months/2026-13', 404, 'one is written'],
  ['/api/v1/months/2026-03', 404, 'The archive begins'],
  ['/api/v1/months/2026-04?after=p0', 400, 'Send as “after”'],
  ['/api/v1/authors/nobody', 404, 'no paper by an author'],
  ['/api/v1/authors/%00', 404, 'no paper by an author'],
  ['/api/v1/authors/ada-lovelace?after=x', 400, 'Send as “after”'],
  ['/api/v1/institutions/nobody', 404, 'institution of this name'],
  ['/api/v1/institutions/%20', 404, 'institution of this name'],
  ['/api/v1/preview?topic=robotics', 400, 'There is no field “topic” here.'],
  ['/api/v1/topics?page=2', 400, 'There is no field “page” here.'],
  ['/api/v1/weeks/2026-W10', 404, 'The archive begins'],
  ['/api/v1/topics/x', 404, 'All of them are at /api/v1/topics'],
  ['/api/v1/topics/robotics?after=p0', 400, 'Send as “after”'],
  ['/api/v1/papers/2604.99999', 404, 'No list that we read'],
  ['/api/v1/papers/%00', 404, 'no paper with this id'],
  ['/api/v1/search', 400, 'at least one of'],
  ['/api/v1/search?q=agents&topic=robotics&topic=code', 400, 'given twice'],
  [`/api/v1/search?q=${'x'.repeat(10_000)}`, 400, 'fewer words'],
  ['/api/v1/search?topic=x', 400, 'Choose a topic'],
  ['/api/v1/preview?topics=x', 400, 'Some fields'],
])(
  'what cannot be served is a problem that says why, whatever the client accepts: %s',
  async (path, status, detail) => {
    const { body, headers, status: answered } = await call(path, { headers: { accept: 'text/html' } })
    expect([answered, body]).toEqual([
      status,
      expect.objectContaining({ status, detail: expect.stringContaining(detail) }),
    ])
    expect(headers.get('access-control-allow-origin')).toBe('*')
  },
)

test('whatever is asked of an address under /api is answered by a problem, save by the page about it', async () => {
  const html = { accept: 'text/html' }
  const form = { ...html, 'content-type': 'application/x-www-form-urlencoded' }
  const requests: [path: string, init: RequestInit, status: number][] = [
    ['/api', {}, 404],
    ['/api/', {}, 404],
    ['/api/v1', {}, 404],
    ['/api/v1/nowhere', {}, 404],
    ['/api/v1/nowhere?x=1', {}, 404],
    ['/api/v2/days', {}, 404],
    ['/api/docs/nowhere', {}, 404],
    ['/api/v1/%', {}, 404],
    ['/api/v1/days', { method: 'DELETE' }, 405],
    ['/api/v1/subscribe', {}, 405],
    ['/api/v1/subscribe', { method: 'POST', headers: form, body: `email=${'x'.repeat(70_000)}` }, 413],
    ['/api/v1/subscribe', { method: 'POST', headers: { ...html, 'content-type': 'text/csv' }, body: 'a' }, 415],
    ['/api/v1/subscribe', { method: 'POST', headers: { ...html, 'content-type': 'application/json' }, body: '{' }, 400],
  ]
  for (const [path, init, status] of requests) {
    const answer = await fetch(service.url + path, { headers: html, ...init })
    const type = answer.headers.get('content-type')
    expect([path, answer.status, type]).toEqual([path, status, expect.stringMatching(/^application\/problem\+json/)])
    expect([path, await answer.json()]).toEqual([
      path,
      expect.objectContaining({ type: 'about:blank', status, detail: expect.stringMatching(/\w{3}/) }),
    ])
    if (status === 405) expect([path, answer.headers.get('allow')]).toEqual([path, expect.stringMatching(/GET|POST/)])
    expect([path, answer.headers.get('ratelimit-policy')]).toEqual([
      path,
      path.endsWith('%') ? null : expect.any(String),
    ])
  }
  const page = await fetch(`${service.url}/api/docs`, { headers: html })
  expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
  expect(page.headers.get('ratelimit-policy')).toBeNull()
})

test('every operation of the document was called and answered as it says', () => {
  const all = Object.values(document.paths).flatMap((methods) =>
    Object.entries(methods).flatMap(([method, { operationId }]) => (method === 'head' ? [] : [operationId])),
  )
  expect([...seen].sort()).toEqual(all.sort())
})
