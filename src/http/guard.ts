/** What holds for every request: security headers, and that forms come from our own pages. */
import type { FastifyReply, FastifyRequest } from 'fastify'

/** No script, no frames, nothing from elsewhere; forms go to us alone. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

/** The home page alone has a script: it fills in the reader's time zone. */
export const POLICY_WITH_SCRIPT = `${POLICY}; script-src 'self'`

/**
 * The headers of every answer. Nothing is stored or indexed unless a route says otherwise: most of our addresses carry
 * a token. `same-origin` and not `no-referrer`, with which browsers send `Origin: null` on our own forms.
 */
export const securityHeaders = (https: boolean): Record<string, string> => ({
  'content-security-policy': POLICY,
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
  ...(https ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
})

/** Lets a page be indexed, and kept as long as it is asked for again each time. */
export const makePublic = (reply: FastifyReply): FastifyReply =>
  reply.removeHeader('x-robots-tag').header('cache-control', 'no-cache')

const originOf = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null)

/**
 * Whether a request that changes something came from another site's page. A browser says so in `Sec-Fetch-Site`; one
 * that does not is judged by `Origin`. Neither header (a mail program, a script, an older browser) is no sign of
 * another site: the token is the authority, and there are no cookies that a foreign page could make use of.
 */
export const isCrossSite = (request: FastifyRequest, baseUrl: string): boolean => {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const { origin } = request.headers
  if (origin === undefined || origin === 'null') return false
  return originOf(origin)?.origin !== new URL(baseUrl).origin && originOf(origin)?.host !== request.host
}
