/** What browsers, crawlers and supervisors fetch beside the pages: assets, `robots.txt`, and health. */
import { Type } from 'typebox'
import { makePublic } from './guard.ts'
import { healthRoutes } from './health.ts'
import type { App, PublicSite } from './site.ts'

const YEAR_IN_SECONDS = 31_536_000

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

const Versioned = Type.Object({ v: Type.Optional(Type.Unknown()) })

export const operationsRoutes = (app: App, { pages, ready, log, baseUrl }: PublicSite): void => {
  for (const { href, type, content, version } of pages.assets) {
    const etag = `"${version}"`
    app.get(
      href.replace(/\?.*$/, ''),
      { config: { perMinute: null }, schema: { querystring: Versioned } },
      async (request, reply) => {
        const current = request.query.v === version
        reply
          .type(type)
          .header('etag', etag)
          .header('cache-control', current ? `public, max-age=${YEAR_IN_SECONDS}, immutable` : 'no-cache')
        return request.headers['if-none-match'] === etag ? reply.code(304).send() : content
      },
    )
  }

  app.get('/robots.txt', async (_, reply) =>
    makePublic(reply).type('text/plain; charset=utf-8').send(robotsOf(app, baseUrl)),
  )

  healthRoutes(app, { ready, log })
}
