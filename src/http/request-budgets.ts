/** How many requests of one client a minute are served, so that nobody keeps the service from others. */
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { LRUCache } from 'lru-cache'
import { clientNetwork } from '../core/client-network.ts'
import { sendErrorPage } from './errors.ts'
import { type App, isApi, type Site } from './site.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * How many requests of one client a minute are served; `null` for any number. Left out, it goes by what the route does
     * (`budgetOf`). Routes with the same number share one budget.
     */
    perMinute?: number | null
  }
}

/** Requests a minute of one client, which may be a university behind one address, or a proxy that scans mail. */
export const BUDGET = {
  /** Suggestions of papers: as many as a person types, from a lecture hall. */
  suggestion: 20,
  /** What is made anew for each choice. */
  preview: 60,
  /** What looks through all papers. */
  search: 90,
  /** Pages of papers, topics, authors and past weeks: there are tens of thousands, and a crawler takes its time. */
  archive: 240,
  /** What writes to the database: a lecture hall subscribes within it. */
  form: 300,
  page: 600,
  /** Pages behind a link of an email: scanners open all of a company's at once, and one that is refused warns of the mail. */
  link: 3_000,
}

/** The budget of a route that names none. */
export const budgetOf = ({ url, method, config }: Pick<RouteOptions, 'url' | 'method' | 'config'>): number | null => {
  if (config?.perMinute !== undefined) return config.perMinute
  if (method !== 'GET' && method !== 'HEAD') return BUDGET.form
  return url.includes('/:token') ? BUDGET.link : BUDGET.page
}

const MINUTE = 60_000
/** Clients remembered; the one that was not seen for longest begins anew. */
const MAX_CLIENTS = 20_000

/** Answers 429 to a client that has used up its minute; `now`: a monotonic clock, milliseconds. */
export const limitRequests = (app: App, site: Pick<Site, 'pages' | 'log'>, now: () => number): void => {
  const used = new LRUCache<string, { tokens: number; at: number }>({ max: MAX_CLIENTS })
  const warn = createProxyWarning(site)
  app.addHook('onRequest', async (request, reply) => {
    warn(request)
    const { url = '', config } = request.routeOptions
    const perMinute = budgetOf({ url, method: request.method, config })
    if (perMinute === null) return
    const key = `${perMinute} ${clientNetwork(request.ip)}`
    const at = now()
    const before = used.get(key) ?? { tokens: perMinute, at }
    const tokens = Math.min(perMinute, before.tokens + ((at - before.at) / MINUTE) * perMinute)
    const left = Math.max(0, tokens - 1)
    used.set(key, { tokens: left, at })
    if (isApi(request)) reply.headers(limitHeaders(perMinute, left))
    if (tokens < 1) return sendTooMany(request, reply, site, Math.ceil(((1 - tokens) / perMinute) * 60))
  })
}

/** The budget and what is left of it, in whole requests; `t`: seconds until it is whole again. https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
const limitHeaders = (perMinute: number, left: number): Record<string, string> => {
  const name = Object.entries(BUDGET).find(([, budget]) => budget === perMinute)?.[0] ?? 'requests'
  return {
    'ratelimit-policy': `"${name}";q=${perMinute};w=60`,
    ratelimit: `"${name}";r=${Math.floor(left)};t=${Math.ceil(((perMinute - left) / perMinute) * 60)}`,
  }
}

const sendTooMany = (
  request: FastifyRequest,
  reply: FastifyReply,
  site: Pick<Site, 'pages'>,
  seconds: number,
): FastifyReply =>
  sendErrorPage(request, reply.header('retry-after', seconds), site, {
    status: 429,
    heading: 'Too many requests',
    sentence: `We’ve had many requests for this page from your network. Please try again in ${seconds === 1 ? 'a second' : `${seconds} seconds`}.`,
  })

/** Says once that a proxy forwards requests which is not trusted: all its clients are counted as one then. */
const createProxyWarning = ({ log }: Pick<Site, 'log'>) => {
  let warned = false
  return (request: FastifyRequest): void => {
    // With TRUST_PROXY, `ips` holds who was forwarded for.
    if (warned || request.ips !== undefined || request.headers['x-forwarded-for'] === undefined) return
    warned = true
    log.warn(
      {},
      'requests come through a proxy that TRUST_PROXY does not name, so all its clients share the limits of one; set TRUST_PROXY to its network',
    )
  }
}
