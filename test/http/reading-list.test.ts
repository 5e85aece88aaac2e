/** The reading list by its routes: what a page holds, what programs are told, its files, and what is said of a bad request. */

import { expect, it } from 'vitest'
import { readBibtex, readCslJson, readRis } from '../support/fixtures/citation-reader.ts'
import { readFeed } from '../support/fixtures/feed-readers.ts'
import { entry, form, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const PATH = `/preferences/${TOKEN.preferences}/saved`
const PAPER = '2604.11784'

it('lists what was saved with its links and buttons, and leads to its feeds, files and further pages', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(site.url + PATH)).text()
  expect(page).toContain('Saved Wednesday 15 April 2026, from your digest of Tuesday 14 April 2026.')
  expect(page).toContain('We don’t show this paper any more.')
  for (const ending of ['bib', 'ris', 'csl.json', 'csv', 'txt']) expect(page).toContain(`<a href="${PATH}.${ending}">`)
  for (const ending of ['atom', 'json']) expect(page).toContain(`<a href="/feeds/saved/${TOKEN.saved}.${ending}">`)
  expect(page).toContain(`<a href="${PATH}?after=1776232800000%3A2604.11785" rel="next">`)
  // What is pressed on a part of the list leads back to that part.
  const part = await (await fetch(`${site.url}${PATH}?topic=agents&after=1776232800000:${PAPER}`)).text()
  expect(part).toContain(`action="${PATH}/read?topic=agents&amp;after=1776232800000%3A${PAPER}"`)
  expect(part).toContain(`<a href="${PATH}?topic=agents">Newest</a>`)
  expect(site.changes).toEqual([])
})

it('says how a list begins, and to who has left that it stays', async () => {
  await using site = await openTestSite()
  const empty = await (await fetch(`${site.url}/preferences/${TOKEN.left}/saved`)).text()
  expect(empty).toContain('Nothing saved yet. Press “Save” below a paper in your digest')
  expect(empty).toContain('papers can’t be added. The list stays until your data is erased.')
  expect(empty).not.toContain('.bib')
  const read = await (await fetch(`${site.url}${PATH}?read=yes`)).text()
  expect(read).toContain('A paper comes here when you press “Done reading” below it.')
  const left = await (await fetch(`${site.url}/preferences/${TOKEN.left}`)).text()
  expect(left).toContain(`<a href="/preferences/${TOKEN.left}/saved">`)
})

it('a press is answered by the list with what was done, and a program by its outcome', async () => {
  await using site = await openTestSite()
  const press = async (path: string, fields: Record<string, string>, accept = 'text/html') => {
    const answer = await fetch(site.url + PATH + path, { method: 'POST', headers: { accept }, body: form(fields) })
    return { status: answer.status, text: await answer.text() }
  }
  for (const [path, fields, words, said] of [
    ['', { paper: PAPER }, 'Saved: “A paper about agents”.', { status: 'saved', id: PAPER }],
    ['/read', { paper: PAPER }, 'Moved to Read.', { status: 'read' }],
    ['/read', { paper: PAPER, undo: 'yes' }, 'Moved to To read.', { status: 'to read' }],
    ['/remove', { paper: PAPER }, 'Removed from your list.', { status: 'removed' }],
  ] as const) {
    const page = await press(path, fields)
    expect([path, page.status, page.text]).toEqual([path, 200, expect.stringContaining(words)])
    const answer = await press(path, fields, 'application/json')
    expect([path, JSON.parse(answer.text)]).toEqual([path, said])
  }
  const removed = await press('/remove', { paper: PAPER })
  expect(removed.text).toContain(`<input type="hidden" name="paper" value="${PAPER}">`)
  for (const [path, status, words] of [
    ['', 400, 'Enter an arXiv id such as 2604.11784'],
    ['/read', 404, 'This paper is not in your list'],
    ['/remove', 404, 'This paper is not in your list'],
  ] as const) {
    const page = await press(path, { paper: '<b>none' })
    expect([path, page.status, page.text]).toEqual([path, status, expect.stringContaining(words)])
    expect(page.text).not.toContain('<b>none')
    const answer = await press(path, { paper: '<b>none' }, 'application/json')
    expect([path, answer.status, JSON.parse(answer.text)]).toMatchObject([path, status, { status }])
  }
})

it('programs read the list as JSON', async () => {
  await using site = await openTestSite()
  const answer = await fetch(site.url + PATH, { headers: { accept: 'application/json' } })
  expect(await answer.json()).toEqual({
    papers: [
      expect.objectContaining({ id: PAPER, title: 'A paper about agents', savedOn: '2026-04-15', readOn: null }),
      expect.objectContaining({ id: '2604.11785', title: null, url: null }),
    ],
    unread: 2,
    read: 0,
    topics: [{ slug: 'agents', label: 'LLM agents & tool use', count: 1 }],
    next: '1776232800000:2604.11785',
  })
})

it('its files are read by others, kept by nobody between, and called what they are', async () => {
  await using site = await openTestSite()
  for (const [ending, type, read] of [
    ['bib', 'application/x-bibtex; charset=utf-8', readBibtex],
    ['ris', 'application/x-research-info-systems; charset=utf-8', readRis],
    ['csl.json', 'application/vnd.citationstyles.csl+json; charset=utf-8', readCslJson],
    ['csv', 'text/csv; charset=utf-8', (text: string) => text.trim().split('\n').slice(1)],
    ['txt', 'text/plain; charset=utf-8', (text: string) => text.trim().split('\n')],
  ] as const) {
    const answer = await fetch(`${site.url}${PATH}.${ending}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type])
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="reading-list.${ending}"`)
    expect([answer.headers.get('cache-control'), answer.headers.get('x-robots-tag')]).toEqual(['no-store', 'noindex'])
    expect(read(await answer.text())).toHaveLength(2)
  }
})

it.each(['atom', 'json'] as const)('its feed opens by its own link alone: .%s', async (ending) => {
  await using site = await openTestSite({ feedEntries: [entry()] })
  const answer = await fetch(`${site.url}/feeds/saved/${TOKEN.saved}.${ending}`)
  const text = await answer.text()
  expect(readFeed(text, ending)).toMatchObject({
    title: 'Reading list · Paper Round',
    items: [entry().title].map((title) => ({ title })),
  })
  expect([answer.headers.get('cache-control'), answer.headers.get('x-robots-tag')]).toEqual(['no-store', 'noindex'])
  expect(text).not.toContain(TOKEN.preferences)
  expect((await fetch(`${site.url}/feeds/saved/${TOKEN.feed}.${ending}`)).status).toBe(404)
})

it.each(['?after=nowhere', '?topic=alchemy'])(
  'a place or topic that it does not have is said so: %s',
  async (query) => {
    await using site = await openTestSite()
    const answer = await fetch(site.url + PATH + query, { headers: { accept: 'text/html' } })
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining(`href="${PATH}"`)])
    expect((await fetch(`${site.url}/preferences/${TOKEN.vote}/saved${query}`)).status).toBe(404)
  },
)
