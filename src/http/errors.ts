/** Responses to requests that cannot be served: a page for people, a problem (RFC 9457) for programs. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isAway, isDiskFull, isReadOnlyError } from '../core/database-error.ts'
import { describeError } from '../core/redact.ts'
import { quoted } from '../core/text/text.ts'
import { methodsOf } from './route-table.ts'
import { type App, isApi, type Site, sendProblem, show, wantsJson } from './site.ts'

export interface ErrorPage {
  status: number
  heading: string
  sentence: string
  /** Where to go on from a page; a path of ours. */
  link?: { href: string; label: string }
}

const NOT_FOUND: ErrorPage = {
  status: 404,
  heading: 'Page not found',
  sentence: 'The address may have a typo, or the page may have moved.',
}

const NOT_IN_API: ErrorPage = {
  status: 404,
  heading: 'Not found',
  sentence: 'The API has nothing at this address. What it has is listed at /api/docs and /api/v1/openapi.json.',
}

export const CROSS_SITE: ErrorPage = {
  status: 403,
  heading: 'This form came from another site',
  sentence: 'We only accept forms from our own pages. Nothing was changed. Open the page here and try again.',
}

const INTERNAL_ERROR: ErrorPage = {
  status: 500,
  heading: 'Something went wrong',
  sentence: 'This is a fault on our side, and it has been logged. Please try again in a few minutes.',
}

/** Routes of links by which readers leave. */
const LEAVING = /^\/(?:unsubscribe|legacy)\//

/** Something that we need is missing for a while: the same request succeeds later. */
interface Outage extends ErrorPage {
  /** Seconds. */
  retryAfter: number
}

const FULL: Outage = {
  status: 503,
  heading: 'Temporarily unavailable',
  sentence: 'Our disk is nearly full, so nothing was saved. Please try again in ten minutes.',
  retryAfter: 600,
}

const AWAY: Outage = {
  status: 503,
  heading: 'Temporarily unavailable',
  sentence: 'We can’t reach our database. Please try again in a minute.',
  retryAfter: 60,
}

const READ_ONLY: Outage = {
  status: 503,
  heading: 'Changes are paused for maintenance',
  sentence: 'We’re doing maintenance, so nothing was changed. You can go on reading. Please try again in ten minutes.',
  retryAfter: 600,
}

/** Nothing can be sent either, for a mailer claims what it sends; and a provider that unsubscribes by one click asks again. */
const READ_ONLY_LEAVING: Outage = {
  ...READ_ONLY,
  sentence:
    'We’re doing maintenance, so you’re still subscribed, and no email is sent meanwhile. Your link keeps working: ' +
    'please press it again in ten minutes.',
}

const outageOf = (error: unknown, { routeOptions }: FastifyRequest): Outage | null => {
  if (isReadOnlyError(error)) return LEAVING.test(routeOptions.url ?? '') ? READ_ONLY_LEAVING : READ_ONLY
  if (isDiskFull(error)) return FULL
  return isAway(error) ? AWAY : null
}

const UNREADABLE: ErrorPage = {
  status: 400,
  heading: 'We couldn’t read that request',
  sentence: 'It isn’t in a format we accept. Nothing was changed.',
}

/** JSON with fields that its route does not have. */
export const unknownFields = (names: string[]): ErrorPage => ({
  ...UNREADABLE,
  sentence: `There is no field ${names.slice(0, 3).map(quoted).join(', ')} here. Nothing was changed.`,
})

/** The errors with which Fastify refuses a request before a handler runs, by code; no reader sees the codes. */
const REFUSALS: Record<string, ErrorPage> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    heading: 'That request is too large',
    sentence: 'The limit is 64 kilobytes. Nothing was changed.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    heading: 'We don’t accept that type of content',
    sentence: 'Send a form (application/x-www-form-urlencoded) or JSON (application/json). Nothing was changed.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { ...UNREADABLE, sentence: 'The body is not valid JSON. Nothing was changed.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    ...UNREADABLE,
    sentence: 'The body is empty, but its type is JSON. Nothing was changed.',
  },
  FST_ERR_VALIDATION: {
    ...UNREADABLE,
    sentence: 'The body must be one object with a value for each field. Nothing was changed.',
  },
  FST_ERR_BAD_URL: NOT_FOUND,
  FST_ERR_MAX_PARAM_LENGTH: NOT_FOUND,
}

/** A query that its route's schema refuses. */
export const WRONG_QUERY: ErrorPage = {
  ...UNREADABLE,
  sentence: 'A field of the query has a value that it can’t have, or was given twice.',
}

/** Sends a page, or a problem to a client that wants JSON. */
export const sendErrorPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  { pages }: Pick<Site, 'pages'>,
  { status, heading, sentence, link }: ErrorPage,
): FastifyReply =>
  wantsJson(request)
    ? sendProblem(reply, status, heading, sentence)
    : show(reply.code(status), pages, 'message', { heading, sentence, link: link ?? null })

/**
 * Responds to a thrown error: with what was wrong about the request; or, logged, with when to try again where the database
 * is away or full, and with one page for every other error of ours.
 */
export const handleError = (
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  site: Pick<Site, 'pages' | 'log'>,
): FastifyReply => {
  const refusal =
    (error.validationContext === 'querystring' ? WRONG_QUERY : REFUSALS[error.code]) ??
    ((error.statusCode ?? 500) < 500 ? UNREADABLE : undefined)
  if (refusal !== undefined) return sendErrorPage(request, reply, site, refusal)
  site.log.error(
    {
      request: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      error: describeError(error),
    },
    'a request failed',
  )
  const outage = outageOf(error, request)
  if (outage === null) return sendErrorPage(request, reply, site, INTERNAL_ERROR)
  return sendErrorPage(request, reply.header('retry-after', outage.retryAfter), site, outage)
}

/** Responds to paths and methods without a route. Fastify has no 405: it comes with the methods that the path has. */
export const handleUnrouted = (app: App, site: Pick<Site, 'pages'>): void => {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/[?#].*$/s, '').replace(/(?<=.)\/$/, '')
    const allowed = methodsOf(app.routeTable, path)
    // A route may call the not-found handler itself.
    if (allowed.length === 0 || allowed.includes(request.method))
      return sendErrorPage(request, reply, site, isApi(request) ? NOT_IN_API : NOT_FOUND)
    return sendErrorPage(request, reply.header('allow', allowed.join(', ')), site, {
      status: 405,
      heading: 'That isn’t possible here',
      sentence: `This address accepts ${allowed.join(', ')}. Nothing was changed.`,
    })
  })
}
