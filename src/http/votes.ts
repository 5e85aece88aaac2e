/** Voting for a paper: by a reader's own link, or in a browser that holds it; and having such a link mailed. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { LEAST_READERS } from '../core/digest/endorsement.ts'
import type { Press, VotedPaper } from '../newsletter/votes.ts'
import { paperPath } from './archive/card-list.ts'
import { sendErrorPage } from './errors.ts'
import { ADDRESSED, BUTTON, blankForm, HONEYPOT, refusedForm } from './form.ts'
import { keepForBack } from './guard.ts'
import { otherPaperLinks } from './paper-links.ts'
import { type App, type PublicSite, sendProblem, show, showDeadLink, wantsJson } from './site.ts'
import { confirmTaken, isBlank, originOf, readEmail, showHeld } from './subscription.ts'
import { forgetVoter, readVoter, rememberVoter } from './voter-cookie.ts'

const PAPER = { description: 'An arXiv id, or source:id' }
const LinkParams = Type.Object({
  token: Type.String(),
  paper: Type.String({ description: 'An arXiv id, or source:id; a slash in it is written %2F' }),
})
const Pressed = Type.Object(
  {
    undo: Type.Optional(Type.Unknown({ description: 'Any value takes the vote back' })),
    remember: Type.Optional(
      Type.Unknown({ description: 'Any value has the browser hold the link, and does not vote' }),
    ),
  },
  { additionalProperties: false },
)
const PaperQuery = Type.Object({ paper: Type.Optional(Type.Unknown(PAPER)) })
const LinkWanted = Type.Object(
  { ...ADDRESSED, paper: Type.Optional(Type.Unknown(PAPER)) },
  { additionalProperties: false },
)

/** Votes that do not count. */
const REFUSED = {
  'no paper': {
    status: 404,
    heading: 'No such paper',
    sentence: 'We show no paper with this id, or show it no more, so it takes no votes. Nothing was changed.',
  },
  'not subscribed': {
    status: 409,
    heading: 'You’re not subscribed',
    sentence: 'Only subscribers vote, and this link’s subscription has ended. Subscribe again, and it works again.',
  },
  'too many': {
    status: 429,
    heading: 'No more votes today',
    sentence: 'You’ve voted for 200 papers within 24 hours, the most we count. This vote was not counted.',
  },
}

const HEADINGS = {
  open: 'Vote for this paper?',
  counts: 'Your vote counts',
  counted: 'Your vote counts already',
  'taken back': 'Your vote is taken back',
  none: 'You have no vote for this paper',
  remembered: 'This browser is remembered',
}

export const voteRoutes = (app: App, site: PublicSite): void => {
  linkRoutes(app, site)
  siteRoutes(app, site)
}

/** As on every page: so few that it may tell how one reader voted are not told. */
const toldVotes = ({ votes }: VotedPaper): number | null => (votes < LEAST_READERS ? null : votes)

const viewOf = (paper: VotedPaper) => ({
  ...paper,
  votes: toldVotes(paper),
  path: paperPath(paper.id),
  vote: encodeURIComponent(paper.id),
})

/** The page of a vote link; `holder`: the token that the browser holds. */
const showVote = (
  reply: FastifyReply,
  { pages }: Pick<PublicSite, 'pages'>,
  { token, outcome, paper }: { token: string; outcome: keyof typeof HEADINGS; paper: VotedPaper },
  holder = readVoter(reply.request),
): FastifyReply =>
  show(reply, pages, 'vote', {
    token,
    outcome,
    heading: HEADINGS[outcome],
    voted: outcome === 'counts' || outcome === 'counted',
    remembered: holder === token,
    others: otherPaperLinks('vote', token, paper.id),
    paper: viewOf(paper),
  })

/** What a reader's own link leads to, and its buttons. */
const linkRoutes = (app: App, site: PublicSite): void => {
  const { votes, pages, baseUrl } = site

  const answer = (request: FastifyRequest, reply: FastifyReply, token: string, press: Press | null): FastifyReply => {
    if (press === null) return showDeadLink(reply, pages)
    if (!('paper' in press)) return sendErrorPage(request, reply, site, REFUSED[press.outcome])
    return wantsJson(request)
      ? reply.send({ status: press.outcome, votes: toldVotes(press.paper) })
      : showVote(reply, site, { token, ...press })
  }

  app.get('/vote/:token/:paper', { schema: { params: LinkParams } }, async (request, reply) => {
    const { token, paper: id } = request.params
    const found = await votes.read(token, id)
    if (found === null) return showDeadLink(reply, pages)
    if ('paper' in found) return showVote(reply, site, { token, ...found })
    const refusal = REFUSED[found.outcome]
    // Nothing was asked for yet, and the link may work again.
    const status = found.outcome === 'not subscribed' ? 200 : refusal.status
    return sendErrorPage(request, reply, site, { ...refusal, status })
  })

  app.post('/vote/:token/:paper', { schema: { params: LinkParams, body: Pressed } }, async (request, reply) => {
    const { token, paper: id } = request.params
    const { undo, remember } = request.body
    if (remember === undefined)
      return answer(request, reply, token, await (undo === undefined ? votes.vote : votes.takeBack)(token, id))
    const found = await votes.read(token, id)
    if (found === null) return showDeadLink(reply, pages)
    if (!('paper' in found)) return sendErrorPage(request, reply, site, REFUSED[found.outcome])
    rememberVoter(reply, token, isHttps(baseUrl))
    return showVote(reply, site, { token, outcome: 'remembered', paper: found.paper }, token)
  })
}

const isHttps = (baseUrl: string): boolean => baseUrl.startsWith('https:')

/** Where `Vote` beside a paper leads: to the page of a link that the browser holds, or to a form that has one mailed. */
const siteRoutes = (app: App, site: PublicSite): void => {
  const { votes, subscriptions, pages, baseUrl } = site
  const readPaper = (id: unknown) => (typeof id === 'string' ? votes.readPaper(id) : null)

  app.get('/vote', { schema: { querystring: PaperQuery } }, async (request, reply) => {
    const paper = await readPaper(request.query.paper)
    if (paper === null) return sendErrorPage(request, reply, site, REFUSED['no paper'])
    const token = readVoter(request)
    const found = token === null ? null : await votes.read(token, paper.id)
    if (token !== null && found?.outcome === 'open') return showVote(reply, site, { token, ...found })
    return show(reply, pages, 'vote-by-email', { paper: viewOf(paper), form: blankForm() })
  })

  app.post('/vote', { schema: { body: LinkWanted } }, async (request, reply) => {
    const { body } = request
    const paper = await readPaper(body.paper)
    if (paper === null) return sendErrorPage(request, reply, site, REFUSED['no paper'])
    const email = readEmail(body.email)
    if ('error' in email) {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not sent', email.error.problem, [email.error])
      const form = refusedForm(body, [email.error])
      return show(keepForBack(reply.code(400)), pages, 'vote-by-email', { paper: viewOf(paper), form })
    }
    const sealed = subscriptions.sealAddress({ email: email.address, returnTo: '' })
    if (!isBlank(body[HONEYPOT])) return confirmTaken(request, reply, '/vote', sealed)
    const held = await subscriptions.requestVoteLink(email.address, paper.id, originOf(request))
    return held === null ? confirmTaken(request, reply, '/vote', sealed) : showHeld(reply, pages, '/vote', sealed, held)
  })

  app.post('/vote/forget', { schema: { body: BUTTON } }, async (request, reply) => {
    forgetVoter(reply, isHttps(baseUrl))
    return wantsJson(request)
      ? { status: 'forgotten' }
      : show(reply, pages, 'message', {
          heading: 'This browser is forgotten',
          sentence: 'It votes for nobody any more. The votes you gave stay, and so do the links in your digests.',
        })
  })
}
