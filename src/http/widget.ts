/** The best papers of a topic, small enough for a frame on a page of another site. */
import { Type } from 'typebox'
import { dateRange } from '../core/digest/headline.ts'
import { topicBySlug } from '../core/topics.ts'
import { paperPath } from './archive/card-list.ts'
import { POLICY_FRAMED, PUBLIC } from './guard.ts'
import { BUDGET } from './request-budgets.ts'
import { type App, type PublicSite, show } from './site.ts'

const Params = Type.Object({ topic: Type.String({ description: 'The name of a topic, such as agents' }) })

/** Papers in a frame. */
const MOST_PAPERS = 5

export const widgetPath = (slug: string): string => `/widget/${slug}`

export const widgetRoutes = (app: App, { archive, pages, baseUrl }: PublicSite): void => {
  app.get(
    '/widget/:topic',
    { schema: { params: Params }, config: { perMinute: BUDGET.archive, kept: true } },
    async (request, reply) => {
      const topic = topicBySlug(request.params.topic)
      // Kept out of search engines: what it shows is on the page of the topic.
      reply
        .header('content-security-policy', POLICY_FRAMED)
        .header('cache-control', topic === undefined ? 'no-store' : PUBLIC)
      // In words inside the frame: a page that may not be framed would leave an empty box there.
      if (topic === undefined) return show(reply.code(404), pages, 'widget', { topic: null, canonical: null })
      const { cards, days } = await archive.readTopic(topic.slug, 1)
      return show(reply, pages, 'widget', {
        topic: { slug: topic.slug, label: topic.label },
        canonical: `${baseUrl}/topics/${topic.slug}`,
        days: days === null ? null : dateRange(days.first, days.last),
        cards: cards.slice(0, MOST_PAPERS).map((card) => ({ ...card, page: paperPath(card.id) })),
      })
    },
  )
}
