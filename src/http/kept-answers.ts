/**
 * Answers that are the same for all who ask, kept whole: status, headers, body and ETag. One is given again while the archive has
 * the same version (`newsletter/archive/archive-version`).
 *
 * A route says so by `kept`. An answer is kept under the parameters of its path and those of its query that its schema names,
 * so that whatever else is in a link needs no room; what stands in a form of when it was shown is put in anew each time.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { ArchiveVersion } from '../newsletter/archive/archive-version.ts'
import { STAMP, tagPage } from './revalidation.ts'
import { type App, type Site, wantsJson } from './site.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The answer is the same for all who ask, until the archive changes. For no address with a token, and no form that was
     * sent: what is kept for one is given to others.
     */
    kept?: boolean
  }
}

/** Octets of all answers that are kept: a page has some 50,000, and previews are as many as choices. */
const MAX_OCTETS = 16_000_000
/** Of one. */
const MAX_ANSWER = 1_000_000
/** What an answer takes besides its body and its key, octets. */
const OVERHEAD = 1_000
/** The headers that routes give to an answer. All others are of the request, or the same for each. */
const HEADERS = [
  'content-type',
  'cache-control',
  'content-security-policy',
  'x-robots-tag',
  'etag',
  'last-modified',
] as const

interface Answer {
  version: string
  headers: [name: string, value: string | undefined][]
  /** The body, cut where a stamp goes. */
  parts: Buffer[]
}

/** An answer that is being made, for which others wait. */
interface Making {
  key: string
  version: string
  done: Promise<void>
  settle(): void
}

const startMaking = (key: string, version: string): Making => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { key, version, done: promise, settle: resolve }
}

/** What tells an answer from all others of the site. */
const keyOf = (request: FastifyRequest): string => {
  const { url, schema } = request.routeOptions
  const { properties = {} } = (schema?.querystring ?? {}) as { properties?: object }
  const query = request.query as Record<string, unknown>
  const asked = Object.keys(properties).map((name) => (Object.hasOwn(query, name) ? query[name] : null))
  return JSON.stringify([url, request.params, asked, wantsJson(request)])
}

const bodyOf = ({ parts }: Answer, stamp: () => string): Buffer => {
  const [whole, ...more] = parts
  if (whole !== undefined && more.length === 0) return whole
  const stamped = Buffer.from(stamp())
  return Buffer.concat(parts.flatMap((part, n) => (n === 0 ? [part] : [stamped, part])))
}

const sizeOf = ({ parts }: Answer, key: string): number =>
  parts.reduce((sum, { length }) => sum + length, OVERHEAD + 2 * key.length)

export interface KeptAnswers {
  archiveVersion: ArchiveVersion
  subscriptions: Pick<Site['subscriptions'], 'stampForm'>
}

/** Keeps the answers of all routes that say so. To be called before `revalidatePages`, for what is kept is whole. */
export const keepAnswers = (app: App, { archiveVersion, subscriptions }: KeptAnswers): void => {
  const kept = new LRUCache<string, Answer>({
    maxSize: MAX_OCTETS,
    maxEntrySize: MAX_ANSWER,
    sizeCalculation: sizeOf,
  })
  /** By key: one request makes an answer, and those that come meanwhile wait for it. */
  const making = new Map<string, Making>()
  const makers = new WeakMap<FastifyRequest, Making>()

  const give = (reply: FastifyReply, answer: Answer): FastifyReply => {
    for (const [name, value] of answer.headers)
      if (value === undefined) reply.removeHeader(name)
      else reply.header(name, value)
    return reply.send(bodyOf(answer, () => subscriptions.stampForm()))
  }

  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.config?.kept !== true) return
    const key = keyOf(request)
    const version = await archiveVersion.read()
    const find = () => {
      const answer = kept.get(key)
      return answer?.version === version ? answer : undefined
    }
    const known = find()
    if (known !== undefined) return give(reply, known)
    const other = making.get(key)
    if (other?.version === version) {
      await other.done
      const made = find()
      // What was not kept, as a page that is not found, each makes for themselves.
      return made === undefined ? undefined : give(reply, made)
    }
    const mine = startMaking(key, version)
    making.set(key, mine)
    makers.set(request, mine)
  })

  const settle = (request: FastifyRequest): void => {
    const mine = makers.get(request)
    if (mine === undefined) return
    makers.delete(request)
    if (making.get(mine.key) === mine) making.delete(mine.key)
    mine.settle()
  }

  app.addHook('onSend', async (request, reply, payload) => {
    // Whoever changed something sees it on the next page.
    if (request.method !== 'GET' && request.method !== 'HEAD') archiveVersion.expire()
    const mine = makers.get(request)
    if (mine === undefined) return payload
    const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload)
    if (isWhole && reply.statusCode === 200 && !reply.hasHeader('set-cookie')) {
      if (typeof payload === 'string') tagPage(reply, payload)
      kept.set(mine.key, {
        version: mine.version,
        headers: HEADERS.map((name) => [name, reply.getHeader(name)?.toString()]),
        parts:
          typeof payload === 'string' ? payload.split(STAMP).map((part) => Buffer.from(part)) : [Buffer.from(payload)],
      })
    }
    settle(request)
    return payload
  })
  // Of a request that nothing was sent for.
  app.addHook('onResponse', async (request) => settle(request))
  app.addHook('onRequestAbort', async (request) => settle(request))
}
