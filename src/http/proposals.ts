/** The link by which a digest proposes a setting: a page with one button that adds it, one that has it proposed no more, and undo. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type ProposalKind, proposalReason } from '../core/taste/proposal.ts'
import type { OwnProposal, ProposalState } from '../newsletter/taste-proposals.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const Params = Type.Object({ token: Type.String(), id: Type.String({ description: 'The number of a proposal' }) })
const Answer = Type.Object(
  {
    decline: Type.Optional(Type.Unknown({ description: 'Any value has it proposed no more' })),
    undo: Type.Optional(Type.Unknown({ description: 'Any value takes the answer back' })),
  },
  { additionalProperties: false },
)
const NUMBER = /^\d{1,15}$/

interface Words {
  /** Before an answer, as a question. */
  ask: (label: string) => string
  added: (label: string) => string
  button: string
  /** What would follow. */
  what: string
  list: string
}

const WORDS: Record<ProposalKind, Words> = {
  keyword: {
    ask: (label) => `Add “${label}” as a keyword?`,
    added: (label) => `“${label}” is one of your keywords`,
    button: 'Add keyword',
    what: 'Your digests would also have papers with these words.',
    list: 'keywords',
  },
  topic: {
    ask: (label) => `Follow ${label}?`,
    added: (label) => `You follow ${label}`,
    button: 'Follow topic',
    what: 'Your digests would also have the papers of this topic.',
    list: 'topics',
  },
  author: {
    ask: (label) => `Follow ${label}?`,
    added: (label) => `You follow ${label}`,
    button: 'Follow author',
    what: 'Your digests would also have the papers of this author.',
    list: 'authors',
  },
  muted: {
    ask: (label) => `Mute “${label}”?`,
    added: (label) => `“${label}” is muted`,
    button: 'Mute',
    what: 'Papers with these words would be kept out of your digests.',
    list: 'muted words',
  },
}

const UNCHANGED = 'Everything else stays as it is.'

const SENTENCES: Record<ProposalState, (words: Words) => string> = {
  open: ({ what }) => `${what} ${UNCHANGED}`,
  accepted: () => `From your next digest on. ${UNCHANGED}`,
  declined: () => 'We won’t propose this again. Your settings are as they were.',
  present: () => 'It is in your settings already, so there is nothing to add.',
  full: ({ list }) => `You have 20 ${list}, and the limit is 20. Remove one in your settings, then this link works.`,
  cannot: () => 'It can’t be added: the topic is gone, or the same words are keywords and muted. Nothing was changed.',
  last: () => 'It is the only thing that you follow, so it was not taken out. Follow something else first.',
}

const headingOf = ({ label, state }: OwnProposal, words: Words): string => {
  if (state === 'accepted' || state === 'present' || state === 'last') return words.added(label)
  return state === 'declined' ? 'Not proposed again' : words.ask(label)
}

export const proposalRoutes = (app: App, { proposals, pages }: Pick<Site, 'proposals' | 'pages'>): void => {
  type Found = OwnProposal | 'not subscribed' | null

  const answer = (
    request: FastifyRequest<{ Params: { token: string; id: string } }>,
    reply: FastifyReply,
    found: Found,
  ): FastifyReply => {
    const { token, id } = request.params
    if (found === null) return showDeadLink(reply, pages)
    if (found === 'not subscribed') {
      const sentence = 'This address gets no digests, so there are no settings to change.'
      if (request.method === 'POST') reply.code(409)
      if (wantsJson(request)) return sendProblem(reply, 409, 'Not subscribed', sentence)
      return show(reply, pages, 'not-subscribed', { sentence, token })
    }
    const words = WORDS[found.kind]
    const sentence = SENTENCES[found.state](words)
    const refused = found.state === 'full' || found.state === 'cannot' || found.state === 'last'
    if (request.method === 'POST' && refused) reply.code(409)
    if (wantsJson(request)) {
      if (request.method === 'POST' && refused) return sendProblem(reply, 409, 'Not saved', sentence)
      const { kind, value, label, presses, state } = found
      return reply.send({ status: state, kind, value, label, presses })
    }
    return show(reply, pages, 'proposal', {
      action: `/proposals/${token}/${id}`,
      token,
      state: found.state,
      heading: headingOf(found, words),
      sentence: found.state === 'open' ? `${proposalReason(found)} ${sentence}` : sentence,
      button: words.button,
    })
  }

  app.get('/proposals/:token/:id', { schema: { params: Params } }, async (request, reply) => {
    const { token, id } = request.params
    return answer(request, reply, NUMBER.test(id) ? await proposals.read(token, Number(id)) : null)
  })

  app.post('/proposals/:token/:id', { schema: { params: Params, body: Answer } }, async (request, reply) => {
    const { token, id } = request.params
    const { decline, undo } = request.body
    const act = undo !== undefined ? proposals.undo : decline !== undefined ? proposals.decline : proposals.accept
    return answer(request, reply, NUMBER.test(id) ? await act(token, Number(id)) : null)
  })
}
