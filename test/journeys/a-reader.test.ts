/** The story of a reader, told through the site and the mailbox alone. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { startTestService, type TestService } from '../support/servers/service.ts'
import { thorough } from '../support/thoroughness.ts'

const WEEKDAYS = ['2026-04-03', '2026-04-06', '2026-04-07', '2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13']
const ADA = 'ada@example.org'

const subscribe = async (service: TestService, email: string, fields: Record<string, string | string[]> = {}) => {
  const site = openSite(service.url)
  const before = (await service.mail.list(email)).length
  await site.post('/subscribe', {
    email,
    topics: ['diffusion-lm', 'robotics'],
    frequency: 'daily',
    timezone: 'Europe/London',
    ...fields,
  })
  const confirmation = await service.mail.waitFor(email, before + 1)
  await site.post(confirmation.links.get('confirm') ?? '')
  return service.mail.waitFor(email, before + 2)
}

/** The titles of a digest, in order; a page repeats them in its links for those who listen to it. */
const titlesOf = (html: string): string[] => [
  ...new Set([...html.matchAll(/(Advances in [^<]*, report [\d.]+)/g)].map((found) => found[1] ?? '')),
]

test('a reader subscribes, confirms, is welcomed, gets a digest in the morning, changes it, and leaves', async () => {
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: [...WEEKDAYS, '2026-04-14', '2026-04-15'],
  })
  const site = openSite(service.url)

  const home = await site.get('/')
  expect(home.status).toBe(200)
  expect(home.text).toContain('13 April 2026')
  expect(home.text).not.toContain('2604.14')

  const asked = await site.post('/subscribe', {
    email: ADA,
    topics: ['diffusion-lm', 'robotics'],
    frequency: 'daily',
    timezone: 'Europe/London',
  })
  expect(asked.text).toMatch(/check your inbox/i)

  const confirmation = await service.mail.waitFor(ADA, 1)
  expect(confirmation.subject).toBe('Confirm your subscription')
  expect(confirmation.headers.has('list-unsubscribe')).toBe(false)
  const confirm = confirmation.links.get('confirm') ?? ''
  const looked = await site.get(confirm)
  expect(looked.text).toContain('a•••@example.org')
  await site.get(confirm)
  expect((await service.mail.list(ADA)).length).toBe(1)

  const confirmed = await site.post(confirm)
  expect(confirmed.status).toBe(200)
  const welcome = await service.mail.waitFor(ADA, 2)
  const welcomed = titlesOf(welcome.html)
  expect(new Set(welcomed).size).toBe(10)
  expect(welcome.text).toContain('Diffusion language models')
  expect(welcome.html).not.toContain('2604.14')

  // The list of the 14th was seen at nine in the morning; the first digest is a day away, by London's clock.
  service.setClock('2026-04-15T06:00:30Z')
  await service.wake('tick')
  const digest = await service.mail.waitFor(ADA, 3)
  expect(digest.headers.get('list-unsubscribe-post')).toEqual(['List-Unsubscribe=One-Click'])
  const fresh = titlesOf(digest.html)
  expect(fresh.length).toBeGreaterThan(0)
  expect(fresh.filter((title) => welcomed.includes(title))).toEqual([])
  expect(digest.html).not.toContain('2604.15')
  expect(digest.text).toContain('Wednesday 15 April 2026')

  const inBrowser = await site.get(digest.links.get('digests') ?? '')
  expect(titlesOf(inBrowser.html)).toEqual(fresh)

  const preferences = digest.links.get('preferences') ?? ''
  const own = await site.get(preferences)
  expect(own.text).toContain('a•••@example.org')
  expect(own.html).not.toContain(ADA)
  const saved = await site.post(preferences, {
    topics: ['code'],
    frequency: 'weekly',
    hour: '18',
    weekday: '5',
    timezone: 'America/New_York',
  })
  expect(saved.status).toBe(200)
  service.setClock('2026-04-17T22:00:30Z')
  await service.wake('tick')
  const weekly = await service.mail.waitFor(ADA, 4)
  expect(titlesOf(weekly.html).every((title) => !welcomed.includes(title) && !fresh.includes(title))).toBe(true)

  // As Gmail does it: the URI of the header, the body of the RFC, no cookie and no page in between.
  const oneClick = /^<https?:\/\/[^/]+(\/.*)>$/.exec(weekly.headers.get('list-unsubscribe')?.[0] ?? '')?.[1] ?? ''
  const left = await site.post(oneClick, { 'List-Unsubscribe': 'One-Click' })
  expect(left.status).toBe(200)
  service.setClock('2026-04-24T22:00:30Z')
  await service.wake('tick')
  await subscribe(service, 'grace@example.net')
  expect((await service.mail.list(ADA)).length).toBe(4)
})

test.runIf(thorough)(
  'whoever opens a confirmation too late is told so, asks again by one press, or subscribes on that page',
  async () => {
    await using service = await startTestService({
      clock: '2026-04-14T05:00:00Z',
      days: WEEKDAYS,
      settings: { KEEP_UNCONFIRMED: '14' },
    })
    const site = openSite(service.url)
    await site.post('/subscribe', { email: ADA, topics: 'robotics', timezone: 'Etc/Unknown' })
    const confirmation = await service.mail.waitFor(ADA, 1)
    expect(confirmation.text).toContain('The time is in UTC, as no other time zone was chosen.')
    const confirm = confirmation.links.get('confirm') ?? ''
    expect((await site.get(confirm)).text).toContain('in UTC, as no time zone was chosen')
    const expired = 'This confirmation link has expired Confirmation links work for 7 days'

    service.setClock('2026-04-22T05:00:00Z')
    await service.wake('tick')
    const late = await site.post(confirm)
    expect([late.status, late.text]).toEqual([410, expect.stringContaining(expired)])
    const again = /action="(\/confirm\/[^"]+\/again)"/.exec(late.html)?.[1] ?? ''
    const pressed = await site.post(again)
    expect(pressed.text).toContain(
      'If we can email a•••@example.org , a message with a button to confirm is on its way.',
    )

    // The request is forgotten; the page asks for an address, and no longer offers an email that would not come.
    service.setClock('2026-05-08T05:00:00Z')
    const page = await vi.waitFor(
      async () => {
        await service.wake('tick')
        const found = await site.get(confirm)
        expect(found.html).toContain('action="/subscribe"')
        return found
      },
      { timeout: 30_000 },
    )
    expect([page.status, page.text]).toEqual([410, expect.stringContaining(expired)])
    expect(page.html).not.toContain('a•••')
    await site.post('/subscribe', { email: 'grace@example.net' })
    const fresh = await service.mail.waitFor('grace@example.net', 1)
    const confirmed = await site.post(fresh.links.get('confirm') ?? '', { hour: '6', timezone: 'Asia/Tokyo' })
    expect(confirmed.text).toContain('at 06:00 Tokyo time, on days with new papers')
    const welcome = await service.mail.waitFor('grace@example.net', 2)
    expect(welcome.text).toContain('Tokyo time')
  },
)

test('a reader looks before subscribing, has words of their own, and is kept from those that are muted', async () => {
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: [...WEEKDAYS, '2026-04-14', '2026-04-15'],
  })
  const site = openSite(service.url)
  const choice = { topics: [], keywords: 'What Came of It\nzebra', frequency: 'daily', timezone: 'Europe/London' }
  const preview = await site.post('/preview', { email: ADA, ...choice })
  expect(preview.text).toContain('Preview: the daily digest')
  expect(titlesOf(preview.html)).toHaveLength(10)
  expect(await service.mail.list(ADA)).toEqual([])

  const welcome = await subscribe(service, ADA, choice)
  const [confirmation] = await service.mail.list(ADA)
  expect(confirmation?.text).toContain('2 keywords')
  expect(confirmation?.text).not.toContain('zebra')
  expect(welcome.text.replaceAll('\u00a0', ' ')).toContain('Keyword: "what came of it" in the abstract')

  const preferences = welcome.links.get('preferences') ?? ''
  const muting = { ...choice, hour: '7', weekday: '6', muted: 'report' }
  const looked = await site.post(`${preferences}/look`, muting)
  expect(looked.text).toMatch(/Not saved yet\. From about \d+ papers a week to none/)
  expect((await site.get(preferences)).html).not.toContain('report</textarea>')
  expect((await site.post(preferences, muting)).text).toMatch(/Settings saved\. From about \d+ papers a week to none/)
  service.setClock('2026-04-15T06:00:30Z')
  await service.wake('tick')
  await subscribe(service, 'grace@example.net')
  expect(await service.mail.list(ADA)).toHaveLength(2)
})

test.runIf(thorough)('a paused reader gets nothing until the date, and then goes on', async () => {
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    days: [...WEEKDAYS, '2026-04-14', '2026-04-15', '2026-04-20'],
  })
  const site = openSite(service.url)
  const welcome = await subscribe(service, ADA)
  const paused = await site.post(`${welcome.links.get('preferences')}/pause`, { until: '2026-04-21' })
  expect(paused.status).toBe(200)
  service.setClock('2026-04-16T07:00:00Z')
  await service.wake('tick')
  await subscribe(service, 'grace@example.net')
  expect((await service.mail.list(ADA)).length).toBe(2)
  service.setClock('2026-04-21T06:00:30Z')
  await service.wake('tick')
  const digest = await service.mail.waitFor(ADA, 3)
  expect(digest.text).toContain('21 April 2026')
})

test('a request that nobody confirms is forgotten after seven days', async () => {
  await using service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: WEEKDAYS })
  const site = openSite(service.url)
  await site.post('/subscribe', { email: ADA, topics: 'code', frequency: 'daily', timezone: 'UTC' })
  const confirmation = await service.mail.waitFor(ADA, 1)
  service.setClock('2026-04-21T05:01:00Z')
  expect((await site.post(confirmation.links.get('confirm') ?? '')).status).toBe(410)
})

// On one service: none of these moves its clock, and each has a reader of its own.
describe('on one morning', () => {
  let service: TestService
  beforeAll(async () => {
    // All of them subscribe from here.
    const settings = { SIGN_UPS_PER_HOUR: 'client=100' }
    service = await startTestService({ clock: '2026-04-14T05:00:00Z', days: WEEKDAYS, settings })
  })
  afterAll(() => service?.[Symbol.asyncDispose]())

  test('who left and comes back confirms anew, and nothing they had comes again', async () => {
    const site = openSite(service.url)
    const welcome = await subscribe(service, 'ada@example.org')
    const first = titlesOf(welcome.html)
    expect(new Set(first).size).toBe(10)
    await site.post(welcome.links.get('unsubscribe') ?? '')
    const again = await subscribe(service, 'ada@example.org')
    expect(titlesOf(again.html).filter((title) => first.includes(title))).toEqual([])
  })

  test('somebody who is subscribed already gets a reminder with their links, and nothing changes', async () => {
    const site = openSite(service.url)
    await subscribe(service, 'emmy@example.org')
    const ask = () =>
      site.post('/subscribe', { email: 'EMMY@EXAMPLE.ORG', topics: 'code', frequency: 'weekly', timezone: 'UTC' })
    await ask()
    const reminder = await service.mail.waitFor('emmy@example.org', 3)
    expect(reminder.subject).toMatch(/already subscribed/i)
    const own = await site.get(reminder.links.get('preferences') ?? '')
    expect(own.html).toMatch(/value="diffusion-lm"[^>]*checked/)
    expect(own.html).not.toMatch(/value="code"[^>]*checked/)
    await ask()
    await subscribe(service, 'grace1@example.net')
    expect((await service.mail.list('emmy@example.org')).length).toBe(3)
  })

  test('a lost mail is made up for by fresh links', async () => {
    const site = openSite(service.url)
    await subscribe(service, 'hedy@example.org')
    const known = await site.post('/links', { email: 'hedy@example.org' })
    const unknown = await site.post('/links', { email: 'nobody@example.org' })
    expect(known.html.replaceAll('hedy@', 'nobody@')).toBe(unknown.html)
    const links = await service.mail.waitFor('hedy@example.org', 3)
    expect((await site.get(links.links.get('preferences') ?? '')).text).toContain('h•••@example.org')
    expect(await service.mail.list('nobody@example.org')).toEqual([])
  })

  test('an old confirmation cannot subscribe anybody again', async () => {
    const site = openSite(service.url)
    const welcome = await subscribe(service, 'joan@example.org')
    const [confirmation] = await service.mail.list('joan@example.org')
    const confirm = confirmation?.links.get('confirm') ?? ''
    expect((await site.post(confirm)).status).toBe(200)
    await site.post(welcome.links.get('unsubscribe') ?? '')
    expect((await site.post(confirm)).status).toBe(410)
  })

  test('no address, token or link is in any line of the log', async () => {
    const welcome = await subscribe(service, 'mary@example.org')
    const log = service.logged.join('\n')
    expect(log.length).toBeGreaterThan(0)
    expect(log).not.toContain('mary@')
    for (const path of welcome.links.values()) expect(log).not.toContain(path.split('/')[2])
  })
})
