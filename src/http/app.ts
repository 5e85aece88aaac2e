/** The site: every route, and what applies to all of them. */
import formbody from '@fastify/formbody'
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyError, type FastifyPluginCallback } from 'fastify'
import { aboutRoutes } from './about.ts'
import { accountRoutes, addressRoutes } from './account.ts'
import { apiRoutes } from './api/api.ts'
import { archiveRoutes } from './archive/archive.ts'
import { citationRoutes } from './citations.ts'
import { compareRoutes } from './compare.ts'
import { CONNECTION_LIMITS, type ConnectionLimits, connectionOptions } from './connections.ts'
import { createPendingForms, createTurns, inTurns } from './costly-pages.ts'
import { curationRoutes } from './curation.ts'
import { digestJsonRoutes } from './digest-json.ts'
import { embedRoutes } from './embed.ts'
import { CROSS_SITE, handleError, handleUnrouted, sendErrorPage, unknownFields } from './errors.ts'
import { feedRoutes } from './feeds.ts'
import { groupRoutes } from './groups.ts'
import {
  CROSS_ORIGIN,
  isCrossSite,
  isJson,
  replaceNulls,
  securityHeaders,
  takeUnknownFields,
  unknownInQuery,
} from './guard.ts'
import { joinRoutes } from './join.ts'
import { keepAnswers } from './kept-answers.ts'
import { libraryRoutes } from './library.ts'
import { likesRoutes } from './likes.ts'
import { operationsRoutes } from './operations.ts'
import { operatorRoutes } from './operator.ts'
import { preferencesRoutes } from './preferences.ts'
import { previewRoutes } from './preview.ts'
import { privacyRoutes } from './privacy.ts'
import { proposalRoutes } from './proposals.ts'
import { readingListRoutes } from './reading-list.ts'
import { limitRequests } from './request-budgets.ts'
import { answerRequestId, identifyRequests, REQUEST_ID_OPTIONS } from './request-ids.ts'
import { revalidatePages } from './revalidation.ts'
import { recordRoutes } from './route-table.ts'
import { savedPaperRoutes } from './saved-papers.ts'
import { shareImageRoutes } from './share-images.ts'
import { type App, isApi, type Pages, type PublicSite, type Site } from './site.ts'
import { subscriptionRoutes } from './subscription.ts'
import { suggestionRoutes } from './suggestions.ts'
import { tasteLinkRoutes } from './taste-links.ts'
import { topicOfferRoutes } from './topic-offer.ts'
import { unsubscriptionRoutes } from './unsubscription.ts'
import { voteRoutes } from './votes.ts'
import { webhookRoutes } from './webhooks.ts'
import { whyRoutes } from './why.ts'
import { widgetRoutes } from './widget.ts'

const KILOBYTE = 1024
const SECOND = 1000
/** Milliseconds that responses under way have to end when the site is closed. */
const CLOSE_TIMEOUT = SECOND
/** Tokens have 43 characters; one that was altered, even a long one, still gets the page of a dead link. */
const MAX_PARAM_LENGTH = 2000

export interface AppOptions extends Site {
  /** The address at which others reach the site, such as `https://round.example.org`. */
  baseUrl: string
  /** Proxies in front of the site, as addresses or CIDR ranges; `X-Forwarded-*` headers of others are ignored. */
  trustProxy: string[]
  /** The clock of what a client may ask for in a minute, milliseconds; by default the process's. */
  monotonic?: () => number
  /** Traces requests; left out where nothing is traced. */
  tracing?: FastifyPluginCallback
  /** What differs from `CONNECTION_LIMITS`. */
  connections?: Partial<ConnectionLimits>
}

/** Builds the site; its caller makes it listen. */
export const buildApp = ({
  baseUrl,
  trustProxy,
  monotonic = () => performance.now(),
  connections = {},
  ...given
}: AppOptions): App => {
  const forms = createPendingForms()
  const site: Site = {
    ...given,
    pages: stampForms(given),
    // Between two of them a sign-up has the database to itself.
    archive: inTurns(given.archive, ['search']),
    previews: inTurns(given.previews, ['readDigest', 'readVolume', 'readBroadAuthors'], createTurns(forms.passed)),
    explanations: inTurns(given.explanations, ['explain']),
    // Each takes a thread of its own.
    libraries: inTurns(given.libraries, ['suggest']),
    comparisons: inTurns(given.comparisons, ['compare']),
  }
  const origin = baseUrl.replace(/\/+$/, '')
  const headers = securityHeaders(baseUrl.startsWith('https:'))
  const limits = { ...CONNECTION_LIMITS, ...connections }
  const app: App = Fastify({
    // Fastify's own log would contain URLs, and with them tokens; ours has the pattern of the route instead.
    logger: false,
    trustProxy: trustProxy.length > 0 ? trustProxy : false,
    bodyLimit: 64 * KILOBYTE,
    ...REQUEST_ID_OPTIONS,
    ...connectionOptions(limits, headers),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => {
      reply.headers(headers)
      answerRequestId(request, reply)
      handleError(error, request, reply, site)
    },
  })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(TypeBoxValidatorCompiler)
  app.server.maxConnections = limits.connections
  recordRoutes(app)
  if (given.tracing !== undefined) app.register(given.tracing)
  identifyRequests(app)

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    if (request.routeOptions.config?.crossOrigin === true) reply.headers(CROSS_ORIGIN)
    const changes = request.method !== 'GET' && request.method !== 'HEAD'
    if (!changes || request.routeOptions.config?.anySite === true) return
    if (isCrossSite(request, baseUrl)) return sendErrorPage(request, reply, site, CROSS_SITE)
  })
  limitRequests(app, site, monotonic)
  forms.watch(app)
  keepAnswers(app, site)
  revalidatePages(app)
  // A form without a field is an empty object, not a missing body, so that the response can name every field.
  app.addHook('preValidation', async (request, reply) => {
    if (request.method === 'POST') request.body ??= {}
    replaceNulls(request)
    const unknown = takeUnknownFields(request)
    // A browser or a bookmark may add to a form; a program that sends JSON is told, for it expects something of the field.
    if (unknown.length > 0 && isJson(request)) return sendErrorPage(request, reply, site, unknownFields(unknown))
    // So is one that asks: a filter whose name has a typo would otherwise be answered with everything.
    const asked = isApi(request) && request.routeOptions.url !== undefined ? unknownInQuery(request) : []
    if (asked.length > 0) return sendErrorPage(request, reply, site, unknownFields(asked))
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? null
    if (route === '/healthz' && reply.statusCode === 200) return
    site.metrics.countRequest({
      method: request.method,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
    const { id, method } = request
    const facts = { request: id, method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }
    site.log.info(facts, 'request')
  })
  // A browser keeps a spare connection on which it has sent no request yet. Node does not count it as idle, and closing
  // would wait for its timeout.
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), CLOSE_TIMEOUT).unref()
  })
  app.setErrorHandler((error: FastifyError, request, reply) => handleError(error, request, reply, site))
  handleUnrouted(app, site)

  app.register(formbody)
  const publicSite: PublicSite = { ...site, baseUrl: origin }
  operationsRoutes(app, publicSite)
  operatorRoutes(app, site)
  apiRoutes(app, publicSite)
  citationRoutes(app, site)
  digestJsonRoutes(app, site)
  feedRoutes(app, site, baseUrl)
  archiveRoutes(app, publicSite)
  aboutRoutes(app, publicSite)
  privacyRoutes(app, publicSite)
  previewRoutes(app, site, createTurns(forms.passed))
  subscriptionRoutes(app, publicSite)
  libraryRoutes(app, publicSite)
  shareImageRoutes(app, publicSite)
  embedRoutes(app, publicSite)
  widgetRoutes(app, publicSite)
  preferencesRoutes(app, site)
  whyRoutes(app, site)
  compareRoutes(app, site)
  topicOfferRoutes(app, site)
  accountRoutes(app, site)
  addressRoutes(app, site)
  unsubscriptionRoutes(app, site)
  voteRoutes(app, { ...site, baseUrl: origin })
  savedPaperRoutes(app, site)
  tasteLinkRoutes(app, site)
  likesRoutes(app, site)
  groupRoutes(app, { ...site, baseUrl: origin })
  joinRoutes(app, site)
  readingListRoutes(app, site)
  proposalRoutes(app, site)
  curationRoutes(app, { ...site, baseUrl: origin })
  suggestionRoutes(app, publicSite)
  webhookRoutes(app, site)
  return app
}

/** Pages whose forms say when they were shown. */
const stampForms = ({ pages, subscriptions }: Pick<Site, 'pages' | 'subscriptions'>): Pages => ({
  ...pages,
  render: (name, view) => pages.render(name, view).replaceAll(pages.formStamp, () => subscriptions.stampForm()),
})
