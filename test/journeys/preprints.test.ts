/** A reader of bioRxiv, which counts no votes: from its interface to the digest, the paper's page, its citation and the search. */
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { startTestService } from '../support/servers/service.ts'
import { openSourceServer } from '../support/servers/source-server.ts'

const ADA = 'ada@example.org'
const DOI = '10.64898/2026.04.14.700001'

const row = (day: string, number: number, version = '1') => ({
  doi: number === 1 && day === '2026-04-14' ? DOI : `10.64898/${day.replaceAll('-', '.')}.${700_000 + number}`,
  title: `Robot learning of <i>in vitro</i> manipulation, ${day} ${number}`,
  authors: 'Byron, A.; Hopper, G. M.',
  date: day,
  version,
  category: 'bioinformatics',
  abstract:
    'AO_SCPLOWBSTRACTC_SCPLOWRobotic manipulation of cells is slow. We show robot learning with dexterous manipulation that handles dishes by itself.',
})

test('a reader gets the papers of bioRxiv with the reason, and nobody claims votes', async () => {
  await using source = await openSourceServer()
  source.answer = (_, response, url) => {
    const [, , , day = '', , cursor] = url.pathname.split('/')
    const rows = cursor === '0' && day <= '2026-04-15' ? [row(day, 1), row(day, 2)] : []
    const message = rows.length === 0 ? { status: 'no posts found' } : { status: 'ok', total: String(rows.length) }
    response.end(JSON.stringify({ messages: [message], collection: rows }))
  }
  await using service = await startTestService({
    clock: '2026-04-14T05:00:00Z',
    settings: { PAPER_SOURCES: 'biorxiv:bioinformatics' },
    preprintUrl: source.baseUrl,
  })
  const site = openSite(service.url)
  await site.post('/subscribe', { email: ADA, topics: ['robotics'], frequency: 'daily', timezone: 'UTC' })
  const confirmation = await service.mail.waitFor(ADA, 1)
  await site.post(confirmation.links.get('confirm') ?? '')
  const welcome = await service.mail.waitFor(ADA, 2)
  expect(welcome.text).toContain('Robot learning of in vitro manipulation')
  expect(welcome.text.replace(/\s+/g, ' ')).toContain('"Robot learning" and "manipulation" in the title')
  expect(welcome.text).not.toMatch(/upvote/i)
  expect(welcome.text).toContain('Titles, authors and excerpts are from bioRxiv.')
  expect(welcome.html).toContain(`https://doi.org/${DOI}`)

  const paper = await site.get(`/papers/biorxiv:${DOI}`)
  expect(paper.status).toBe(200)
  expect(paper.text.replaceAll('&nbsp;', ' ')).toContain(`bioRxiv ${DOI}, posted Tuesday 14 April 2026`)
  expect(paper.text).toContain('bioRxiv counts no votes.')
  expect(paper.text).toContain('Abstract at bioRxiv')
  expect(paper.text).not.toContain('CC0')
  expect(paper.html).toContain(`<meta name="citation_doi" content="${DOI}">`)
  const topic = await site.get('/topics/robotics')
  expect(topic.text).not.toMatch(/most upvoted/i)

  const cited = await site.get(`/papers/biorxiv:${DOI}.bib`)
  expect(cited.html).toContain(`doi = {${DOI}}`)
  expect(cited.html).toContain('publisher = {bioRxiv}')
  const found = await site.get(`/search?q=${encodeURIComponent(`https://www.biorxiv.org/content/${DOI}v1`)}`)
  expect([found.status, found.headers.get('location')]).toEqual([303, `/papers/biorxiv:${DOI}`])
  const image = await site.get(`/papers/biorxiv:${DOI}.png`)
  expect(image.status).toBe(200)
  const api = JSON.parse((await site.get(`/api/v1/papers/biorxiv:${DOI}`)).html) as Record<string, unknown>
  expect(api).toMatchObject({ id: `biorxiv:${DOI}`, abstract: null, counted: null })
  const feed = await site.get('/feeds/robotics.atom')
  expect(feed.html).toContain(`https://doi.org/${DOI}`)
})
