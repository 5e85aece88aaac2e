/** Feeds for feed readers: of all papers, of topics, a search, an author, an institution, of one's own digests and reading list, each as Atom and as JSON Feed. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { atomOf } from '../core/feed/atom.ts'
import { type Feed, type FeedEntry, newestUpdate } from '../core/feed/feed.ts'
import { jsonFeedOf } from '../core/feed/json-feed.ts'
import { INSTITUTION_NAME, institutionSlug } from '../core/papers/paper.ts'
import { authorSlug } from '../core/text/author-name.ts'
import { NAME_LENGTH, quoted } from '../core/text/text.ts'
import { currentTopics, topicBySlug, topics } from '../core/topics.ts'
import { authorPath, NO_AUTHOR } from './archive/authors.ts'
import { institutionPath, NO_INSTITUTION } from './archive/institutions.ts'
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
const AuthorParam = Type.Object({ author: Type.String({ description: 'An author’s name, such as ada-lovelace' }) })
const InstitutionParam = Type.Object({
  institution: Type.String({ description: 'The name of an institution at Hugging Face, such as nvidia' }),
})
const TopicsParam = Type.Object({ topics: Type.String({ description: '`all`, or the slugs of topics joined by `+`' }) })

/** What a feed is of, its addresses without the site's. */
interface Shown {
  /** Without an ending. */
  path: string
  title: string
  /** The page that shows the same. */
  page: string
  query?: string
}

/** Returns what sends the entries of a feed in a format. */
const createSender =
  ({ feeds, serviceName }: Pick<Site, 'feeds' | 'serviceName'>, root: string, ending: Ending) =>
  async (reply: FastifyReply, shown: Shown, entries: FeedEntry[]): Promise<FastifyReply> => {
    const { path, title, page, query = '' } = shown
    const isEmpty = entries.length === 0
    const feed: Feed = {
      id: `${root}${path}${query}`,
      title: `${title} · ${serviceName}`,
      author: serviceName,
      self: { atom: `${root}${path}.atom${query}`, json: `${root}${path}.json${query}` },
      page: `${root}${page}`,
      updated: newestUpdate(entries, isEmpty ? await feeds.readEmptySince() : new Date(0)),
      entries,
    }
    const { type, write } = FORMATS[ending]
    // Of a feed that has become empty the date would be an older one than before.
    return sendRevalidated(reply.type(type), write(feed), isEmpty ? null : feed.updated)
  }

/** The topics of an address, each once and in the order of pages, so that one choice has one address; or what is no topic. */
const readTopics = (text: string): { slugs: string[] | null } | { unknown: string } => {
  // A browser's form writes a space as `+`, and some clients write `+` as `%2B` or a space.
  const named = new Set(text.toLowerCase().split(/[+, ]+/))
  named.delete('')
  if (named.has('all')) return { slugs: null }
  const { offered, gone } = currentTopics([...named])
  if (gone.length > 0 || named.size === 0) return { unknown: gone[0] ?? '' }
  const chosen = new Set(offered)
  return { slugs: topics().all.flatMap(({ slug }) => (chosen.has(slug) ? [slug] : [])) }
}

/** The address of a feed of two topics, or of the one that there is. */
const exampleFeed = (ending: string): string => {
  const last = topics().groups.at(-1)?.topics.slice(0, 2) ?? []
  return `/feeds/${last.map(({ slug }) => slug).join('+')}.${ending}`
}

const titleOf = (slugs: readonly string[] | null): string => {
  if (slugs === null) return 'All papers'
  const [first = '', ...more] = slugs.map((slug) => topicBySlug(slug)?.label ?? slug)
  if (more.length > 2) return `${first} and ${more.length} more topics`
  return [first, ...more].join(', ')
}

export const feedRoutes = (
  app: App,
  site: Pick<Site, 'feeds' | 'readingLists' | 'pages' | 'serviceName'>,
  baseUrl: string,
): void => {
  const root = baseUrl.replace(/\/$/, '')
  // As searches for a page.
  const inTurn = createTurns()
  for (const ending of Object.keys(FORMATS) as Ending[]) {
    const sendFeed = createSender(site, root, ending)
    // The headers of a link in a mail stay: not kept by anything between, and not indexed.
    app.get(`/feeds/own/:token.${ending}`, { schema: { params: TokenParam } }, async (request, reply) => {
      const { token } = request.params
      const entries = await site.feeds.readOwn(token)
      if (entries === null) return showDeadLink(reply, site.pages)
      return sendFeed(reply, { path: `/feeds/own/${token}`, title: 'Your digest', page: '/' }, entries)
    })

    app.get(`/feeds/saved/:token.${ending}`, { schema: { params: TokenParam } }, async (request, reply) => {
      const { token } = request.params
      const entries = await site.readingLists.readFeed(token)
      if (entries === null) return showDeadLink(reply, site.pages)
      return sendFeed(reply, { path: `/feeds/saved/${token}`, title: 'Reading list', page: '/' }, entries)
    })

    const archive = { perMinute: BUDGET.archive, kept: true }
    app.get(
      `/feeds/authors/:author.${ending}`,
      { schema: { params: AuthorParam }, config: archive },
      async (request, reply) => {
        const { author } = request.params
        const slug = author.length > NAME_LENGTH ? '' : authorSlug(author)
        if (slug !== '' && slug !== author)
          return makePublic(reply).redirect(`/feeds${authorPath(slug)}.${ending}`, 301)
        const found = slug === '' ? null : await site.feeds.readAuthor(slug)
        if (found === null) return sendErrorPage(request, reply, site, NO_AUTHOR)
        const page = authorPath(slug)
        return sendFeed(makePublic(reply), { path: `/feeds${page}`, title: found.name, page }, found.entries)
      },
    )
    app.get(
      `/feeds/institutions/:institution.${ending}`,
      { schema: { params: InstitutionParam }, config: archive },
      async (request, reply) => {
        const { institution } = request.params
        const known = INSTITUTION_NAME.test(institution)
        const page = institutionPath(institution)
        if (known && institutionSlug(institution) !== institution)
          return makePublic(reply).redirect(`/feeds${page}.${ending}`, 301)
        const found = known ? await site.feeds.readInstitution(institution) : null
        if (found === null) return sendErrorPage(request, reply, site, NO_INSTITUTION)
        return sendFeed(makePublic(reply), { path: `/feeds${page}`, title: found.name, page }, found.entries)
      },
    )

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
        const title = asked.q === '' ? 'Search' : `Search for ${quoted(asked.q)}`
        const query = page.slice('/search'.length)
        return sendFeed(reply, { path: '/feeds/search', title, page, query }, entries)
      },
    )

    app.get(
      `/feeds/:topics.${ending}`,
      { schema: { params: TopicsParam }, config: { kept: true } },
      async (request, reply) => {
        const read = readTopics(request.params.topics)
        if ('unknown' in read)
          return sendErrorPage(request, reply, site, {
            status: 404,
            heading: 'No such feed',
            sentence: `There is no topic ${quoted(read.unknown)}. Topics are written as in ${exampleFeed(ending)}, and all papers are in /feeds/all.${ending}.`,
          })
        const { slugs } = read
        const name = slugs === null ? 'all' : slugs.join('+')
        makePublic(reply)
        if (name !== request.params.topics) return reply.redirect(`/feeds/${name}.${ending}`, 301)
        const page = slugs?.length === 1 ? `/topics/${name}` : '/'
        const entries = await site.feeds.readPapers(slugs)
        return sendFeed(reply, { path: `/feeds/${name}`, title: titleOf(slugs), page }, entries)
      },
    )
  }
}
