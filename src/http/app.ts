/** The site: every route, with what holds for all of them. It does not listen; whoever builds it does that. */
import formbody from '@fastify/formbody'
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyError } from 'fastify'
import { archiveRoutes } from './archive.ts'
import { answerError, answerUnrouted, CROSS_SITE, respondWithError } from './errors.ts'
import { isCrossSite, securityHeaders } from './guard.ts'
import { operationsRoutes } from './operations.ts'
import { operatorRoutes } from './operator.ts'
import { preferencesRoutes } from './preferences.ts'
import { previewRoutes } from './preview.ts'
import type { App, Site } from './site.ts'
import { subscriptionRoutes } from './subscription.ts'
import { ONE_CLICK, unsubscriptionRoutes } from './unsubscription.ts'
import { webhookRoutes } from './webhooks.ts'

const KILOBYTE = 1024
const SECOND = 1000
/** Answers under way at a stop have this long to end. */
const CLOSING_TIME = SECOND
/** Tokens have 43 characters; an altered one, however long, still gets its page in words. */
const MOST_PARAMETER = 2000

export interface AppOptions extends Site {
  /** Where the site is reached from outside, such as `https://round.example.org`. */
  baseUrl: string
  /** Proxies in front of us, as addresses or CIDR ranges; `X-Forwarded-*` of anyone else counts for nothing. */
  trustProxy: string[]
}

export const buildApp = ({ baseUrl, trustProxy, ...site }: AppOptions): App => {
  const headers = securityHeaders(baseUrl.startsWith('https:'))
  const app: App = Fastify({
    // Fastify's own log would hold addresses of pages, and with them tokens: ours has the route's pattern instead.
    logger: false,
    trustProxy: trustProxy.length > 0 ? trustProxy : false,
    bodyLimit: 64 * KILOBYTE,
    requestTimeout: 30 * SECOND,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MOST_PARAMETER },
    frameworkErrors: (error, request, reply) => {
      reply.headers(headers)
      answerError(error, request, reply, site)
    },
  })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(TypeBoxValidatorCompiler)

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    const changes = request.method !== 'GET' && request.method !== 'HEAD'
    if (!changes || request.routeOptions.url === ONE_CLICK) return
    if (isCrossSite(request, baseUrl)) return respondWithError(request, reply, site, CROSS_SITE)
  })
  // A form without a field is an empty object, not a missing body: then every field can be named.
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST') request.body ??= {}
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? null
    if (route === '/healthz' && reply.statusCode === 200) return
    const facts = { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }
    site.log.info(facts, 'request')
  })
  // A browser keeps a spare connection on which it has asked nothing yet: to Node that one is not idle, and a stop would
  // wait for it until its time-out.
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), CLOSING_TIME).unref()
  })
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, site))
  answerUnrouted(app, site)

  app.register(formbody)
  operationsRoutes(app, site)
  operatorRoutes(app, site)
  archiveRoutes(app, site)
  previewRoutes(app, site)
  subscriptionRoutes(app, site)
  preferencesRoutes(app, site)
  unsubscriptionRoutes(app, site)
  webhookRoutes(app, site)
  return app
}
