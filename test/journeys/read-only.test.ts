/** A service whose database is read-only: everything can be read, nothing is changed or sent, and nothing is lost. */
import { expect, test, vi } from 'vitest'
import { prepareQueueSchema } from '../../src/adapters/queue/postgres-backend.ts'
import { endHold, makeReadOnly } from '../../src/newsletter/service-hold.ts'
import { tick } from '../../src/newsletter/tick.ts'
import { openDatabase } from '../../src/store/database.ts'
import { isReadOnly, setReadOnly } from '../../src/store/read-only.ts'
import { openSite } from '../support/browser/http-client.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { LONDON_DAILY, SILENT, subscribe, wakeNobody } from '../support/fixtures/newsletter.ts'
import { startProgram } from '../support/processes/program.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { startTestService } from '../support/servers/service.ts'

const START = '2026-04-15T05:00:00Z'
const ADA = { byWhom: 'ada', via: 'command' as const }
const READ = [
  '/',
  '/topics',
  '/topics/robotics',
  '/papers/2026-04-14',
  '/weeks/2026-W16',
  '/search?q=agents',
  '/feeds/all.atom',
  '/feeds/robotics.json',
  '/about',
  '/privacy',
  '/embed',
  '/preview?topics=robotics',
  '/sitemap.xml',
  '/api/v1/search?q=agents',
  '/api/v1/topics/robotics',
  '/api/docs',
  '/healthz',
  '/readyz',
]

test('every page is shown, every change is refused with when to try again, and afterwards all goes on', async () => {
  await using service = await startTestService({
    clock: START,
    days: ['2026-04-13', '2026-04-14', '2026-04-15'],
    settings: { SIGN_UPS_PER_HOUR: 'all=3000' },
  })
  const db = openDatabase(service.databaseUrl, { connections: 2, name: 'test', onError: () => undefined })
  await using _ = { [Symbol.asyncDispose]: () => db.destroy() }
  await subscribe(db, 'ada@example.org', LONDON_DAILY, new Date(START))
  await subscribe(db, 'bob@example.org', LONDON_DAILY, new Date(START))
  service.setClock('2026-04-16T06:00:30Z')
  await service.wake('tick')
  // The welcomes are of the day before.
  const digestsTo = async (to: string, day: string) =>
    (await service.mail.list(to)).filter(({ headers }) => headers.get('date')?.[0]?.includes(day))
  const [digest] = await vi.waitUntil(
    async () => {
      const found = await digestsTo('ada@example.org', '16 Apr')
      return found.length > 0 && (await digestsTo('bob@example.org', '16 Apr')).length > 0 ? found : null
    },
    { timeout: 45_000 },
  )
  if (digest === undefined) throw new Error('there is no digest')
  const paths = [...digest.links.values()]
  const unsubscribe = digest.links.get('unsubscribe') ?? ''
  const preferences = digest.links.get('preferences') ?? ''
  expect([unsubscribe, preferences].every((path) => path.length > 40)).toBe(true)

  expect(await makeReadOnly(db, ADA, 'the disk is being changed')).toBe(0)
  // The connections of before are ended; the first query on one that was just ended may still fail.
  await expect.poll(() => isReadOnly(db).catch(() => false)).toBe(true)
  const statusOf = async (path: string) => (await fetch(service.url + path)).status
  await expect.poll(() => statusOf('/readyz')).toBe(200)
  expect(await (await fetch(`${service.url}/readyz`)).json()).toMatchObject({
    held: expect.stringContaining('the disk is being changed'),
  })
  for (const path of [...READ, ...paths])
    expect([path, await statusOf(path)]).toEqual([path, expect.toSatisfy((status: number) => status < 400)])

  const form = (fields: Record<string, string>) => ({
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual' as const,
  })
  const changes: [string, RequestInit][] = [
    ['/subscribe', form({ email: 'eve@example.org', topics: 'robotics' })],
    ['/links', form({ email: 'ada@example.org' })],
    [preferences, form({ topics: 'agents', frequency: 'daily', hour: '8', weekday: '1', timezone: 'Europe/London' })],
    [unsubscribe, form({ 'List-Unsubscribe': 'One-Click' })],
  ]
  for (const [path, request] of changes) {
    const answer = await fetch(service.url + path, request)
    expect([path, answer.status, answer.headers.get('retry-after')]).toEqual([path, 503, '600'])
    expect(await answer.text()).toMatch(
      /maintenance, so (?:nothing was changed|you’re still subscribed, and no email is sent meanwhile)/,
    )
  }
  const json = await fetch(`${service.url}/api/v1/subscribe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'eve@example.org' }),
  })
  expect([json.status, json.headers.get('retry-after'), json.headers.get('content-type')]).toEqual([
    503,
    '600',
    expect.stringContaining('problem+json'),
  ])
  const sent = await service.mail.count()
  service.setClock('2026-04-17T06:00:30Z')
  const warnings: string[] = []
  const log = {
    ...SILENT,
    warn: (_: object, event: string) => void warnings.push(event),
    error: () => expect.unreachable(),
  }
  await tick({ db, log, wake: wakeNobody }, new Date('2026-04-17T06:00:30Z'))
  expect(warnings).toEqual([expect.stringMatching(/^the database is read-only: nothing is published or sent/)])

  expect(await endHold(db, ADA, new Date('2026-04-17T06:00:30Z'), { skipDue: false })).toEqual({
    passedOver: 0,
    left: 0,
  })
  // As a mail provider does that was told to try again.
  await expect
    .poll(
      async () =>
        (await fetch(service.url + unsubscribe, form({ 'List-Unsubscribe': 'One-Click' })).catch(() => null))?.status,
    )
    .toBe(200)
  expect(await service.mail.count()).toBe(sent)
  await service.wake('tick')
  const published = () => service.logged.filter((line) => line.includes('edition published')).at(-1) ?? '{}'
  // What fell due meanwhile, without her who left.
  await expect
    .poll(() => JSON.parse(published()))
    .toMatchObject({ cutoff: expect.stringContaining('2026-04-17'), subscribers: 1 })
  expect(await digestsTo('ada@example.org', '17 Apr')).toEqual([])
  expect(
    (await openSite(service.url).post('/subscribe', { email: 'eve@example.org', topics: 'robotics' })).status,
  ).toBe(200)
})

test('a site starts on a database that is read-only, as a standby is, and shows its pages', async () => {
  await using database = await openTestDatabase()
  await using folder = await openTestFolder()
  await prepareQueueSchema(database.url)
  const db = openDatabase(database.url, { connections: 1, name: 'test', onError: () => undefined })
  await db.connection().execute((connection) => setReadOnly(connection, true))
  await db.destroy()
  const port = await findFreePort()
  await using program = startProgram('main', ['api'], {
    DATABASE_URL: database.url,
    DATA_DIR: folder.path,
    PORT: String(port),
    LOG_LEVEL: 'silent',
  })
  await program.said('is ready')
  for (const path of ['/', '/topics', '/search?q=agents', '/feeds/all.atom', '/readyz'])
    expect([path, (await fetch(`http://127.0.0.1:${port}${path}`)).status]).toEqual([path, 200])
  const answer = await fetch(`http://127.0.0.1:${port}/subscribe`, {
    method: 'POST',
    body: new URLSearchParams({ email: 'eve@example.org' }),
  })
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '600'])
})
