/** Whether a process lives, and whether it can do its work, for whoever watches over it; every process answers this. */
import Fastify, { type FastifyInstance } from 'fastify'
import type { Log } from '../core/log.ts'
import { describeError } from '../core/redact.ts'
import { metricsRoute } from './operator.ts'
import type { Site } from './site.ts'

export interface Health {
  /** Resolves when everything that the process needs answers, rejects with what does not. */
  ready: () => Promise<unknown>
  log: Log
}

/** Who asks has little patience, and an answer that does not come is an answer. Milliseconds. */
const PATIENCE = 3_000

export const healthRoutes = (app: Pick<FastifyInstance, 'get'>, { ready, log }: Health): void => {
  const look = createLook(ready)

  app.get('/healthz', async () => ({ status: 'ok' }))

  app.get('/readyz', async (_, reply) => {
    try {
      await look()
      return { status: 'ready' }
    } catch (error) {
      log.warn({ error: describeError(error) }, 'not ready')
      return reply.code(503).send({ status: 'not ready' })
    }
  })
}

/** For a process without the site. It does not listen; whoever builds it does that. */
export const buildHealthApp = (health: Health & Pick<Site, 'metrics'>): FastifyInstance => {
  const app = Fastify({ logger: false, forceCloseConnections: true })
  app.setErrorHandler((error, _, reply) => {
    health.log.warn({ error: describeError(error) }, 'no answer could be given')
    return reply.code(500).send({ status: 'error' })
  })
  healthRoutes(app, health)
  metricsRoute(app, health.metrics)
  return app
}

/** One look at a time, shared by all who ask: where nothing answers, each look would hold one more connection. */
const createLook = (ready: () => Promise<unknown>) => {
  let looking: Promise<unknown> | null = null
  return async (): Promise<void> => {
    looking ??= ready().finally(() => {
      looking = null
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE)
    })
    try {
      await Promise.race([looking, late])
    } finally {
      clearTimeout(timer)
    }
  }
}
