/** The pages of the archive over HTTP: weeks, months, topics, papers, authors, search and sitemap. */

import { expect, it } from 'vitest'
import { PUBLIC } from '../../../src/http/guard.ts'
import { SLOW_QUERY } from '../../support/servers/recorded-archive.ts'
import { card, openTestSite } from '../../support/servers/recording-site.ts'

const read = async (url: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url, { redirect: 'manual', headers })
  return { status: answer.status, headers: answer.headers, page: await answer.text() }
}

it.each([
  ['/weeks/2026-W16', 'Week 16, 13 to 19 April 2026'],
  ['/months/2026-04', 'April 2026'],
  ['/topics/agents', 'LLM agents &amp; tool use'],
  ['/authors/ada-lovelace', 'Ada Lovelace'],
  ['/institutions/plan-lab', 'Perception &amp; LANguage Lab'],
  ['/papers/2604.11784', 'A paper about agents'],
])('%s has one heading, its own address, and an ETag that spares a second reading', async (path, heading) => {
  await using site = await openTestSite({ baseUrl: 'https://round.example.org' })
  const { status, page, headers } = await read(site.url + path)
  expect([status, headers.get('x-robots-tag'), headers.get('cache-control')]).toEqual([200, null, PUBLIC])
  expect(page.match(/<h1[^>]*>([^<]*)</g)).toEqual([expect.stringContaining(heading)])
  expect(page).toContain(`<link rel="canonical" href="https://round.example.org${path}">`)
  const again = await read(site.url + path, { 'if-none-match': headers.get('etag') ?? '' })
  expect([again.status, again.page]).toEqual([304, ''])
})

it.each([
  ['/papers/2031-01-01', 'That day has not come yet.'],
  ['/papers/2019-01-02', 'The archive begins on Friday 10 April 2026.'],
  ['/papers/2026-04-12', 'There is no list at weekends.'],
  ['/papers/2026-04-15?page=2', 'This list has one page.'],
  ['/papers/2026-04-15?page=0', 'Pages of a list are numbered from 1.'],
  ['/papers/2604.99999', 'It may be at arxiv.org/abs/2604.99999.'],
  ['/papers/a%00b', 'We have no paper with this id.'],
  ['/papers/hep-ex/0307015', 'No list that we read has had arXiv hep-ex/0307015.'],
  ['/weeks/2031-W01', 'That week has not come yet.'],
  ['/weeks/2026-W99', 'There is no such week'],
  ['/weeks/2019-W01', 'The archive begins in April 2026.'],
  ['/months/2026-13', 'There is no such month'],
  ['/topics/no-such-topic', 'There is no topic of this name.'],
  ['/authors/nobody', 'We have no paper by an author of this name.'],
  ['/institutions/nobody', 'We have no paper that is linked to an institution of this name.'],
  ['/institutions/%3Cscript%3E', 'We have no paper that is linked to an institution of this name.'],
  ['/institutions/a%00b', 'We have no paper that is linked to an institution of this name.'],
  ['/institutions/plan-lab?page=0', 'Pages of a list are numbered from 1.'],
  ['/institutions/plan-lab?page=2', 'This list has one page.'],
])('%s is answered in words with 404', async (path, words) => {
  await using site = await openTestSite()
  const { status, page } = await read(site.url + path)
  expect([status, page]).toEqual([404, expect.stringContaining(words)])
})

it.each([
  ['/papers/2604.11784v3', '/papers/2604.11784'],
  ['/papers/arXiv:2604.11784', '/papers/2604.11784'],
  ['/authors/Lovelace,%20Ada', '/authors/ada-lovelace'],
  ['/institutions/PLAN-Lab', '/institutions/plan-lab'],
])('%s leads to the one address there is', async (path, to) => {
  await using site = await openTestSite()
  const { status, headers } = await read(site.url + path)
  expect([status, headers.get('location')]).toEqual([301, to])
})

it('a paper shows its counts as a picture and as a table, and 573 authors of which most unfold', async () => {
  const authors = Array.from({ length: 573 }, (_, n) => ({ name: `Author ${n}`, slug: `author-${n}` }))
  await using site = await openTestSite({ paper: { authors } })
  const { page } = await read(`${site.url}/papers/2604.11784`)
  expect(page).toContain('<path class="run s1" d="M0 170L700 80"/>')
  expect(page).toMatch(/Monday 13 April 2026, 08:00 UTC<\/th><td>3</)
  expect(page).toContain('And 561 more authors')
  expect(page.length).toBeLessThan(60_000)
})

it('a paper says to which institution it is linked and where, and not that its authors are of it', async () => {
  await using site = await openTestSite()
  const { page } = await read(`${site.url}/papers/2604.11784`)
  expect(page).toContain(
    'Linked on Hugging Face to</span> <a href="/institutions/plan-lab">Perception &amp; LANguage Lab</a>',
  )
  expect(page).not.toContain('citation_author_institution')
  const list = (await read(`${site.url}/institutions/plan-lab`)).page
  expect(list).toContain('Papers that are linked to this organisation <a href="https://huggingface.co/PLAN-Lab">')
  await using other = await openTestSite({ paper: { institution: null } })
  expect((await read(`${other.url}/papers/2604.11784`)).page).not.toContain('Linked on')
})

it('a paper says how many readers are for it and which curator picked it, or nothing', async () => {
  await using site = await openTestSite()
  const { page } = await read(`${site.url}/papers/2604.11784`)
  expect(page).toContain('7 readers here voted for it.')
  expect(page).toContain('Picked by <bdi>Grace Hopper</bdi>: “<bdi>Its ‘ablation’ alone</bdi>”')
  await using other = await openTestSite({ paper: { votes: null, pick: null } })
  expect((await read(`${other.url}/papers/2604.11784`)).page).not.toMatch(/voted for it|Picked by/)
})

it('a paper says what happened to it after it was listed, in the order of its days', async () => {
  const news = [
    { kind: 'code' as const, version: null, venue: null, seenAt: new Date('2026-04-13T10:00:00Z') },
    { kind: 'version' as const, version: 2, venue: null, seenAt: new Date('2026-04-16T10:00:00Z') },
    { kind: 'upvotes' as const, version: null, venue: null, seenAt: new Date('2026-04-17T10:00:00Z') },
    { kind: 'venue' as const, version: null, venue: 'accepted at ICML 2026', seenAt: new Date('2026-04-18T10:00:00Z') },
    { kind: 'withdrawn' as const, version: null, venue: null, seenAt: new Date('2026-04-20T10:00:00Z') },
  ]
  await using site = await openTestSite({ paper: { news } })
  const { page } = await read(`${site.url}/papers/2604.11784`)
  const [, list = ''] = /What happened since<\/h2>(.*?)<\/ul>/s.exec(page) ?? []
  expect([...list.matchAll(/<li>(.*?)<\/li>/g)].map(([, line]) => line)).toEqual([
    'Code was added: Monday 13 April 2026',
    'Hugging Face listed it: Tuesday 14 April 2026',
    'It was in 1,234 digests: 14 to 17 April 2026',
    'Version 2 came out: Thursday 16 April 2026',
    'It reached 500 upvotes: Friday 17 April 2026',
    'It was accepted at ICML 2026: Saturday 18 April 2026',
    'The paper was withdrawn: Monday 20 April 2026',
  ])
})

it('a search for the name of an institution leads to its page, with how many papers it has', async () => {
  await using site = await openTestSite()
  expect((await read(`${site.url}/search?q=plan+lab`)).page).toMatch(
    /<a href="\/institutions\/plan-lab">Perception &amp; LANguage Lab<\/a> <span class="quiet">1,200 papers</,
  )
})

it('a paper of sixteen authors names all at once, and of seventeen twelve', async () => {
  const authorsOf = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ name: `Author ${n}`, slug: `author-${n}` }))
  await using few = await openTestSite({ paper: { authors: authorsOf(16) } })
  expect((await read(`${few.url}/papers/2604.11784`)).page).not.toContain('more authors')
  await using many = await openTestSite({ paper: { authors: authorsOf(17) } })
  expect((await read(`${many.url}/papers/2604.11784`)).page).toContain('And 5 more authors')
})

it('a search shows what was found with the words marked, and a bad one what is wrong beside its field', async () => {
  await using site = await openTestSite()
  const { page, headers } = await read(`${site.url}/search?q=agents`)
  expect(page).toContain('We train <mark>agents</mark>')
  expect(headers.get('x-robots-tag')).toBe('noindex')
  const { status, page: refused } = await read(`${site.url}/search?q=${'x'.repeat(10_240)}`)
  expect([status, refused]).toEqual([
    400,
    expect.stringContaining('<p class="error" id="q-error">Search for fewer words'),
  ])
  expect(await read(`${site.url}/search`)).toMatchObject({
    status: 200,
    page: expect.not.stringContaining('papers found'),
  })
})

it('a search for an id or an address leads to the page of that paper', async () => {
  await using site = await openTestSite()
  for (const typed of ['2604.11784', ' arXiv:2604.11784v3', 'https://arxiv.org/pdf/2604.11784']) {
    const { status, headers } = await fetch(`${site.url}/search?${new URLSearchParams({ q: typed })}`, {
      redirect: 'manual',
    })
    expect([status, headers.get('location')]).toEqual([303, '/papers/2604.11784'])
  }
})

it('a search that was stopped is answered in words with 503, and to a program as a problem', async () => {
  await using site = await openTestSite()
  const { status, page } = await read(`${site.url}/search?q=${SLOW_QUERY}`)
  expect([status, page]).toEqual([503, expect.stringContaining('This search took too long and was stopped.')])
  const { headers, page: problem } = await read(`${site.url}/search?q=${SLOW_QUERY}`, { accept: 'application/json' })
  expect(headers.get('content-type')).toContain('application/problem+json')
  expect(JSON.parse(problem)).toMatchObject({ status: 503, title: 'Not searched' })
})

it('a list of 500 papers has pages of under 60 kB that link to each other', async () => {
  const excerpt = 'A harness to train and to test agents is described. '.repeat(6)
  const title = 'A title that is longer than most, as some are, '.repeat(6)
  const cards = Array.from({ length: 500 }, (_, n) =>
    card({ id: `2604.${10_000 + n}`, title: `${title}${n}`, excerpt }),
  )
  await using site = await openTestSite({ cards })
  const { page } = await read(`${site.url}/papers/2026-04-15?page=2`)
  expect(page.length).toBeLessThan(60_000)
  expect(page).toContain('href="/papers/2026-04-15" rel="prev"')
  expect(page).toContain('href="/papers/2026-04-15?page=3" rel="next"')
  expect(page).toContain('Page 2 of 19')
})

it('the sitemap names the lists and, month by month, the papers', async () => {
  await using site = await openTestSite({ baseUrl: 'https://round.example.org' })
  expect((await read(`${site.url}/sitemap.xml`)).page).toContain(
    '<loc>https://round.example.org/sitemaps/papers/2026-04.xml</loc>',
  )
  const lists = (await read(`${site.url}/sitemaps/lists.xml`)).page
  for (const path of ['/weeks/2026-W16', '/months/2026-04', '/topics/agents', '/papers/2026-04-15'])
    expect(lists).toContain(`<loc>https://round.example.org${path}</loc>`)
  expect((await read(`${site.url}/sitemap.xml`)).page).toContain('/sitemaps/institutions.xml</loc>')
  expect((await read(`${site.url}/sitemaps/institutions.xml`)).page).toContain('/institutions/plan-lab</loc>')
  expect((await read(`${site.url}/sitemaps/papers/2026-04.xml`)).page).toContain('/papers/2604.11784</loc>')
  expect((await read(`${site.url}/sitemaps/papers/2019-01.xml`)).status).toBe(404)
  expect((await read(`${site.url}/robots.txt`)).page).toContain('Sitemap: https://round.example.org/sitemap.xml')
})
