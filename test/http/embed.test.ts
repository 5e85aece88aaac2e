/** What other sites have of ours: the HTML that is written for them, where a form of theirs leads, and a frame of papers. */

import { describe, expect, it, test } from 'vitest'
import { DEFAULT_TOPICS } from '../../src/core/topics.ts'
import { PUBLIC } from '../../src/http/guard.ts'
import { card, form, openTestSite, STAMP, type TestSite } from '../support/servers/recording-site.ts'

const BASE = 'https://round.example.org'
const LAB = 'https://lab.example.net'
const READING = `${LAB}/reading?list=a&b`
const unescaped = (html: string) =>
  html.replace(/&(lt|gt|quot|#34|#39|amp);/g, (_, name: string) =>
    name === 'lt' ? '<' : name === 'gt' ? '>' : name === 'amp' ? '&' : name === '#39' ? "'" : '"',
  )
/** The HTML to copy of a field of the page. */
const copied = (page: string, id: string) =>
  unescaped(new RegExp(`<textarea[^>]* id="${id}"[^>]*>\n([^<]*)</textarea>`).exec(page)?.[1] ?? '')
const read = async (site: TestSite, path: string) => {
  const answer = await fetch(site.url + path, { redirect: 'manual' })
  return { status: answer.status, headers: answer.headers, page: await answer.text() }
}
/** Sends a form as a browser does from a page of another site. */
const send = (site: TestSite, fields: Record<string, string>, headers: Record<string, string> = { origin: LAB }) =>
  fetch(`${site.url}/embed/subscribe`, {
    method: 'POST',
    body: form(fields),
    headers: { 'sec-fetch-site': 'cross-site', accept: 'text/html', ...headers },
    redirect: 'manual',
  })
const hidden = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? null

describe('the page that writes HTML for other sites', () => {
  it('writes a form and a frame for the topics and the page that were chosen, and shows one frame', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    const query = new URLSearchParams({ page: READING })
    for (const topic of ['agents', 'robotics']) query.append('topics', topic)
    const { status, headers, page } = await read(site, `/embed?${query}`)
    expect([status, headers.get('cache-control'), headers.get('x-robots-tag')]).toEqual([200, PUBLIC, null])
    const [agents, robotics] = ['agents', 'robotics'].map(
      (slug) => DEFAULT_TOPICS.all.find((topic) => topic.slug === slug)?.label,
    )
    expect(unescaped(copied(page, 'form-html'))).toBe(
      [
        `<form action="${BASE}/embed/subscribe" method="post">`,
        `  <p>${agents}, ${robotics}, by email from <a href="${BASE}/">Paper Round</a>.</p>`,
        '  <p><label>Email <input type="email" name="email" autocomplete="email" required></label></p>',
        '  <input type="hidden" name="topics" value="agents,robotics">',
        `  <input type="hidden" name="return" value="${READING}">`,
        '  <p><button>Subscribe</button></p>',
        '</form>',
      ].join('\n'),
    )
    const frames = copied(page, 'frame-html').split('\n')
    expect(frames.map((frame) => /src="([^"]*)"/.exec(frame)?.[1])).toEqual([
      `${BASE}/widget/agents`,
      `${BASE}/widget/robotics`,
    ])
    expect(page.match(/<iframe [^>]*>/g)).toEqual([expect.stringContaining(' src="/widget/agents" ')])
    expect(page).toContain('value="agents" checked')
  })

  it('writes a form for what trends where no topic is chosen, and needs no page', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    for (const path of ['/embed', '/embed?page=', '/embed?topics=trending']) {
      const { status, page } = await read(site, path)
      expect([path, status]).toEqual([path, 200])
      expect(copied(page, 'form-html')).toContain('Trending research papers, by email')
      expect(copied(page, 'form-html')).not.toContain('hidden')
    }
  })

  it.each([
    ['topics=nonsense', 'There is no topic “nonsense”.', 'topics'],
    ['topics=agents&topics=%3Cb%3E', 'There is no topic “&lt;b&gt;”.', 'topics'],
    ['page=javascript:alert(1)', 'Enter an address that begins with https://', 'page'],
    ['page=http://lab.example.net/', 'Enter an address that begins with https://', 'page'],
    ['page=https://user:pw@lab.example.net/', 'Enter an address that begins with https://', 'page'],
    [`page=https://lab.example.net/${'x'.repeat(600)}`, 'Enter an address that begins with https://', 'page'],
    ['page=a&page=b', 'Enter an address that begins with https://', 'page'],
  ])('answers %s in words', async (query, words, field) => {
    await using site = await openTestSite({ baseUrl: BASE })
    const { status, page } = await read(site, `/embed?${query}`)
    expect([status, page]).toEqual([400, expect.stringContaining(words)])
    expect(page).toContain(`href="#${field}"`)
    expect(page).not.toMatch(/<b>|<textarea|<iframe/)
    const asked = await fetch(`${site.url}/embed?${query}`, { headers: { accept: 'application/json' } })
    expect([asked.status, ((await asked.json()) as { errors: { field: string }[] }).errors[0]?.field]).toEqual([
      400,
      field,
    ])
  })

  it('escapes what it was given twice over: for its own page, and for the page that the HTML is pasted into', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    const hostile = `${LAB}/?a="></textarea><script>alert(1)</script>`
    const { page } = await read(site, `/embed?${new URLSearchParams({ page: hostile })}`)
    expect(page).not.toContain('<script')
    expect(copied(page, 'form-html')).not.toContain('<script')
    expect(copied(page, 'form-html')).toContain(`name="return" value="${LAB}/?a=%22%3E%3C/textarea%3E%3Cscript`)
  })
})

describe('a form on another site', () => {
  it('leads to our form with what was entered, which alone subscribes, and then back to its page', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    const answer = await send(site, { email: 'ada@example.org', topics: 'agents,robotics', return: READING })
    const page = await answer.text()
    expect([answer.status, site.changes]).toEqual([200, []])
    expect(page).toContain('<strong class="address">lab.example.net</strong>')
    expect(page).toContain('value="ada@example.org"')
    expect(page).toMatch(/value="agents" checked[\s\S]*value="robotics" checked/)
    // Its guards are those of every form of ours.
    expect(page).toContain('<form action="/subscribe" method="post"')
    expect(hidden(page, 'shown')).toBe(STAMP)
    expect(page).toContain('name="subject" value="" tabindex="-1"')
    const back = hidden(page, 'back') ?? ''
    expect(Buffer.from(back, 'base64url').toString('latin1')).not.toContain('lab')
    const sent = await fetch(`${site.url}/subscribe`, {
      method: 'POST',
      body: form({
        email: 'ada@example.org',
        topics: ['agents', 'robotics'],
        shown: hidden(page, 'shown') ?? '',
        back,
      }),
      headers: { 'sec-fetch-site': 'same-origin' },
      redirect: 'manual',
    })
    expect([sent.status, site.changes.length]).toEqual([303, 1])
    expect(sent.headers.get('location')).toMatch(/^\/check-inbox\/[\w-]+$/)
    const last = await read(site, sent.headers.get('location') ?? '')
    expect(last.page).toContain(
      `<a href="${READING.replace('&', '&amp;')}" rel="noreferrer">Back to lab.example.net</a>`,
    )
    expect([last.headers.get('refresh'), last.page]).toEqual([null, expect.stringContaining('ada@example.org')])
  })

  it('keeps the way back through a mistake, and through the question whether an address is meant', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    const back = hidden(await (await send(site, { return: READING })).text(), 'back') ?? ''
    const post = (email: string) =>
      fetch(`${site.url}/subscribe`, { method: 'POST', body: form({ email, back }), redirect: 'manual' })
    expect(back).not.toBe('')
    expect(hidden(await (await post('ada@')).text(), 'back')).toBe(back)
    expect(hidden(await (await post('ada@gmial.com')).text(), 'back')).toBe(back)
  })

  const elsewhere: [why: string, named: string, headers: Record<string, string>, host: string | null][] = [
    ['names a page of a third site', 'https://evil.example/', { origin: LAB }, 'lab.example.net'],
    ['names a script', 'javascript:alert(1)', { origin: LAB }, 'lab.example.net'],
    ['names nothing', '', { origin: LAB }, 'lab.example.net'],
    ['names a user', 'https://us:er@lab.example.net/', { origin: LAB }, 'lab.example.net'],
    ['is on a page without https', 'http://lab.example.net/', { origin: 'http://lab.example.net' }, null],
    ['is on a page whose browser says no origin', READING, { origin: 'null' }, null],
    ['is sent by a program', READING, {}, null],
    ['is one of ours', `${BASE}/`, { origin: BASE }, null],
    ['has a name in other letters', '', { origin: 'https://xn--80ak6aa92e.example' }, 'xn--80ak6aa92e.example'],
  ]
  it.each(elsewhere)(
    'leads back to the site that it was on, or nowhere: one that %s',
    async (_, named, headers, host) => {
      await using site = await openTestSite({ baseUrl: BASE })
      const page = await (await send(site, { email: 'ada@example.org', return: named }, headers)).text()
      expect(page).not.toMatch(/evil\.example|javascript:/)
      expect(/<strong class="address">([^<]*)</.exec(page)?.[1] ?? null).toBe(host)
      expect(hidden(page, 'back') !== null).toBe(host !== null)
    },
  )

  it('a way back that we have not sealed is none', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    const real = hidden(await (await send(site, { return: READING })).text(), 'back') ?? ''
    for (const back of [
      'https://evil.example/',
      `${real.slice(0, -1)}${real.endsWith('A') ? 'B' : 'A'}`,
      'x'.repeat(2000),
    ]) {
      const body = form({ email: 'ada@example.org', back })
      const { headers } = await fetch(`${site.url}/subscribe`, { method: 'POST', body, redirect: 'manual' })
      const { page } = await read(site, headers.get('location') ?? '')
      expect(page).toContain('ada@example.org')
      expect(page).not.toMatch(/another site|evil\.example/)
    }
    // Nor is the address of somebody else read from the field of the way back.
    expect((await read(site, `/check-inbox/${real}`)).page).toContain('Back to lab.example.net')
  })

  it('with mistakes gets our form with a sentence beside each, and without an address our form', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    const wrong = await send(site, { email: 'ada@', topics: 'agents,gone' })
    const page = await wrong.text()
    expect(wrong.status).toBe(400)
    expect(page).toContain('id="email-error"')
    expect(page).toContain('There is no topic “gone”.')
    expect((await send(site, {})).status).toBe(200)
    expect(site.changes).toEqual([])
  })

  it('is for browsers: a program is told where to post, and GET leads to our form', async () => {
    await using site = await openTestSite({ baseUrl: BASE })
    const answer = await fetch(`${site.url}/embed/subscribe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.org' }),
    })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ detail: expect.stringContaining('/api/v1/subscribe') }),
    ])
    const { status, headers } = await read(site, '/embed/subscribe')
    expect([status, headers.get('location')]).toEqual([303, '/#email'])
  })
})

describe('the frame of a topic', () => {
  it('has the five best papers, no script, no form and no cookie, and opens its links in a new tab', async () => {
    const cards = Array.from({ length: 8 }, (_, n) => card({ id: `2604.0000${n}`, title: `Paper <${n}> & more` }))
    await using site = await openTestSite({ baseUrl: BASE, cards })
    const { status, headers, page } = await read(site, '/widget/agents')
    expect([status, headers.get('set-cookie'), headers.get('cache-control')]).toEqual([200, null, PUBLIC])
    expect(headers.get('content-security-policy')).toContain('frame-ancestors *;')
    expect(page.match(/href="\/papers\/[^"]*"/g)).toEqual([0, 1, 2, 3, 4].map((n) => `href="/papers/2604.0000${n}"`))
    expect(page).toContain('Paper &lt;0&gt; &amp; more')
    expect(page).not.toMatch(/<script|<form|<iframe/)
    const links = page.match(/<a [^>]*>/g) ?? []
    expect(links.length).toBe(8)
    for (const link of links) expect(link).toMatch(/ target="_blank" rel="noopener">$/)
    const again = await fetch(`${site.url}/widget/agents`, { headers: { 'if-none-match': headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
  })

  it('says in words, inside the frame, that there is no such topic or no paper', async () => {
    await using site = await openTestSite({ baseUrl: BASE, cards: [] })
    const none = await read(site, '/widget/no-such-topic')
    expect([none.status, none.page]).toEqual([404, expect.stringContaining('There is no topic of this name.')])
    expect(none.headers.get('content-security-policy')).toContain('frame-ancestors *;')
    const empty = await read(site, '/widget/agents')
    expect([empty.status, empty.page]).toEqual([200, expect.stringMatching(/No papers/)])
  })
})

test('every page leads to the page that writes HTML for other sites, and the sitemap has it', async () => {
  await using site = await openTestSite({ baseUrl: BASE })
  expect((await read(site, '/')).page).toContain('<a href="/embed">Embed</a>')
  const sitemap = (await read(site, '/sitemaps/lists.xml')).page
  for (const path of ['/embed', '/api/docs']) expect(sitemap).toContain(`<loc>${BASE}${path}</loc>`)
})
