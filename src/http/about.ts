/** The page that says how papers are chosen, and how often that is right. */
import type { TopicQuality } from '../core/relevance/model.ts'
import { topicBySlug } from '../core/topics.ts'
import { makePublic } from './guard.ts'
import { type App, type PublicSite, show } from './site.ts'

/** Shares as whole percents, by the topics' labels; topics without a relevant paper are left out. */
const qualityOf = (measured: readonly TopicQuality[]) =>
  measured.flatMap(({ topic, relevant, precision, recall }) => {
    const label = topicBySlug(topic)?.label
    if (label === undefined || precision === null || recall === null) return []
    return [{ label, relevant, precision: Math.round(100 * precision), recall: Math.round(100 * recall) }]
  })

export const aboutRoutes = (app: App, { pages, topicQuality = [], baseUrl }: PublicSite): void => {
  app.get('/about', { config: { kept: true } }, async (_, reply) =>
    show(makePublic(reply), pages, 'about', {
      here: '/about',
      canonical: `${baseUrl}/about`,
      quality: qualityOf(topicQuality),
    }),
  )
}
