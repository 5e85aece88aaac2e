/** Citations by their routes: what they are called and kept as, and what is said where there are none. */

import { expect, it } from 'vitest'
import { PUBLIC } from '../../src/http/guard.ts'
import { readBibtex, readCslJson, readRis } from '../support/fixtures/citation-reader.ts'
import { card, issueOf, openTestSite, TOKEN } from '../support/servers/recording-site.ts'

const READERS = { bib: readBibtex, ris: readRis, 'csl.json': readCslJson }
const TYPES = {
  bib: 'application/x-bibtex; charset=utf-8',
  ris: 'application/x-research-info-systems; charset=utf-8',
  'csl.json': 'application/vnd.citationstyles.csl+json; charset=utf-8',
}
const ENDINGS = ['bib', 'ris', 'csl.json'] as const

it.each(ENDINGS)('a paper, a day, a week and a digest are files that others read: .%s', async (ending) => {
  await using site = await openTestSite()
  for (const [path, name, papers] of [
    ['/papers/2604.11784', '2604.11784', 1],
    ['/papers/2026-04-13', 'papers-2026-04-13', 2],
    ['/weeks/2026-W16', 'papers-2026-W16', 2],
    [`/digests/${TOKEN.view}`, 'digest-2026-04-15', 2],
  ] as const) {
    const answer = await fetch(`${site.url}${path}.${ending}`)
    expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 200, TYPES[ending]])
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${name}.${ending}"`)
    const isOwn = path.includes(TOKEN.view)
    expect(answer.headers.get('cache-control')).toBe(isOwn ? 'no-store' : PUBLIC)
    expect(answer.headers.get('x-robots-tag')).toBe(isOwn ? 'noindex' : null)
    const read = READERS[ending](await answer.text())
    expect(read.map(({ DOI }) => DOI)).toEqual(
      ['10.48550/arXiv.2604.11784', '10.48550/arXiv.2604.11785'].slice(0, papers),
    )
    expect(new Set(read.map(({ id }) => id)).size).toBe(papers)
  }
})

it('is not sent again to those who have it', async () => {
  await using site = await openTestSite()
  const url = `${site.url}/papers/2604.11784.bib`
  const etag = (await fetch(url)).headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]{22}"$/)
  for (const [tags, status] of [
    [etag, 304],
    [`"other", W/${etag}`, 304],
    ['*', 304],
    ['"other"', 200],
  ] as const) {
    const answer = await fetch(url, { headers: { 'if-none-match': tags } })
    expect([tags, answer.status, (await answer.text()) === '']).toEqual([tags, status, status === 304])
  }
})

it.each([
  ['/papers/2604.99999.bib', 'We have no paper with this id.'],
  ['/papers/2031-01-01.ris', 'We have no papers for this day.'],
  ['/papers/%00.csl.json', 'We have no paper with this id.'],
  ['/weeks/2026-W60.bib', 'A week is written as 2026-W15.'],
  ['/weeks/x.ris', 'We have no papers for this week.'],
  ['/digests/x.bib', 'This link'],
])('says so where there are none: %s', async (path, sentence) => {
  await using site = await openTestSite()
  const answer = await fetch(site.url + path, { headers: { accept: 'text/html' } })
  expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining(sentence)])
})

it('the pages of papers, days, weeks and topics lead to their citations and feeds', async () => {
  await using site = await openTestSite({ issue: issueOf([card()]) })
  const read = async (path: string) => (await fetch(site.url + path)).text()
  for (const path of ['/papers/2604.11784', '/papers/2026-04-13', `/digests/${TOKEN.view}`]) {
    const page = await read(path)
    for (const ending of ENDINGS) expect(page).toContain(`<a href="${path}.${ending}">`)
    if (path.startsWith('/papers'))
      expect(page).toContain(`<link rel="alternate" type="application/x-bibtex" href="${path}.bib"`)
  }
  expect(await read(`/digests/${TOKEN.view}`)).toContain(`<a href="/digests/${TOKEN.view}.json">`)
  const topic = await read('/topics/robotics')
  expect(topic).toContain('<link rel="alternate" type="application/atom+xml" href="/feeds/robotics.atom"')
  expect(topic).not.toContain('/feeds/all')
})

it('a paper’s page tells reference managers what it is', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}/papers/2604.11784`)).text()
  const tags = [...page.matchAll(/<meta name="((?:citation_|DC\.)\w+)" content="([^"]*)">/g)].map(
    ([, name, content]) => [name, content],
  )
  expect(tags).toContainEqual(['citation_title', 'A paper about agents'])
  expect(tags).toContainEqual(['citation_author', 'Lovelace, Ada'])
  expect(tags).toContainEqual(['citation_doi', '10.48550/arXiv.2604.11784'])
  expect(tags).toContainEqual(['DC.type', 'preprint'])
})
