/** The admin pages of a database that is read-only: who is signed in looks on, and every change is refused in words. */
import { expect, test } from 'vitest'
import { endHold, makeReadOnly } from '../../../src/newsletter/service-hold.ts'
import { ADMIN_TOKEN, openAdminSite } from '../../support/servers/admin-site.ts'

const ADA = { byWhom: 'ada', via: 'command' } as const
const PAGES = [
  '',
  '/editions',
  '/subscribers',
  '/suppressions',
  '/papers',
  '/sources',
  '/routes',
  '/charts',
  '/operators',
  '/audit',
]
const REFUSED = [503, '600', expect.stringContaining('maintenance, so nothing was changed')]

test('while the database is read-only a session that there is looks on, and signing in and acting answer 503 in words', async () => {
  await using site = await openAdminSite()
  const browser = await site.signInAs('own')
  // Leaves something to be said on the next page.
  await browser.post('/admin/service/hold', { why: 'A move' })
  await browser.post('/admin/service/resume')
  // As a service does that starts: it prepares the queue in the database.
  await site.context.queue.readStates()
  await makeReadOnly(site.db, ADA, 'An upgrade of the database')
  // So long after its last page that it would be noted.
  site.setClock('2026-04-15T09:30:00Z')
  for (const page of PAGES) expect([page, (await browser.get(`/admin${page}`)).status]).toEqual([page, 200])
  expect((await browser.get('/admin')).text).toContain('An upgrade of the database')

  const answered = ({ status, headers, text }: Awaited<ReturnType<typeof browser.get>>) => [
    status,
    headers['retry-after'],
    text,
  ]
  expect(answered(await browser.post('/admin/operators', { name: 'Grace Hopper', role: 'look' }))).toEqual(REFUSED)
  expect(answered(await browser.post('/admin/service/hold', { why: 'Another' }))).toEqual(REFUSED)
  expect(answered(await browser.post('/admin/sign-out'))).toEqual(REFUSED)
  expect(answered(await site.browser().signIn(ADMIN_TOKEN))).toEqual(REFUSED)
  expect((await browser.get('/admin')).status).toBe(200)

  await endHold(site.db, ADA, new Date('2026-04-15T09:30:00Z'), { skipDue: false })
  expect((await site.browser().signIn(ADMIN_TOKEN)).status).toBe(303)
  expect((await browser.post('/admin/sign-out')).status).toBe(303)
})
