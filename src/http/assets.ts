/** The files that pages refer to, at addresses that change with their content. */
import { Type } from 'typebox'
import type { App, Pages } from './site.ts'

const YEAR_IN_SECONDS = 31_536_000

const Versioned = Type.Object({ v: Type.Optional(Type.Unknown()) })

export const assetRoutes = (app: App, assets: Pages['assets']): void => {
  for (const { href, type, content, version } of assets) {
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
}
