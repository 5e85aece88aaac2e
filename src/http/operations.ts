/** What browsers, crawlers and supervisors fetch beside the pages: assets, `robots.txt`, and health. */
import { assetRoutes } from './assets.ts'
import { makePublic } from './guard.ts'
import { healthRoutes } from './health.ts'
import type { App, PublicSite } from './site.ts'

/** Keeps crawlers from every route whose URL contains a token, from searches, of which there is no end, and from votes. */
const robotsOf = ({ routeTable }: App, baseUrl: string): string => {
  const personal = routeTable.flatMap(({ url }) => /^\/[^:]+\/(?=:token)/.exec(url)?.[0] ?? [])
  return [
    'User-agent: *',
    ...[...new Set(personal), '/search', '/vote?'].sort().map((path) => `Disallow: ${path}`),
    `Sitemap: ${baseUrl}/sitemap.xml`,
    '',
  ].join('\n')
}

export const operationsRoutes = (app: App, { pages, ready, log, baseUrl }: PublicSite): void => {
  assetRoutes(app, pages.assets)

  app.get('/robots.txt', async (_, reply) =>
    makePublic(reply).type('text/plain; charset=utf-8').send(robotsOf(app, baseUrl)),
  )

  healthRoutes(app, { ready, log })
}
