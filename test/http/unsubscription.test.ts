/** Unsubscribing, and having less mail instead. */
import { describe, expect, it } from 'vitest'
import { postBare } from '../support/servers/raw-post.ts'
import { form, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/unsubscribe/${TOKEN.unsubscribe}`

const URLENCODED = 'List-Unsubscribe=One-Click'
const MULTIPART = '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'

describe('one click (RFC 8058)', () => {
  it.each([
    ['urlencoded, as Gmail sends it', { 'content-type': 'application/x-www-form-urlencoded' }, URLENCODED],
    ['multipart, as the RFC prefers it', { 'content-type': 'multipart/form-data; boundary=b' }, MULTIPART],
    ['multipart without a boundary', { 'content-type': 'multipart/form-data' }, MULTIPART],
    ['with an empty type', { 'content-type': '' }, URLENCODED],
    ['with a malformed type', { 'content-type': ';;' }, URLENCODED],
    ['without a type', {}, URLENCODED],
    ['as plain text', { 'content-type': 'text/plain' }, URLENCODED],
    ['as broken JSON', { 'content-type': 'application/json' }, '{'],
    ['without a body', {}, ''],
    ['with a body of type and no content', { 'content-type': 'application/x-www-form-urlencoded' }, ''],
    ['from another site', { origin: 'https://mail.example.com', 'sec-fetch-site': 'cross-site' }, URLENCODED],
  ])('is accepted %s', async (_, headers: Record<string, string>, body) => {
    await using site = await openTestSite()
    const answer = await postBare(site.url + PATH, headers, body)
    expect(answer.status).toBe(200)
    expect(answer.headers.location).toBeUndefined()
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(site.changes).toEqual([['unsubscribe', TOKEN.unsubscribe]])
  })

  it('is accepted with a slash at the end, and repeatedly with the same response', async () => {
    await using site = await openTestSite()
    const answers = []
    for (const path of [PATH, `${PATH}/`, PATH]) answers.push(await postBare(site.url + path, {}, URLENCODED))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  })

  it('with more than 4 kilobytes is refused with a sentence', async () => {
    await using site = await openTestSite()
    const answer = await postBare(site.url + PATH, {}, 'x'.repeat(5000))
    expect([answer.status, answer.text]).toEqual([413, expect.stringContaining('That request is too large')])
    expect(site.changes).toEqual([])
  })

  it('with a token that is not ours is a dead link', async () => {
    await using site = await openTestSite()
    const answer = await postBare(`${site.url}/unsubscribe/${TOKEN.preferences}`, {}, URLENCODED)
    expect([answer.status, answer.text]).toEqual([404, expect.stringContaining('This link no longer works')])
  })
})

it('the page asks first, with unsubscribing as its first button, and changes nothing when it is opened', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH)).text()
  expect(page.match(/<button[^>]*>([^<]*)/)?.[1]).toBe('Unsubscribe')
  expect(page).not.toContain('<script')
  expect(site.changes).toEqual([])
})

it('less mail can be chosen instead: weekly, or a pause', async () => {
  await using site = await openTestSite()
  const weekly = await fetch(`${site.url}${PATH}/weekly`, { method: 'POST', body: form({}) })
  const page = await weekly.text()
  expect([weekly.status, page]).toEqual([200, expect.stringContaining('Switched to weekly')])
  expect(page).toContain('We’ll email you <strong>every Saturday at 07:00 London time</strong>, with up to 15 papers.')
  const paused = await fetch(`${site.url}${PATH}/pause`, { method: 'POST', body: form({ until: '2026-05-15' }) })
  expect(await paused.text()).toContain(
    'You won’t get a digest before Friday 15 May 2026. After that, we’ll email you <strong>at 07:00 London time, on days',
  )
  expect(site.changes).toEqual([
    ['reduce', TOKEN.unsubscribe, { frequency: 'weekly' }],
    ['reduce', TOKEN.unsubscribe, { pauseUntil: '2026-05-15' }],
  ])
  const refused = await fetch(`${site.url}${PATH}/pause`, { method: 'POST', body: form({ until: '2020-01-01' }) })
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('Choose a date after today.')])
})

it('somebody who unsubscribed before is shown that', async () => {
  await using site = await openTestSite()
  const page = await fetch(`${site.url}/unsubscribe/${TOKEN.left}`)
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('You’re unsubscribed')])
})

it('a press can be undone by the next one, and a stranger is offered a digest of their own', async () => {
  await using site = await openTestSite()
  const undo = (token: string) => fetch(`${site.url}/unsubscribe/${token}/undo`, { method: 'POST' })
  const left = await (await fetch(`${site.url}/unsubscribe/${TOKEN.left}`)).text()
  expect(left).toContain(`action="/unsubscribe/${TOKEN.left}/undo"`)
  expect(left).toContain('Was this forwarded to you? <a href="/#email">Have your own</a>')
  const weekly = await (await fetch(`${site.url}${PATH}/weekly`, { method: 'POST' })).text()
  expect(weekly).toContain(`action="${PATH}/undo"`)
  const undone = await undo(TOKEN.left)
  expect([undone.status, await undone.text()]).toEqual([200, expect.stringContaining('<h1>Undone</h1>')])
  const late = await undo(TOKEN.unsubscribe)
  expect([late.status, await late.text()]).toEqual([409, expect.stringContaining('Too late to undo')])
  expect((await undo(TOKEN.never)).status).toBe(404)
  expect((await fetch(`${site.url}${PATH}/undo`)).status).toBe(405)
})

describe('never again', () => {
  it('asks once more, says when it is done, and accepts no other link', async () => {
    await using site = await openTestSite()
    const asked = await (await fetch(`${site.url}/never/${TOKEN.never}`)).text()
    expect(asked).toContain('<button class="great">Never email me again</button>')
    expect(site.changes).toEqual([])
    const done = await fetch(`${site.url}/never/${TOKEN.never}`, { method: 'POST' })
    expect(done.status).toBe(200)
    expect(await done.text()).toContain('<h1>We won’t email you again</h1>')
    expect(site.changes).toEqual([['optOut', TOKEN.never]])
    for (const method of ['GET', 'POST'])
      expect((await fetch(`${site.url}/never/${TOKEN.unsubscribe}`, { method })).status).toBe(404)
  })
})

describe('the link of a former system', () => {
  const LEGACY = `/legacy/${TOKEN.legacy}`

  it('shows the page of our own, and changes nothing when it is opened', async () => {
    await using site = await openTestSite()
    const legacy = await fetch(site.url + LEGACY)
    expect([legacy.status, await legacy.text()]).toEqual([200, await (await fetch(site.url + PATH)).text()])
    expect((await fetch(site.url + LEGACY, { method: 'HEAD' })).status).toBe(200)
    expect(site.changes).toEqual([])
  })

  it.each([
    ['urlencoded', { 'content-type': 'application/x-www-form-urlencoded' }, URLENCODED],
    ['multipart', { 'content-type': 'multipart/form-data; boundary=b' }, MULTIPART],
    ['without a body, from another site', { origin: 'https://mail.example.com', 'sec-fetch-site': 'cross-site' }, ''],
  ])('unsubscribes by one click, %s', async (_, headers: Record<string, string>, body) => {
    await using site = await openTestSite()
    const answer = await postBare(site.url + LEGACY, headers, body)
    expect([answer.status, answer.headers.location]).toEqual([200, undefined])
    expect(answer.text).toContain('You’re unsubscribed')
    expect(site.changes).toEqual([['unsubscribe', TOKEN.unsubscribe]])
  })

  it.each(['GET', 'POST'])('that is unknown is a dead link to %s', async (method) => {
    await using site = await openTestSite()
    for (const token of ['unknown-token-of-nobody', '%00', 'x', TOKEN.unsubscribe]) {
      const answer = await fetch(`${site.url}/legacy/${token}`, { method })
      expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('This link no longer works')])
    }
    expect(site.changes).toEqual([])
  })
})

it('the link in an announcement asks first, stops announcements by one click, and leaves the digests', async () => {
  await using site = await openTestSite()
  const url = `${site.url}/announcements/${TOKEN.announcements}`
  const asked = await fetch(url)
  expect([asked.status, site.changes]).toEqual([200, []])
  expect(await asked.text()).toContain('<button class="great">Stop announcements</button>')
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  const stopped = await fetch(url, { method: 'POST', body })
  expect([stopped.status, site.changes]).toEqual([200, [['stopAnnouncements', TOKEN.announcements]]])
  expect(await stopped.text()).toContain('Your digests go on')
  for (const method of ['GET', 'POST'])
    expect((await fetch(`${site.url}/announcements/${TOKEN.unsubscribe}`, { method })).status).toBe(404)
})

it('announcements are turned off and on again in the settings, whose other changes stay in the form', async () => {
  await using site = await openTestSite()
  const url = `${site.url}/preferences/${TOKEN.preferences}/announcements`
  const send = async (fields: Record<string, string>) => {
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(fields) })
    return [answer.status, await answer.text()] as const
  }
  const [status, page] = await send({
    announcements: 'no',
    revision: 'revision',
    topics: 'robotics',
    frequency: 'weekly',
  })
  expect(status).toBe(200)
  expect(page).toContain('You get no more announcements. Your other changes are in the form, and not saved yet.')
  expect(page).toContain('name="announcements" value="yes"')
  expect((await send({ announcements: 'yes' }))[1]).toContain('You get announcements again.')
  const [refused, why] = await send({ announcements: 'perhaps' })
  expect([refused, why]).toEqual([400, expect.stringContaining('Choose whether you want announcements.')])
  expect(site.changes).toEqual([
    ['changeAnnouncements', TOKEN.preferences, false],
    ['changeAnnouncements', TOKEN.preferences, true],
  ])
})
