/** The public pages. */
import { expect, it } from 'vitest'
import { card, openTestSite, TOKEN } from '../../support/servers/recording-site.ts'

const HOSTILE = card({
  title: '<script>alert(1)</script> {{ 7 | times: 7 }}',
  url: 'javascript:alert(1)',
  reason: '<img src=x onerror=alert(1)>',
  excerpt: '</p><h1>{% raw %}',
  authors: '"><em>',
  links: [
    { label: '<i>PDF', url: 'data:text/html,x' },
    { label: 'Code', url: 'https://example.org/"onmouseover="x' },
  ],
  upvotes: 0,
})

it('the home page shows the best papers of the latest day with reasons, and the form', async () => {
  await using site = await openTestSite({ cards: Array.from({ length: 26 }, (_, i) => card({ title: `Paper ${i}` })) })
  const page = await (await fetch(`${site.url}/`)).text()
  expect(page).toContain('<h2>Wednesday 15 April 2026</h2>')
  expect(page).toContain('8 of 26 papers, most upvoted first')
  expect(page.match(/<li class="paper/g)).toHaveLength(8)
  expect(page).toContain('<p class="why">LLM agents &amp; tool use: “agents” in the title</p>')
  expect(page).toContain('href="/papers/2026-04-15">See all 26 papers')
  expect(page).toContain('action="/subscribe"')
  expect(page.match(/<h1/g)).toHaveLength(1)
  expect(page.match(/type="checkbox"/g)).toHaveLength(39)
  expect(page).not.toMatch(/type="checkbox"[^>]* checked/)
})

it('another day shows all its papers, and the days around it', async () => {
  await using site = await openTestSite({ cards: Array.from({ length: 26 }, () => card()) })
  const page = await (await fetch(`${site.url}/papers/2026-04-13`)).text()
  expect(page).toContain('<h1>Monday 13 April 2026</h1>')
  expect(page.match(/<li class="paper/g)).toHaveLength(26)
  expect(page).toContain('href="/papers/2026-04-13" aria-current="page">Mon 13')
  expect(page.match(/Days without papers/g)).toHaveLength(1)
})

it('of the further papers of a day the title shows, and what is there besides unfolds; what has no excerpt is whole', async () => {
  const withdrawn = card({ title: 'Gone', reason: 'This paper was withdrawn', excerpt: '', links: [], upvotes: null })
  await using site = await openTestSite({ cards: [card(), card(), card(), card({ title: 'Fourth' }), withdrawn] })
  const page = await (await fetch(`${site.url}/papers/2026-04-15`)).text()
  expect(page.match(/<details/g)).toHaveLength(1)
  expect(page).toMatch(/Fourth<\/a><\/h2>\s*<details>[\s\S]*class="why"[\s\S]*<\/details>[\s\S]*Gone/)
  expect(page).toMatch(/Gone<\/a><\/h2>\s*<p class="why">This paper was withdrawn/)
})

it.each([['2026-04-12'], ['2031-01-01'], ['2026-02-30'], ['yesterday'], ["2026-04-13'--"]])(
  'a day that is not held is said to be so: %s',
  async (date) => {
    await using site = await openTestSite()
    const answer = await fetch(`${site.url}/papers/${date}`)
    expect([answer.status, await answer.text()]).toEqual([
      404,
      expect.stringMatching(/No papers for this day|No such paper/),
    ])
  },
)

it('without any papers the home page says so, and the form is there', async () => {
  await using site = await openTestSite({ held: false })
  const page = await (await fetch(`${site.url}/`)).text()
  expect(page).toContain('No papers yet')
  expect(page).toContain('action="/subscribe"')
})

it('sample papers are labelled as a sample', async () => {
  await using site = await openTestSite({ sample: true })
  for (const path of ['/', '/papers/2026-04-13']) {
    expect(await (await fetch(site.url + path)).text()).toContain('Sample papers.')
  }
})

it('text of a source stays text, and links of a source are https or no links', async () => {
  await using site = await openTestSite({ cards: [HOSTILE] })
  for (const path of ['/', '/papers/2026-04-13']) {
    const page = await (await fetch(site.url + path)).text()
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 | times: 7 }}')
    expect(page).not.toMatch(/<script>|<img|<em>|<i>|javascript:|data:text/)
    expect(page).toContain('href="https://example.org/&#34;onmouseover=&#34;x"')
  }
})

it('a digest opens in the browser with the same papers, and nothing of its reader', async () => {
  const issue = {
    kind: 'daily' as const,
    localDate: '2026-04-15',
    listDays: ['2026-04-15'],
    topics: ['Robotics & embodied AI', 'Document AI, OCR & charts'],
    cards: [card(), card({ title: 'Another', upvotes: null, url: null })],
    also: [card({ title: 'Kitchens', reason: 'Robotics & embodied AI: “gripper”', upvotes: 2 })],
    trendingExtras: [card({ title: 'Elsewhere', reason: 'Top 3% of the month’s papers' })],
    groups: [],
    news: [],
    listed: 26,
    cutoff: '2026-04-20T06:00:00.000Z',
    note: 'No digest on Tuesday 14 April: no new papers matched what you follow.',
    sample: false,
  }
  await using site = await openTestSite({ issue })
  const answer = await fetch(`${site.url}/digests/${TOKEN.view}`)
  const page = await answer.text()
  expect(answer.status).toBe(200)
  expect(page).toContain('<h1>Wednesday 15 April 2026</h1>')
  expect(page).toContain(
    '4 of the 26 papers listed on Wednesday 15 April: 3 match what you follow, 1 is trending beyond your topics. You follow: Robotics &amp; embodied AI and Document AI',
  )
  expect(page).toContain('No digest on Tuesday')
  expect(page).toContain('<h2 dir="auto">Another</h2>')
  const [, short = ''] = /Also in your topics<\/h2>([\s\S]*)<h2 id="extras"/.exec(page) ?? []
  expect(short).toMatch(
    /<h3 dir="auto"><a [^>]*>Kitchens<\/a><\/h3>\s*<p class="why">Robotics &amp; embodied AI: “gripper”/,
  )
  expect(short).not.toContain('class="prose"')
  expect(page).toMatch(/Trending beyond your topics<\/h2>[\s\S]*<h3 dir="auto"><a [^>]*>Elsewhere<\/a><\/h3>/)
  expect(page).not.toContain('@example.org')
})

it('a page explains how papers are chosen', async () => {
  await using site = await openTestSite()
  const page = await (await fetch(`${site.url}/about`)).text()
  expect(page).toContain('How papers are chosen')
  expect(page).not.toContain('<table>')
})

it('and how often that is right for each topic, where it was measured', async () => {
  const topicQuality = [
    { topic: 'robotics', relevant: 406, precision: 0.937, recall: 0.862 },
    { topic: 'recsys', relevant: 0, precision: null, recall: null },
    { topic: 'a-topic-of-old', relevant: 5, precision: 1, recall: 1 },
  ]
  await using site = await openTestSite({ topicQuality })
  const page = await (await fetch(`${site.url}/about`)).text()
  expect(page).toContain(
    '<tr><th scope="row">Robotics &amp; embodied AI</th><td>406</td><td>94&nbsp;%</td><td>86&nbsp;%</td></tr>',
  )
  expect(page.match(/<th scope="row">/g)).toHaveLength(1)
})

it('no page links to an address that does not exist', async () => {
  await using site = await openTestSite()
  const paths = [
    '/',
    '/papers/2026-04-13',
    '/about',
    '/preview?topics=agents',
    '/links',
    '/links/sent',
    '/check-inbox',
    `/confirm/${TOKEN.confirmed}`,
  ]
  paths.push(
    `/preferences/${TOKEN.preferences}`,
    `/unsubscribe/${TOKEN.unsubscribe}`,
    `/unsubscribe/${TOKEN.left}`,
    '/x',
  )
  const links = new Set<string>()
  for (const path of paths) {
    const page = await (await fetch(site.url + path)).text()
    for (const [, link = ''] of page.matchAll(/(?:href|src)="(\/[^"]*)"/g)) links.add(link.replaceAll('&amp;', '&'))
  }
  const answers = await Promise.all([...links].map(async (link) => [link, (await fetch(site.url + link)).status]))
  expect(answers.filter(([, status]) => status !== 200)).toEqual([])
})
