/** Whether a process is alive, and whether it can do its work; every process has these routes for its supervisor. */
import Fastify, { type FastifyInstance } from 'fastify'
import { LittleSpace } from '../core/disk-space.ts'
import { describeError } from '../core/redact.ts'
import { CONNECTION_LIMITS, connectionOptions } from './connections.ts'
import { metricsRoute } from './operator.ts'
import type { Site } from './site.ts'

export type Health = Pick<Site, 'ready' | 'log'>

/** Milliseconds; a check that takes longer has failed, since supervisors do not wait long themselves. */
const READY_TIMEOUT = 3_000

export const healthRoutes = (app: Pick<FastifyInstance, 'get'>, { ready, log }: Health): void => {
  const check = createSharedCheck(ready)

  const config = { perMinute: null }
  app.get('/healthz', { config }, async () => ({ status: 'ok' }))

  app.get('/readyz', { config }, async (_, reply) => {
    try {
      return { status: 'ready', ...(await check()) }
    } catch (error) {
      log.warn({ error: describeError(error) }, 'the process is not ready')
      // Other errors may name what is nobody else's business.
      const reason = error instanceof LittleSpace ? { reason: error.message } : {}
      return reply.code(503).send({ status: 'not ready', ...reason })
    }
  })
}

/** Builds the routes for a process without the site; its caller makes them listen. */
export const buildHealthApp = (
  health: Health & { metrics: Pick<Site['metrics'], 'contentType' | 'read'> },
): FastifyInstance => {
  const app = Fastify({ logger: false, forceCloseConnections: true, ...connectionOptions(CONNECTION_LIMITS, {}) })
  app.setErrorHandler((error, _, reply) => {
    health.log.warn({ error: describeError(error) }, 'a request failed')
    return reply.code(500).send({ status: 'error' })
  })
  healthRoutes(app, health)
  metricsRoute(app, health.metrics)
  return app
}

/** One check at a time, shared by all requests: when nothing responds, each check would hold one more connection. */
const createSharedCheck = (ready: Health['ready']) => {
  let checking: ReturnType<Health['ready']> | null = null
  return async () => {
    checking ??= ready().finally(() => {
      checking = null
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${READY_TIMEOUT} ms`)), READY_TIMEOUT)
    })
    try {
      return await Promise.race([checking, late])
    } finally {
      clearTimeout(timer)
    }
  }
}
