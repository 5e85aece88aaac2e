/** Leaving: the page of the unsubscribe link, the one click of RFC 8058, and the offers to have less mail instead. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { pauseChoices, readPause } from '../core/subscriber/pause.ts'
import type { Subscriptions } from '../newsletter/subscription/subscription.ts'
import { BUTTON } from './form.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const UNSUBSCRIBE = '/unsubscribe/:token'
/** The link in an announcement. */
const ANNOUNCEMENTS = '/announcements/:token'
/** The links of a former system, which its host redirects to this route. */
const LEGACY = '/legacy/:token'

type Answer = (request: FastifyRequest<{ Params: { token: string } }>, reply: FastifyReply) => Promise<FastifyReply>

/** Our own token for that of a link; `null` where it is unknown. */
type FindToken = (token: string) => Promise<string | null>

const MAX_ONE_CLICK_OCTETS = 4096
const TokenParam = Type.Object({ token: Type.String() })
const Until = Type.Object(
  { until: Type.Optional(Type.Unknown({ description: 'The date when digests start again, YYYY-MM-DD' })) },
  { additionalProperties: false },
)
/** Whatever comes is dropped before it is looked at. */
const AnyBody = Type.Object({})

type UnsubscriptionSite = Pick<Site, 'subscriptions' | 'pages'>

export const unsubscriptionRoutes = (app: App, site: UnsubscriptionSite): void => {
  const { subscriptions } = site
  linkRoutes(app, site, UNSUBSCRIBE, async (token) => token)
  linkRoutes(app, site, LEGACY, (token) => subscriptions.findLegacyLink(token))
  announcementRoutes(app, site)
  refusalRoutes(app, site)
  reductionRoutes(app, site)
}

/** The link does not contain the reader's zone. The dates that are offered lie days ahead, so a day more or less does no harm. */
const todayOf = (subscriptions: Subscriptions): string => subscriptions.localToday('UTC')

const viewOf = async (subscriptions: Subscriptions, token: string | null) => {
  const found = token === null ? null : await subscriptions.readUnsubscription(token)
  if (found === null) return null
  const subscribed = found.state === 'active' || found.state === 'paused'
  return { ...found, token, subscribed, choices: pauseChoices(todayOf(subscriptions)), problem: null }
}

/** The page of an unsubscribe link, which changes nothing, and its one click. */
const linkRoutes = (app: App, site: UnsubscriptionSite, url: string, find: FindToken): void => {
  const { subscriptions, pages } = site
  app.get<{ Params: { token: string } }>(url, { schema: { params: TokenParam } }, async (request, reply) => {
    const view = await viewOf(subscriptions, await find(request.params.token))
    if (view === null) return showDeadLink(reply, pages)
    // Somebody who signed up and never confirmed can withdraw that here too.
    const wanted = view.subscribed || view.state === 'pending'
    return show(reply, pages, wanted ? 'unsubscribe' : 'unsubscribed', view)
  })
  oneClickRoute(app, url, async (request, reply) => {
    const from = { ip: request.ip, form: url, source: 'link' }
    const token = await find(request.params.token)
    const left = token === null ? null : await subscriptions.unsubscribe(token, from)
    const view = left === null ? null : await viewOf(subscriptions, token)
    return view === null ? showDeadLink(reply, pages) : show(reply, pages, 'unsubscribed', view)
  })
}

/** The link in an announcement ends these alone: each list has its own way out (RFC 8058). */
const announcementRoutes = (app: App, { subscriptions, pages }: UnsubscriptionSite): void => {
  app.get(ANNOUNCEMENTS, { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readAnnouncementStop(token)
    return found === null ? showDeadLink(reply, pages) : show(reply, pages, 'stop-announcements', { ...found, token })
  })
  oneClickRoute(app, ANNOUNCEMENTS, async (request, reply) => {
    const stopped = await subscriptions.stopAnnouncements(request.params.token)
    if (stopped === null) return showDeadLink(reply, pages)
    return show(reply, pages, 'stop-announcements', { ...stopped, token: '' })
  })
}

/**
 * RFC 8058: a POST without cookies or a referrer, whose body is a form of either kind and contains nothing that the URL
 * does not. Gmail sends it urlencoded, the RFC prefers multipart, others send no type at all: any body is read and
 * dropped. The response is the page itself, since providers take a redirect for a failure.
 */
const oneClickRoute = (app: App, url: string, answer: Answer): void => {
  app.register(async (oneClick) => {
    oneClick.removeAllContentTypeParsers()
    oneClick.addContentTypeParser('*', { bodyLimit: MAX_ONE_CLICK_OCTETS, parseAs: 'buffer' }, async () => ({}))
    oneClick.addHook('onRequest', async (request) => {
      // Fastify would refuse an empty or malformed type before it asks the parser.
      request.headers['content-type'] = 'application/octet-stream'
    })
    // A provider unsubscribes thousands of readers from a few machines: it is never told to come later.
    const config = { perMinute: null, anySite: true }
    oneClick.post<{ Params: { token: string } }>(url, { config, schema: { params: TokenParam, body: AnyBody } }, answer)
  })
}

/** The link of a confirmation that somebody did not request: never mail this address again. */
const refusalRoutes = (app: App, { subscriptions, pages }: UnsubscriptionSite): void => {
  app.get('/never/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readOptOut(token)
    return found === null ? showDeadLink(reply, pages) : show(reply, pages, 'never', { ...found, token, done: false })
  })

  app.post('/never/:token', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    const found = await subscriptions.optOut(request.params.token)
    return found === null
      ? showDeadLink(reply, pages)
      : show(reply, pages, 'never', { ...found, token: '', done: true })
  })
}

/** Less mail instead of none: weekly, or a pause. */
const reductionRoutes = (app: App, { subscriptions, pages }: UnsubscriptionSite): void => {
  const reduce = async (
    reply: FastifyReply,
    token: string,
    to: { frequency: 'weekly' } | { pauseUntil: string },
  ): Promise<FastifyReply> => {
    const outcome = await subscriptions.reduce(token, to)
    if (outcome === null) return showDeadLink(reply, pages)
    if (outcome === 'not-subscribed') return show(reply, pages, 'unsubscribed', { undoable: false })
    return show(reply, pages, 'reduced', { ...outcome, token, weekly: 'frequency' in to })
  }

  app.post('/unsubscribe/:token/undo', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    const from = { ip: request.ip, form: request.routeOptions.url ?? null, source: 'link' }
    const outcome = await subscriptions.undoReduced(request.params.token, from)
    if (outcome === null) return showDeadLink(reply, pages)
    if (outcome !== 'too-late') return show(reply, pages, 'undone', { ...outcome, late: false })
    if (wantsJson(request)) return sendProblem(reply, 409, 'Not undone', 'This can be undone within an hour.')
    return show(reply.code(409), pages, 'undone', { late: true })
  })

  app.post('/unsubscribe/:token/weekly', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) =>
    reduce(reply, request.params.token, { frequency: 'weekly' }),
  )

  app.post('/unsubscribe/:token/pause', { schema: { params: TokenParam, body: Until } }, async (request, reply) => {
    const { token } = request.params
    const read = readPause(request.body.until, todayOf(subscriptions))
    if ('until' in read) return reduce(reply, token, { pauseUntil: read.until })
    const view = await viewOf(subscriptions, token)
    if (view === null) return showDeadLink(reply, pages)
    if (wantsJson(request)) return sendProblem(reply, 400, 'Not paused', read.problem)
    const page = view.subscribed ? 'unsubscribe' : 'unsubscribed'
    return show(reply.code(400), pages, page, { ...view, problem: read.problem })
  })
}
