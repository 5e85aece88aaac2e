/** Answers in words when a request cannot be served: a page for people, a problem (RFC 9457) for programs. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { describeError } from '../core/redact.ts'
import { type App, type Site, sendProblem, show, wantsJson } from './site.ts'

interface ErrorPage {
  status: number
  heading: string
  sentence: string
}

const NOT_FOUND: ErrorPage = {
  status: 404,
  heading: 'There is no such page.',
  sentence: 'The address may be mistyped, or the page has moved.',
}

export const CROSS_SITE: ErrorPage = {
  status: 403,
  heading: 'That came from another site.',
  sentence: 'Forms are taken from our own pages only. Nothing was changed. Open the page here and try again.',
}

const FAULT: ErrorPage = {
  status: 500,
  heading: 'Something broke on our side.',
  sentence: 'It has been written down, and it is not your doing. Please try again in a few minutes.',
}

const UNREADABLE: ErrorPage = {
  status: 400,
  heading: 'That could not be read.',
  sentence: 'The request is not in a form that is understood here. Nothing was changed.',
}

/** What Fastify refuses before a handler runs, by its error codes, which never reach a reader as they are. */
const REFUSALS: Record<string, ErrorPage> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    heading: 'That was too much at once.',
    sentence: 'A request may hold at most 64 kilobytes. Nothing was changed.',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    heading: 'That kind of content is not taken here.',
    sentence: 'Send a form (application/x-www-form-urlencoded) or JSON (application/json). Nothing was changed.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { ...UNREADABLE, sentence: 'The body is not valid JSON. Nothing was changed.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { ...UNREADABLE, sentence: 'The body is empty; JSON was announced.' },
  FST_ERR_VALIDATION: { ...UNREADABLE, sentence: 'The body has to be one object with a value for each field.' },
  FST_ERR_BAD_URL: NOT_FOUND,
  FST_ERR_MAX_PARAM_LENGTH: NOT_FOUND,
}

/** Answers with a page, or with a problem where the client speaks JSON. */
export const respondWithError = (
  request: FastifyRequest,
  reply: FastifyReply,
  { pages }: Pick<Site, 'pages'>,
  { status, heading, sentence }: ErrorPage,
): FastifyReply =>
  wantsJson(request)
    ? sendProblem(reply, status, heading, sentence)
    : show(reply.code(status), pages, 'message', { heading, sentence })

/** The answer to whatever was thrown: a refusal in words, or, noted in the log, one plain page for every fault of ours. */
export const answerError = (
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  site: Pick<Site, 'pages' | 'log'>,
): FastifyReply => {
  const refusal = REFUSALS[error.code] ?? ((error.statusCode ?? 500) < 500 ? UNREADABLE : undefined)
  if (refusal !== undefined) return respondWithError(request, reply, site, refusal)
  site.log.error(
    { method: request.method, route: request.routeOptions.url ?? null, error: describeError(error) },
    'a request failed',
  )
  return respondWithError(request, reply, site, FAULT)
}

/**
 * Answers for addresses and methods without a route. Fastify knows no 405, so the routes are remembered as they are
 * added, and a known address with another method is told which ones it takes.
 */
export const answerUnrouted = (app: App, site: Site): void => {
  const methods = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set()
    for (const name of [method].flat()) known.add(name)
    methods.set(url, known)
  })
  const allowedAt = (path: string): string[] => {
    const asked = path.split('/')
    const fits = (url: string): boolean => {
      const parts = url.split('/')
      return parts.length === asked.length && parts.every((part, i) => part.startsWith(':') || part === asked[i])
    }
    return [...methods].filter(([url]) => fits(url)).flatMap(([, names]) => [...names])
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/[?#].*$/s, '').replace(/(?<=.)\/$/, '')
    const allowed = allowedAt(path)
    // A route may also say itself that it has nothing at this address.
    if (allowed.length === 0 || allowed.includes(request.method))
      return respondWithError(request, reply, site, NOT_FOUND)
    return respondWithError(request, reply.header('allow', allowed.join(', ')), site, {
      status: 405,
      heading: 'That cannot be done here.',
      sentence: `This address takes ${allowed.join(', ')}. Nothing was changed.`,
    })
  })
}
