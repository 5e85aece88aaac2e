/** “Why not this one?”: what became of one paper for one reader, and the change that would have brought it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type Press, pressLabel, withPress } from '../core/digest/press.ts'
import { decidedWhen, nearTopicNote, verdictInWords } from '../core/digest/verdict.ts'
import { GATE } from '../core/relevance/gate.ts'
import { offeredProfile } from '../core/subscriber/offered-topics.ts'
import { namedTopics, type Preferences } from '../core/subscriber/preferences.ts'
import type { Explanation } from '../newsletter/explanation.ts'
import { paperPath } from './archive/card-list.ts'
import { showNotSubscribed } from './preferences.ts'
import { BUDGET } from './request-budgets.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })
const Asked = Type.Object({
  paper: Type.Optional(Type.Unknown({ description: 'An arXiv id, source:id, or the address of a paper' })),
})

const NO_PAPER =
  'Enter an arXiv id such as 2604.11784, or the address of a paper at arXiv, Hugging Face, bioRxiv or medRxiv.'

/** The fields of the settings form by which a change is looked at: what is left out stays as it is stored. */
const changedFields = (preferences: Preferences, press: Press): { name: string; value: string }[] => {
  const after = withPress(offeredProfile(preferences).profile, press)
  const topics = namedTopics(after).map((value) => ({ name: 'topics', value }))
  switch (press.kind) {
    case 'keyword':
      return [...topics, { name: 'keywords', value: after.keywords.join('\n') }]
    case 'author':
      return [...topics, { name: 'authors', value: after.authors.join('\n') }]
    case 'unmute':
      return [...topics, { name: 'muted', value: after.muted.join('\n') }]
    case 'papers':
      return [...topics, { name: 'papers', value: String(press.papers) }]
    default:
      return topics
  }
}

/** How the change is announced: it brings the paper yet, or would have brought it. */
const pressWords = ({ verdict }: Explanation): { heading: string; hint: string } =>
  'on' in verdict && verdict.on === null
    ? { heading: 'What would bring it', hint: 'It would be in your next digest, as things are now.' }
    : { heading: 'What would have brought it', hint: 'Others like it would come from now on.' }

export const whyRoutes = (app: App, site: Pick<Site, 'subscriptions' | 'explanations' | 'pages'>): void => {
  const { subscriptions, explanations, pages } = site

  const showPage = (reply: FastifyReply, token: string, view: { typed: string; problem?: string; found?: object }) =>
    show(reply, pages, 'why', { token, problem: null, found: null, gate: GATE.toFixed(2), ...view })

  const config = { perMinute: BUDGET.preview }
  app.get(
    '/preferences/:token/why',
    { config, schema: { params: TokenParam, querystring: Asked } },
    async (request: FastifyRequest<{ Params: { token: string }; Querystring: { paper?: unknown } }>, reply) => {
      const { token } = request.params
      const { paper } = request.query
      const typed = typeof paper === 'string' ? paper.trim() : ''
      const own = await subscriptions.readPreferences(token)
      if (own === null) return showDeadLink(reply, pages)
      const explained = await explanations.explain(token, typed)
      if (explained === null) return showDeadLink(reply, pages)
      if (explained === 'not-subscribed') return showNotSubscribed(request, reply, site)
      if (explained === 'no-paper') {
        const errors = [{ field: 'paper', problem: NO_PAPER, expected: 'an arXiv id, source:id, or an address' }]
        if (wantsJson(request)) return sendProblem(reply, 400, 'No paper', NO_PAPER, errors)
        return typed === '' && paper === undefined
          ? showPage(reply, token, { typed })
          : showPage(reply.code(400), token, { typed, problem: NO_PAPER })
      }
      const { verdict, near, press, viewToken } = explained
      const sentence = verdictInWords(verdict)
      const when = decidedWhen(verdict)
      const digest = viewToken === null ? null : `/digests/${viewToken}`
      if (wantsJson(request)) {
        const change = press === null ? null : { ...press, label: pressLabel(press) }
        return { paper: explained.paper, verdict, sentence, when, near, change, digest }
      }
      return showPage(reply, token, {
        typed,
        found: {
          paper: { ...explained.paper, path: explained.paper.title === null ? null : paperPath(explained.paper.id) },
          sentence,
          when,
          digest,
          suggest: verdict.kind === 'unseen',
          near: near.map((topic) => ({ ...topic, score: topic.score.toFixed(2), note: nearTopicNote(topic) })),
          press:
            press === null
              ? null
              : {
                  label: pressLabel(press),
                  ...pressWords(explained),
                  revision: own.revision,
                  fields: changedFields(own.preferences, press),
                },
          stuck:
            press === null && 'exact' in verdict && ['muted', 'off-topic', 'unvoted', 'below'].includes(verdict.kind),
        },
      })
    },
  )
}
