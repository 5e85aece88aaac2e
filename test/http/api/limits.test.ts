/** What the API says in its headers: limits, who may read, and what may be kept. */
import { expect, test } from 'vitest'
import { BUDGET } from '../../../src/http/request-budgets.ts'
import { EMAIL, openTestSite } from '../../support/servers/recording-site.ts'

const READABLE = [
  '/api/v1/openapi.json',
  '/api/v1/papers/2604.11784',
  '/api/v1/days',
  '/api/v1/days/2026-04-13',
  '/api/v1/weeks/2026-W16',
  '/api/v1/months/2026-04',
  '/api/v1/authors/ada-lovelace',
  '/api/v1/topics',
  '/api/v1/topics/robotics',
  '/api/v1/search?q=agents',
  '/api/v1/preview?topics=robotics',
]

test('scripts of other sites may read what anybody may, and what they hold is not sent again', async () => {
  await using site = await openTestSite()
  for (const path of READABLE) {
    const { status, headers } = await fetch(site.url + path, { headers: { origin: 'https://other.example' } })
    expect([path, status, headers.get('access-control-allow-origin')]).toEqual([path, 200, '*'])
    expect([path, headers.get('access-control-allow-credentials'), headers.get('vary')]).toEqual([path, null, null])
    expect([path, headers.get('cache-control'), headers.get('x-robots-tag')]).toEqual([path, 'no-cache', 'noindex'])
    const again = await fetch(site.url + path, { headers: { 'if-none-match': headers.get('etag') ?? '' } })
    expect([path, again.status, await again.text()]).toEqual([path, 304, ''])
  }
})

test('no script of another site may subscribe, nor read what operators read or the pages', async () => {
  const adminToken = 'a'.repeat(64)
  await using site = await openTestSite({ adminToken })
  const post = (path: string, headers: Record<string, string> = {}) =>
    fetch(site.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(path.endsWith('proof') ? { proof: 'right' } : { email: EMAIL }),
    })
  for (const path of ['/api/v1/subscribe', '/api/v1/subscribe/proof']) {
    const other = await post(path, { origin: 'https://other.example' })
    expect([path, other.status, other.headers.get('access-control-allow-origin')]).toEqual([path, 403, null])
    const asked = await fetch(site.url + path, {
      method: 'OPTIONS',
      headers: { origin: 'https://other.example', 'access-control-request-method': 'POST' },
    })
    expect([path, asked.headers.get('access-control-allow-origin')]).toEqual([path, null])
  }
  expect(site.changes).toEqual([])
  const own = await post('/api/v1/subscribe')
  expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([202, null])
  expect(site.origins).toEqual([{ ip: '127.0.0.1', form: '/api/v1/subscribe', source: 'api' }])
  for (const path of ['/api/v1/editions', '/', '/preview', '/papers/2604.11784', '/api/v1/nowhere']) {
    const { headers } = await fetch(site.url + path, { headers: { authorization: `Bearer ${adminToken}` } })
    expect([path, headers.get('access-control-allow-origin')]).toEqual([path, null])
  }
})

test('a sign-up that is held brings a challenge, which is proved where the API says', async () => {
  const challenge = { parameters: { algorithm: 'PBKDF2/SHA-256', cost: 1 }, signature: 'x' } as never
  await using site = await openTestSite({ challenge })
  const headers = { 'content-type': 'application/json' }
  const ask = (path: string, body: object) =>
    fetch(`${site.url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(await (await ask('subscribe', { email: EMAIL })).json()).toEqual({ status: 'check your inbox', challenge })
  await ask('subscribe/proof', { proof: 'right' })
  expect(site.changes.at(-1)).toEqual(['proveWork', 'right'])
})

test('each answer says the limit, what is left of it and when it is whole again; the one over it when to come back', async () => {
  const clock = { now: 0 }
  await using site = await openTestSite({ monotonic: () => clock.now })
  const limitOf = async (path: string) => {
    const { headers, statusCode, body } = await site.app.inject({ method: 'GET', url: path })
    return { status: statusCode, policy: headers['ratelimit-policy'], left: headers.ratelimit, headers, body }
  }
  const path = '/api/v1/search?q=agents'
  expect(await limitOf(path)).toMatchObject({ status: 200, policy: '"search";q=90;w=60', left: '"search";r=89;t=1' })
  for (let n = 2; n < BUDGET.search; n++) await limitOf(path)
  expect(await limitOf(path)).toMatchObject({ status: 200, left: '"search";r=0;t=60' })
  const refused = await limitOf(path)
  expect(refused).toMatchObject({ status: 429, left: '"search";r=0;t=60' })
  expect(refused.headers).toMatchObject({ 'retry-after': '1', 'access-control-allow-origin': '*' })
  expect(JSON.parse(refused.body)).toMatchObject({ status: 429, title: 'Too many requests' })
  clock.now = 30_000
  expect(await limitOf(path)).toMatchObject({ status: 200, left: '"search";r=44;t=31' })
  expect((await limitOf('/api/v1/topics')).policy).toBe('"page";q=600;w=60')
  expect((await limitOf('/topics')).policy).toBeUndefined()
})
