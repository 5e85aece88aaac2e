/** Feeds by their routes: one address a choice, what is kept of them, and what is said where there is none. */

import { expect, it } from 'vitest'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { PUBLIC } from '../../src/http/guard.ts'
import { readFeed } from '../support/fixtures/feed-readers.ts'
import { entry, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

it.each(['atom', 'json'] as const)('all papers, a topic, several and all 38 have feeds: .%s', async (ending) => {
  await using site = await openTestSite()
  for (const [path, title] of [
    ['all', 'All papers · Paper Round'],
    ['robotics', 'Robotics & embodied AI · Paper Round'],
    ['agents+robotics', 'LLM agents & tool use, Robotics & embodied AI · Paper Round'],
    [
      DEFAULT_TOPICS.all.map(({ slug }) => slug).join('+'),
      `${DEFAULT_TOPICS.all[0]?.label} and 37 more topics · Paper Round`,
    ],
  ] as const) {
    const answer = await fetch(`${site.url}/feeds/${path}.${ending}`)
    expect([path, answer.status, answer.headers.get('cache-control'), answer.headers.get('x-robots-tag')]).toEqual([
      path,
      200,
      PUBLIC,
      null,
    ])
    expect(answer.headers.get('content-type')).toBe(
      ending === 'atom' ? 'application/atom+xml; charset=utf-8' : 'application/feed+json; charset=utf-8',
    )
    const text = await answer.text()
    expect(text).toContain(`http://round.example.org/feeds/${path}.${ending}`)
    expect(readFeed(text, ending)).toMatchObject({ title, items: [{ title: 'A paper about agents' }] })
  }
})

it('is not sent again to those who have it, by its ETag or its date', async () => {
  await using site = await openTestSite()
  const url = `${site.url}/feeds/all.atom`
  const { headers } = await fetch(url)
  const [etag, modified] = [headers.get('etag') ?? '', headers.get('last-modified') ?? '']
  expect(modified).toBe('Tue, 14 Apr 2026 09:00:00 GMT')
  const ask = async (given: Record<string, string>) => (await fetch(url, { headers: given })).status
  expect(await ask({ 'if-none-match': etag })).toBe(304)
  expect(await ask({ 'if-none-match': '"other"' })).toBe(200)
  expect(await ask({ 'if-modified-since': modified })).toBe(304)
  expect(await ask({ 'if-modified-since': 'Tue, 14 Apr 2026 08:59:59 GMT' })).toBe(200)
  expect(await ask({ 'if-modified-since': 'yesterday' })).toBe(200)
  // The ETag counts first: the date is that of the newest entry.
  expect(await ask({ 'if-none-match': '"other"', 'if-modified-since': modified })).toBe(200)
})

it.each([
  ['robotics+agents', 'agents+robotics'],
  ['agents+agents', 'agents'],
  ['Agents', 'agents'],
  ['agents%20robotics', 'agents+robotics'],
  ['agents,robotics,', 'agents+robotics'],
  ['agents+all', 'all'],
])('one choice has one address: %s leads to %s', async (path, canonical) => {
  await using site = await openTestSite()
  const answer = await fetch(`${site.url}/feeds/${path}.json`, { redirect: 'manual' })
  expect([answer.status, answer.headers.get('location')]).toEqual([301, `/feeds/${canonical}.json`])
})

it.each([
  ['/feeds/alchemy.atom', 'There is no topic “alchemy”.'],
  ['/feeds/agents+alchemy.json', 'There is no topic “alchemy”.'],
  ['/feeds/%3Cscript%3E.atom', 'There is no topic “&lt;script&gt;”.'],
  ['/feeds/%00.atom', 'There is no topic'],
  ['/feeds/+.atom', 'There is no topic'],
  ['/feeds/__proto__.atom', 'There is no topic “__proto__”.'],
])('what is no topic is named: %s', async (path, sentence) => {
  await using site = await openTestSite()
  const answer = await fetch(site.url + path, { headers: { accept: 'text/html' } })
  expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining(sentence)])
})

it.each(['atom', 'json'] as const)(
  'a search has a feed at its own address, which its page names: .%s',
  async (ending) => {
    await using site = await openTestSite()
    const query = '?q=%22gui+agents%22+%3Cb%3E&topic=agents'
    const answer = await fetch(`${site.url}/feeds/search.${ending}${query}&after=0.1:x`)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, PUBLIC])
    const text = await answer.text()
    expect(text).toContain(`http://round.example.org/feeds/search.${ending}?q=%22gui+agents%22+%3Cb%3E`)
    expect(readFeed(text, ending)).toMatchObject({
      title: 'Search for “"gui agents" <b>” · Paper Round',
      items: [{ title: 'A paper about agents' }],
    })
    const page = await (await fetch(`${site.url}/search${query}`)).text()
    expect(page).toContain(`href="/feeds/search.${ending}${query.replace('&', '&amp;')}" title="This search"`)
    for (const [bad, sentence] of [
      ['', 'Say what to search for'],
      ['?q=-', 'Add a word that a paper must have.'],
      ['?topic=alchemy', 'Choose a topic of the list.'],
    ]) {
      const refused = await fetch(`${site.url}/feeds/search.${ending}${bad}`)
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(sentence ?? '')])
    }
  },
)

it.each(['atom', 'json'] as const)(
  'an author and an institution have feeds, which their pages name: .%s',
  async (ending) => {
    await using site = await openTestSite()
    for (const [path, title] of [
      ['/authors/ada-lovelace', 'Ada Lovelace · Paper Round'],
      ['/institutions/plan-lab', 'Perception & LANguage Lab · Paper Round'],
    ]) {
      const answer = await fetch(`${site.url}/feeds${path}.${ending}`)
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, PUBLIC])
      const text = await answer.text()
      expect(text).toContain(`http://round.example.org/feeds${path}.${ending}`)
      expect(text).toContain(`http://round.example.org${path}"`)
      expect(readFeed(text, ending)).toMatchObject({ title, items: [{ title: 'A paper about agents' }] })
      expect(await (await fetch(site.url + path)).text()).toContain(`href="/feeds${path}.${ending}"`)
    }
    for (const [path, to] of [
      ['/authors/Lovelace,%20Ada', '/authors/ada-lovelace'],
      ['/institutions/PLAN-Lab', '/institutions/plan-lab'],
    ]) {
      const answer = await fetch(`${site.url}/feeds${path}.${ending}`, { redirect: 'manual' })
      expect([answer.status, answer.headers.get('location')]).toEqual([301, `/feeds${to}.${ending}`])
    }
    for (const path of [
      '/authors/nobody',
      '/authors/%00',
      '/authors/%2E',
      '/institutions/nobody',
      '/institutions/%3Cb%3E',
    ])
      expect((await fetch(`${site.url}/feeds${path}.${ending}`)).status).toBe(404)
  },
)

it('without papers a feed is there, valid and empty, and dated by the newest list', async () => {
  await using site = await openTestSite({ feedEntries: [] })
  for (const path of ['/feeds/robotics.atom', `/feeds/own/${TOKEN.feed}.atom`]) {
    const atom = await (await fetch(site.url + path)).text()
    expect(atom).toContain('<updated>2026-04-15T00:00:00.000Z</updated>')
    expect(readFeed(atom, 'atom').items).toEqual([])
  }
  expect(readFeed(await (await fetch(`${site.url}/feeds/robotics.json`)).text(), 'json').items).toEqual([])
  const answer = await fetch(`${site.url}/feeds/all.atom`)
  expect([answer.status, answer.headers.get('last-modified')]).toEqual([200, null])
  expect(readFeed(await answer.text(), 'atom').items).toEqual([])
})

it('the pages say where the feeds are', async () => {
  await using site = await openTestSite({ feedEntries: [entry()] })
  for (const path of ['/', '/papers/2026-04-13', '/about']) {
    const page = await (await fetch(site.url + path)).text()
    const links = [...page.matchAll(/<link rel="alternate" type="application\/(\w+)\+\w+" href="([^"]+)"/g)]
    expect(links.map(([, type, href]) => [type, href])).toEqual([
      ['atom', '/feeds/all.atom'],
      ['feed', '/feeds/all.json'],
    ])
  }
})

it.each(['atom', 'json'] as const)(
  'one’s own feed is read by its link alone, and kept by nobody between: .%s',
  async (ending) => {
    await using site = await openTestSite()
    const url = `${site.url}/feeds/own/${TOKEN.feed}.${ending}`
    const answer = await fetch(url)
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('x-robots-tag')]).toEqual([
      200,
      'no-store',
      'noindex',
    ])
    expect(readFeed(await answer.text(), ending)).toMatchObject({
      title: 'Your digest · Paper Round',
      items: [{ title: 'A paper about agents' }],
    })
    const again = await fetch(url, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
    for (const token of [TOKEN.preferences, TOKEN.view, 'x']) {
      const dead = await fetch(`${site.url}/feeds/own/${token}.${ending}`)
      expect([dead.status, await dead.text()]).toEqual([404, expect.stringContaining('link')])
    }
    expect(site.changes).toEqual([])
  },
)

it('the settings say where one’s own feed is', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}/preferences/${TOKEN.preferences}`)).text()
  for (const ending of ['atom', 'json']) expect(page).toContain(`href="/feeds/own/${TOKEN.feed}.${ending}"`)
})
