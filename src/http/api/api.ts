/** The API for programs: its routes, and the OpenAPI document that is made from their schemas. */
import swagger from '@fastify/swagger'
import { makePublic } from '../guard.ts'
import { BUDGET } from '../request-budgets.ts'
import { type App, type PublicSite, show } from '../site.ts'
import { digestApi } from './digests.ts'
import { apiViewOf, type OpenApiDocument } from './documentation.ts'
import { libraryApi } from './library.ts'
import { listApi } from './lists.ts'
import { paperApi } from './papers.ts'
import { peopleApi } from './people.ts'
import { documented, openTo } from './schema.ts'
import { searchApi } from './search.ts'

const ABOUT = [
  'Papers, lists, topics, authors, institutions, search, previews and subscriptions as JSON. No key is needed.',
  'Lists come in parts: send the “next” of one part as “after” to get the one behind it.',
  'RateLimit-Policy and RateLimit say how many requests a minute are served and how many are left. A request over the limit gets 429 with Retry-After.',
  'Answers that can be kept have an ETag. What cannot be served is answered by a problem (RFC 9457).',
  'Scripts of other sites may read by GET; they may not subscribe. Version 1 may get more fields, and loses none.',
].join('\n\n')

export const apiRoutes = (app: App, site: PublicSite): void => {
  app.register(async (api: App) => {
    await api.register(swagger, {
      hideUntagged: true,
      transform: ({ schema, url }) => ({ schema: documented(schema), url }),
      openapi: {
        openapi: '3.1.0',
        info: {
          title: site.serviceName,
          version: '1',
          description: ABOUT,
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: site.baseUrl }],
      },
    })
    // What anybody may read may be kept, and is asked for again; problems too, for their reason may be gone.
    api.addHook('preHandler', async (request, reply) => {
      if (request.routeOptions.config.crossOrigin === true) reply.header('cache-control', 'no-cache')
    })
    paperApi(api, site)
    searchApi(api, site)
    listApi(api, site)
    peopleApi(api, site)
    digestApi(api, site)
    libraryApi(api, site)
    const document = () => api.swagger() as unknown as OpenApiDocument
    api.get('/api/docs', { config: { kept: true } }, async (_, reply) =>
      show(makePublic(reply), site.pages, 'api', { canonical: `${site.baseUrl}/api/docs`, ...apiViewOf(document()) }),
    )
    api.get('/api/v1/openapi.json', { config: openTo(BUDGET.page) }, async () => document())
  })
}
