/** The topics, and the week's best papers of each. */
import { Type } from 'typebox'
import { dateRange } from '../../core/digest/headline.ts'
import { topicBySlug, topics } from '../../core/topics.ts'
import { sendErrorPage } from '../errors.ts'
import { blankForm } from '../form.ts'
import { makePublic, POLICY_WITH_SCRIPT } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import { shareMeta } from '../share-meta.ts'
import { type App, type PublicSite, show } from '../site.ts'
import { countOfPapers, isPastEnd, listView, Paged, pageHref, readPageNumber, sendNoSuchPage } from './card-list.ts'

const Params = Type.Object({ topic: Type.String({ description: 'The name of a topic, as /topics has them' }) })

export const NO_TOPIC = {
  status: 404,
  heading: 'No such topic',
  sentence: 'There is no topic of this name. All of them are listed under Topics.',
}

export const topicRoutes = (app: App, site: PublicSite): void => {
  app.get('/topics', { config: { kept: true } }, async (_, reply) =>
    show(makePublic(reply), site.pages, 'topics', {
      here: '/topics',
      canonical: `${site.baseUrl}/topics`,
      groups: topics().groups.map(({ label, topics: own }) => ({
        label,
        topics: own.map((topic) => ({ slug: topic.slug, label: topic.label })),
      })),
    }),
  )

  app.get(
    '/topics/:topic',
    { schema: { params: Params, querystring: Paged }, config: { perMinute: BUDGET.archive, kept: true } },
    async (request, reply) => {
      const topic = topicBySlug(request.params.topic)
      const renamed = topics().byFormerSlug(request.params.topic)
      if (topic === undefined && renamed !== undefined) return reply.redirect(`/topics/${renamed.slug}`, 301)
      if (topic === undefined) return sendErrorPage(request, reply, site, NO_TOPIC)
      const page = readPageNumber(request.query.page)
      if (page === null) return sendNoSuchPage(request, reply, site, null)
      const found = await site.archive.readTopic(topic.slug, page)
      if (isPastEnd(found)) return sendNoSuchPage(request, reply, site, found.pages)
      const path = `/topics/${topic.slug}`
      makePublic(reply).header('content-security-policy', POLICY_WITH_SCRIPT)
      return show(reply, site.pages, 'topic', {
        canonical: `${site.baseUrl}${pageHref(path, page)}`,
        share: shareMeta(site.baseUrl, path, {
          title: `${topic.label}: the week’s best papers`,
          description: found.cards[0]?.title ?? 'Papers of this topic, by email or as a feed.',
        }),
        topic: { slug: topic.slug, label: topic.label },
        count:
          found.total === 0
            ? ''
            : `${countOfPapers(found.total)}${found.total > 1 && found.counted !== null ? ', most upvoted first' : ''}`,
        days: found.days === null ? null : dateRange(found.days.first, found.days.last),
        list: listView(found, path),
        form: blankForm(),
      })
    },
  )
}
