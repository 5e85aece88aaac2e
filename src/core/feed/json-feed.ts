/** A feed as JSON Feed 1.1. https://www.jsonfeed.org/version/1.1/ */
import { type Feed, plainLine, plainNames } from './feed.ts'

const named = (authors: readonly string[]) => {
  const names = plainNames(authors)
  return names.length === 0 ? {} : { authors: names.map((name) => ({ name })) }
}

export const jsonFeedOf = ({ title, author, self, page, entries }: Feed): string =>
  JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title: plainLine(title),
    home_page_url: page,
    feed_url: self.json,
    language: 'en',
    authors: [{ name: plainLine(author) }],
    items: entries.map(({ id, title: name, url, authors, published, updated, topics, summary, html }) => ({
      id,
      ...(url === null ? {} : { url }),
      title: plainLine(name),
      content_html: html,
      ...(summary === '' ? {} : { summary: plainLine(summary) }),
      date_published: published.toISOString(),
      date_modified: updated.toISOString(),
      ...named(authors),
      ...(topics.length === 0 ? {} : { tags: topics }),
    })),
  })
