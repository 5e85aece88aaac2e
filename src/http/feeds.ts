/** Feeds for feed readers: of all papers, of a topic, of several, of a search, and of one's own digests, each as Atom and as JSON Feed. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { atomOf } from '../core/feed/atom.ts'
import { type Feed, type FeedEntry, newestUpdate } from '../core/feed/feed.ts'
import { jsonFeedOf } from '../core/feed/json-feed.ts'
import { quoted } from '../core/text/text.ts'
import { TOPICS, topicBySlug } from '../core/topics.ts'
import { readRequest, SearchQuery, searchHref, sendSearchProblem } from './archive/search.ts'
import { createTurns } from './costly-pages.ts'
import { sendErrorPage } from './errors.ts'
import { makePublic } from './guard.ts'
import { BUDGET } from './request-budgets.ts'
import { sendRevalidated } from './revalidation.ts'
import { type App, type Site, showDeadLink } from './site.ts'

/** The formats by the ends of their addresses. */
const FORMATS = {
  atom: { type: 'application/atom+xml; charset=utf-8', write: atomOf },
  json: { type: 'application/feed+json; charset=utf-8', write: jsonFeedOf },
} as const satisfies Record<string, { type: string; write: (feed: Feed) => string }>
type Ending = keyof typeof FORMATS

const TokenParam = Type.Object({ token: Type.String() })
const TopicsParam = Type.Object({ topics: Type.String({ description: '`all`, or the slugs of topics joined by `+`' }) })

/** A feed by its path without an ending, and its query. */
const feedOf = (
  baseUrl: string,
  path: string,
  title: string,
  page: string,
  entries: FeedEntry[],
  query = '',
): Feed => ({
  id: `${baseUrl}${path}${query}`,
  title,
  self: { atom: `${baseUrl}${path}.atom${query}`, json: `${baseUrl}${path}.json${query}` },
  page: `${baseUrl}${page}`,
  // Papers are older than the service.
  updated: newestUpdate(entries, new Date(0)),
  entries,
})

const sendFeed = (request: FastifyRequest, reply: FastifyReply, feed: Feed, ending: Ending): FastifyReply => {
  const { type, write } = FORMATS[ending]
  return sendRevalidated(request, reply.type(type), write(feed), feed.entries.length === 0 ? null : feed.updated)
}

/** The topics of an address, each once and in the order of pages, so that one choice has one address; or what is no topic. */
const readTopics = (text: string): { slugs: string[] | null } | { unknown: string } => {
  // A browser's form writes a space as `+`, and some clients write `+` as `%2B` or a space.
  const named = new Set(text.toLowerCase().split(/[+, ]+/))
  named.delete('')
  if (named.has('all')) return { slugs: null }
  const unknown = [...named].find((slug) => topicBySlug(slug) === undefined)
  if (unknown !== undefined || named.size === 0) return { unknown: unknown ?? '' }
  return { slugs: TOPICS.flatMap(({ slug }) => (named.has(slug) ? [slug] : [])) }
}

const titleOf = (slugs: readonly string[] | null): string => {
  if (slugs === null) return 'All papers · Paper Round'
  const [first = '', ...more] = slugs.map((slug) => topicBySlug(slug)?.label ?? slug)
  if (more.length > 2) return `${first} and ${more.length} more topics · Paper Round`
  return `${[first, ...more].join(', ')} · Paper Round`
}

export const feedRoutes = (app: App, site: Pick<Site, 'feeds' | 'pages'>, baseUrl: string): void => {
  const root = baseUrl.replace(/\/$/, '')
  // As searches for a page.
  const inTurn = createTurns()
  for (const ending of Object.keys(FORMATS) as Ending[]) {
    // The headers of a link in a mail stay: not kept by anything between, and not indexed.
    app.get(`/feeds/own/:token.${ending}`, { schema: { params: TokenParam } }, async (request, reply) => {
      const { token } = request.params
      const entries = await site.feeds.readOwn(token)
      if (entries === null) return showDeadLink(reply, site.pages)
      const feed = feedOf(root, `/feeds/own/${token}`, 'Your digest · Paper Round', '/', entries)
      return sendFeed(request, reply, feed, ending)
    })

    const perMinute = BUDGET.search
    app.get(
      `/feeds/search.${ending}`,
      { schema: { querystring: SearchQuery }, config: { perMinute } },
      async (request, reply) => {
        const asked = { ...readRequest(request.query), after: '' }
        const entries = await inTurn(() => site.feeds.readSearch(asked))
        if (entries === null)
          return sendErrorPage(request, reply, site, {
            status: 400,
            heading: 'No such feed',
            sentence: `Say what to search for, as in /feeds/search.${ending}?q=agents.`,
          })
        if ('problem' in entries) return sendSearchProblem(site, request, reply, asked, entries.problem)
        // There are as many addresses as there are words: no search engine is to follow them.
        makePublic(reply).header('x-robots-tag', 'noindex')
        const page = searchHref(asked, '')
        const title = asked.q === '' ? 'Search · Paper Round' : `Search for ${quoted(asked.q)} · Paper Round`
        const feed = feedOf(root, '/feeds/search', title, page, entries, page.slice('/search'.length))
        return sendFeed(request, reply, feed, ending)
      },
    )

    app.get(`/feeds/:topics.${ending}`, { schema: { params: TopicsParam } }, async (request, reply) => {
      const read = readTopics(request.params.topics)
      if ('unknown' in read)
        return sendErrorPage(request, reply, site, {
          status: 404,
          heading: 'No such feed',
          sentence: `There is no topic ${quoted(read.unknown)}. Topics are written as in /feeds/robotics+agents.${ending}, and all papers are in /feeds/all.${ending}.`,
        })
      const { slugs } = read
      const name = slugs === null ? 'all' : slugs.join('+')
      makePublic(reply)
      if (name !== request.params.topics) return reply.redirect(`/feeds/${name}.${ending}`, 301)
      const page = slugs?.length === 1 ? `/topics/${name}` : '/'
      const feed = feedOf(root, `/feeds/${name}`, titleOf(slugs), page, await site.feeds.readPapers(slugs))
      return sendFeed(request, reply, feed, ending)
    })
  }
}
