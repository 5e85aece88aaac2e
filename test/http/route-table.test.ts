/** Every route there is, whoever adds it: what it takes, its headers, and its errors for programs. */
import Fastify, { type RouteOptions } from 'fastify'
import { expect, test } from 'vitest'
import { recordRoutes } from '../../src/http/route-table.ts'
import type { App } from '../../src/http/site.ts'
import { openTestSite, type TestSite, TOKEN } from '../support/servers/recording-site.ts'

const ADMIN_TOKEN = 'a'.repeat(64)
const openSite = () => openTestSite({ adminToken: ADMIN_TOKEN, baseUrl: 'https://round.example.org' })

const changes = ({ method }: RouteOptions) => method !== 'GET' && method !== 'HEAD'
/** Pages that anybody may find; all others are kept out of caches and search engines. */
const isOpen = (url: string) =>
  !/\/:token|^\/(?:check-inbox|links\/sent|account|preview|subscribe|metrics|api|healthz|readyz)/.test(url)

/** A path of a route, with the token that it is for, or another one. */
const pathOf = ({ url }: RouteOptions, token?: string): string => {
  const purpose = (url.split('/')[1] ?? '').replace('digests', 'view') as keyof typeof TOKEN
  return url
    .replace(':token', token ?? TOKEN[purpose] ?? TOKEN.preferences)
    .replace(':date', '2026-04-13')
    .replace(':id', '7')
    .replace(':provider', 'postmark')
}

const ask = (site: TestSite, route: RouteOptions, path: string, headers: Record<string, string>, payload?: string) =>
  site.app.inject({
    method: route.method as 'GET',
    url: path,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
    ...(payload === undefined ? {} : { payload }),
  })

const nameOf = ({ method, url }: RouteOptions) => `${method} ${url}`

test('a route that does not say what it takes fails the start', async () => {
  const add = (method: 'GET' | 'POST', url: string, schema?: object) => {
    const app = Fastify() as unknown as App
    recordRoutes(app)
    return () => app.route({ method, url, ...(schema === undefined ? {} : { schema }), handler: async () => '' })
  }
  expect(add('GET', '/a/:token')).toThrow('GET /a/:token has no schema of its parameters')
  expect(add('POST', '/a')).toThrow('POST /a has no schema of its body')
  expect(add('POST', '/a', { body: { type: 'object' } })).not.toThrow()
})

test('every response has a policy without inline scripts and styles, no cookie, and the headers of its class', async () => {
  await using site = await openSite()
  for (const route of site.app.routeTable.filter(({ method }) => method === 'GET')) {
    const name = nameOf(route)
    const { headers, body } = await ask(site, route, pathOf(route), { accept: 'text/html' })
    const policy = String(headers['content-security-policy'])
    expect(policy, name).toContain("default-src 'none'")
    expect(policy, name).toContain("form-action 'self'")
    expect(policy, name).toContain("frame-ancestors 'none'")
    expect(policy, name).not.toMatch(/unsafe|data:|https?:|\*/)
    // Where a link of a mail leads nothing runs: a scanner that runs scripts presses nothing. The script of the settings only
    // asks what a change would bring, after one.
    if (route.url.includes(':token') && route.url !== '/preferences/:token')
      expect(policy, name).not.toContain('script-src')
    expect(headers['strict-transport-security'], name).toContain('max-age=31536000')
    expect(headers['x-content-type-options'], name).toBe('nosniff')
    expect(headers['referrer-policy'], name).toBe('same-origin')
    expect(headers['set-cookie'], name).toBeUndefined()
    if (!isOpen(route.url))
      expect([name, headers['cache-control'], headers['x-robots-tag']]).toEqual([name, 'no-store', 'noindex'])
    if (String(headers['content-type']).includes('html')) {
      expect(body, name).not.toMatch(
        /<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)|<iframe|<object|<embed/i,
      )
      expect(body, name).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?\/\//)
    }
  }
})

test('JSON with a field that a route does not have is refused, and a form that has one is read without it', async () => {
  await using site = await openSite()
  const closed = site.app.routeTable.filter((route) => changes(route) && route.config?.rawBody !== true)
  // One click takes whatever a provider sends, and reads none of it.
  for (const route of closed.filter(({ url }) => url !== '/unsubscribe/:token')) {
    const json = await ask(site, route, pathOf(route), { 'content-type': 'application/json' }, '{"stranger":1}')
    expect([nameOf(route), json.statusCode, json.json()]).toEqual([
      nameOf(route),
      400,
      { type: 'about:blank', title: expect.any(String), status: 400, detail: expect.stringContaining('“stranger”') },
    ])
    expect(site.changes).toEqual([])
    const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }
    const page = await ask(site, route, pathOf(route), form, 'stranger=1')
    expect(page.body, nameOf(route)).not.toContain('stranger')
    site.changes.length = 0
  }
})

test('every error is a problem (RFC 9457) for a program, and says nothing of how we work', async () => {
  await using site = await openSite()
  const json = { accept: 'application/json', 'content-type': 'application/json' }
  for (const route of site.app.routeTable.filter(({ method }) => method !== 'HEAD')) {
    const bodies = changes(route)
      ? ['{', '[]', 'null', '{"__proto__":{}}', `"${'x'.repeat(70_000)}"`, '{}']
      : [undefined]
    for (const payload of bodies)
      for (const token of [undefined, 'x'.repeat(43), '%00', 'é'.repeat(90), '..%2f..%2f']) {
        const answer = await ask(site, route, pathOf(route, token && encodeURI(token)), json, payload)
        if (answer.statusCode < 400) continue
        const seen = [nameOf(route), payload?.slice(0, 9), token, answer.statusCode]
        expect([...seen, answer.headers['content-type']]).toEqual([
          ...seen,
          expect.stringMatching(/^application\/problem\+json/),
        ])
        expect([...seen, answer.statusCode < 500]).toEqual([...seen, true])
        expect(answer.json()).toMatchObject({
          type: 'about:blank',
          status: answer.statusCode,
          title: expect.any(String),
        })
        expect(answer.body).not.toMatch(/FST_|SyntaxError|TypeBox|node_modules|\.ts\b|select |insert /)
      }
  }
})
