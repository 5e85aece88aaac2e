/** The preview of a digest. */
import { expect, it } from 'vitest'
import { STANDARD } from '../../src/core/subscriber/preferences.ts'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { card, form, openTestSite } from '../support/servers/recording-site.ts'

const open = (url: string, accept = 'text/html') => fetch(url, { headers: { accept }, redirect: 'manual' })

it('shows the digest of today for the topics in the URL, and the form with them chosen', async () => {
  await using site = await openTestSite()
  for (const query of [
    'topics=agents&topics=robotics',
    'topics=robotics,agents',
    'topics=agents,robotics&frequency=',
  ]) {
    const answer = await open(`${site.url}/preview?${query}`)
    const page = await answer.text()
    expect([answer.status, answer.headers.get('x-robots-tag')]).toEqual([200, 'noindex'])
    expect(page).toContain('<h1>Wednesday 15 April 2026</h1>')
    expect(page).toContain('A paper about agents')
    expect(page).toContain('About 20 papers a week match')
    expect(page).toContain('value="agents" checked')
    expect(page).toContain('action="/subscribe"')
    expect(page.match(/<button class="great"/g)).toHaveLength(1)
  }
  const preferences = { ...STANDARD, topics: ['agents', 'robotics'], frequency: 'daily', timeZone: 'UTC' }
  expect(site.asked).toEqual([preferences, preferences, preferences])
  expect(site.changes).toEqual([])
})

it('gives programs the digest as JSON', async () => {
  await using site = await openTestSite()
  const answer = await open(`${site.url}/preview?topics=agents&frequency=weekly&keywords=Lean+4`, 'application/json')
  expect(answer.headers.get('content-type')).toContain('application/json')
  expect(await answer.json()).toMatchObject({
    listed: 26,
    cutoff: '2026-04-20T06:00:00.000Z',
    cards: [{ id: card().id, reason: card().reason }],
    trendingExtras: [],
  })
  expect(site.asked).toMatchObject([{ frequency: 'weekly', keywords: ['Lean 4'] }])
})

it.each([
  ['topics=llm', 'There is no topic “llm”. Choose from the list.'],
  ['topics=a,b&frequency=daily', 'There are no topics “a”, “b”. Choose from the list.'],
  ['topics=,', 'Choose trending papers or at least one topic, or add a keyword or author.'],
  ['topics=agents&frequency=hourly', 'Choose daily or weekly.'],
  ['topics=agents&timezone=Mars', '“Mars” isn’t a time zone. Choose one such as Europe/London.'],
])('refuses %s with a sentence, on a page and as a problem', async (query, sentence) => {
  await using site = await openTestSite()
  const page = await open(`${site.url}/preview?${query}`)
  expect([page.status, await page.text()]).toEqual([400, expect.stringContaining(sentence)])
  const problem = await open(`${site.url}/preview?${query}`, 'application/json')
  expect([problem.status, await problem.json()]).toEqual([
    400,
    expect.objectContaining({ errors: [expect.objectContaining({ problem: sentence })] }),
  ])
  expect(site.asked).toEqual([])
})

it('the form’s second button leads to a URL with the whole choice, to share', async () => {
  await using site = await openTestSite()
  const home = await (await open(site.url)).text()
  expect(home).toContain('formaction="/preview"')
  const answer = await fetch(`${site.url}/preview`, {
    method: 'POST',
    redirect: 'manual',
    body: form({
      email: '',
      topics: ['robotics', 'agents'],
      keywords: 'sheet music\nLean 4',
      authors: '',
      muted: '',
      frequency: 'weekly',
      hour: '18',
      timezone: 'Europe/London',
    }),
  })
  expect(answer.status).toBe(303)
  const address = answer.headers.get('location') ?? ''
  expect(address).toBe(
    '/preview?topics=agents,robotics&frequency=weekly&keywords=Lean+4&keywords=sheet+music&hour=18&timezone=Europe/London',
  )
  const page = await (await open(site.url + address)).text()
  expect(page).toContain('value="18" selected')
  expect(page).toContain('value="Europe/London" selected')
  expect(page).toContain('\nLean 4\nsheet music</textarea>')
})

it('an address that was typed is kept by the preview, and stands in no URL', async () => {
  await using site = await openTestSite()
  const fields = { email: ' grace@example.net ', topics: 'agents', frequency: 'daily', timezone: 'Europe/London' }
  const answer = await fetch(`${site.url}/preview`, { method: 'POST', redirect: 'manual', body: form(fields) })
  expect([answer.status, answer.headers.get('location'), answer.headers.get('cache-control')]).toEqual([
    200,
    null,
    'private, no-cache',
  ])
  const page = await answer.text()
  expect(page).toContain('Preview: the daily digest')
  expect(page).toContain('value="grace@example.net"')
  expect(page).toContain('value="agents" checked')
  expect(page).not.toMatch(/(?:href|src|action)="[^"]*grace/)
})

it('a zone that a browser reports and nobody knows is UTC, also in the URL of a preview', async () => {
  await using site = await openTestSite()
  for (const timezone of ['Etc/Unknown', 'America/Newville']) {
    const page = await open(`${site.url}/preview?topics=agents&timezone=${timezone}`)
    expect([page.status, site.asked.at(-1)?.timeZone]).toEqual([200, 'UTC'])
  }
})

it('the second button with nothing chosen previews what trends, and the URL says so', async () => {
  await using site = await openTestSite()
  const answer = await fetch(`${site.url}/preview`, {
    method: 'POST',
    body: form({ topics: '', keywords: '', papers: '3' }),
  })
  expect([answer.status, new URL(answer.url).search]).toEqual([200, '?topics=trending&frequency=daily&papers=3'])
  expect(await answer.text()).toContain('value="trending" checked')
  expect(site.asked).toEqual([{ ...STANDARD, trending: true, topics: [], papers: 3 }])
})

it('the longest choices that are allowed are previewed: what has no room in a URL is shown at once', async () => {
  await using site = await openTestSite()
  // Letters outside ASCII take six characters of a URL each.
  const words = (most: number) =>
    Array.from({ length: 20 }, (_, n) => `Ж${String.fromCharCode(0x430 + n)}${'ж'.repeat(10)} ${'ш'.repeat(most - 13)}`)
  const lists = { keywords: words(60), authors: words(80), muted: words(60).map((one) => `щ${one.slice(1)}`) }
  const body = form({
    topics: DEFAULT_TOPICS.all.map(({ slug }) => slug),
    frequency: 'daily',
    timezone: 'Europe/London',
    ...lists,
  })
  const answer = await fetch(`${site.url}/preview`, { method: 'POST', body })
  expect([answer.status, new URL(answer.url).search]).toEqual([200, ''])
  expect(await answer.text()).toContain('Preview')
  expect(site.asked.at(-1)?.muted).toHaveLength(20)
})

it('a client has so many previews a minute, and then words and a time; others, and its sign-ups, are served', async () => {
  let now = 0
  await using site = await openTestSite({ trustProxy: ['127.0.0.1'], monotonic: () => now })
  const ask = (ip: string, path: string, method = 'GET') =>
    fetch(site.url + path, { method, headers: { 'x-forwarded-for': ip }, redirect: 'manual' })
  const statuses: number[] = []
  for (let n = 0; n < 63; n++)
    statuses.push((await ask(`2001:db8::${n}`, `/preview?topics=agents&hour=${n % 24}`)).status)
  expect(statuses).toEqual([...Array(60).fill(200), 429, 429, 429])
  const refused = await ask('2001:db8::1', '/preview', 'POST')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  expect(await refused.text()).toContain('Too many requests')
  expect((await ask('2001:db8:0:1::1', '/preview?topics=agents')).status).toBe(200)
  for (const path of ['/', '/links', '/check-inbox']) expect((await ask('2001:db8::1', path)).status).toBe(200)
  now = 1_000
  for (const status of [200, 429]) expect((await ask('2001:db8::1', '/preview?topics=agents')).status).toBe(status)
})
