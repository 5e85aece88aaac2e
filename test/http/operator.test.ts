/** What operators' programs read, and that nobody else can. */
import { expect, test } from 'vitest'
import { balance } from '../../src/core/sending/ledger.ts'
import type { EditionAccount } from '../../src/newsletter/editions.ts'
import { openTestSite } from '../support/servers/recording-site.ts'

const TOKEN = 'a'.repeat(64)
const ADDRESSES = ['/metrics', '/api/v1/editions', '/api/v1/editions/7']
const at = (text: string) => new Date(text)
const ACCOUNT: EditionAccount = {
  id: 7,
  cutoff: at('2026-04-15T06:00:00Z'),
  status: 'paused',
  begunAt: at('2026-04-15T06:00:01Z'),
  publishedAt: at('2026-04-15T06:00:02Z'),
  completedAt: null,
  paused: { at: at('2026-04-15T06:01:00Z'), by: 'Ada', why: null },
  canceled: null,
  expectedAt: null,
  equation: balance(3, [
    { state: 'sent', count: 2 },
    { state: 'queued', count: 1 },
  ]),
  counts: [
    { state: 'sent', reason: null, count: 2, resent: 1 },
    { state: 'queued', reason: null, count: 1, resent: 0 },
  ],
  resent: 1,
  returned: { hard: 1, soft: 0, ours: 0, unknown: 0, complaint: 0 },
  seconds: 59.5,
  perSecond: null,
}
const { counts, resent, returned, seconds, perSecond, ...SUMMARY } = ACCOUNT
const editions = {
  list: async (most: number) => Array(Math.min(most, 2)).fill(SUMMARY),
  readAccount: async (id: number) => (id === 7 ? ACCOUNT : null),
}

test('without operators there are no such routes', async () => {
  await using site = await openTestSite({ editions })
  for (const address of ADDRESSES)
    expect((await fetch(site.url + address, { headers: { authorization: 'Bearer ' } })).status).toBe(404)
})

test('with ADMIN_TOKEN a request without it gets nothing', async () => {
  await using site = await openTestSite({ editions, adminToken: TOKEN })
  for (const address of ADDRESSES)
    for (const authorization of [
      undefined,
      'Bearer',
      `Bearer ${'a'.repeat(63)}`,
      `Bearer ${TOKEN}b`,
      `Basic ${TOKEN}`,
    ]) {
      const answer = await fetch(site.url + address, { headers: authorization === undefined ? {} : { authorization } })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
      expect(await answer.text()).not.toContain(TOKEN)
    }
  expect(site.log.join()).not.toContain(TOKEN)
})

test('a request with ADMIN_TOKEN reads metrics, the editions, and one of them with its equation', async () => {
  await using site = await openTestSite({ editions, adminToken: TOKEN })
  const read = async (address: string) => {
    const answer = await fetch(site.url + address, { headers: { authorization: `Bearer ${TOKEN}` } })
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
  }
  expect(await read('/metrics')).toMatchObject({
    status: 200,
    text: '# figures\n',
    type: expect.stringMatching('0.0.4'),
  })
  expect(JSON.parse((await read('/api/v1/editions?most=1')).text)).toEqual({
    editions: [JSON.parse(JSON.stringify(SUMMARY))],
  })
  expect(await read('/api/v1/editions')).toMatchObject({ status: 200, text: expect.stringContaining('"editions":[{') })
  expect(JSON.parse((await read('/api/v1/editions/7')).text)).toEqual(JSON.parse(JSON.stringify(ACCOUNT)))
  expect(await read('/api/v1/editions/8')).toMatchObject({ status: 404, type: expect.stringContaining('problem+json') })
  for (const bad of ['/api/v1/editions/seven', '/api/v1/editions?most=0', '/api/v1/editions?most=1e9'])
    expect((await read(bad)).status).toBe(400)
})
