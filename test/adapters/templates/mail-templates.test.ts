/** The mails: the same content in both parts, nothing hidden, nothing that a paper's texts can break. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileMessage } from '../../../src/adapters/smtp/message.ts'
import { createMailTemplates, LETTER_KINDS, type Mail } from '../../../src/adapters/templates/mail-templates.ts'
import { plainMarks } from '../../../src/adapters/templates/mail-text.ts'
import type { DigestIssue, PaperCard } from '../../../src/core/digest/digest.ts'
import { TOKEN_PLACEHOLDERS } from '../../../src/core/token.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const TIMES = 'every Saturday at 07:00 London time'
const templates = await createMailTemplates({
  baseUrl: 'https://round.example.org/',
  postalAddress: '12 Example Street, Example Town EX1 2MP',
})

const card = (change: Partial<PaperCard> = {}): PaperCard => ({
  id: '2604.11784',
  title: 'ClawGUI: A Unified Framework for GUI Agents',
  url: 'https://arxiv.org/abs/2604.11784',
  reason: 'GUI agents: “GUI agents” in the title; top 2% of the\u00a0month',
  excerpt: 'A harness to train, test and run agents that work a screen.',
  authors: 'Ada Ashe, Ben Birch, … Gil Gray (7)',
  links: [
    { label: 'PDF', url: 'https://arxiv.org/pdf/2604.11784' },
    { label: 'Code', url: 'https://code.example.org/a?b=1&c=2' },
    { label: 'Discussion (5)', url: 'https://huggingface.co/papers/2604.11784' },
  ],
  upvotes: 112,
  seeAlso: [],
  ...change,
})

const issue = (change: Partial<DigestIssue> = {}): DigestIssue => ({
  kind: 'daily',
  localDate: '2026-04-15',
  listDays: ['2026-04-14', '2026-04-15'],
  topics: ['LLM agents & tool use', 'Robotics & embodied AI'],
  cards: [card(), card({ title: 'KnowRL: Boosting Reasoning', url: null, upvotes: null }), card({ upvotes: 1 })],
  trendingExtras: [],
  groups: [],
  news: [],
  listed: 26,
  cutoff: '2026-04-20T06:00:00.000Z',
  note: null,
  sample: false,
  ...change,
})

const ENTITIES: Record<string, string> = {
  '&nbsp;': ' ',
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}
const decoded = (html: string): string =>
  html
    .replace(/&(?:amp|lt|gt|quot|nbsp|#39);/g, (entity) => ENTITIES[entity] ?? '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
/** Links that lead out of the mail; those of its contents stay within. */
const linksIn = (html: string): Set<string> =>
  new Set([...html.matchAll(/href="([^"#][^"]*)"/g)].map((match) => decoded(match[1] ?? '')))
/** What stands below each paper: the text part leads to its page alone, and to the digest in a browser, which has the rest. */
const linksBelowPapers = (html: string): Set<string> =>
  new Set([...papersOf(html).matchAll(/<p class="go">(.*?)<\/p>/gs)].flatMap(([, links = '']) => [...linksIn(links)]))
const papersOf = (html: string): string =>
  html.slice(Math.max(0, html.indexOf('<td class="num">')), Math.max(0, html.indexOf('class="bar end"')))
/** What the text part has, too. */
const linksOfHtml = (html: string): Set<string> => linksIn(html).difference(linksBelowPapers(html))
const linksOfText = (text: string): Set<string> => new Set(text.match(/https?:\/\/\S+/g))
const tagsOf = (html: string): string[] => html.match(/<\/?[a-z][a-z0-9]*/gi) ?? []
const wordsOf = (html: string): string =>
  decoded(html.replace(/<head>[\s\S]*<\/head>|<!--[\s\S]*?-->|<[^>]*>/g, ' ')).replace(/\s+/g, ' ')

const every = [
  ...(['daily', 'weekly', 'welcome'] as const).map((kind) => ({
    name: kind,
    mail: templates.renderDigest(issue({ kind })),
  })),
  ...LETTER_KINDS.map((kind) => ({
    name: kind,
    mail: templates.renderLetter(kind, {
      frequency: 'weekly',
      times: TIMES,
      isUtc: false,
      topics: ['Robotics & embodied AI'],
    }),
  })),
  {
    name: 'announcement',
    mail: templates.renderAnnouncement({
      subject: 'We move <on> Monday',
      body: '# Why\n\nMore *room*: https://example.org/plan\n\n- one\n- <b>two</b>\n\n> said',
      topics: null,
    }),
  },
]

describe.each(every)('the $name mail', ({ mail }) => {
  test('has the same links in its text as in its HTML', () => {
    expect(linksOfText(mail.text)).toEqual(linksOfHtml(mail.html))
  })

  test('has one h1, a language, a direction, a title and both colour schemes', () => {
    expect(mail.html.match(/<h1[ >]/g)).toHaveLength(1)
    expect(mail.html).toMatch(/<html lang="en" dir="ltr"/)
    expect(mail.html).toMatch(/<title>[^<{]+<\/title>/)
    expect(mail.html).toContain('<meta name="color-scheme" content="light dark">')
    expect(mail.html).toMatch(/prefers-color-scheme: ?dark/)
  })

  test('lays out by tables that say they are no data', () => {
    const tables = mail.html.match(/<table[^>]*>/g) ?? []
    expect(tables.length).toBeGreaterThan(0)
    for (const table of tables) expect(table).toContain('role="presentation"')
  })

  test('hides nothing, and fetches nothing from anywhere', () => {
    expect(mail.html).not.toMatch(/display:\s*none|visibility:\s*hidden|mso-hide|opacity:\s*0|max-height:\s*0/i)
    expect(mail.html).not.toMatch(/<img|<script|<link|@import|url\(|src=/i)
  })

  test('leaves no template behind', () => {
    expect(mail.html + mail.text).not.toMatch(/\{\{|\{%|undefined|\[object/)
    expect(mail.html).not.toMatch(/<\/?mj-/)
  })

  test('has lines of at most 76 characters in its text, links aside', () => {
    for (const line of mail.text.split('\n').filter((line) => !/https?:\/\/\S+$/.test(line))) {
      expect(line.length).toBeLessThanOrEqual(76)
    }
  })

  test('says who sends it, and from where', () => {
    expect(mail.html).toContain('Paper Round, 12 Example Street, Example Town EX1 2MP')
    expect(mail.text).toContain('Paper Round, 12 Example Street, Example Town EX1 2MP')
  })
})

describe('a digest', () => {
  test('names two papers in the first line that a reader sees', () => {
    const { html, text } = templates.renderDigest(issue())
    expect(wordsOf(html).trim()).toMatch(/^ClawGUI, KnowRL and 1 more, ranked by fit and upvotes\. View in browser/)
    expect(text).toMatch(/^ClawGUI, KnowRL and 1 more, ranked by fit and upvotes\.\n/)
  })

  test('has title, reason, excerpt, authors and links of each paper in both parts', () => {
    const { html, text } = templates.renderDigest(issue())
    const unfolded = text.replace(/\s+/g, ' ')
    for (const { title, reason, excerpt, authors } of issue().cards) {
      for (const words of [title, reason, excerpt, authors]) {
        expect(wordsOf(html)).toContain(words.replace(/\s+/g, ' '))
        expect(unfolded).toContain(plainMarks(words).replace(/\s+/g, ' '))
      }
    }
  })

  test('leads to preferences, to unsubscribing and to its page by placeholders for tokens', () => {
    const links = linksOfHtml(templates.renderDigest(issue()).html)
    expect(links).toContain(`https://round.example.org/preferences/${TOKEN_PLACEHOLDERS.preferences}`)
    expect(links).toContain(`https://round.example.org/unsubscribe/${TOKEN_PLACEHOLDERS.unsubscribe}`)
    expect(links).toContain(`https://round.example.org/digests/${TOKEN_PLACEHOLDERS.view}`)
  })

  test('says why it came and how often', () => {
    const because = 'because you confirmed a weekly subscription to Paper Round at round.example.org'
    const mail = templates.renderDigest(issue({ kind: 'weekly' }))
    expect(wordsOf(mail.html)).toContain(because)
    expect(mail.text.replace(/\s+/g, ' ')).toContain(because)
  })

  test('of sample papers says so, and no other does', () => {
    const notice = 'These are sample papers that come with Paper Round, shown until a source of papers can be read.'
    const sample = templates.renderDigest(issue({ sample: true }))
    expect(wordsOf(sample.html)).toContain(notice)
    expect(sample.text.replace(/\s+/g, ' ')).toContain(notice)
    expect(wordsOf(templates.renderDigest(issue()).html)).not.toContain('sample')
  })

  test('shows its note', () => {
    const note = 'Nothing was sent on Sunday: no papers were listed.'
    const mail = templates.renderDigest(issue({ note }))
    expect(wordsOf(mail.html)).toContain(note)
    expect(mail.text).toContain(note)
  })

  test('has trending extras in a section of their own, in both parts', () => {
    const trendingExtras = [card({ title: 'Elsewhere', reason: 'Top 3% of the month’s papers' })]
    const { html, text } = templates.renderDigest(issue({ trendingExtras }))
    expect(html).toMatch(/<h2[^>]*>Trending beyond your topics<\/h2>[\s\S]*<h3[^>]*><a[^>]*>Elsewhere<\/a><\/h3>/)
    expect(text).toMatch(/\nTRENDING BEYOND YOUR TOPICS\n\n4\. Elsewhere\n[\s\S]*Top 3% of the month’s papers/)
    expect(templates.renderDigest(issue()).html).not.toContain('beyond your topics')
  })

  test('of trending extras alone names them above', () => {
    const mail = templates.renderDigest(
      issue({ cards: [], trendingExtras: [card()], note: 'No new papers matched what you follow.' }),
    )
    expect(mail.subject).toBe('Beyond your topics: ClawGUI')
    expect(wordsOf(mail.html)).toContain('ClawGUI, trending beyond your topics.')
    expect(wordsOf(mail.html)).toContain(' match what you follow; 1 is trending beyond your topics')
    expect(linksOfText(mail.text)).toEqual(linksOfHtml(mail.html))
  })

  test('tells what became of papers of earlier digests, in both parts', () => {
    const news = [
      { kind: 'withdrawn' as const, title: 'Wrong', url: 'https://arxiv.org/abs/2604.00002', line: 'it was withdrawn' },
      {
        kind: 'version' as const,
        title: 'New & <long>',
        url: 'https://arxiv.org/abs/2604.00001',
        line: 'version 3 is out',
      },
      { kind: 'code' as const, title: 'No page', url: 'javascript:alert(1)', line: 'code is available now' },
    ]
    const { html, text } = templates.renderDigest(issue({ news }))
    expect(html).toMatch(/<h2[^>]*>New since your last digest<\/h2>/)
    expect(wordsOf(html)).toContain('New & <long> : version 3 is out')
    expect(text).toContain(' - New & <long>: version 3 is out\n   https://arxiv.org/abs/2604.00001\n')
    // A correction stands before the papers, and once.
    expect(wordsOf(html)).toMatch(/Correction\. Wrong : it was withdrawn\..*ClawGUI: A Unified.*New since/)
    expect(text).toContain('Correction. Wrong: it was withdrawn.\nhttps://arxiv.org/abs/2604.00002\n')
    expect(text.match(/Wrong/g)).toHaveLength(1)
    expect(html + text).not.toContain('javascript')
    expect(linksOfText(text)).toEqual(linksOfHtml(html))
    expect(templates.renderDigest(issue()).html).not.toContain('New since')
  })

  test('of more than eight papers begins with what is in it, in both parts', () => {
    const cards = Array.from({ length: 9 }, (_, n) => card({ title: `Name${n}: and so on`, id: `2604.0000${n}` }))
    const { html, text } = templates.renderDigest(issue({ cards }))
    expect(html).toMatch(/<h2[^>]*>In this digest<\/h2>/)
    for (const n of cards.keys()) {
      expect(html).toContain(`<a href="#p${n + 1}">Name${n}</a>`)
      expect(html.split(`<a name="p${n + 1}"></a>`)).toHaveLength(2)
      expect(text).toContain(`\n ${n + 1}. Name${n}\n`)
      expect(text).toContain(`\n${n + 1}. Name${n}: and so on\n`)
    }
    const few = templates.renderDigest(issue({ cards: cards.slice(1) }))
    expect(few.html + few.text).not.toContain('In this digest')
    expect(few.html).not.toContain('name="p1"')
  })

  test('has papers that are shown in short last of its topics, by title and reason alone, in both parts', () => {
    const also = [card({ title: 'Kitchens: a Study', reason: 'Robotics & embodied AI: “sim-to-real”', upvotes: 2 })]
    const { html, text } = templates.renderDigest(issue({ also, trendingExtras: [card({ title: 'Elsewhere' })] }))
    const [, section = ''] = /<h2[^>]*>Also in your topics<\/h2>(.*)<h2[^>]*>Trending beyond/s.exec(html) ?? []
    expect(section).toMatch(/<h3[^>]*><a[^>]*>Kitchens: a Study<\/a><\/h3>/)
    expect(wordsOf(section).trim()).toBe('2 upvotes Kitchens: a Study Robotics & embodied AI: “sim-to-real”')
    expect(text).toContain(
      '\nALSO IN YOUR TOPICS\n\n4. Kitchens: a Study\nhttps://arxiv.org/abs/2604.11784\n' +
        'Robotics & embodied AI: "sim-to-real"; 2 upvotes\n\nTRENDING BEYOND YOUR TOPICS\n\n5. Elsewhere\n',
    )
    expect(wordsOf(html)).toContain('5 of the 26 papers')
  })

  test('says in which order its papers stand', () => {
    const line = 'Ranked by how well each paper fits what you follow and by its upvotes.'
    for (const part of Object.values(templates.renderDigest(issue())))
      if (part.length > 200) expect(part).toContain(line)
    const uncounted = issue({ cards: [card({ upvotes: null }), card({ upvotes: null })] })
    expect(templates.renderDigest(uncounted).text).toContain('\nRanked by how well each paper fits what you follow.\n')
    expect(templates.renderDigest(issue({ cards: [card()] })).text).not.toContain('Ranked')
  })

  test('has in its contents how many are shown in short, and where they begin', () => {
    const cards = Array.from({ length: 9 }, (_, n) => card({ title: `Name${n}: and so on` }))
    const also = [card({ title: 'Tenth' }), card({ title: 'Eleventh' })]
    const { html, text } = templates.renderDigest(issue({ cards, also }))
    expect(html).toContain('<a href="#p10">2 more</a>')
    expect(html).toContain('<a name="p10"></a>')
    expect(text).toContain('\n 9. Name8\n\nAlso in your topics: 2 more\n\n---')
  })

  test('says what its readers follow, and of a week which few of it brought nothing', () => {
    const topics = ['Robotics', 'Recommender systems', '“protein”', 'Ada Ashe']
    const weekly = issue({
      kind: 'weekly',
      topics,
      silent: topics.slice(1, 3),
      groups: [{ label: 'Robotics', papers: 3 }],
    })
    const { html, text } = templates.renderDigest(weekly)
    const said =
      'You follow: Robotics · Recommender systems · “protein” · Ada Ashe. Nothing this time for Recommender systems · “protein”.'
    expect(wordsOf(html)).toContain(said)
    expect(text.replace(/\s+/g, ' ')).toContain(plainMarks(said))
    for (const silent of [[], ['a', 'b', 'c', 'd']])
      expect(templates.renderDigest({ ...weekly, silent }).text).not.toContain('Nothing this time')
  })

  test('says nothing of no upvotes', () => {
    const { html, text } = templates.renderDigest(issue({ cards: [card({ upvotes: 0, authors: '' })] }))
    expect(html + text).not.toMatch(/upvotes?</)
    expect(text).not.toContain('0 upvotes')
  })

  test('breaks no line inside a short word such as X-ray, and changes no letter of it', () => {
    const { html, text } = templates.renderDigest(issue({ cards: [card({ title: 'Reading X-rays' })] }))
    expect(html).toContain('Reading <span style="white-space: nowrap">X-rays</span></a>')
    expect(text).toContain('1. Reading X-rays\n')
  })

  test('of a week in topics has a heading for each, and the papers under it', () => {
    const cards = ['A', 'B', 'C'].map((title) => card({ title }))
    const groups = [
      { label: 'Robots & <arms>', papers: 2 },
      { label: '“sheet music”', papers: 1 },
    ]
    const { html, text } = templates.renderDigest(
      issue({ kind: 'weekly', cards, groups, trendingExtras: [card({ title: 'D' })] }),
    )
    const headings = [...html.matchAll(/<h([23])[^>]*>(.*?)<\/h\1>/g)].map(([, level, inside]) => [
      level,
      wordsOf(inside ?? '').trim(),
    ])
    expect(headings).toEqual([
      ['2', 'Robots & <arms>'],
      ['3', 'A'],
      ['3', 'B'],
      ['2', '“sheet music”'],
      ['3', 'C'],
      ['2', 'Trending beyond your topics'],
      ['3', 'D'],
    ])
    expect(text).toMatch(/\nROBOTS & <ARMS>\n\n1\. A\n[\s\S]*\n2\. B\n[\s\S]*\n“SHEET MUSIC”\n\n3\. C\n/)
    expect(wordsOf(html)).not.toContain('for your topics')
  })

  test('names papers that say nearly the same under the one shown, with a link where there is one', () => {
    const seeAlso = [
      { title: 'ClawGUI, Revised', url: 'https://arxiv.org/abs/2604.20001' },
      { title: 'No page <of its own>', url: null },
    ]
    const { html, text } = templates.renderDigest(issue({ cards: [card({ seeAlso })] }))
    expect(html).toContain('See also <a href="https://arxiv.org/abs/2604.20001"')
    expect(html).toContain('See also No page &lt;of its own&gt;')
    expect(text).toContain('See also ClawGUI, Revised\nhttps://arxiv.org/abs/2604.20001')
    const hostile = [{ title: 'x', url: 'javascript:alert(1)' }]
    expect(templates.renderDigest(issue({ cards: [card({ seeAlso: hostile })] })).html).not.toContain('javascript')
  })

  test('stands without counts, links, authors, excerpts or topics', () => {
    const bare = card({ url: null, links: [], authors: '', excerpt: '', upvotes: null })
    const mail = templates.renderDigest(issue({ cards: [bare], topics: [], listed: 1, listDays: [] }))
    expect(wordsOf(mail.html)).toContain('ClawGUI.')
    expect(mail.html).not.toContain('upvote')
    expect(linksOfText(mail.text)).toEqual(linksOfHtml(mail.html))
  })

  test('writes "1 upvote", and thousands short', () => {
    const { html } = templates.renderDigest(issue({ cards: [card({ upvotes: 1 }), card({ upvotes: 12_345 })] }))
    expect(wordsOf(html)).toMatch(/ 1 upvote .* 12k upvotes /)
  })

  test('credits only those whose links it shows', () => {
    expect(wordsOf(templates.renderDigest(issue()).html)).toContain(
      'Titles, authors and excerpts are from arXiv; upvotes are from Hugging Face.',
    )
    const own = card({ url: 'https://papers.example.org/1', links: [] })
    expect(wordsOf(templates.renderDigest(issue({ cards: [own] })).html)).not.toMatch(/arXiv|Hugging Face/)
  })

  test('without a postal address has none', async () => {
    const plain = await createMailTemplates({ baseUrl: 'http://localhost:3000', postalAddress: null })
    const { html, text } = plain.renderDigest(issue())
    expect(wordsOf(html).trim()).toMatch(/Paper Round$/)
    expect(text.trim()).toMatch(/\nPaper Round$/)
  })

  test('renders the same bytes again', () => {
    expect(templates.renderDigest(issue())).toEqual(templates.renderDigest(issue()))
  })
})

describe('text that we did not write', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '{{ 7 | times: 7 }}',
    '{% for i in (1..9) %}x{% endfor %}',
    '</td></tr></table><h1>Mine</h1>',
    '"><a href="javascript:alert(1)">x</a>',
    '<!--[if mso]><table><![endif]-->',
    '<mj-include path="/etc/passwd" />',
    'a\rb\nc\u0000d\u202ee\u2066f',
    '\ud800 lone',
    "' onmouseover='x",
  ]

  test.each(hostile)('%j adds no element and is not run', (text) => {
    const harmless = templates.renderDigest(
      issue({ cards: [card({ title: 'x', reason: 'x', excerpt: 'x', authors: 'x' })] }),
    )
    const dressed = card({ title: text, reason: text, excerpt: text, authors: text })
    const mail = templates.renderDigest(issue({ cards: [dressed], topics: [text, text], note: null }))
    expect(tagsOf(mail.html)).toEqual(tagsOf(harmless.html))
    expect(mail.html).not.toContain('>49<')
    expect(mail.html + mail.text.replaceAll('\n', '')).not.toMatch(/[\p{Cs}\p{Bidi_C}\r\0]/u)
  })

  test('of any kind leaves the document as it is, and the text in lines', () => {
    const words = fc.string({ unit: 'binary', minLength: 1, maxLength: 400 })
    const shape = tagsOf(templates.renderDigest(issue({ cards: [card()] })).html)
    fc.assert(
      fc.property(words, words, words, words, (title, reason, excerpt, authors) => {
        const mail = templates.renderDigest(issue({ cards: [card({ title, reason, excerpt, authors })] }))
        expect(tagsOf(mail.html)).toEqual(shape)
        expect(mail.html).not.toMatch(/[^\P{Cc}\n]/u)
        for (const line of mail.text.split('\n')) {
          expect(line.length <= 76 || /https?:\/\/\S+$/.test(line)).toBe(true)
        }
      }),
      { numRuns: propertyRuns(50) },
    )
  })

  test.each([
    'javascript:alert(1)',
    'JAVASCRIPT:alert(1)',
    'data:text/html,x',
    'http://plain.example.org/',
    'https://user:pw@example.org/',
    '//example.org/',
    'not a link',
    `https://example.org/${'a'.repeat(600)}`,
  ])('%j never becomes a link', (url) => {
    const before = linksIn(templates.renderDigest(issue({ cards: [card({ url: null, links: [] })] })).html)
    const mail = templates.renderDigest(issue({ cards: [card({ url, links: [{ label: 'Code', url }] })] }))
    expect(linksIn(mail.html)).toEqual(before)
    expect(linksOfText(mail.text)).toEqual(linksOfHtml(mail.html))
  })

  test.each(Object.values(TOKEN_PLACEHOLDERS))('cannot ask for the token %s of its reader', (placeholder) => {
    const evil = `https://evil.example.org/${placeholder}`
    const dressed = card({
      ...{ title: evil, reason: evil, excerpt: evil, authors: evil, url: evil },
      links: [{ label: 'Code', url: evil }],
    })
    const mail = templates.renderDigest(issue({ cards: [dressed], note: evil }))
    const ours = /https:\/\/round\.example\.org\/[a-z]+\/\w{43}/g
    expect((mail.html + mail.text).replace(ours, '')).not.toContain(placeholder)
  })

  test('cannot leave the attribute of a link', () => {
    const url = 'https://example.org/?a="onclick=x&b=\'><script>'
    const { html, text } = templates.renderDigest(issue({ cards: [card({ links: [{ label: 'Code', url }] })] }))
    expect(html).not.toMatch(/onclick=x"|<script/)
    expect(linksOfText(text)).toEqual(linksOfHtml(html))
  })
})

/** Of a digest that has no parts. */
const PAPER_HEADING = /<h2(?: class="lead")?(?: dir="auto")?>/g

describe('size', () => {
  const long = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
  const links = ['PDF', 'Code', 'Project', 'Discussion (100)'].map((label) => ({
    label,
    url: `https://example.org/${'path/'.repeat(20)}${label.slice(0, 4)}`,
  }))
  const worst = (unit: string): DigestIssue =>
    issue({
      kind: 'weekly',
      topics: Array.from({ length: 38 }, (_, number) => `Topic number ${number} & some more words`),
      note: long(unit, 200),
      cards: Array.from({ length: 15 }, () =>
        card({
          title: long(unit, 250),
          reason: long(unit, 150),
          excerpt: long(unit, 280),
          authors: long(unit, 90),
          links,
        }),
      ),
    })

  test.each([
    ['Latin', 'Lorem ipsum '],
    ['Cyrillic', 'Обучение с '],
    ['Chinese', '强化学习与推理'],
    ['emoji', '😀👩‍🔬'],
    ['escapes', '<&">'],
  ])('of fifteen papers with long texts (%s) stays below what Gmail cuts', async (_name, unit) => {
    const mail = templates.renderDigest(worst(unit))
    expect(Buffer.byteLength(mail.html)).toBeLessThanOrEqual(80_000)
    const template = await compileMessage({
      from: { name: 'Paper Round', address: 'round@example.org' },
      headers: {},
      ...mail,
    })
    const message = await template.render({
      to: 'ada@example.org',
      messageId: 'd-1@example.org',
      date: new Date('2026-04-18T06:00:00Z'),
      values: {},
    })
    expect(message.length).toBeLessThan(102_400)
    const left = /(\d+) more did not fit into this email/
    const shown = mail.html.match(PAPER_HEADING)?.length ?? 0
    expect(shown + Number(left.exec(wordsOf(mail.html))?.[1] ?? 0)).toBe(15)
    expect(left.exec(mail.text)?.[1]).toBe(left.exec(wordsOf(mail.html))?.[1])
    expect(shown).toBeGreaterThan(6)
    expect(linksOfText(mail.text)).toEqual(linksOfHtml(mail.html))
  })

  test('that is too long gives up its links to save and to like before those to vote, and these before any other text', () => {
    const partsOf = ({ html }: Mail) => ({
      likes: html.match(/\/(save|more|less)\//g)?.length ?? 0,
      votes: html.match(/\/vote\//g)?.length ?? 0,
      excerpts: html.match(/<\/i>\s*<p>/g)?.length ?? 0,
    })
    const usual = issue({ kind: 'weekly', cards: Array.from({ length: 15 }, () => card({ links })) })
    expect(partsOf(templates.renderDigest(usual))).toEqual({ likes: 45, votes: 15, excerpts: 15 })
    // Titles in emoji, each of which is nine octets in HTML and twelve in the text part.
    const longer = (units: number) => {
      const cards = worst('Lorem ').cards.map((one) => ({ ...one, title: long('😀', units) }))
      return partsOf(templates.renderDigest(issue({ ...worst('Lorem '), cards })))
    }
    expect(longer(200)).toEqual({ likes: 45, votes: 15, excerpts: 15 })
    expect(longer(270)).toEqual({ likes: 0, votes: 15, excerpts: 15 })
    expect(longer(295)).toEqual({ likes: 0, votes: 0, excerpts: 15 })
  })

  test('of the largest papers in any characters stays below it too, and shows one at least', async () => {
    const unit = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 })
    const astral = fc.integer({ min: 0x10000, max: 0x10ffff }).map((point) => String.fromCodePoint(point))
    const units = fc.oneof(unit, astral, fc.constantFrom('=', '&', '\u00a0', 'ﷺ', 'あ'))
    await fc.assert(
      fc.asyncProperty(units, fc.integer({ min: 1, max: 15 }), fc.nat(3), async (one, papers, own) => {
        const large = card({
          title: long(one, 500),
          reason: long(one, 300),
          excerpt: long(one, 450),
          authors: long(one, 620),
          links: links.map((link) => ({ ...link, url: link.url.padEnd(480, 'x') })),
        })
        const cards = Array.from({ length: papers }, () => large)
        const groups =
          own > 0 && papers > own ? [own, papers - own].map((n) => ({ label: long(one, 60), papers: n })) : []
        const mail = templates.renderDigest(
          issue({ kind: 'weekly', cards, groups, trendingExtras: [large, large, large] }),
        )
        expect(Buffer.byteLength(mail.html)).toBeLessThanOrEqual(80_000)
        expect(mail.html).toMatch(/<h[23](?: class="lead")?(?: dir="auto")?>/)
        const template = await compileMessage({
          from: { name: 'Paper Round', address: 'round@example.org' },
          headers: {},
          ...mail,
        })
        const rendered = { to: 'ada@example.org', messageId: 'd-1@example.org', date: new Date(0), values: {} }
        expect((await template.render(rendered)).length).toBeLessThan(102_400)
      }),
      { numRuns: propertyRuns(12) },
    )
  })
})

describe('a confirmation', () => {
  const mail = templates.renderLetter('confirmation', {
    frequency: 'daily',
    times: TIMES,
    isUtc: false,
    topics: ['Robotics & embodied AI'],
  })

  test('has one button and a link that ends it, and says what happens if it is ignored', () => {
    expect(mail.subject).toBe('Confirm your subscription')
    const confirm = `https://round.example.org/confirm/${TOKEN_PLACEHOLDERS.confirm}`
    const never = `https://round.example.org/never/${TOKEN_PLACEHOLDERS.never}`
    expect(linksOfHtml(mail.html)).toEqual(new Set([confirm, never]))
    expect(linksOfText(mail.text)).toEqual(new Set([confirm, never]))
    expect(mail.html.match(/<a[^>]* class="button"/g)).toHaveLength(1)
    for (const words of [wordsOf(mail.html), mail.text.replace(/\s+/g, ' ')]) {
      expect(words).toContain('Ignore this email. You won’t get a digest, and the request expires in 7 days.')
      expect(words).toContain(`daily digest of trending research papers at this address, ${TIMES}`)
      expect(words).toContain('Robotics & embodied AI')
    }
  })
})

test('a letter names a dozen topics and counts the rest', () => {
  const topics = Array.from({ length: 38 }, (_, number) => `Topic ${number}`)
  const { text } = templates.renderLetter('links', { frequency: 'daily', times: TIMES, isUtc: false, topics })
  expect(text).toContain('Your digest comes every Saturday at 07:00 London time')
  expect(text).toContain(' - Topic 11\n - and 26 more\n')
})

test('the version depends on the templates alone', async () => {
  const other = await createMailTemplates({ baseUrl: 'http://localhost:3000', postalAddress: null })
  expect(other.version).toBe(templates.version)
  expect(templates.version).toMatch(/^[0-9a-f]{12}$/)
})
