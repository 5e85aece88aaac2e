/** The reading list of a reader, by the link to their settings: its pages, what is changed in it, and its exports. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { longDate } from '../core/digest/headline.ts'
import { arxivIdsOf, type SavedCitation, savedCsvOf } from '../core/papers/citation/saved-table.ts'
import { quoted } from '../core/text/text.ts'
import type { Added, ListedPaper, ListRequest, ReadingListPage } from '../newsletter/reading-list.ts'
import { paperPath } from './archive/card-list.ts'
import { CITATION_FORMATS } from './citations.ts'
import { createTurns } from './costly-pages.ts'
import { sendErrorPage } from './errors.ts'
import { BUDGET } from './request-budgets.ts'
import { sendRevalidated } from './revalidation.ts'
import { SAVE_REFUSALS } from './saved-papers.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })
const ListQuery = Type.Object({
  read: Type.Optional(Type.Unknown({ description: 'yes: the papers that were read; else those to read' })),
  topic: Type.Optional(Type.Unknown({ description: 'The slug of a topic' })),
  after: Type.Optional(Type.Unknown({ description: 'The place from which the list goes on, as `next` gave it' })),
})
const Typed = Type.Object(
  { paper: Type.Optional(Type.Unknown({ description: 'An arXiv id, or the address of a paper' })) },
  { additionalProperties: false },
)
const Pressed = Type.Object(
  {
    paper: Type.Optional(Type.Unknown({ description: 'The id of a paper in the list' })),
    undo: Type.Optional(Type.Unknown({ description: 'Any value: it is to be read again' })),
  },
  { additionalProperties: false },
)

/** The exports by the ends of their addresses. */
const EXPORTS = {
  ...CITATION_FORMATS,
  csv: { type: 'text/csv; charset=utf-8', write: savedCsvOf },
  txt: { type: 'text/plain; charset=utf-8', write: arxivIdsOf },
} as const satisfies Record<string, { type: string; write: (papers: readonly SavedCitation[]) => string }>

const NO_PAGE = {
  status: 404,
  heading: 'No such page',
  sentence: 'Your reading list has no such topic or place. Open it from its beginning.',
}

/** What a reader is told above the list after a press. */
interface Notice {
  text: string
  /** The paper that can be saved again. */
  again?: string
}

/** What was typed and why it was not saved. */
interface Refused {
  typed: string
  problem: string
  /** Where the paper can be asked for. */
  suggest: string | null
}

type ReadingListSite = Pick<Site, 'readingLists' | 'pages'>
type ListHttpRequest = FastifyRequest<{
  Params: { token: string }
  Querystring: Partial<Record<keyof ListRequest, unknown>>
}>

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const listRequestOf = ({ query }: ListHttpRequest): ListRequest => ({
  read: query.read === 'yes',
  topic: textOf(query.topic) || null,
  after: textOf(query.after) || null,
})

const hrefOf = (token: string, path: string, { read, topic, after }: Partial<ListRequest>): string => {
  const query = new URLSearchParams()
  if (read) query.set('read', 'yes')
  if (topic) query.set('topic', topic)
  if (after) query.set('after', after)
  return `/preferences/${token}/saved${path}${query.size === 0 ? '' : `?${query}`}`
}

export const readingListRoutes = (app: App, site: ReadingListSite): void => {
  const { readingLists, pages } = site
  const url = '/preferences/:token/saved'

  app.get(url, { schema: { params: TokenParam, querystring: ListQuery } }, async (request, reply) =>
    showList(request, reply, site),
  )

  const list = { params: TokenParam, querystring: ListQuery }
  app.post(url, { schema: { ...list, body: Typed } }, async (request, reply) => {
    const typed = textOf(request.body.paper)
    const added = await readingLists.add(request.params.token, typed)
    if (added === null) return showDeadLink(reply, pages)
    if (added.outcome !== 'saved' && added.outcome !== 'kept') {
      const { status, problem, suggest } = refusalOf(added)
      if (wantsJson(request))
        return sendProblem(reply, status, 'Not saved', problem, [
          { field: 'paper', problem, expected: 'an arXiv id, or the address of a paper' },
        ])
      return showList(request, reply.code(status), site, null, { typed, problem, suggest })
    }
    if (wantsJson(request)) return { status: added.outcome, id: added.paper.id }
    const done = added.outcome === 'saved' ? 'Saved' : 'In your list already'
    return showList(request, reply, site, { text: `${done}: ${quoted(added.paper.title)}.` })
  })

  app.post(`${url}/read`, { schema: { ...list, body: Pressed } }, async (request, reply) => {
    const isRead = request.body.undo === undefined
    const done = await readingLists.setRead(request.params.token, textOf(request.body.paper), isRead)
    if (done === null) return showDeadLink(reply, pages)
    if (done === 'none') return sendNotListed(request, reply, site)
    if (wantsJson(request)) return { status: isRead ? 'read' : 'to read' }
    return showList(request, reply, site, { text: isRead ? 'Moved to Read.' : 'Moved to To read.' })
  })

  app.post(`${url}/remove`, { schema: { ...list, body: Pressed } }, async (request, reply) => {
    const paper = textOf(request.body.paper)
    const done = await readingLists.remove(request.params.token, paper)
    if (done === null) return showDeadLink(reply, pages)
    if (done === 'none') return sendNotListed(request, reply, site)
    if (wantsJson(request)) return { status: 'removed' }
    return showList(request, reply, site, { text: 'Removed from your list.', again: paper })
  })
  exportRoutes(app, site)
}

/** The whole list as a file; one is written after the other, for 10,000 papers take a moment. */
const exportRoutes = (app: App, { readingLists, pages }: ReadingListSite): void => {
  const inTurn = createTurns()
  for (const [ending, { type, write }] of Object.entries(EXPORTS))
    app.get(
      `/preferences/:token/saved.${ending}`,
      { schema: { params: TokenParam }, config: { perMinute: BUDGET.preview } },
      async (request, reply) => {
        const file = await inTurn(async () => {
          const papers = await readingLists.readCited(request.params.token)
          return papers === null ? null : write(papers)
        })
        if (file === null) return showDeadLink(reply, pages)
        reply.type(type).header('content-disposition', `attachment; filename="reading-list.${ending}"`)
        return sendRevalidated(reply, file)
      },
    )
}

const refusalOf = (added: Added): { status: number; problem: string; suggest: string | null } => {
  if (added.outcome === 'not held')
    return {
      status: 404,
      problem: `We don’t have ${quoted(added.id)}: no list that we read has had it.`,
      suggest: `/suggest?paper=${encodeURIComponent(added.id)}`,
    }
  if (added.outcome === 'too many' || added.outcome === 'full' || added.outcome === 'not subscribed') {
    const { status, sentence } = SAVE_REFUSALS[added.outcome]
    return { status, problem: sentence, suggest: null }
  }
  const problem = 'Enter an arXiv id such as 2604.11784, or the address of a paper at arXiv or Hugging Face.'
  return { status: 400, problem, suggest: null }
}

const sendNotListed = (request: ListHttpRequest, reply: FastifyReply, site: ReadingListSite): FastifyReply =>
  sendErrorPage(request, reply, site, {
    status: 404,
    heading: 'Not in your reading list',
    sentence: 'This paper is not in your list, or not any more. Nothing was changed.',
    link: { href: hrefOf(request.params.token, '', {}), label: 'Reading list' },
  })

const showList = async (
  request: ListHttpRequest,
  reply: FastifyReply,
  site: ReadingListSite,
  notice: Notice | null = null,
  refused: Refused | null = null,
): Promise<FastifyReply> => {
  const { readingLists, pages } = site
  const { token } = request.params
  const asked = listRequestOf(request)
  const list = await readingLists.read(token, asked)
  if (list === null) return showDeadLink(reply, pages)
  if (list === 'no such page')
    return sendErrorPage(request, reply, site, {
      ...NO_PAGE,
      link: { href: hrefOf(token, '', {}), label: 'Reading list' },
    })
  if (wantsJson(request)) return reply.send(jsonOf(list))
  return show(reply, pages, 'saved', viewOf(token, asked, list, notice, refused))
}

const jsonOf = ({ papers, counts, topics, next }: ReadingListPage) => ({
  papers: papers.map(({ id, card, withdrawn, savedOn, readOn, digestDate }) => ({
    id,
    title: card?.title ?? null,
    authors: card?.authorNames ?? [],
    url: card?.url ?? null,
    withdrawn,
    savedOn,
    readOn,
    digestDate,
  })),
  ...counts,
  topics,
  next,
})

/** `Saved Tuesday 14 April 2026, from your digest of that day.` */
const whenSaved = ({ savedOn, readOn, digestDate }: ListedPaper): string => {
  const digest = digestDate === savedOn ? 'that day' : digestDate === null ? null : longDate(digestDate)
  const saved = `Saved ${longDate(savedOn)}${digest === null ? '' : `, from your digest of ${digest}`}.`
  return readOn === null ? saved : `${saved} Read ${longDate(readOn)}.`
}

const viewOf = (
  token: string,
  asked: ListRequest,
  { papers, counts, topics, next, feedToken, subscribed }: ReadingListPage,
  notice: Notice | null,
  refused: Refused | null,
) => ({
  token,
  here: hrefOf(token, '', asked),
  toRead: hrefOf(token, '/read', asked),
  toRemove: hrefOf(token, '/remove', asked),
  read: asked.read,
  topic: asked.topic,
  counts,
  topics,
  notice,
  refused,
  form: { problems: refused === null ? [] : [{ field: 'paper', problem: refused.problem }] },
  feedToken,
  subscribed,
  tabs: [
    { label: 'To read', count: counts.unread, href: hrefOf(token, '', {}), current: !asked.read },
    { label: 'Read', count: counts.read, href: hrefOf(token, '', { read: true }), current: asked.read },
  ],
  papers: papers.map((paper) => ({
    ...paper,
    when: whenSaved(paper),
    page: paper.card === null ? null : paperPath(paper.id),
  })),
  first: asked.after === null ? null : hrefOf(token, '', { ...asked, after: null }),
  further: next === null ? null : hrefOf(token, '', { ...asked, after: next }),
})
