/** Links of digests by which a reader says something of one paper: a page with one button, and what it did, with its undo. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { LinkedPaper } from '../newsletter/paper-links.ts'
import { paperPath } from './archive/card-list.ts'
import { sendErrorPage } from './errors.ts'
import { type App, type Site, show, showDeadLink, wantsJson } from './site.ts'

const LinkParams = Type.Object({
  token: Type.String(),
  paper: Type.String({ description: 'An arXiv id, or source:id; a slash in it is written %2F' }),
})
const Pressed = Type.Object(
  { undo: Type.Optional(Type.Unknown({ description: 'Any value takes it back' })) },
  { additionalProperties: false },
)

/** What the page says after a press, or before it (`open`). */
export interface LinkState {
  heading: string
  /** Beside the button; it may say what a press came to. */
  sentence: string | ((found: { about?: string[] }) => string)
  /** Whether it is done now, so that the button takes it back. */
  done?: true
}

interface Refusal {
  status: number
  heading: string
  sentence: string
}

type Found<Outcome> = { outcome: Outcome; paper: LinkedPaper; about?: string[] } | { outcome: string } | null

/** What such a link does; `null` of its functions always means that it is dead. */
export interface PaperLink {
  /** The first part of its address, such as `save`. */
  path: string
  /** What the buttons say. */
  button: string
  undo: string
  /** The words for each outcome that has a page; `open`: before a press. */
  states: Readonly<Record<string, LinkState>>
  /** The words for every other outcome. */
  refusals: Readonly<Record<string, Refusal>>
  read(token: string, paperId: string): Promise<Found<'open'>>
  press(token: string, paperId: string): Promise<Found<string>>
  takeBack(token: string, paperId: string): Promise<Found<string>>
}

/** What a reader can say of a paper by the same token. */
const PAPER_LINKS = [
  { path: 'vote', label: 'Vote' },
  { path: 'save', label: 'Save' },
  { path: 'more', label: 'More like this' },
  { path: 'less', label: 'Less like this' },
]

/** What else can be said of a paper than by a link's `path`: the text of a mail has room for one of these links alone. */
export const otherPaperLinks = (path: string, token: string, paperId: string): { href: string; label: string }[] =>
  PAPER_LINKS.filter((one) => one.path !== path).map((one) => ({
    href: `/${one.path}/${token}/${encodeURIComponent(paperId)}`,
    label: one.label,
  }))

const UNKNOWN: Refusal = { status: 409, heading: 'That isn’t possible here', sentence: 'Nothing was changed.' }

/** Adds the pages of such a link at `/PATH/:token/:paper`. */
export const paperLinkRoutes = (app: App, site: Pick<Site, 'pages'>, link: PaperLink): void => {
  const { pages } = site

  const answer = (
    request: FastifyRequest<{ Params: { token: string; paper: string } }>,
    reply: FastifyReply,
    found: Found<string>,
  ): FastifyReply => {
    if (found === null) return showDeadLink(reply, pages)
    const state = link.states[found.outcome]
    if (!('paper' in found) || state === undefined) {
      const refusal = link.refusals[found.outcome] ?? UNKNOWN
      // Of a page that is only opened nothing was asked for yet, and the link may work again.
      const opened = request.method !== 'POST' && refusal.status === 409
      return sendErrorPage(request, reply, site, opened ? { ...refusal, status: 200 } : refusal)
    }
    const { paper, about } = found
    if (wantsJson(request)) return reply.send({ status: found.outcome, ...(about === undefined ? {} : { about }) })
    return show(reply, pages, 'paper-link', {
      ...state,
      sentence: typeof state.sentence === 'string' ? state.sentence : state.sentence(found),
      outcome: found.outcome,
      others: otherPaperLinks(link.path, request.params.token, paper.id),
      action: `/${link.path}/${request.params.token}/${encodeURIComponent(paper.id)}`,
      button: state.done ? link.undo : link.button,
      paper: { title: paper.title, path: paperPath(paper.id) },
    })
  }

  const url = `/${link.path}/:token/:paper`
  app.get(url, { schema: { params: LinkParams } }, async (request, reply) =>
    answer(request, reply, await link.read(request.params.token, request.params.paper)),
  )
  app.post(url, { schema: { params: LinkParams, body: Pressed } }, async (request, reply) => {
    const { token, paper } = request.params
    const act = request.body.undo === undefined ? link.press : link.takeBack
    return answer(request, reply, await act(token, paper))
  })
}
