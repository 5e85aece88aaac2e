/** What browsers, and what stands between, may keep of each address, and that asking again costs little. */
import { expect, it } from 'vitest'
import { pathsOf } from '../support/servers/every-page.ts'
import { issueOf, openTestSite } from '../support/servers/recording-site.ts'

const PUBLIC = 'public, max-age=0, s-maxage=60, stale-if-error=3600'
/** Drawn anew at most once an hour. */
const PICTURE = 'public, max-age=3600'
const BASE_URL = 'https://round.example.org'
const OPEN = [
  '/',
  '/about',
  '/api/docs',
  '/authors/ada-lovelace',
  '/feeds/search.atom?q=agents',
  '/links',
  '/months/2026-04',
  '/papers/2026-04-15',
  '/papers/2604.11784',
  '/privacy',
  '/robots.txt',
  '/search?q=agents',
  '/sitemap.xml',
  '/topics',
  '/topics/agents',
  '/weeks/2026-W16',
]
/** What differs from one answer to the next. */
const OF_THE_MOMENT = ['x-request-id', 'date', 'connection', 'keep-alive', 'ratelimit']
const STAMP = /(?<=name="shown" value=")[^"]*/g

const headersOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => !OF_THE_MOMENT.includes(name)))

/** What is wrong with the caching of an address, a line each. */
const judge = async (url: string, path: string): Promise<{ status: number; isPublic: boolean; wrong: string[] }> => {
  const accept = { accept: 'text/html' }
  const answer = await fetch(url + path, { headers: accept, redirect: 'manual' })
  const text = await answer.text()
  const keeping = answer.headers.get('cache-control')
  const wrong: string[] = []
  const must = (isRight: boolean, what: string) => isRight || wrong.push(`${path}: ${what}`)
  if (answer.status !== 200) {
    const isLasting = answer.status === 301 && keeping === PUBLIC
    must(['no-store', 'no-cache'].includes(keeping ?? '') || isLasting, `${answer.status} is kept: ${keeping}`)
    return { status: answer.status, isPublic: false, wrong }
  }
  const head = await fetch(url + path, { method: 'HEAD', headers: accept })
  must(head.status === 200 && (await head.text()) === '', 'HEAD is no GET without a body')
  must(JSON.stringify(headersOf(head)) === JSON.stringify(headersOf(answer)), 'HEAD has other headers')
  must(!answer.headers.has('set-cookie'), 'it sets a cookie')
  const isPublic = keeping === (path.endsWith('.png') ? PICTURE : PUBLIC)
  if (!isPublic) {
    must(['no-store', 'no-cache'].includes(keeping ?? ''), `it is kept: ${keeping}`)
    must(answer.headers.get('x-robots-tag') === 'noindex', 'it is indexed')
    return { status: 200, isPublic, wrong }
  }
  const etag = answer.headers.get('etag') ?? ''
  must(etag !== '', 'it has no ETag')
  for (const method of ['GET', 'HEAD']) {
    const again = await fetch(url + path, { method, headers: { ...accept, 'if-none-match': etag } })
    must(again.status === 304 && (await again.text()) === '', `${method} is ${again.status} for who has it`)
    must(
      again.headers.get('etag') === etag && again.headers.get('cache-control') === keeping,
      '304 forgets its headers',
    )
  }
  const other = await (await fetch(url + path, { headers: { accept: 'application/json', 'user-agent': 'x' } })).text()
  must(other.replace(STAMP, '') === text.replace(STAMP, ''), 'it differs by who asks, but does not say so')
  // A search has as many addresses as there are words, and a frame is a part of its topic's page.
  const isPage = answer.headers.get('content-type')?.includes('html') && !/^\/(?:search|widget)/.test(path)
  const [, canonical] = /<link rel="canonical" href="([^"]+)">/.exec(text) ?? []
  if (isPage) must(canonical === BASE_URL + path, `its canonical address is ${canonical}`)
  return { status: 200, isPublic, wrong }
}

it('what anybody may read has an ETag that spares a second reading, the same for HEAD, and all else is kept by nobody', async () => {
  const card = { id: '2604.11784', title: 'A paper', url: null, reason: '', excerpt: '', authors: '', links: [] }
  await using site = await openTestSite({
    baseUrl: BASE_URL,
    issue: issueOf([{ ...card, upvotes: 1, seeAlso: [] }]),
  })
  const open: string[] = []
  const wrong: string[] = []
  for (const route of site.app.routeTable.filter(({ method }) => method === 'GET'))
    for (const path of pathsOf(route)) {
      const { status, isPublic, wrong: found } = await judge(site.url, path)
      wrong.push(...found)
      if (isPublic) open.push(path)
      // One token of those that lead somewhere is enough.
      if (status === 200 && route.url.includes(':token')) break
    }
  expect(wrong).toEqual([])
  expect(open).toEqual(expect.arrayContaining(OPEN))
  expect(open.filter((path) => /[a-z-]{4,}0{10}/.test(path))).toEqual([])
})

it('a page of a list is its own canonical address, and the first has no number', async () => {
  const cards = Array.from({ length: 70 }, (_, n) => ({ id: `2604.${20_000 + n}`, title: `Paper ${n}` }))
  await using site = await openTestSite({
    baseUrl: BASE_URL,
    cards: cards.map((one) => ({
      ...one,
      url: null,
      reason: '',
      excerpt: '',
      authors: '',
      links: [],
      upvotes: 1,
      seeAlso: [],
    })),
  })
  for (const path of [
    '/papers/2026-04-15',
    '/weeks/2026-W16',
    '/months/2026-04',
    '/topics/agents',
    '/authors/ada-lovelace',
  ])
    for (const [asked, canonical] of [
      [`${path}?page=1`, path],
      [`${path}?page=3`, `${path}?page=3`],
      [`${path}?utm_source=x`, path],
    ] as const)
      expect([asked, await (await fetch(site.url + asked)).text()]).toEqual([
        asked,
        expect.stringContaining(`<link rel="canonical" href="${BASE_URL}${canonical}">`),
      ])
})
