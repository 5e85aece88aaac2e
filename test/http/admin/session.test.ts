/** Who gets into the admin pages, for how long, and what no other site can do there. */
import { expect, test } from 'vitest'
import { endOperator, renewOperatorToken } from '../../../src/newsletter/operators.ts'
import { ADMIN_TOKEN, openAdminSite } from '../../support/servers/admin-site.ts'

const BY = { byWhom: 'test', via: 'command' } as const
const isSignIn = ({ status, location }: { status: number; location: string | null }) =>
  status === 303 && location?.startsWith('/admin/sign-in') === true

test('a token signs in, under a new id each time; the cookie is for these pages alone, out of the reach of scripts and of other sites', async () => {
  await using site = await openAdminSite()
  const browser = site.browser()
  browser.setCookie('paper_round_admin=chosen-by-somebody-else')
  const answer = await browser.signIn(ADMIN_TOKEN)
  expect(answer).toMatchObject({ status: 303, location: '/admin' })
  const [pair = '', ...attributes] = String(answer.headers['set-cookie']).split('; ')
  expect(pair).toMatch(/^paper_round_admin=[\w-]{43}$/)
  expect(attributes.sort()).toEqual(['HttpOnly', 'Path=/admin', 'SameSite=Strict'])
  const page = await browser.get('/admin')
  expect(page.status).toBe(200)
  expect(page.text).toContain('admin (own)')
  const first = browser.cookie()
  await browser.signIn(ADMIN_TOKEN)
  expect(browser.cookie()).not.toBe(first)
  // The one before has ended.
  const second = browser.cookie()
  browser.setCookie(first)
  expect(isSignIn(await browser.get('/admin'))).toBe(true)
  browser.setCookie(second)
  expect((await browser.get('/admin')).status).toBe(200)
})

test('behind a proxy that speaks https the cookie goes by https alone', async () => {
  await using site = await openAdminSite({ settings: { TRUST_PROXY: '127.0.0.1' } })
  const answer = await site
    .browser()
    .ask('POST', '/admin/sign-in', `token=${ADMIN_TOKEN}`, { 'x-forwarded-proto': 'https' })
  expect(String(answer.headers['set-cookie'])).toContain('; Secure')
})

test('a wrong token, one of an ended operator and an old one get the same answer, which tells nothing', async () => {
  await using site = await openAdminSite()
  const ended = await site.signInAs('own')
  await endOperator(site.context, BY, ended.name)
  const renewed = await site.signInAs('own')
  await renewOperatorToken(site.context, BY, renewed.name)
  const answers = new Set<string>()
  for (const token of ['', 'x', `${ADMIN_TOKEN}x`, ADMIN_TOKEN.slice(1), ended.token, renewed.token]) {
    const { status, text, headers } = await site.browser().signIn(token)
    expect([token, status, headers['set-cookie']]).toEqual([token, 403, undefined])
    answers.add(text)
  }
  expect([...answers]).toEqual([expect.stringContaining('That token is not valid.')])
  expect(site.log.join()).not.toContain(ADMIN_TOKEN)
  for (const { token } of [ended, renewed]) expect(site.log.join()).not.toContain(token)
})

test('tries are limited, also those with the right token among them, and again possible later', async () => {
  await using site = await openAdminSite()
  const statuses: number[] = []
  for (let n = 0; n < 12; n++) statuses.push((await site.browser().signIn('wrong')).status)
  expect(statuses).toEqual([...Array(10).fill(403), 429, 429])
  expect((await site.browser().signIn(ADMIN_TOKEN)).status).toBe(429)
  site.passMinutes(1)
  expect((await site.browser().signIn(ADMIN_TOKEN)).status).toBe(303)
})

test('a session ends when it is not used, after half a day, and by signing out', async () => {
  await using site = await openAdminSite({ clock: '2026-04-15T00:00:00Z' })
  const idle = await site.signInAs('look')
  const busy = await site.signInAs('look')
  for (let hour = 1; hour < 12; hour++) {
    site.setClock(`2026-04-15T${String(hour).padStart(2, '0')}:59:00Z`)
    expect([hour, (await busy.get('/admin')).status]).toEqual([hour, 200])
    if (hour >= 2) expect([hour, isSignIn(await idle.get('/admin'))]).toEqual([hour, true])
  }
  site.setClock('2026-04-15T12:00:00Z')
  expect(isSignIn(await busy.get('/admin'))).toBe(true)
  const other = await site.signInAs('look')
  const cookie = other.cookie()
  expect(await other.post('/admin/sign-out')).toMatchObject({ status: 303, location: '/admin/sign-in' })
  expect(other.cookie()).toBe('')
  other.setCookie(cookie)
  expect(isSignIn(await other.get('/admin'))).toBe(true)
})

test('the sessions of an operator who is ended, or has another token, are dead at once', async () => {
  await using site = await openAdminSite()
  const [ended, renewed, other] = [await site.signInAs('own'), await site.signInAs('own'), await site.signInAs('own')]
  await endOperator(site.context, BY, ended.name)
  await renewOperatorToken(site.context, BY, renewed.name)
  expect(isSignIn(await ended.get('/admin'))).toBe(true)
  expect(isSignIn(await renewed.get('/admin'))).toBe(true)
  expect((await other.get('/admin')).status).toBe(200)
})

test('whoever asked for a page is led to it after signing in, and nowhere else', async () => {
  await using site = await openAdminSite()
  const asked = await site.browser().get('/admin?of=today')
  expect(asked.location).toBe(`/admin/sign-in?${new URLSearchParams({ to: '/admin?of=today' })}`)
  const to = async (path: string) =>
    (
      await site
        .browser()
        .ask('POST', '/admin/sign-in', new URLSearchParams({ token: ADMIN_TOKEN, to: path }).toString())
    ).location
  expect(await to('/admin?of=today')).toBe('/admin?of=today')
  for (const elsewhere of [
    'https://evil.example',
    '//evil.example',
    '/admin\\evil',
    '/administrator',
    '/admin/sign-out',
  ])
    expect(await to(elsewhere)).toBe('/admin')
})

test('a name that is not ours gets nothing, whatever address it leads to', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('own')
  for (const host of [
    'evil.example',
    `evil.example:${site.port}`,
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'a',
  ])
    for (const path of ['/admin', '/admin/sign-in', '/site.css']) {
      const answer = await browser.get(path, { host })
      expect([host, path, answer.status]).toEqual([host, path, 421])
      expect(answer.text).not.toContain(browser.name)
    }
  for (const host of [
    'localhost',
    `127.0.0.1:${site.port}`,
    `[::1]:${site.port}`,
    'LOCALHOST:1',
    'a.localhost',
    '10.1.2.3',
  ])
    expect([host, (await browser.get('/admin', { host })).status]).toEqual([host, 200])
})

test('a form of another site, and one of another session, change nothing', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('own')
  const other = await site.signInAs('own')
  const signedIn = async () => (await browser.get('/admin')).status === 200
  const forms: [string, Record<string, string>, Record<string, string>][] = [
    ['by another site', {}, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['by another port of this host', {}, { 'sec-fetch-site': 'same-site' }],
    ['by an older browser', {}, { 'sec-fetch-site': '', origin: 'https://evil.example' }],
    ['without its field', { csrf: '' }, {}],
    ['with the field of another session', { csrf: other.csrf() }, {}],
  ]
  for (const [name, fields, headers] of forms) {
    const answer = await browser.post('/admin/sign-out', fields, headers)
    expect([name, answer.status, await signedIn()]).toEqual([name, 403, true])
  }
})

test('pages are kept by nobody, framed by nobody, and found by no search engine', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('look')
  for (const { headers } of [await browser.get('/admin'), await site.browser().get('/admin/sign-in')])
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
    })
})
