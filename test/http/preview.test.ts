/** The preview of a digest. */
import { expect, it } from 'vitest'
import { STANDARD } from '../../src/core/subscriber/preferences.ts'
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
  ['', 'Choose at least one topic, or add a keyword or author.'],
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

it('the form’s second button leads to a URL with the whole choice and without the email address', async () => {
  await using site = await openTestSite()
  const home = await (await open(site.url)).text()
  expect(home).toContain('formaction="/preview"')
  const answer = await fetch(`${site.url}/preview`, {
    method: 'POST',
    redirect: 'manual',
    body: form({
      email: 'grace@example.net',
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
  expect(page).not.toContain('grace')
})

it('the second button with nothing chosen says what is missing and keeps the email address', async () => {
  await using site = await openTestSite()
  const answer = await fetch(`${site.url}/preview`, { method: 'POST', body: form({ email: 'grace@example.net' }) })
  const page = await answer.text()
  expect(answer.status).toBe(400)
  expect(page).toContain('Choose at least one topic, or add a keyword or author.')
  expect(page).toContain('value="grace@example.net"')
})
