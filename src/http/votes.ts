/** Voting for a paper by the link of a digest: a page with one button, and one that takes the vote back. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Press, VotedPaper } from '../newsletter/votes.ts'
import { paperPath } from './archive/card-list.ts'
import { sendErrorPage } from './errors.ts'
import { type App, type Site, show, showDeadLink, wantsJson } from './site.ts'

const Params = Type.Object({
  token: Type.String(),
  paper: Type.String({ description: 'An arXiv id, or source:id; a slash in it is written %2F' }),
})
const Pressed = Type.Object(
  { undo: Type.Optional(Type.Unknown({ description: 'Any value takes the vote back' })) },
  { additionalProperties: false },
)

/** Votes are not asked for where they would not count. */
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
}

export const voteRoutes = (app: App, site: Pick<Site, 'votes' | 'pages'>): void => {
  const { votes, pages } = site

  const showVote = (reply: FastifyReply, token: string, outcome: keyof typeof HEADINGS, paper: VotedPaper) =>
    show(reply, pages, 'vote', {
      token,
      heading: HEADINGS[outcome],
      ...{ outcome, voted: outcome === 'counts' || outcome === 'counted' },
      paper: { ...paper, path: paperPath(paper.id), vote: encodeURIComponent(paper.id) },
    })

  const answer = (request: FastifyRequest, reply: FastifyReply, token: string, press: Press | null): FastifyReply => {
    if (press === null) return showDeadLink(reply, pages)
    if (!('paper' in press)) return sendErrorPage(request, reply, site, REFUSED[press.outcome])
    const { outcome, paper } = press
    return wantsJson(request)
      ? reply.send({ status: outcome, votes: paper.votes })
      : showVote(reply, token, outcome, paper)
  }

  app.get('/vote/:token/:paper', { schema: { params: Params } }, async (request, reply) => {
    const { token, paper: id } = request.params
    const found = await votes.read(token, id)
    if (found === null) return showDeadLink(reply, pages)
    if ('paper' in found) return showVote(reply, token, found.outcome, found.paper)
    const refusal = REFUSED[found.outcome]
    // Nothing was asked for yet, and the link may work again.
    const status = found.outcome === 'not subscribed' ? 200 : refusal.status
    return sendErrorPage(request, reply, site, { ...refusal, status })
  })

  app.post('/vote/:token/:paper', { schema: { params: Params, body: Pressed } }, async (request, reply) => {
    const { token, paper } = request.params
    const press = request.body.undo === undefined ? await votes.vote(token, paper) : await votes.takeBack(token, paper)
    return answer(request, reply, token, press)
  })
}
