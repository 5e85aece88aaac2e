/** The address of the admin pages: where they listen, and that nobody else’s is theirs. */
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { addOperator, changeOperatorRole, endOperator, renewOperatorToken } from '../../../src/newsletter/operators.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { openAdmin } from '../../../workers/roles/admin.ts'
import { ADMIN_TOKEN, openAdminSite } from '../../support/servers/admin-site.ts'
import { startTestService } from '../../support/servers/service.ts'

const CLOCK = '2026-04-14T05:00:00Z'
const BY = { byWhom: 'test', via: 'command' } as const

test('a service without ADMIN_TOKEN and ADMIN_PORT has no admin pages, and with it they are at an address of their own', async () => {
  const without = await startTestService({ clock: CLOCK })
  expect(without.adminUrl).toBeNull()
  expect((await fetch(`${without.url}/admin`)).status).toBe(404)
  await without[Symbol.asyncDispose]()

  await using service = await startTestService({ clock: CLOCK, settings: { ADMIN_TOKEN } })
  const { adminUrl } = service
  expect(adminUrl).toMatch(/^http:\/\/localhost:\d+\/admin$/)
  expect(new URL(adminUrl ?? '').port).not.toBe(new URL(service.url).port)
  expect((await fetch(`${service.url}/admin`)).status).toBe(404)
  const asked = await fetch(adminUrl ?? '', { redirect: 'manual' })
  expect([asked.status, asked.headers.get('location')]).toEqual([303, '/admin/sign-in?to=%2Fadmin'])
  const body = new URLSearchParams({ token: ADMIN_TOKEN, to: '/admin' })
  const signedIn = await fetch(`${adminUrl}/sign-in`, { method: 'POST', body, redirect: 'manual' })
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const page = await fetch(adminUrl ?? '', { headers: { cookie } })
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Today')])
  // The token of an operator opens what ADMIN_TOKEN does.
  const bearer = (token: string) =>
    fetch(`${service.url}/metrics`, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status)
  expect([await bearer(ADMIN_TOKEN), await bearer('another')]).toEqual([200, 401])
})

test('the token of an operator opens metrics and editions of the public site, whatever the role, until it is renewed or ended', async () => {
  await using service = await startTestService({ clock: CLOCK, settings: { ADMIN_TOKEN } })
  const db = openDatabase(service.databaseUrl, { connections: 1, name: 'test', onError: () => undefined })
  await using _ = { [Symbol.asyncDispose]: () => db.destroy() }
  const ports = { db, now: () => new Date(CLOCK) }
  const added = await addOperator(ports, BY, { name: 'Grace Hopper', role: 'own' })
  if ('problem' in added) throw new Error(added.problem)
  const opened = (token: string) =>
    Promise.all(
      ['/metrics', '/api/v1/editions'].map((path) =>
        fetch(service.url + path, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status),
      ),
    )
  const body = new URLSearchParams({ token: added.token })
  const signedIn = await fetch(`${service.adminUrl}/sign-in`, { method: 'POST', body, redirect: 'manual' })
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const page = async (path: string) =>
    (await fetch(service.adminUrl + path, { headers: { cookie }, redirect: 'manual' })).status
  expect([await opened(added.token), await page('/operators')]).toEqual([[200, 200], 200])

  await changeOperatorRole(ports, BY, 'Grace Hopper', 'look')
  expect([await opened(added.token), await page('/operators'), await page('/editions')]).toEqual([[200, 200], 403, 200])
  const renewed = await renewOperatorToken(ports, BY, 'Grace Hopper')
  if ('problem' in renewed) throw new Error(renewed.problem)
  expect([await opened(added.token), await opened(renewed.token), await page('/editions')]).toEqual([
    [401, 401],
    [200, 200],
    303,
  ])
  await endOperator(ports, BY, 'Grace Hopper')
  expect(await opened(renewed.token)).toEqual([401, 401])
})

test('a port that was chosen and is in use ends the start; one that nobody chose leaves the service without these pages', async () => {
  await using site = await openAdminSite()
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const listener = { host: '127.0.0.1', port }
  await expect(openAdmin(site.context, { ...listener, chosen: true })).rejects.toThrow('EADDRINUSE')
  expect(await openAdmin(site.context, { ...listener, chosen: false })).toBeNull()
  expect(site.log.join()).toContain('the port of the admin pages is in use, so there are none; set ADMIN_PORT')
  other.close()
})
