/** Feeds, read back by two other programs. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { atomOf } from '../../../src/core/feed/atom.ts'
import { entryHtml, entryId, escapeMarkup, type Feed, type FeedEntry } from '../../../src/core/feed/feed.ts'
import { jsonFeedOf } from '../../../src/core/feed/json-feed.ts'
import { cleanLine } from '../../../src/core/text/text.ts'
import { readFeed } from '../../support/fixtures/feed-readers.ts'
import { card } from '../../support/servers/recording-site.ts'
import { propertyRuns } from '../../support/thoroughness.ts'

const entry = (over: Partial<FeedEntry> = {}): FeedEntry => ({
  id: entryId('https://round.example.org', 'papers', '2604.11784'),
  title: 'Agents',
  url: 'https://arxiv.org/abs/2604.11784',
  authors: ['Ada Byron'],
  published: new Date('2026-04-13T09:00:00Z'),
  updated: new Date('2026-04-14T09:00:00Z'),
  topics: ['LLM agents & tool use'],
  summary: 'It is about agents.',
  html: entryHtml(card()),
  ...over,
})
const feed = (entries: FeedEntry[]): Feed => ({
  id: 'https://round.example.org/feeds/all',
  title: 'All papers · Paper Round',
  author: 'Paper Round',
  self: { atom: 'https://round.example.org/feeds/all.atom', json: 'https://round.example.org/feeds/all.json' },
  page: 'https://round.example.org/',
  updated: new Date('2026-04-14T09:00:00Z'),
  entries,
})
const FORMATS = [
  ['atom', atomOf],
  ['json', jsonFeedOf],
] as const

it.each(FORMATS)('shows an entry with its date, reason, excerpt and links: %s', (format, write) => {
  const read = readFeed(write(feed([entry()])), format)
  expect(read).toEqual({
    title: 'All papers · Paper Round',
    items: [
      {
        id: 'tag:round.example.org,2026:papers/2604.11784',
        title: 'Agents',
        link: 'https://arxiv.org/abs/2604.11784',
        published: '2026-04-13T09:00:00.000Z',
        updated: '2026-04-14T09:00:00.000Z',
        html: '<p><em>LLM agents &amp; tool use: “agents” in the title</em></p><p>It is about agents.</p><p>Ada Lovelace</p><p><a href="https://arxiv.org/pdf/2604.11784">PDF</a></p>',
      },
    ],
  })
})

it('has in Atom all that RFC 4287 asks for, titles as text, and content as escaped HTML', () => {
  const atom = atomOf(feed([entry({ title: '<b>A</b> & B', authors: [], url: null })]))
  expect(atom).toMatch(/^<\?xml version="1.0" encoding="utf-8"\?>\n<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom"/)
  expect(atom).toContain(
    '<link rel="self" type="application/atom+xml" href="https://round.example.org/feeds/all.atom"/>',
  )
  expect(atom).toContain('<title type="text">&lt;b&gt;A&lt;/b&gt; &amp; B</title>')
  expect(atom).toContain('<content type="html">&lt;p&gt;&lt;em&gt;LLM agents &amp;amp; tool use')
  // An entry without authors has that of its feed.
  expect(atom.match(/<author>/g)).toHaveLength(1)
  expect(atom.match(/<updated>/g)).toHaveLength(2)
})

/** Controls but line feeds, what is meant to be unseen or to turn text around, and non-characters. */
const UNSEEN = /[\p{Cc}--[\n]]|[\u200b\u202a-\u202e\u2066-\u2069\ufffe\uffff]|[\u{E0000}-\u{E007F}]/v

const hostile = fc.oneof(
  fc.constantFrom(
    '<script>alert(1)</script>',
    ']]></title></entry></feed>',
    '&amp;lt; &#0; &#x1F;',
    'a\0b\u0001\u000b\u001f\u007f\u0085\ufffe\uffff',
    '\ud800 lone \udc00',
    '\u202egnp.exe\u2066 \u200b\u{e0041}',
    '<!ENTITY x SYSTEM "file:///etc/passwd">&x;',
    `"'><img src=x onerror=alert(1)>`,
    '🏴‍☠️ 中文 العربية',
  ),
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
)

it.each(FORMATS)('is whole whatever titles, names, reasons and excerpts hold: %s', (format, write) => {
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, (title, author, reason, excerpt) => {
      const shown = card({ title, reason, excerpt, authors: author, links: [] })
      const other = entry({ id: entryId('https://round.example.org', 'papers', 'other') })
      const text = write(feed([entry({ title: `T ${title}`, authors: [author], html: entryHtml(shown) }), other]))
      expect(text).not.toMatch(UNSEEN)
      expect(text.isWellFormed()).toBe(true)
      const [read, second] = readFeed(text, format).items
      expect(second?.title).toBe('Agents')
      expect(read?.title).toBe(cleanLine(`T ${title}`, 1_000))
      expect(read?.html.replace(/<\/?(?:p|em)>/g, '')).not.toMatch(/[<>]/)
    }),
    { numRuns: propertyRuns(1_000), examples: [['', '', '', '']] },
  )
})

it('escapes what stands in an attribute', () => {
  expect(escapeMarkup(`https://x.org/?a=1&b="'<`)).toBe('https://x.org/?a=1&amp;b=&quot;&#39;&lt;')
})
