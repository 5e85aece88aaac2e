/** Every route there is, whoever adds it: what it takes, its headers, and its errors for programs. */
import Fastify, { type RouteOptions } from 'fastify'
import { expect, test } from 'vitest'
import { recordRoutes } from '../../src/http/route-table.ts'
import type { App } from '../../src/http/site.ts'
import { EMAIL, openTestSite, type TestSite, TOKEN } from '../support/servers/recording-site.ts'

const ADMIN_TOKEN = 'a'.repeat(64)
const openSite = () => openTestSite({ adminToken: ADMIN_TOKEN, baseUrl: 'https://round.example.org' })

const changes = ({ method }: RouteOptions) => method !== 'GET' && method !== 'HEAD'
/** Pages that anybody may find; all others are kept out of caches and search engines. */
const isOpen = (url: string) =>
  !/\/:token|^\/(?:check-inbox|links\/sent|account|preview|subscribe(?!\/library)|vote|embed\/subscribe|metrics|api\/v1\/editions|api\/v1\/subscribe|healthz|readyz)/.test(
    url,
  )

/** A path of a route, with the token that it is for, or another one. */
const pathOf = ({ url }: RouteOptions, token?: string): string => {
  const purpose = (url.split('/')[1] ?? '').replace('digests', 'view').replace('feeds', 'feed') as keyof typeof TOKEN
  return url
    .replace(':token', token ?? TOKEN[purpose] ?? TOKEN.preferences)
    .replace(':date', '2026-04-13')
    .replace(':paper', '2604.11784')
    .replace(':week', '2026-W16')
    .replace(':topics', 'all')
    .replace(':id', '7')
    .replace(':topic', 'agents')
    .replace(':author', 'ada-lovelace')
    .replace(':institution', 'plan-lab')
    .replace(':archive', 'hep-ex')
    .replace(':number', '0307015')
    .replace('papers/:month', 'papers/2026-04.xml')
    .replace(':month', '2026-04')
    .replace(':provider', 'postmark')
}

const ask = (site: TestSite, route: RouteOptions, path: string, headers: Record<string, string>, payload?: string) =>
  site.app.inject({
    method: route.method as 'GET',
    url: path,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
    ...(payload === undefined ? {} : { payload }),
  })

/** All there are; a new one is entered here by whoever has thought of who may call it. */
const ROUTES = `
GET /
GET /about
GET /account/:token
GET /account/address-sent
GET /account/sent
GET /address/:token
GET /announcements/:token
GET /api/docs
GET /api/v1/authors/:author
GET /api/v1/days
GET /api/v1/days/:date
GET /api/v1/editions
GET /api/v1/editions/:id
GET /api/v1/institutions/:institution
GET /api/v1/months/:month
GET /api/v1/openapi.json
GET /api/v1/papers/:archive/:number
GET /api/v1/papers/:paper
GET /api/v1/preview
GET /api/v1/search
GET /api/v1/topics
GET /api/v1/topics/:topic
GET /api/v1/weeks/:week
GET /authors/:author
GET /check-inbox
GET /check-inbox/:sealed
GET /confirm/:token
GET /curate/:token
GET /digests/:token
GET /digests/:token.bib
GET /digests/:token.csl.json
GET /digests/:token.json
GET /digests/:token.ris
GET /embed
GET /embed/subscribe
GET /feeds/:topics.atom
GET /feeds/:topics.json
GET /feeds/authors/:author.atom
GET /feeds/authors/:author.json
GET /feeds/institutions/:institution.atom
GET /feeds/institutions/:institution.json
GET /feeds/own/:token.atom
GET /feeds/own/:token.json
GET /feeds/saved/:token.atom
GET /feeds/saved/:token.json
GET /feeds/search.atom
GET /feeds/search.json
GET /follow/:token/:topic
GET /healthz
GET /icon.svg
GET /institutions/:institution
GET /join/:token
GET /legacy/:token
GET /less/:token/:paper
GET /links
GET /links/sent
GET /links/sent/:sealed
GET /metrics
GET /months
GET /months/:month
GET /more/:token/:paper
GET /never/:token
GET /papers/:archive/:number
GET /papers/:archive/:number.bib
GET /papers/:archive/:number.csl.json
GET /papers/:archive/:number.png
GET /papers/:archive/:number.ris
GET /papers/:paper
GET /papers/:paper.bib
GET /papers/:paper.csl.json
GET /papers/:paper.png
GET /papers/:paper.ris
GET /preferences/:token
GET /preferences/:token/compare
GET /preferences/:token/groups
GET /preferences/:token/groups/:group
GET /preferences/:token/join/:invitation
GET /preferences/:token/library
GET /preferences/:token/likes
GET /preferences/:token/saved
GET /preferences/:token/saved.bib
GET /preferences/:token/saved.csl.json
GET /preferences/:token/saved.csv
GET /preferences/:token/saved.ris
GET /preferences/:token/saved.txt
GET /preferences/:token/why
GET /preview
GET /privacy
GET /proof.js
GET /proposals/:token/:id
GET /readyz
GET /robots.txt
GET /save/:token/:paper
GET /search
GET /settings.js
GET /share.png
GET /site.css
GET /sitemap.xml
GET /sitemaps/institutions.xml
GET /sitemaps/lists.xml
GET /sitemaps/papers/:month
GET /subscribe
GET /subscribe/library
GET /suggest
GET /topics
GET /topics/:topic
GET /topics/:topic.png
GET /undo/:token
GET /unsubscribe/:token
GET /vote
GET /vote/:token/:paper
GET /vote/sent
GET /vote/sent/:sealed
GET /weeks
GET /weeks/:week
GET /weeks/:week.bib
GET /weeks/:week.csl.json
GET /weeks/:week.ris
GET /widget/:topic
GET /zone.js
POST /account/:token/address
POST /account/:token/data
POST /account/:token/erase
POST /account/:token/renew
POST /account/proof
POST /address/:token
POST /announcements/:token
POST /api/v1/library
POST /api/v1/subscribe
POST /api/v1/subscribe/proof
POST /confirm/:token
POST /confirm/:token/again
POST /curate/:token
POST /embed/subscribe
POST /follow/:token/:topic
POST /join/:token
POST /legacy/:token
POST /less/:token/:paper
POST /links
POST /links/proof
POST /more/:token/:paper
POST /never/:token
POST /preferences/:token
POST /preferences/:token/account
POST /preferences/:token/announcements
POST /preferences/:token/compare
POST /preferences/:token/groups
POST /preferences/:token/groups/:group
POST /preferences/:token/groups/:group/channel
POST /preferences/:token/groups/:group/end
POST /preferences/:token/groups/:group/leave
POST /preferences/:token/groups/:group/link
POST /preferences/:token/groups/:group/members
POST /preferences/:token/groups/only
POST /preferences/:token/join/:invitation
POST /preferences/:token/library
POST /preferences/:token/library/add
POST /preferences/:token/likes
POST /preferences/:token/look
POST /preferences/:token/pause
POST /preferences/:token/saved
POST /preferences/:token/saved/read
POST /preferences/:token/saved/remove
POST /preview
POST /proposals/:token/:id
POST /save/:token/:paper
POST /subscribe
POST /subscribe/library
POST /subscribe/proof
POST /suggest
POST /undo/:token
POST /unsubscribe/:token
POST /unsubscribe/:token/pause
POST /unsubscribe/:token/undo
POST /unsubscribe/:token/weekly
POST /vote
POST /vote/:token/:paper
POST /vote/forget
POST /vote/proof
POST /webhooks/:provider
`
  .trim()
  .split('\n')

/** What providers call by themselves when a reader presses their unsubscribe button. */
const ONE_CLICK = ['/unsubscribe/:token', '/legacy/:token', '/announcements/:token']

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
    // A drawing may bring styles of its own, and can do nothing at all.
    const isDrawing = route.url === '/icon.svg'
    expect(policy, name).toContain(isDrawing ? "style-src 'unsafe-inline'; sandbox;" : "form-action 'self'")
    // Any site may show the papers of a topic in a frame, and nothing else of ours.
    const isFramed = route.url === '/widget/:topic'
    expect(policy, name).toContain(isFramed ? 'frame-ancestors *;' : "frame-ancestors 'none'")
    expect(policy.replace('frame-ancestors *', '').replace(isDrawing ? "'unsafe-inline'" : '', ''), name).not.toMatch(
      /unsafe|data:|https?:|\*/,
    )
    expect([name, policy.includes('frame-src')]).toEqual([name, route.url === '/embed'])
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
      // The page that writes HTML for other sites has it as the text of fields, and shows one frame of ours.
      const own =
        route.url === '/embed'
          ? body.replace(/<textarea[^>]*>[^<]*<\/textarea>/g, '').replace('<iframe class="example" src="/widget/', '')
          : body
      expect(own, name).not.toMatch(
        /<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)|<iframe|<object|<embed/i,
      )
      // The address of the page itself is named in whole, and nothing is loaded from it.
      const loaded = body.replace(/<link rel="canonical" href="https:\/\/round\.example\.org\/[^"]*">/, '')
      expect(loaded, name).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?\/\//)
    }
  }
})

test('JSON with a field that a route does not have is refused, and a form that has one is read without it', async () => {
  await using site = await openSite()
  const closed = site.app.routeTable.filter((route) => changes(route) && route.config?.rawBody !== true)
  // One click takes whatever a provider sends, and reads none of it.
  for (const route of closed.filter(({ url }) => !ONE_CLICK.includes(url))) {
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

/** Fields that bring every form past its own checks. */
const FILLED = {
  email: EMAIL,
  topics: 'agents',
  until: '2026-05-15',
  sure: 'yes',
  proof: 'right',
  act: 'pick',
  what: 'remove',
  only: 'yes',
  paper: '2604.11784',
  note: 'Worth reading',
  library: '2604.11784',
}
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
/** `:topic` is one that there is. */
const filledPathOf = (route: RouteOptions) => pathOf(route).replace(':topic', 'agents')

test('the routes are these, and whatever a visitor sends none leads to another site', async () => {
  await using site = await openSite()
  const routes = site.app.routeTable.filter(({ method }) => method !== 'HEAD')
  expect(routes.map(nameOf).sort()).toEqual(ROUTES)
  const elsewhere = ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)']
  for (const route of routes)
    for (const to of elsewhere) {
      const names = ['url', 'to', 'next', 'return', 'redirect', 'redirect_uri', 'continue', 'u', 'r']
      const wished = Object.fromEntries(names.map((name) => [name, to]))
      const path = `${filledPathOf(route)}?${new URLSearchParams(wished)}`
      const headers = { ...FORM, accept: 'text/html', 'x-forwarded-host': 'evil.example', 'x-original-url': to }
      const payload = changes(route) ? new URLSearchParams({ ...wished, ...FILLED }).toString() : undefined
      const { headers: answered, body } = await ask(site, route, path, headers, payload)
      const seen = [nameOf(route), to]
      // A path of this site: a second slash, or a backslash, would be the name of a host.
      expect([...seen, answered.location ?? '/']).toEqual([...seen, expect.stringMatching(/^\/(?![/\\])/)])
      expect([...seen, answered.refresh, body.includes('evil.example')]).toEqual([...seen, undefined, false])
    }
})

test('a form of another site is refused but for one click and what changes nothing, and nothing is changed', async () => {
  await using site = await openSite()
  for (const route of site.app.routeTable.filter(changes)) {
    const headers = { ...FORM, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    const { statusCode } = await ask(site, route, filledPathOf(route), headers, new URLSearchParams(FILLED).toString())
    const isTaken = [...ONE_CLICK, '/embed/subscribe'].includes(route.url)
    expect([nameOf(route), statusCode]).toEqual([nameOf(route), isTaken ? 200 : 403])
  }
  expect(site.changes.sort()).toEqual([
    ['stopAnnouncements', TOKEN.announcements],
    ['unsubscribe', TOKEN.unsubscribe],
    ['unsubscribe', TOKEN.unsubscribe],
  ])
})

/** Which routes answer without the database. */
const WITHOUT_DATABASE =
  /\/(?:about|topics|search|privacy|check-inbox.*|links(?:\/sent.*)?|vote(?:\/sent.*)?|account\/(?:address-)?sent|subscribe(?:\/library)?|suggest|embed(?:\/subscribe)?|robots\.txt|healthz|readyz|webhooks\/.*|share\.png|[\w-]+\.(?:css|js|svg)|v1\/openapi\.json|docs)$/

test('a fault behind any route is one plain answer, and tells nothing of what failed', async () => {
  const secret = `insert into "subscribers": Key (email)=(${EMAIL}) ${TOKEN.confirm} at postgres://round:pw@10.0.0.5/round`
  for (const { code, status } of [
    { code: '23505', status: 500 },
    { code: 'ECONNREFUSED', status: 503 },
  ]) {
    const fault = Object.assign(new Error(secret), { code, detail: secret, table: 'subscribers' })
    await using site = await openTestSite({ adminToken: ADMIN_TOKEN, fault })
    for (const route of site.app.routeTable.filter(({ method }) => method !== 'HEAD'))
      for (const accept of ['text/html', 'application/json']) {
        // It shows what it was sent, and asks nothing.
        if (nameOf(route) === 'POST /embed/subscribe') continue
        const payload = changes(route) ? new URLSearchParams(FILLED).toString() : undefined
        const { statusCode, body, headers } = await ask(site, route, filledPathOf(route), { ...FORM, accept }, payload)
        const needsNone = (!changes(route) && WITHOUT_DATABASE.test(route.url)) || route.url === '/vote/forget'
        const seen = [nameOf(route), accept, statusCode]
        expect(seen).toEqual([
          nameOf(route),
          accept,
          needsNone || route.url.startsWith('/webhooks/') ? statusCode : status,
        ])
        // A picture has any octets.
        const text = String(headers['content-type']).startsWith('image/png') ? '' : body
        expect([...seen, text]).toEqual([
          ...seen,
          expect.not.stringMatching(/insert|subscribers|canary|postgres:|10\.0\.0\.5|23505|ECONN|Error|node:|\.ts\b/),
        ])
        expect(JSON.stringify(headers)).not.toMatch(/canary|insert|postgres:/)
      }
    const logged = site.log.filter((line) => line.includes('a request failed'))
    expect(logged.length).toBeGreaterThan(40)
    expect(logged.join()).not.toMatch(/canary|:pw@|confirm0/)
  }
})
