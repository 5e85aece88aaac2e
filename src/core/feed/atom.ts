/**
 * A feed as Atom (RFC 4287). The writer is ours: of the two kept libraries `feed` throws for ids that are no URL, and
 * `feedsmith` pads every text with white space and brings ten packages for these forty lines; it reads them in the tests.
 */
import { escapeMarkup, type Feed, type FeedEntry, plainNames } from './feed.ts'

const element = (name: string, text: string, attributes = ''): string =>
  `<${name}${attributes}>${escapeMarkup(text)}</${name}>`

const link = (rel: string, href: string, type: string): string =>
  `<link rel="${rel}" type="${type}" href="${escapeMarkup(href)}"/>`

/** No entry without an author, unless its feed has one (4.2.1). */
const entryOf = ({ id, title, url, authors, published, updated, topics, summary, html }: FeedEntry): string =>
  [
    '<entry>',
    element('id', id),
    element('title', title, ' type="text"'),
    ...(url === null ? [] : [link('alternate', url, 'text/html')]),
    ...plainNames(authors).map((name) => `<author>${element('name', name)}</author>`),
    element('published', published.toISOString()),
    element('updated', updated.toISOString()),
    ...topics.map((topic) => `<category term="${escapeMarkup(topic)}"/>`),
    ...(summary === '' ? [] : [element('summary', summary, ' type="text"')]),
    element('content', html, ' type="html"'),
    '</entry>',
  ].join('\n')

export const atomOf = ({ id, title, author, self, page, updated, entries }: Feed): string =>
  `${[
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
    element('id', id),
    element('title', title, ' type="text"'),
    link('self', self.atom, 'application/atom+xml'),
    link('alternate', page, 'text/html'),
    `<author>${element('name', author)}</author>`,
    element('updated', updated.toISOString()),
    ...entries.map(entryOf),
    '</feed>',
  ].join('\n')}\n`
