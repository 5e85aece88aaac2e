/** A feed as JSON Feed 1.1. https://www.jsonfeed.org/version/1.1/ */
import { type Feed, plainLine } from './feed.ts'

export const jsonFeedOf = ({ title, self, page, entries }: Feed): string =>
  JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: plainLine(title),
    home_page_url: page,
    feed_url: self.json,
    language: 'en',
    authors: [{ name: 'Paper Round' }],
    items: entries.map(({ id, title: name, url, authors, published, updated, topics, summary, html }) => ({
      id,
      ...(url === null ? {} : { url }),
      title: plainLine(name),
      content_html: html,
      ...(summary === '' ? {} : { summary: plainLine(summary) }),
      date_published: published.toISOString(),
      date_modified: updated.toISOString(),
      ...(authors.length === 0 ? {} : { authors: authors.map((author) => ({ name: plainLine(author) })) }),
      ...(topics.length === 0 ? {} : { tags: topics }),
    })),
  })
