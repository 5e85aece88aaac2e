/** What protects every request: security headers, and the check that forms come from our own pages. */
import type { FastifyReply, FastifyRequest } from 'fastify'

const policyOf = (framedBy: "'none'" | '*'): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    `frame-ancestors ${framedBy}`,
    "base-uri 'none'",
  ].join('; ')

/** No script, no frames, nothing from other origins; forms are sent to this site only. */
const POLICY = policyOf("'none'")

/** For what other sites may show in a frame: it has no form, and nothing in it can be changed by a press. */
export const POLICY_FRAMED = policyOf('*')
/** For the page that shows an example of such a frame. */
export const POLICY_WITH_FRAME = `${POLICY}; frame-src 'self'`

/** For the home page, whose script fills in the reader's time zone, and for one that waits for a calculation. */
export const POLICY_WITH_SCRIPT = `${POLICY}; script-src 'self'`
/** For the settings, whose script asks what a change would bring. It asks for nothing before its reader changes something. */
export const POLICY_WITH_REQUESTS = `${POLICY_WITH_SCRIPT}; connect-src 'self'`

/**
 * The headers of every response. Nothing is stored or indexed unless a route changes that, since most URLs of the site
 * contain a token. `same-origin` and not `no-referrer`, with which browsers send `Origin: null` on our own forms.
 */
export const securityHeaders = (https: boolean): Record<string, string> => ({
  'content-security-policy': POLICY,
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
  ...(https ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
})

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Scripts of other sites may read the answer. For what anybody may read, and by GET alone. */
    crossOrigin?: boolean
    /** A form of any site may be sent to it. For what changes nothing, or has its token alone for authority. */
    anySite?: boolean
  }
}

/** The headers with which a script of any site may read an answer, and the limits in it. https://fetch.spec.whatwg.org/#http-cors-protocol */
export const CROSS_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'etag, ratelimit, ratelimit-policy, retry-after',
}

/**
 * For what anybody may read (RFC 9111): a browser asks each time whether it has changed, what stands between us and many
 * browsers asks once a minute, and for an hour gives what it has where we do not answer (RFC 5861).
 */
export const PUBLIC = 'public, max-age=0, s-maxage=60, stale-if-error=3600'

/** Lets a page be indexed, and kept as `PUBLIC` says. */
export const makePublic = (reply: FastifyReply): FastifyReply =>
  reply.removeHeader('x-robots-tag').header('cache-control', PUBLIC)

/**
 * Lets a browser keep the answer to a form, so that going back to it shows it again with what was typed, rather than asks
 * whether to send the form once more. For pages whose URL contains no token.
 */
export const keepForBack = (reply: FastifyReply): FastifyReply =>
  reply.request.method === 'POST' ? reply.header('cache-control', 'private, no-cache') : reply

const originOf = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)

/**
 * Whether a request that changes something came from another site's page: by `Sec-Fetch-Site`, or by `Origin` where a
 * browser does not send that. A request with neither header (from a mail program, a script, an older browser) counts as
 * ours: the token is the authority, and there is no cookie that gives a right (`voter-cookie`).
 */
export const isCrossSite = (request: FastifyRequest, baseUrl: string): boolean => {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const { origin } = request.headers
  if (origin === undefined || origin === 'null') return false
  return originOf(origin)?.origin !== new URL(baseUrl).origin && originOf(origin)?.host !== request.host
}

export const isJson = (request: FastifyRequest): boolean => (request.headers['content-type'] ?? '').includes('json')

/** Takes out of a body what its route's schema does not know, where that is closed; returns the names. */
export const takeUnknownFields = (request: FastifyRequest): string[] => {
  const { body } = request
  const schema = request.routeOptions.schema?.body as
    | { properties?: object; additionalProperties?: boolean }
    | undefined
  if (schema?.additionalProperties !== false || typeof body !== 'object' || body === null || Array.isArray(body))
    return []
  const known = Object.entries(body).filter(([name]) => Object.hasOwn(schema.properties ?? {}, name))
  const unknown = Object.keys(body).filter((name) => !Object.hasOwn(schema.properties ?? {}, name))
  request.body = Object.fromEntries(known)
  return unknown
}

/** The names in a query that its route has nothing for. */
export const unknownInQuery = (request: FastifyRequest): string[] => {
  const { properties = {} } = (request.routeOptions.schema?.querystring ?? {}) as { properties?: object }
  return Object.keys(request.query as object).filter((name) => !Object.hasOwn(properties, name))
}

const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls)
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value
}

/**
 * Replaces each NUL in the parameters of a path and in a query: no text that we hold has one, and Postgres refuses a query
 * for one instead of finding nothing.
 */
export const replaceNulls = (request: FastifyRequest): void => {
  for (const fields of [request.params, request.query] as Record<string, unknown>[])
    for (const [name, value] of Object.entries(fields ?? {})) fields[name] = withoutNulls(value)
}
