/** Starting from one's library, over HTTP. */
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const BIB = Array.from(
  { length: 4 },
  (_, n) =>
    `@article{a${n}, title = {Agents that plan voyages ${n}}, author = {Byron, Ada and Hopper, Grace}, year = 202${n}, abstract = {A canary sentence.}}`,
).join('\n')
const BROKEN = `${BIB}\nsome garbage`

const send = async (url: string, fields: Record<string, string | Blob>, accept = 'text/html') => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, 'library.bib')
  }
  const answer = await fetch(url, { method: 'POST', body: form, headers: { accept }, redirect: 'manual' })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

test('a page takes a library as a file or pasted, and ends in the subscribe form with what it suggests', async () => {
  await using site = await openTestSite()
  const { get } = openSite(site.url)
  expect((await get('/')).html).toContain('<a href="/subscribe/library">Start from your library</a>')
  const empty = await get('/subscribe/library')
  expect(empty.html).toContain('<form action="/subscribe/library" method="post" enctype="multipart/form-data">')
  for (const fields of [
    { library: BROKEN, file: new Blob([]) },
    { library: '', file: new Blob([BROKEN]) },
  ]) {
    const { status, text, headers } = await send(`${site.url}/subscribe/library`, fields)
    expect([status, headers.get('cache-control')]).toEqual([200, 'private, no-cache'])
    expect(text).toContain('We read 4 papers (BibTeX).')
    expect(text).toContain('<form action="/subscribe" method="post" novalidate>')
    expect(text).toMatch(
      /name="topics" value="agents" checked><span>LLM agents &amp; tool use <span class="quiet">in 4 of your 4 papers/,
    )
    expect(text).toContain('name="authors" value="Ada Byron" checked')
    expect(text).toMatch(/name="keywords" value="plan voyages" checked/)
    expect(text).toMatch(/Line 5: This is not part of an entry, so it was left out/)
    expect(text).toMatch(/With what is ticked: about \d+ papers a week match/)
    // What is of the file itself is gone.
    expect(text).not.toContain('canary')
  }
  expect(site.changes).toEqual([])
  expect(site.log.join('\n')).not.toMatch(/canary|voyages|Byron|Hopper/)
})

test('what is ticked and typed there subscribes', async () => {
  await using site = await openTestSite()
  const body = new URLSearchParams([
    ['email', 'ada@example.org'],
    ['topics', 'agents'],
    ['keywords', 'plan voyages'],
    ['keywords', 'Lean 4\nsheet music'],
    ['authors', 'Ada Byron'],
    ['authors', ''],
    ['frequency', 'weekly'],
    ['timezone', ''],
  ])
  const answer = await fetch(`${site.url}/subscribe`, { method: 'POST', body, redirect: 'manual' })
  expect(answer.status).toBe(303)
  expect(site.changes).toMatchObject([
    [
      'requestSubscription',
      'ada@example.org',
      {
        topics: ['agents'],
        keywords: ['Lean 4', 'plan voyages', 'sheet music'],
        authors: ['Ada Byron'],
        frequency: 'weekly',
      },
    ],
  ])
})

test('programs send the library as the body, as text of JSON or as a file, and get JSON', async () => {
  await using site = await openTestSite()
  const url = `${site.url}/api/v1/library`
  const suggestions = {
    format: 'BibTeX',
    read: 4,
    used: 4,
    notHeld: 0,
    topics: [{ slug: 'agents', label: 'LLM agents & tool use', entries: 4, chosen: true }],
    authors: [
      { name: 'Ada Byron', entries: 4, chosen: true },
      { name: 'Grace Hopper', entries: 4, chosen: true },
    ],
    faults: [{ line: 5, problem: expect.any(String), expected: '@article{…}' }],
    moreFaults: 0,
  }
  for (const [type, body] of [
    ['text/plain', BROKEN],
    ['application/x-bibtex; charset=utf-8', BROKEN],
    ['application/json', JSON.stringify({ library: BROKEN })],
  ] as const) {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body })
    expect([type, answer.status, await answer.json()]).toEqual([type, 200, expect.objectContaining(suggestions)])
  }
  const { status, text } = await send(url, { file: new Blob([BROKEN]) })
  expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining(suggestions)])
})

test.each([
  ['nothing', '', 400, 'There is nothing to read yet.'],
  [
    'what holds no paper',
    'Dear all,\nhello',
    422,
    'We found no paper in it. Line 1: There is no arXiv id or DOI in this line.',
  ],
])('%s is refused in words, on a page and as a problem', async (_, library, expected, words) => {
  await using site = await openTestSite()
  const page = await send(`${site.url}/subscribe/library`, { library })
  expect([page.status, page.text]).toEqual([expected, expect.stringContaining(words)])
  // What was pasted is not lost.
  expect(page.text).toContain(`${library.split('\n').at(-1)}</textarea>`)
  const problem = await send(`${site.url}/api/v1/library`, { library })
  expect([problem.status, JSON.parse(problem.text)]).toEqual([
    expected,
    expect.objectContaining({
      detail: expect.stringContaining(words),
      errors: [expect.objectContaining({ field: 'library' })],
    }),
  ])
})

test('more than 20 megabytes are refused unread, however they are sent', async () => {
  await using site = await openTestSite()
  const large = 'x'.repeat(21 * 1024 * 1024)
  const headers = { 'content-type': 'text/plain' }
  const told = await fetch(`${site.url}/api/v1/library`, { method: 'POST', headers, body: large })
  expect([told.status, await told.json()]).toMatchObject([413, { title: 'That library is too large' }])
  const stream = new Blob([large]).stream()
  const untold = await fetch(`${site.url}/api/v1/library`, {
    method: 'POST',
    headers,
    body: stream,
    duplex: 'half',
  } as RequestInit)
  expect([untold.status, await untold.json()]).toMatchObject([413, { title: 'That library is too large' }])
})

test('who is subscribed gets what they do not follow yet, and their settings with what they chose, not saved', async () => {
  await using site = await openTestSite({ chosen: { keywords: ['Lean 4'], authors: ['Grace Hopper'] } })
  const { get, post } = openSite(site.url)
  const own = `/preferences/${TOKEN.preferences}`
  expect((await get(own)).html).toContain(`<a href="${own}/library">Start from your library</a>`)
  expect((await get(`${own}/library`)).html).toContain(
    `<form action="${own}/library" method="post" enctype="multipart/form-data">`,
  )
  const { status, text } = await send(`${site.url}${own}/library`, { library: BIB })
  expect(status).toBe(200)
  expect(text).toContain(`<form action="${own}/library/add" method="post" novalidate>`)
  expect(text).toContain('name="authors" value="Ada Byron" checked')
  // These are in the settings.
  expect(text).not.toContain('value="Grace Hopper"')
  expect(text).not.toContain('value="agents"')
  expect(text).not.toContain('name="email"')
  const added = await post(`${own}/library/add`, {
    topics: 'gui-agents',
    keywords: 'plan voyages',
    authors: 'Ada Byron',
  })
  expect(added.status).toBe(200)
  expect(added.text).toContain('Not saved yet. Check what was added, then press Save.')
  expect(added.html).toContain('<th scope="row">Authors</th><td>Grace Hopper</td><td>Ada Byron, Grace Hopper</td>')
  expect(added.html).toContain('Lean 4\nplan voyages</textarea>')
  expect(added.html).toContain('value="gui-agents" checked')
  expect(added.html).toContain('value="robotics" checked')
  expect(site.changes).toEqual([])
})

test('what would be too many is all in the form, with what is wrong', async () => {
  const keywords = Array.from({ length: 19 }, (_, n) => `phrase ${n}`)
  await using site = await openTestSite({ chosen: { keywords } })
  const body = new URLSearchParams([
    ['keywords', 'one more'],
    ['keywords', 'and another'],
  ])
  const answer = await fetch(`${site.url}/preferences/${TOKEN.preferences}/library/add`, { method: 'POST', body })
  const page = await answer.text()
  expect([answer.status, page]).toEqual([
    400,
    expect.stringContaining('You have 21 keywords, and the limit is 20. Remove 1.'),
  ])
  expect(page).toContain('one more\nand another</textarea>')
})

test.each([
  ['nobody’s', 'unknown', 404],
  ['of somebody who left', TOKEN.left, 409],
])('a link that is %s reads no library', async (_, token, expected) => {
  await using site = await openTestSite()
  for (const path of ['library', 'library/add']) {
    const { status } = await send(
      `${site.url}/preferences/${token}/${path}`,
      path === 'library' ? { library: BIB } : {},
    )
    expect(status === expected || (path === 'library/add' && status === 415), `${path}: ${status}`).toBe(true)
  }
})

test('an answer of ours has no page of another site read somebody’s library', async () => {
  await using site = await openTestSite()
  const answer = await fetch(`${site.url}/subscribe/library`, {
    method: 'POST',
    body: new URLSearchParams({ library: BIB }),
    headers: { 'sec-fetch-site': 'cross-site' },
  })
  expect(answer.status).toBe(403)
})
