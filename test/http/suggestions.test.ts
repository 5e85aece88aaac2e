/** The form that suggests a paper, over HTTP. */
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { openTestSite, STAMP } from '../support/servers/recording-site.ts'

const open = async (given: Parameters<typeof openTestSite>[0] = {}) => {
  const site = await openTestSite(given)
  return {
    ...openSite(site.url),
    changes: site.changes,
    url: site.url,
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

test('the footer of every page, the page of a paper that is not held and a search that finds nothing lead to it', async () => {
  await using site = await open()
  expect((await site.get('/about')).html).toContain('<a href="/suggest">Suggest a paper</a>')
  const missing = await site.get('/papers/2604.99999')
  expect(missing.status).toBe(404)
  expect(missing.html).toContain('<a href="/suggest?paper=2604.99999">Suggest this paper</a>')
  const form = await site.get('/suggest?paper=2604.99999')
  expect(form.status).toBe(200)
  expect(form.html).toContain('name="paper" value="2604.99999"')
  expect(form.html).not.toMatch(/name="email"/)
  expect(site.changes).toEqual([])
})

test('a paper is suggested by its id or address, with a note or without, and a program is answered as JSON', async () => {
  await using site = await open()
  const thanks = await site.post('/suggest', { paper: 'https://arxiv.org/abs/2604.20001', note: '', shown: STAMP })
  expect([thanks.status, thanks.text]).toEqual([
    200,
    expect.stringContaining('A curator will look at your suggestion.'),
  ])
  const json = await fetch(`${site.url}/suggest`, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ paper: '2604.20002', note: 'Why' }),
  })
  expect([json.status, await json.json()]).toMatchObject([200, { status: 'stored' }])
  expect(site.changes).toEqual([
    ['suggest', { paperId: '2604.20001', note: null }],
    ['suggest', { paperId: '2604.20002', note: 'Why' }],
  ])
})

test.each([
  [{ paper: '' }, 'Give an arXiv id such as 2604.11784'],
  [{ paper: 'A paper about agents' }, 'Give an arXiv id such as 2604.11784'],
  [{ paper: '2604.20001', note: 'x'.repeat(300) }, 'The note has 300 characters; at most 200 are allowed.'],
])('%j is refused in words, and kept', async (fields, words) => {
  await using site = await open()
  const page = await site.post('/suggest', fields)
  expect([page.status, page.text]).toEqual([422, expect.stringContaining(words)])
  if (fields.paper !== '') expect(page.html).toContain(`value="${fields.paper}"`)
  expect(site.changes).toEqual([])
})

test('who fills in the field that nobody sees is thanked and nothing is stored, and nobody suggests without end', async () => {
  await using site = await open({ monotonic: () => 0 })
  expect((await site.post('/suggest', { paper: '2604.20001', subject: 'Hello' })).text).toContain('Thank you')
  expect(site.changes).toEqual([])
  const statuses = await Promise.all(
    Array.from({ length: 40 }, async () => (await site.post('/suggest', { paper: '2604.20001' })).status),
  )
  expect(statuses.filter((status) => status === 429).length).toBe(21)
  expect((await site.get('/suggest')).status).toBe(200)
})
