/** The admin site: an app of its own at an address of its own, so that nothing of it is on the public one. */
import formbody from '@fastify/formbody'
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyError } from 'fastify'
import { assetRoutes } from '../assets.ts'
import { CONNECTION_LIMITS, connectionOptions } from '../connections.ts'
import { handleError, handleUnrouted, sendErrorPage, unknownFields } from '../errors.ts'
import { replaceNulls, securityHeaders, takeUnknownFields } from '../guard.ts'
import { limitRequests } from '../request-budgets.ts'
import { recordRoutes } from '../route-table.ts'
import type { App, Pages } from '../site.ts'
import { announcementRoutes } from './announcements.ts'
import { auditRoutes } from './audit.ts'
import { chartRoutes } from './charts.ts'
import { curatorRoutes } from './curators.ts'
import { editionRoutes } from './editions.ts'
import { isOwnHost } from './host-names.ts'
import { operatorRoutes } from './operators.ts'
import { paperRoutes } from './papers.ts'
import { queueRoutes } from './queue.ts'
import { routeRoutes } from './routes.ts'
import { guardRoutes } from './session.ts'
import { setAsideRoutes } from './set-aside.ts'
import { signInRoutes } from './sign-in.ts'
import type { AdminSite } from './site.ts'
import { sourceRoutes } from './sources.ts'
import { subscriberRoutes } from './subscribers.ts'
import { suppressionRoutes } from './suppressions.ts'
import { todayRoutes } from './today.ts'
import { webhookRoutes } from './webhooks.ts'

export interface AdminAppOptions extends Omit<AdminSite, 'pages'> {
  pages: Pages
  /** ADMIN_HOST. */
  host: string
  /** As of the public site. */
  trustProxy: string[]
  /** Milliseconds; by default the process’s. */
  monotonic?: () => number
}

const BODY_LIMIT = 64 * 1024
const MAX_PARAM_LENGTH = 500
/** Milliseconds that responses under way have to end when the site is closed. */
const CLOSE_TIMEOUT = 1_000

const WRONG_HOST = {
  status: 421,
  heading: 'The admin pages are not at this name',
  sentence: 'Open them at localhost, through an SSH tunnel where the service runs elsewhere, or at ADMIN_HOST.',
}

/** Builds the site; its caller makes it listen. */
export const buildAdminApp = (options: AdminAppOptions): App => {
  const { host, trustProxy, monotonic = () => performance.now(), ...given } = options
  // Errors have the layout of these pages.
  const pages: Pages = {
    ...given.pages,
    render: (name, view) => given.pages.render(name === 'message' ? 'admin/message' : name, view),
  }
  const site: AdminSite = { ...given, pages }
  const headers = { ...securityHeaders(false), 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin' }
  const app: App = Fastify({
    logger: false,
    trustProxy: trustProxy.length > 0 ? trustProxy : false,
    bodyLimit: BODY_LIMIT,
    ...connectionOptions(CONNECTION_LIMITS, headers),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => {
      reply.headers(headers)
      handleError(error, request, reply, site)
    },
  })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(TypeBoxValidatorCompiler)
  app.server.maxConnections = CONNECTION_LIMITS.connections
  recordRoutes(app)

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    if (!isOwnHost(request.headers.host, host)) return sendErrorPage(request, reply, site, WRONG_HOST)
  })
  limitRequests(app, site, monotonic)
  guardRoutes(app, site)
  app.addHook('preValidation', async (request, reply) => {
    if (request.method === 'POST') request.body ??= {}
    replaceNulls(request)
    const unknown = takeUnknownFields(request)
    if (unknown.length > 0) return sendErrorPage(request, reply, site, unknownFields(unknown))
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? null
    const facts = { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }
    site.log.info(facts, 'request')
  })
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT).unref()
  })
  app.setErrorHandler((error: FastifyError, request, reply) => handleError(error, request, reply, site))
  handleUnrouted(app, site)

  app.register(formbody)
  assetRoutes(app, pages.assets)
  signInRoutes(app, site)
  todayRoutes(app, site)
  chartRoutes(app, site)
  webhookRoutes(app, site)
  operatorRoutes(app, site)
  auditRoutes(app, site)
  editionRoutes(app, site)
  announcementRoutes(app, site)
  subscriberRoutes(app, site)
  suppressionRoutes(app, site)
  setAsideRoutes(app, site)
  paperRoutes(app, site)
  curatorRoutes(app, site)
  sourceRoutes(app, site)
  routeRoutes(app, site)
  queueRoutes(app, site)
  return app
}
