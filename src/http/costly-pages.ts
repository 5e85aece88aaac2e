/**
 * Pages that take long to make: each client may have so many a minute, they are made one at a time, so that nobody's
 * sign-up waits behind forty previews, and a page of the same content is rendered once.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { clientNetwork } from '../core/client-network.ts'
import { sendErrorPage } from './errors.ts'
import type { App, Pages, Site } from './site.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How many requests of one client a minute are served; left out for any number. */
    perMinute?: number
  }
}

/** Of what is made anew for each choice, and of what is mostly made already. */
export const BUDGET = { preview: 60, page: 600 }

const MINUTE = 60_000
/** Clients remembered; the one that was not seen for longest begins anew. */
const MAX_CLIENTS = 20_000

/** Answers 429 to a client that has used up its minute of a route; `now`: a monotonic clock, milliseconds. */
export const limitRequests = (app: App, site: Pick<Site, 'pages'>, now: () => number): void => {
  const used = new LRUCache<string, { tokens: number; at: number }>({ max: MAX_CLIENTS })
  app.addHook('onRequest', async (request, reply) => {
    const { perMinute } = request.routeOptions.config
    if (perMinute === undefined) return
    const key = `${perMinute} ${clientNetwork(request.ip)}`
    const at = now()
    const before = used.get(key) ?? { tokens: perMinute, at }
    const tokens = Math.min(perMinute, before.tokens + ((at - before.at) / MINUTE) * perMinute)
    used.set(key, { tokens: Math.max(0, tokens - 1), at })
    if (tokens < 1) return sendTooMany(request, reply, site, Math.ceil(((1 - tokens) / perMinute) * 60))
  })
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

/** Runs one piece of work after the other, with room between them for requests that need little. */
export const createTurns = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(() => setImmediate()).then(work)
    // The next one goes on whatever became of this one, whose caller has the error.
    last = mine.catch(() => undefined)
    return mine
  }
}

/** Rendered pages kept, of some tens of kilobytes each. */
const MAX_PAGES = 200
/** The pages that anybody may see: no others are kept. */
const OPEN_PAGES = new Set(['home', 'day', 'preview', 'about'])

/** Pages of which those that anybody may see are rendered once for the same content. */
export const keepPages = (pages: Pages): Pages => {
  const kept = new LRUCache<string, string>({ max: MAX_PAGES })
  return {
    ...pages,
    render(name, view) {
      if (!OPEN_PAGES.has(name)) return pages.render(name, view)
      const key = createHash('sha256').update(name).update(JSON.stringify(view)).digest('base64')
      const known = kept.get(key)
      if (known !== undefined) return known
      const page = pages.render(name, view)
      kept.set(key, page)
      return page
    },
  }
}
