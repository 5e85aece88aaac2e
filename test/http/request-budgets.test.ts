/** What a client may ask for in a minute: forms, pages and links, and what is never refused. */
import { expect, test } from 'vitest'
import { BUDGET } from '../../src/http/request-budgets.ts'
import { openTestSite, type TestSite, TOKEN } from '../support/servers/recording-site.ts'

const openClock = async () => {
  const clock = { now: 0 }
  const site = await openTestSite({ trustProxy: ['127.0.0.1'], monotonic: () => clock.now })
  return Object.assign(site, { clock })
}

const ask = async (site: TestSite, method: 'GET' | 'POST', url: string, ip: string, accept = 'text/html') => {
  const { statusCode, headers, body } = await site.app.inject({
    method,
    url,
    headers: { 'x-forwarded-for': ip, accept },
    remoteAddress: '127.0.0.1',
  })
  return { status: statusCode, retryAfter: headers['retry-after'], body }
}

test.each([
  ['POST', '/subscribe', BUDGET.form],
  ['POST', '/links', BUDGET.form],
  ['POST', '/subscribe/proof', BUDGET.form],
  ['POST', `/confirm/${TOKEN.confirm}`, BUDGET.form],
  ['POST', `/never/${TOKEN.never}`, BUDGET.form],
  ['POST', `/preferences/${TOKEN.preferences}/pause`, BUDGET.form],
  ['POST', `/unsubscribe/${TOKEN.unsubscribe}/weekly`, BUDGET.form],
  ['GET', '/nowhere', BUDGET.page],
  ['GET', '/search?topic=nowhere', BUDGET.search],
  ['GET', '/papers/2604.99999', BUDGET.archive],
  ['GET', '/authors/nobody', BUDGET.archive],
  ['GET', '/unsubscribe/of-somebody-else', BUDGET.link],
] as const)(
  'of %s %s a client has a minute’s worth, its /64 with it, and others have theirs',
  async (method, url, budget) => {
    await using site = await openClock()
    // JSON, for a page takes long to write.
    const served = async (ip: string) => (await ask(site, method, url, ip, 'application/json')).status !== 429
    for (let n = 0; n < budget; n++) if (!(await served(`2001:db8::${n}`))) throw new Error(`refused after ${n}`)
    const refused = await ask(site, method, url, '2001:db8::ffff:1')
    expect([refused.status, refused.retryAfter]).toEqual([429, '1'])
    expect(refused.body).toContain('Too many requests')
    const problem = await ask(site, method, url, '2001:db8::ffff:1', 'application/json')
    expect(JSON.parse(problem.body)).toMatchObject({ status: 429, title: 'Too many requests' })
    expect(await served('2001:db8:0:1::1')).toBe(true)
    site.clock.now = 60_000
    expect(await served('2001:db8::1')).toBe(true)
  },
)

test('the one click of a mail provider is never refused, however many readers leave by it at once', async () => {
  await using site = await openClock()
  for (let n = 0; n <= BUDGET.page; n++) {
    const { status } = await ask(site, 'POST', `/unsubscribe/${TOKEN.unsubscribe}`, '192.0.2.1')
    if (status !== 200) throw new Error(`${status} after ${n}`)
  }
  expect(site.changes).toHaveLength(BUDGET.page + 1)
})

test('a proxy that is not trusted shares one budget among its clients, and the log says so once', async () => {
  await using site = await openTestSite({ monotonic: () => 0 })
  const statuses: number[] = []
  // Whoever is not behind a proxy of ours moves no budget by what they say of themselves.
  for (let n = 0; n <= BUDGET.form; n++)
    statuses.push((await ask(site, 'POST', '/links', `198.51.100.${n % 250}`, 'application/json')).status)
  expect(statuses.at(-1)).toBe(429)
  expect(site.log.filter((line) => line.includes('TRUST_PROXY'))).toHaveLength(1)
})
