/** Every route of the admin site, whoever adds it: who may call it, what it says to nonsense, and that reading changes nothing. */
import type { RouteOptions } from 'fastify'
import { expect, test } from 'vitest'
import { allows, OPERATOR_ROLES, type OperatorRole } from '../../../src/core/operator.ts'
import { EVERY_STATE, storeInState } from '../../support/fixtures/every-state.ts'
import { dumpTables } from '../../support/fixtures/mailed-site.ts'
import { storeDay } from '../../support/fixtures/newsletter.ts'
import { type AdminTestSite, openAdminSite } from '../../support/servers/admin-site.ts'
import { thorough } from '../../support/thoroughness.ts'

const AT = new Date('2026-04-15T05:00:00Z')

const changes = ({ method }: RouteOptions) => method !== 'GET' && method !== 'HEAD'
const nameOf = ({ method, url }: RouteOptions) => `${method} ${url}`
/** The routes that have a role: all but signing in, and the files of the pages. */
const guardedOf = ({ app }: AdminTestSite) => app.routeTable.filter(({ config }) => config?.role !== undefined)
const roleOf = ({ config }: RouteOptions) => config?.role as OperatorRole
/** A path of a route with one text for each of its parameters. */
const pathOf = ({ url }: RouteOptions, text: string) => url.replace(/:\w+/g, encodeURIComponent(text))

/** A site with readers of every state, and papers. */
const openFilledSite = async () => {
  const site = await openAdminSite()
  await storeDay(site.db, '2026-04-14')
  for (const state of EVERY_STATE) await storeInState(site.db, state, `${state}@example.org`, AT)
  // The service opens the queue at its start, and this site when it is first asked for.
  await site.context.queue.readStates()
  return site
}

/** All that is stored, but for who is signed in and when they were last seen. */
const contentOf = async (site: AdminTestSite) => {
  const { 'public.operator_sessions': _, 'public.operators': __, ...rest } = await dumpTables(site)
  return rest
}

test('nothing but signing in is open to whoever is not signed in', async () => {
  await using site = await openAdminSite()
  const open = site.app.routeTable.filter(({ config, method }) => config?.role === undefined && method !== 'HEAD')
  expect(open.map(nameOf).sort()).toEqual([
    'GET /admin.css',
    'GET /admin/sign-in',
    'GET /icon.svg',
    'GET /site.css',
    'POST /admin/sign-in',
  ])
  for (const route of guardedOf(site)) {
    const answer = await site.browser().ask(route.method as 'GET', pathOf(route, '1'), changes(route) ? '' : null)
    expect([nameOf(route), answer.status, answer.location]).toEqual([
      nameOf(route),
      303,
      expect.stringMatching('^/admin/sign-in'),
    ])
  }
})

test('each role may what it is for: a form of a higher one is refused, and changes nothing', async () => {
  await using site = await openFilledSite()
  for (const role of OPERATOR_ROLES) {
    const browser = await site.signInAs(role)
    const before = await contentOf(site)
    const above = guardedOf(site).filter((one) => one.method !== 'HEAD' && !allows(role, roleOf(one)))
    for (const route of above) {
      const fields = changes(route) ? new URLSearchParams({ csrf: browser.csrf() }).toString() : null
      const answer = await browser.ask(route.method as 'GET', pathOf(route, '1'), fields)
      expect([role, nameOf(route), answer.status]).toEqual([role, nameOf(route), 403])
      expect(answer.text).toContain('Your role does not allow that')
    }
    expect(above.length > 0).toBe(role !== 'own')
    expect(await contentOf(site)).toEqual(before)
  }
})

test('no form is taken without the field of its session, or from another site', async () => {
  await using site = await openFilledSite()
  const browser = await site.signInAs('own')
  const before = await contentOf(site)
  for (const route of guardedOf(site).filter(changes))
    for (const [fields, headers] of [
      [{ csrf: '' }, {}],
      [{}, { 'sec-fetch-site': 'cross-site' }],
      [{}, { 'sec-fetch-site': '', origin: 'https://evil.example' }],
    ] as const) {
      const answer = await browser.post(pathOf(route, '1'), fields, headers)
      expect([nameOf(route), answer.status]).toEqual([nameOf(route), 403])
    }
  expect(await contentOf(site)).toEqual(before)
})

test.runIf(thorough)('a page changes nothing, whatever it is asked for, and nothing is a fault', async () => {
  await using site = await openFilledSite()
  const browser = await site.signInAs('own')
  const before = await contentOf(site)
  for (const route of guardedOf(site).filter((one) => !changes(one)))
    for (const text of [
      '1',
      '999999999999',
      'x'.repeat(400),
      "' or 1=1 --",
      'é\0',
      '11111111-1111-4111-8111-111111111111',
    ])
      for (const query of [
        '',
        `?${new URLSearchParams({ q: text, page: text, after: text, before: text, by: text, of: text })}`,
      ]) {
        const answer = await browser.get(pathOf(route, text) + query)
        expect([nameOf(route), text, query, answer.status < 500]).toEqual([nameOf(route), text, query, true])
      }
  expect(await contentOf(site)).toEqual(before)
})

test.runIf(thorough)('a form with nothing in it, or with nonsense, is answered in words, and is no fault', async () => {
  await using site = await openFilledSite()
  const own = await site.signInAs('own')
  for (const route of guardedOf(site).filter((one) => changes(one) && one.url !== '/admin/sign-out')) {
    const names = Object.keys((route.schema?.body as { properties?: object })?.properties ?? {})
    for (const value of [null, '', 'x'.repeat(5_000), '-1', '11111111-1111-4111-8111-111111111111'])
      for (const id of ['1', 'é', '11111111-1111-4111-8111-111111111111']) {
        const fields = value === null ? {} : Object.fromEntries(names.map((name) => [name, value]))
        const { status } = await own.post(pathOf(route, id), fields)
        expect([nameOf(route), value?.slice(0, 9), id, status < 500]).toEqual([
          nameOf(route),
          value?.slice(0, 9),
          id,
          true,
        ])
        site.passMinutes(1)
      }
  }
})
