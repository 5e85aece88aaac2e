/** What applies to every route: headers, error pages, logs, and a quick close. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { PUBLIC } from '../../src/http/guard.ts'
import { EMAIL, form, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const TOKEN_PAGES = [
  `/confirm/${TOKEN.confirm}`,
  `/preferences/${TOKEN.preferences}`,
  `/unsubscribe/${TOKEN.unsubscribe}`,
  `/digests/${TOKEN.view}`,
  `/account/${TOKEN.account}`,
  `/address/${TOKEN.address}`,
  `/undo/${TOKEN.undo}`,
]
const OPEN_PAGES = ['/', '/papers/2026-04-13', '/about', '/links']
const RIGHT = { email: EMAIL, topics: 'agents', frequency: 'daily', timezone: 'UTC' }

describe('every response', () => {
  it('has the security headers, errors included', async () => {
    await using site = await openTestSite()
    for (const path of [
      ...OPEN_PAGES,
      ...TOKEN_PAGES,
      '/nowhere',
      '/healthz',
      '/robots.txt',
      '/%zz',
      `/${'x'.repeat(3000)}`,
    ]) {
      const { headers } = await fetch(site.url + path)
      const policy = headers.get('content-security-policy')
      expect(policy, path).toContain("default-src 'none'; style-src 'self'")
      expect(policy, path).toContain("form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
      expect(policy?.includes('script-src'), path).toBe(path === '/' || path.startsWith('/preferences/'))
      expect(headers.get('referrer-policy'), path).toBe('same-origin')
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('set-cookie'), path).toBeNull()
      expect(headers.get('strict-transport-security'), path).toBeNull()
    }
  })

  it('is neither stored nor indexed where the URL contains a token', async () => {
    await using site = await openTestSite()
    for (const path of TOKEN_PAGES) {
      const { headers } = await fetch(site.url + path)
      expect([headers.get('cache-control'), headers.get('x-robots-tag')]).toEqual(['no-store', 'noindex'])
    }
    for (const path of OPEN_PAGES) {
      const { headers } = await fetch(site.url + path)
      expect([headers.get('cache-control'), headers.get('x-robots-tag')]).toEqual([PUBLIC, null])
    }
  })

  it('requires https from then on where the site is reached by it', async () => {
    await using site = await openTestSite({ baseUrl: 'https://round.example.org' })
    expect((await fetch(site.url)).headers.get('strict-transport-security')).toContain('max-age=')
  })

  it('is a page with a language, a title, one heading and a skip link', async () => {
    await using site = await openTestSite()
    for (const path of [...OPEN_PAGES, ...TOKEN_PAGES, '/nowhere', '/check-inbox', '/links/sent', '/account/sent']) {
      const page = await (await fetch(site.url + path)).text()
      expect(page, path).toContain('<html lang="en" dir="ltr">')
      expect(page, path).toMatch(/<title>[^<]+<\/title>/)
      expect(page.match(/<h1/g), path).toHaveLength(1)
      expect(page, path).toContain('<a class="skip" href="#main">')
    }
  })
})

it('GET and HEAD change nothing on any route', async () => {
  await using site = await openTestSite()
  const paths = [...OPEN_PAGES, ...TOKEN_PAGES, '/subscribe', '/check-inbox', '/links/sent', '/account/sent']
  for (const token of Object.values(TOKEN)) {
    paths.push(
      `/confirm/${token}`,
      `/never/${token}`,
      `/preferences/${token}/pause?end=1`,
      `/unsubscribe/${token}/weekly`,
      `/preferences/${token}/account`,
      `/account/${token}`,
      ...['renew', 'address', 'data', 'erase'].map((act) => `/account/${token}/${act}`),
      `/address/${token}`,
      `/undo/${token}`,
    )
  }
  for (const path of [...paths, ...paths]) {
    for (const method of ['GET', 'HEAD']) await (await fetch(site.url + path, { method })).text()
  }
  expect(site.changes).toEqual([])
})

describe('a form from another site', () => {
  const paths = [
    '/subscribe',
    '/links',
    `/confirm/${TOKEN.confirm}`,
    `/preferences/${TOKEN.preferences}`,
    `/preferences/${TOKEN.preferences}/pause`,
    `/unsubscribe/${TOKEN.unsubscribe}/weekly`,
    `/unsubscribe/${TOKEN.unsubscribe}/pause`,
    `/never/${TOKEN.never}`,
    `/preferences/${TOKEN.preferences}/account`,
    `/account/${TOKEN.account}/renew`,
    `/account/${TOKEN.account}/address`,
    `/account/${TOKEN.account}/data`,
    `/address/${TOKEN.address}`,
    `/undo/${TOKEN.undo}`,
  ]
  const body = { ...RIGHT, until: '2026-05-15' }

  it.each([
    ['by Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site' }],
    ['by Sec-Fetch-Site, of a neighbour', { 'sec-fetch-site': 'same-site', origin: 'http://evil.example.org' }],
    ['by Origin', { origin: 'https://evil.example' }],
    ['by an Origin that only looks like ours', { origin: 'http://round.example.org.evil.example' }],
    ['with Origin null, when the browser says so', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ])('is refused on every route, recognised %s', async (_, headers) => {
    await using site = await openTestSite()
    for (const path of paths) {
      const answer = await site.app.inject({
        method: 'POST',
        url: path,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        payload: form(body).toString(),
      })
      expect([path, answer.statusCode]).toEqual([path, 403])
      expect(answer.body).toContain('This form came from another site')
    }
    expect(site.changes).toEqual([])
  })

  it.each([
    ['our own page', { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:3000' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['our own address', { origin: 'http://round.example.org' }],
    ['the address it was reached by', { origin: 'http://127.0.0.1:3000', host: '127.0.0.1:3000' }],
    ['a browser that hides where from', { origin: 'null' }],
    ['a program', {}],
  ])('is told apart from one of %s', async (_, headers) => {
    await using site = await openTestSite()
    for (const path of paths) {
      const answer = await site.app.inject({
        method: 'POST',
        url: path,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        payload: form(body).toString(),
      })
      expect([path, answer.statusCode < 400]).toEqual([path, true])
    }
  })
})

describe('a request that cannot be served', () => {
  it('for a path that does not exist gets a page or a problem', async () => {
    await using site = await openTestSite()
    for (const path of ['/nowhere', '/confirm', '/papers/', '/%zz', '/.env', `/confirm/${'x'.repeat(3000)}`]) {
      const answer = await fetch(site.url + path)
      expect([path, answer.status, await answer.text()]).toEqual([path, 404, expect.stringContaining('Page not found')])
    }
    const problem = await fetch(`${site.url}/nowhere`, { headers: { accept: 'application/json' } })
    expect(problem.headers.get('content-type')).toContain('application/problem+json')
    expect(await problem.json()).toMatchObject({ status: 404, title: 'Page not found' })
  })

  it('with a method that its path does not have gets those that it has', async () => {
    await using site = await openTestSite()
    for (const [method, path, allow] of [
      ['DELETE', '/subscribe', 'HEAD, GET, POST'],
      ['PUT', `/preferences/${TOKEN.preferences}/`, 'HEAD, GET, POST'],
      ['GET', `/unsubscribe/${TOKEN.unsubscribe}/weekly`, 'POST'],
      ['POST', '/', 'HEAD, GET'],
      ['OPTIONS', '/links', 'HEAD, GET, POST'],
    ] as const) {
      const answer = await fetch(site.url + path, { method })
      expect(answer.status).toBe(405)
      const allowed = answer.headers.get('allow')?.split(', ').sort()
      expect([method, path, allowed]).toEqual([method, path, allow.split(', ').sort()])
      expect(await answer.text()).toContain('That isn’t possible here')
    }
  })

  it('with a megabyte of JSON is refused with a sentence', async () => {
    await using site = await openTestSite()
    const answer = await fetch(`${site.url}/subscribe`, {
      method: 'POST',
      body: JSON.stringify({ email: 'x'.repeat(1_000_000) }),
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ status: 413, detail: expect.stringContaining('64 kilobytes') })
    expect(site.changes).toEqual([])
  })

  it.each([['text/xml'], ['multipart/form-data; boundary=b'], ['nonsense'], ['application/x-yaml']])(
    'a body of type %s is refused in words',
    async (type) => {
      await using site = await openTestSite()
      const answer = await fetch(`${site.url}/subscribe`, {
        method: 'POST',
        body: 'x',
        headers: { 'content-type': type },
      })
      expect([answer.status, await answer.text()]).toEqual([
        415,
        expect.stringContaining('We don’t accept that type of content'),
      ])
    },
  )

  it.each([
    ['whose disk is full', { code: '53100' }, 600],
    ['that is starting', { code: '57P03' }, 60],
    ['that was stopped', { code: '57P01' }, 60],
    ['that is away', { code: 'ECONNREFUSED' }, 60],
    ['that breaks off', { message: 'Connection terminated unexpectedly' }, 60],
  ])('that fails by a database %s gets 503, words, and when to try again', async (_, error, seconds) => {
    await using site = await openTestSite({ fault: Object.assign(new Error('no'), error) })
    const answer = await fetch(`${site.url}/subscribe`, { method: 'POST', body: form(RIGHT) })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, String(seconds)])
    expect(await answer.text()).toContain('Temporarily unavailable')
    const accept = { accept: 'application/json' }
    const problem = await fetch(`${site.url}/subscribe`, { method: 'POST', body: form(RIGHT), headers: accept })
    expect(await problem.json()).toMatchObject({ status: 503, title: 'Temporarily unavailable' })
  })

  it('that fails by our error gets one plain page, and the log has the rest without address or token', async () => {
    const fault = Object.assign(new Error(`insert into "sign_ups": Key (email)=(${EMAIL}) ${TOKEN.confirm}`), {
      code: '23505',
    })
    await using site = await openTestSite({ fault })
    const answer = await fetch(`${site.url}/subscribe`, { method: 'POST', body: form(RIGHT) })
    const page = await answer.text()
    expect([answer.status, page]).toEqual([500, expect.stringContaining('Something went wrong')])
    expect(page).not.toMatch(/insert|sign_ups|23505|Error:|\.ts/)
    const line = site.log.find((entry) => entry.includes('a request failed')) ?? ''
    expect(line).toContain('23505')
    expect(line).not.toContain('canary')
    expect(line).not.toContain(TOKEN.confirm)
  })
})

it('the log has one line a request, with the pattern of the route, and never an address, token or path', async () => {
  await using site = await openTestSite()
  await fetch(`${site.url}/confirm/${TOKEN.confirm}?email=${EMAIL}`, { method: 'POST' })
  await fetch(`${site.url}/subscribe`, { method: 'POST', body: form(RIGHT), redirect: 'manual' })
  await fetch(`${site.url}/secret-canary/${TOKEN.confirm}`)
  await fetch(`${site.url}/%zz-canary`)
  await fetch(`${site.url}/subscribe?${EMAIL}`, { method: 'DELETE' })
  const lines = site.log.join('\n')
  expect(site.log.slice(0, 3).map((line) => JSON.parse(line))).toEqual([
    {
      event: 'request',
      request: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: 'POST',
      route: '/confirm/:token',
      status: 200,
      ms: expect.any(Number),
    },
    {
      event: 'request',
      request: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: 'POST',
      route: '/subscribe',
      status: 303,
      ms: expect.any(Number),
    },
    {
      event: 'request',
      request: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: 'GET',
      route: null,
      status: 404,
      ms: expect.any(Number),
    },
  ])
  expect(lines).not.toContain('canary')
  expect(lines).not.toContain(TOKEN.confirm)
  expect(lines).not.toContain('127.0.0.1')
})

it('each answer names its request as the log does, and a proxy that is trusted may name it', async () => {
  await using site = await openTestSite({ trustProxy: ['127.0.0.1'] })
  await using open = await openTestSite()
  const named = async (url: string, headers: Record<string, string>) =>
    (await fetch(`${url}/topics`, { headers })).headers.get('x-request-id')
  const from = { 'x-forwarded-for': '192.0.2.1', 'x-request-id': '7f3a9c1e5b' }
  expect(await named(site.url, from)).toBe('7f3a9c1e5b')
  expect(site.log.map((line) => JSON.parse(line).request)).toEqual(['7f3a9c1e5b'])
  // A client that no trusted proxy forwards cannot choose what stands in the log, nor can one send what is no id.
  const own = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  expect(await named(open.url, from)).toMatch(own)
  expect(await named(site.url, { 'x-request-id': '7f3a9c1e5b' })).toMatch(own)
  for (const odd of ['ada@example.org', 'a'.repeat(41), 'short', 'a b c d e f g h'])
    expect(await named(site.url, { ...from, 'x-request-id': odd })).toMatch(own)
  for (const path of ['/nowhere', '/%zz', '/healthz', '/search?q=1&q=2'])
    expect((await fetch(open.url + path)).headers.get('x-request-id')).toMatch(own)
})

it('closing does not wait for a connection without a request', async () => {
  const site = await openTestSite()
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  await site[Symbol.asyncDispose]()
  await closed
})
