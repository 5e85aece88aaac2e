/** The link by which a digest offers a topic: a page with one button that follows it, and one that undoes that. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { isSubscribed } from '../core/subscriber/preferences.ts'
import { type Topic, topicBySlug } from '../core/topics.ts'
import { type App, type Site, show, showDeadLink, wantsJson } from './site.ts'

const Params = Type.Object({ token: Type.String(), topic: Type.String({ description: 'A topic name' }) })
const Press = Type.Object(
  { undo: Type.Optional(Type.Unknown({ description: 'Any value follows the topic no more' })) },
  { additionalProperties: false },
)

interface OfferState {
  follows: boolean
  /** Whether a button was pressed. */
  pressed: boolean
  subscribed: boolean
}

const headingOf = ({ label }: Topic, { follows, pressed, subscribed }: OfferState): string => {
  if (!subscribed) return 'You’re not subscribed'
  if (follows) return `You follow ${label}`
  return pressed ? `You don’t follow ${label} any more` : `Follow ${label}?`
}

export const topicOfferRoutes = (app: App, { subscriptions, pages }: Pick<Site, 'subscriptions' | 'pages'>): void => {
  const showOffer = (reply: FastifyReply, token: string, topic: Topic, state: OfferState) =>
    show(reply, pages, 'topic-offer', { token, topic, ...state, heading: headingOf(topic, state) })

  app.get('/follow/:token/:topic', { schema: { params: Params } }, async (request, reply) => {
    const { token, topic: slug } = request.params
    const topic = topicBySlug(slug)
    if (topic === undefined) return reply.callNotFound()
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    const follows = own.preferences.topics.includes(slug)
    return showOffer(reply, token, topic, { follows, pressed: false, subscribed: isSubscribed(own.state) })
  })

  app.post('/follow/:token/:topic', { schema: { params: Params, body: Press } }, async (request, reply) => {
    const { token, topic: slug } = request.params
    const topic = topicBySlug(slug)
    if (topic === undefined) return reply.callNotFound()
    const own = await subscriptions.followTopic(token, slug, request.body.undo === undefined)
    if (own === null) return showDeadLink(reply, pages)
    const follows = own.preferences.topics.includes(slug)
    if (!isSubscribed(own.state)) reply.code(409)
    if (wantsJson(request)) return { status: isSubscribed(own.state) ? 'saved' : 'not subscribed', follows }
    return showOffer(reply, token, topic, { follows, pressed: true, subscribed: isSubscribed(own.state) })
  })
}
