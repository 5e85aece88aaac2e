/** Sources, routes, alarms and the queue on the admin pages; the queue on Postgres and on Redis. */
import { describe, expect, test } from 'vitest'
import { hasRedis, NEEDS_REDIS, openTestRedis } from '../../support/databases/redis.ts'
import { storePapers, storeTroubles } from '../../support/fixtures/operated-service.ts'
import { openAdminSite } from '../../support/servers/admin-site.ts'

const SETTINGS = { PAPER_SOURCES: 'huggingface,arxiv:cs.CL+cs.LG' }
const actsBy = async (site: Awaited<ReturnType<typeof openAdminSite>>, name: string) =>
  site.db
    .selectFrom('audit_log')
    .select(['action', 'subject', 'via'])
    .where('by_whom', '=', name)
    .orderBy('id')
    .execute()

test('each source says when it was read, why it could not be, and what it brought; all are read on request', async () => {
  await using site = await openAdminSite({ settings: SETTINGS })
  await storePapers(site.db)
  await storeTroubles(site.db)
  const browser = await site.signInAs('act')
  const { text } = await browser.get('/admin/sources')
  expect(text).toMatch(/arXiv \(cs\.CL\+cs\.LG\)<\/h2>\s*<p><b class="wrong">Failed<\/b>/)
  expect(text).toContain('it answered 503 Service Unavailable three times')
  expect(text).toMatch(/Imported by hand<\/h2>\s*<p>Not read any more/)
  const row = /<tr><th scope="row">Hugging Face<\/th>(.*?)<\/tr>/.exec(text)?.[1] ?? ''
  const listed = await site.db
    .selectFrom('papers')
    .select('list_day')
    .where('source', '=', 'huggingface')
    .where('list_day', '>=', '2026-04-07')
    .execute()
  const shown = [...row.matchAll(/>(\d+)</g)].map(([, papers]) => Number(papers))
  expect([shown.length, shown.reduce((sum, papers) => sum + papers, 0)]).toEqual([7, listed.length])
  expect((await browser.press('/admin/sources/read')).text).toContain('The sources are being read.')
  expect(site.wakes).toEqual(['refresh'])
  expect(await actsBy(site, browser.name)).toEqual([{ action: 'sources.read', subject: null, via: 'admin' }])
})

test('routes in trouble say what the server said, caps what is used, and a back-off is ended', async () => {
  await using site = await openAdminSite()
  await storeTroubles(site.db)
  const browser = await site.signInAs('act')
  const { text } = await browser.get('/admin/routes')
  expect(text).toContain('<b>Relay smtp.example.org:587</b> says that our limit is reached')
  expect(text).toContain('<b>Destination gmail.com</b> asks for fewer mails at a time')
  expect(text).toContain('421 4.7.28 unusual rate of mail')
  expect(text).toMatch(/1,(?:55|86)\d of 20,000 in 60 minutes; 1,000 are kept/)
  expect(text).toContain('Alarms that are over (1)')
  expect(text).toContain('Not told yet by email, after 2 attempts: the relay is closed')
  const cleared = await browser.press('/admin/routes/clear', { name: 'smtp.example.org:587' })
  expect(cleared.text).toContain('smtp.example.org:587 is tried again at once.')
  expect(cleared.text).not.toContain('says that our limit is reached')
  expect((await browser.press('/admin/routes/clear', { name: 'googlemail.com' })).text).toContain(
    'None: every route takes what it is given.',
  )
  for (const name of ['gmail.com', '', '\0', 'ü'.repeat(400)])
    expect((await browser.press('/admin/routes/clear', { name })).text).toContain('Nothing has changed')
  expect(await actsBy(site, browser.name)).toEqual(
    ['smtp.example.org:587', 'googlemail.com'].map((name) => ({
      action: 'route.cleared',
      subject: `route:${name}`,
      via: 'admin',
    })),
  )
})

describe.each([
  ['Postgres', false],
  ['Redis', true],
] as const)('on %s', (name, isRedis) => {
  const isThere = !isRedis || hasRedis
  const openSite = async (stack: AsyncDisposableStack) => {
    const redis = isRedis ? stack.use(await openTestRedis()) : null
    return stack.use(await openAdminSite(redis === null ? {} : { redisUrl: redis.url }))
  }

  test.skipIf(!isThere)(`the queue shows what waits in it, and is woken${isThere ? '' : NEEDS_REDIS}`, async () => {
    await using stack = new AsyncDisposableStack()
    const site = await openSite(stack)
    await site.context.queue.wake('letters')
    const browser = await site.signInAs('act')
    const { text } = await browser.get('/admin/queue')
    expect(text).toMatch(
      /letters<span class="quiet why-line">sends confirmations and other letters<\/span><\/th><td class="figure">1</,
    )
    expect(text).toContain('Nothing was given up.')
    expect((await browser.press('/admin/queue/wake', { queue: 'tick' })).text).toContain('The queue tick is woken.')
    expect((await browser.press('/admin/queue/wake', { queue: 'drop' })).text).toContain('there is no such queue')
    expect(site.wakes).toEqual(['tick'])
    expect(await actsBy(site, browser.name)).toEqual([{ action: 'queue.woken', subject: 'queue:tick', via: 'admin' }])
  })

  test.skipIf(!isThere)(
    `the board is there for reading, under a policy of its own${isThere ? '' : NEEDS_REDIS}`,
    async () => {
      await using stack = new AsyncDisposableStack()
      const site = await openSite(stack)
      await site.context.queue.wake('letters')
      const browser = await site.signInAs('look')
      const page = await browser.get('/admin/queue/board')
      expect(page.headers['content-security-policy']).toContain("script-src 'self'")
      const [, script = ''] = /<script defer src="(static\/js\/main[^"]+)"/.exec(page.text) ?? []
      const file = await browser.get(`/admin/queue/board/${script}`)
      expect([file.status, file.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8'])
      const answer = await browser.get(
        '/admin/queue/board/api/queues?activeQueue=letters&status=waiting&page=1&jobsPerPage=10',
      )
      expect(
        JSON.parse(answer.text).queues.map((one: { name: string; readOnlyMode: boolean }) => [
          one.name,
          one.readOnlyMode,
        ]),
      ).toEqual(['tick', 'refresh', 'letters', 'deliveries'].map((queue) => [queue, true]))
      expect(JSON.parse((await browser.get('/admin/queue/board/api/redis/stats')).text).backend).toBe(
        name.toLowerCase(),
      )
      expect((await browser.get('/admin/queue')).headers['content-security-policy']).not.toContain('script-src')
      // There is no route by which its program could change anything.
      const changing = site.app.routeTable.filter(
        ({ url, method }) => url.includes('/queue/board') && method !== 'GET' && method !== 'HEAD',
      )
      expect(changing).toEqual([])
      for (const path of ['static/../../package.json', 'static/none.js', 'api/none'])
        expect([path, (await browser.get(`/admin/queue/board/${path}`)).status]).toEqual([path, 404])
      expect((await site.browser().get('/admin/queue/board/api/queues')).status).toBe(303)
    },
  )
})

test('a queue that cannot be reached is said so, and what waits in the database is shown all the same', async () => {
  await using site = await openAdminSite({ redisUrl: 'redis://127.0.0.1:1/0' })
  const { status, text } = await (await site.signInAs('look')).get('/admin/queue')
  expect([status, text]).toEqual([200, expect.stringContaining('The queue cannot be reached')])
  expect(text).toContain('Digests that wait')
})
