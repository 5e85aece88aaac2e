/**
 * Every page as it is sent, before any browser mends it: valid HTML, by a validator that is not ours, with the name that an
 * installation sets.
 */
import { expect, test } from 'vitest'
import { BRANDED } from '../support/fixtures/branded.ts'
import { HARD_ISSUE, STEERED_ISSUE } from '../support/fixtures/hard-issues.ts'
import { findHtmlFaults } from '../support/fixtures/html-validator.ts'
import { readEveryPage } from '../support/servers/every-page.ts'
import { card, openTestSite } from '../support/servers/recording-site.ts'
import { thorough } from '../support/thoroughness.ts'

const HOSTILE = card({
  title: '</title></head><table><p>`<b>x</i> " \' &amp; &',
  reason: '<h1>Gone',
  excerpt: '<!-- --!> ]]> </main>',
  authors: '"><em>',
})
const HARD = [card(), HOSTILE, card({ excerpt: '', upvotes: null, links: [] }), HOSTILE, ...HARD_ISSUE.cards]
const ESCAPED = 'Lab Letters &amp; Co &lt;x&gt;'

const QUALITY = [{ topic: 'agents', relevant: 4, precision: 0.9, recall: 0.8 }]

/** Of pages of a route with the same heading and status, the longest stands for all where there is no time for each. */
const distinct = (pages: Awaited<ReturnType<typeof readEveryPage>>) => {
  const byKind = new Map<string, (typeof pages)[number]>()
  for (const page of pages) {
    const kind = `${page.route} ${page.status} ${/<h1[\s\S]*?<\/h1>/.exec(page.html)?.[0]}`
    if (page.html.length > (byKind.get(kind)?.html.length ?? 0)) byKind.set(kind, page)
  }
  return thorough ? pages : [...byKind.values()]
}

test('every page of every route is valid HTML, whatever its papers hold, and has the name that is set and not the built-in one', {
  timeout: 300_000,
}, async () => {
  await using sites = new AsyncDisposableStack()
  const open = async (options: Parameters<typeof openTestSite>[0]) =>
    sites.use(await openTestSite({ branding: BRANDED, ...options }))
  const usual = await open({
    cards: HARD,
    issue: STEERED_ISSUE,
    topicQuality: QUALITY,
    mailboxUrl: 'http://127.0.0.1:1',
  })
  const others = [
    await open({ issue: HARD_ISSUE, sample: true }),
    await open({ held: false, issue: { ...HARD_ISSUE, cards: [], also: [], listed: 0 } }),
    await open({ fault: new Error('a fault on purpose') }),
  ]
  const routes = new Set<string>()
  const wrong: string[] = []
  const misnamed: string[] = []
  for (const site of [usual, ...(thorough ? others : [])])
    for (const { request, route, status, html } of distinct(await readEveryPage(site))) {
      if (status === 200) routes.add(route)
      const isNamed = /<title>.*<\/title>/.exec(html)?.[0].includes(ESCAPED) === true
      if (!isNamed || html.includes('<x>') || /paper round/i.test(html)) misnamed.push(request)
      wrong.push(...(await findHtmlFaults(html)).map((fault) => `${request} (${status}): ${fault}`))
    }
  expect(wrong).toEqual([])
  expect(misnamed).toEqual([])
  // Those that lead to a page, and not only to one which says that there is none.
  for (const route of ['/', '/topics/:topic', '/papers/:paper', '/digests/:token', '/preferences/:token', '/search'])
    expect(routes).toContain(route)
})
