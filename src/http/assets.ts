/** The files that pages refer to, at addresses that change with their content. */
import { Type } from 'typebox'
import type { App, Pages } from './site.ts'

const YEAR_IN_SECONDS = 31_536_000

const SVG = 'image/svg+xml'
/** A drawing may have its own style, and does nothing, also where somebody opens it by itself. */
const DRAWING_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

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
          .headers(type === SVG ? { 'content-security-policy': DRAWING_POLICY } : {})
          .header('etag', etag)
          .header('cache-control', current ? `public, max-age=${YEAR_IN_SECONDS}, immutable` : 'no-cache')
        return request.headers['if-none-match'] === etag ? reply.code(304).send() : content
      },
    )
  }
}
