/** The page of a curator over HTTP: what it shows, what each form asks for, and what is answered to bad input. */
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PAGE = `/curate/${TOKEN.curate}`
const open = async () => {
  const site = await openTestSite()
  return {
    ...openSite(site.url),
    changes: site.changes,
    url: site.url,
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

test('it shows what waits and what all curators did, and opening it changes nothing', async () => {
  await using site = await open()
  const page = await site.get(PAGE)
  expect(page.status).toBe(200)
  for (const words of [
    'You act as Grace Hopper',
    'Grace Hopper picked arXiv 2604.19999 : “The first proof of its kind”',
    'Waiting for arXiv.',
    'Grace Hopper pinned A paper about agents to Wednesday 15 April 2026',
    'Undone by Ada Lovelace on Wednesday 15 April 2026, 10:00 UTC.',
    'arXiv 2604.20001 : “It halves the cost”',
  ])
    expect(page.text).toContain(words)
  expect(page.html.match(/value="undo"/g)).toHaveLength(2)
  expect(page.html).not.toMatch(/<b>agents/)
  expect(page.headers.get('cache-control')).toBe('no-store')
  for (const method of ['GET', 'HEAD']) await fetch(`${site.url}${PAGE}?act=hide&paper=2604.11784&note=x`, { method })
  expect(site.changes).toEqual([])
})

test.each([
  [
    { act: 'pick', paper: ' https://huggingface.co/papers/2604.11784 ', note: ' A\n first ' },
    { act: 'pick', paperId: '2604.11784', note: 'A first' },
  ],
  [
    { act: 'pin', paper: 'arXiv:2604.11784v2', day: '2026-04-15', note: '' },
    { act: 'pin', paperId: '2604.11784', listDay: '2026-04-15', note: null },
  ],
  [
    { act: 'hide', paper: 'http://round.example.org/papers/file:abc', note: 'Spam' },
    { act: 'hide', paperId: 'file:abc', note: 'Spam' },
  ],
  [
    { act: 'undo', id: '0a0b0c0d-0000-4000-8000-000000000011', note: 'ignored' },
    { act: 'undo', curationId: '0a0b0c0d-0000-4000-8000-000000000011' },
  ],
  [
    { act: 'accept', id: '0a0b0c0d-0000-4000-8000-000000000021', note: 'Yes' },
    { act: 'accept', suggestionId: '0a0b0c0d-0000-4000-8000-000000000021', note: 'Yes' },
  ],
  [
    { act: 'decline', id: '0a0b0c0d-0000-4000-8000-000000000021', note: '' },
    { act: 'decline', suggestionId: '0a0b0c0d-0000-4000-8000-000000000021' },
  ],
])('the form %j asks for it', async (fields, asked) => {
  await using site = await open()
  const page = await site.post(PAGE, fields)
  expect(page.status).toBe(200)
  expect(page.html).toContain('role="status"')
  expect(site.changes).toEqual([['act', TOKEN.curate, asked]])
})

test.each([
  [{}, 'Choose what to do.'],
  [{ act: 'erase' }, 'Choose what to do.'],
  [{ act: 'pick', paper: '', note: 'x' }, 'Give an arXiv id such as 2604.11784'],
  [{ act: 'pick', paper: 'https://example.org/2604.11784', note: 'x' }, 'Give an arXiv id such as 2604.11784'],
  [{ act: 'pick', paper: '2604.11784', note: ' \u200b\u202e ' }, 'Say in a few words why.'],
  [
    { act: 'pick', paper: '2604.11784', note: 'x'.repeat(201) },
    'The note has 201 characters; at most 200 are allowed.',
  ],
  [{ act: 'hide', paper: '2604.11784', note: '' }, 'Say in a few words why, for the other curators.'],
  [{ act: 'pin', paper: '2604.11784', day: '' }, 'Choose the day of the list.'],
  [{ act: 'undo', id: "1' or '1" }, 'There is no such entry.'],
  [{ act: 'accept', id: '0a0b0c0d-0000-4000-8000-000000000021', note: '' }, 'Say in a few words why.'],
])('the form %j is refused in words, and keeps what was typed', async (fields, words) => {
  await using site = await open()
  const page = await site.post(PAGE, fields)
  expect(page.status).toBe(422)
  expect(page.text).toContain(`Nothing has changed. ${words}`)
  expect(page.html).toContain('role="alert"')
  const { paper = '', note = '' } = fields as Record<string, string>
  if (paper !== '') expect(page.html).toContain(`value="${paper}"`)
  if (note === 'x'.repeat(201)) expect(page.html).toContain(note)
  const json = await fetch(site.url + PAGE, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify(fields),
  })
  expect([json.status, await json.json()]).toMatchObject([422, { errors: expect.any(Array) }])
  expect(site.changes).toEqual([])
})

test('the link of a curator who was removed says so with 410, and any other dead link is one', async () => {
  await using site = await open()
  const former = `/curate/${TOKEN.formerCurator}`
  for (const page of [
    await site.get(former),
    await site.post(former, { act: 'pick', paper: '2604.11784', note: 'x' }),
    await site.post(former, { act: 'pick' }),
  ]) {
    expect(page.status).toBe(410)
    expect(page.text).toContain('You are not a curator here any more.')
  }
  for (const token of [TOKEN.preferences, 'x', 'x'.repeat(500)]) {
    expect((await site.get(`/curate/${token}`)).status).toBe(404)
    expect((await site.post(`/curate/${token}`, { act: 'pick' })).status).toBe(404)
  }
  expect(site.changes).toEqual([])
})
