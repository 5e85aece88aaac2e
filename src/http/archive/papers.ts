/** The page of a paper. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { isDate } from '../../core/calendar.ts'
import { dateRange, longDate } from '../../core/digest/headline.ts'
import { metaTagsOf } from '../../core/papers/citation/meta-tags.ts'
import { PAPER_ID, serverOf } from '../../core/papers/paper.ts'
import { MANY_UPVOTES } from '../../core/papers/paper-news.ts'
import { readArxivId } from '../../core/papers/paper-row.ts'
import type { PaperPage } from '../../newsletter/archive/paper.ts'
import { sendErrorPage } from '../errors.ts'
import { makePublic } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import { shareMeta } from '../share-meta.ts'
import { type App, type PublicSite, show } from '../site.ts'
import { authorPath } from './authors.ts'
import { instantInWords, Paged, paperPath } from './card-list.ts'
import { showDay } from './days.ts'
import { institutionPath } from './institutions.ts'
import { upvoteChart } from './upvote-chart.ts'

const IdParam = Type.Object({
  paper: Type.String({ description: 'An arXiv id or source:id; or a list day, YYYY-MM-DD' }),
})
const OldIdParam = Type.Object({ archive: Type.String(), number: Type.String() })

/** Authors shown at once where the others, being more than a line, unfold. */
const FIRST_AUTHORS = 12
const LEAST_FOLDED = 5
/** Authors named, and of those the first with links: a page stays under 60 kB with the 573 that a paper has had. */
const MAX_AUTHORS = 600
const MAX_LINKED = 150

export const paperRoutes = (app: App, site: PublicSite): void => {
  const config = { perMinute: BUDGET.archive, kept: true }
  app.get('/papers/:paper', { schema: { params: IdParam, querystring: Paged }, config }, (request, reply) => {
    const { paper: id } = request.params
    return isDate(id) ? showDay(site, request, reply, id, request.query.page) : showPaper(site, request, reply, id)
  })
  // Ids of before 2007, such as hep-ex/0307015.
  app.get('/papers/:archive/:number', { schema: { params: OldIdParam }, config }, (request, reply) =>
    showPaper(site, request, reply, `${request.params.archive}/${request.params.number}`),
  )
}

const showPaper = async (
  site: PublicSite,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
): Promise<FastifyReply> => {
  const known = PAPER_ID.test(id)
  const arxivId = known ? readArxivId(id) : null
  // A version, or the name of the archive, is not part of the address.
  if (arxivId !== null && arxivId !== id) return reply.redirect(paperPath(arxivId), 301)
  const page = known ? await site.archive.readPaper(id) : null
  if (page === null) return sendNoPaper(site, request, reply, arxivId)
  return show(makePublic(reply), site.pages, 'paper', {
    canonical: `${site.baseUrl}${paperPath(id)}`,
    citeBase: paperPath(id),
    metaTags: metaTagsOf(page),
    share: shareMeta(site.baseUrl, paperPath(id), {
      type: 'article',
      title: page.title,
      description: page.withdrawn ? 'This paper was withdrawn.' : page.card.excerpt || page.card.authors,
    }),
    ...viewOf(page),
  })
}

/** Says that there is no such paper; `arxivId`: what was asked for, where that is one of arXiv. */
export const sendNoPaper = (
  site: PublicSite,
  request: FastifyRequest,
  reply: FastifyReply,
  arxivId: string | null,
): FastifyReply =>
  sendErrorPage(request, reply, site, {
    status: 404,
    heading: 'No such paper',
    sentence:
      arxivId === null
        ? 'We have no paper with this id. One at arXiv has an id such as 2604.11784; a day is written 2026-04-15.'
        : `No list that we read has had arXiv ${arxivId}. It may be at arxiv.org/abs/${arxivId}.`,
    ...(arxivId === null ? {} : { link: { href: `/suggest?paper=${arxivId}`, label: 'Suggest this paper' } }),
  })

const eventLine = ({ kind, version, venue }: PaperPage['news'][number]): string => {
  switch (kind) {
    case 'code':
      return 'Code was added'
    case 'upvotes':
      return `It reached ${MANY_UPVOTES} upvotes`
    case 'venue':
      return `It was ${venue}`
    case 'version':
      return version === null ? 'A new version came out' : `Version ${version} came out`
    case 'withdrawn':
      return 'The paper was withdrawn'
  }
}

/** What happened to a paper after it was listed, the oldest first, each with its date in words. */
const eventsOf = ({ card, news, listedOn, digests }: PaperPage): { line: string; when: string }[] => {
  const told = news.map((one) => {
    const on = one.seenAt.toISOString().slice(0, 10)
    return { on, line: eventLine(one), when: longDate(on) }
  })
  const listed =
    listedOn === null || listedOn === card.listDay
      ? []
      : [{ on: listedOn, line: 'Hugging Face listed it', when: longDate(listedOn) }]
  const sent =
    digests === null
      ? []
      : [
          {
            on: digests.first,
            line: `It was in ${number.format(digests.count)} digests`,
            when: digests.first === digests.last ? longDate(digests.first) : dateRange(digests.first, digests.last),
          },
        ]
  return [...listed, ...sent, ...told].sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0))
}

const number = new Intl.NumberFormat('en')

const viewOf = (page: PaperPage) => {
  const { card, paper } = page
  const authors = page.authors.slice(0, MAX_AUTHORS).map(({ name, slug }, n) => ({
    name,
    href: slug === '' || n >= MAX_LINKED ? null : authorPath(slug),
  }))
  const shown = page.authors.length < FIRST_AUTHORS + LEAST_FOLDED ? page.authors.length : FIRST_AUTHORS
  return {
    card,
    title: page.title,
    abstract: page.abstract,
    excerpt: page.abstract === null ? card.excerpt : '',
    sample: page.sample,
    withdrawn: page.withdrawn,
    venue: page.venue === null ? null : `It was ${page.venue}`,
    authors: authors.slice(0, shown),
    others: authors.slice(shown),
    otherCount: page.authors.length - shown,
    unlinked: Math.max(0, page.authors.length - MAX_AUTHORS),
    institution:
      page.institution === null
        ? null
        : { name: page.institution.fullName, href: institutionPath(page.institution.name) },
    server: serverOf(paper.id),
    submitted: paper.publishedOn === null ? null : longDate(paper.publishedOn),
    listDay: card.listDay,
    rank: page.rank,
    topics: page.topics,
    counted: page.counted === null ? '' : instantInWords(page.counted),
    stars: page.stars,
    votes: page.votes,
    pick: page.pick,
    chart: upvoteChart(page.history.map((one) => ({ ...one, seen: instantInWords(one) }))),
    events: eventsOf(page),
    similar: page.similar.map((other) => ({ ...other, page: paperPath(other.id) })),
  }
}
