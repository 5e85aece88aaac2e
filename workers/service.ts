/** The wiring of the service: what every process opens, then its roles, and how it all closes. */
import { setTimeout as delay } from 'node:timers/promises'
import { createMetrics } from '../src/adapters/metrics.ts'
import { openQueue, type Queue } from '../src/adapters/queue/queue.ts'
import type { QueueName } from '../src/adapters/queue/queue-names.ts'
import { MINUTE, SECOND } from '../src/core/calendar.ts'
import { describeError } from '../src/core/redact.ts'
import { clockError } from '../src/newsletter/clock.ts'
import { createEditionReader } from '../src/newsletter/editions.ts'
import { readFigures } from '../src/newsletter/figures.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import { readLastTick } from '../src/store/last-tick.ts'
import { ping } from '../src/store/papers/papers.ts'
import { watchSchema } from '../src/store/schema-watch.ts'
import { UnusableClock } from './clock.ts'
import type { Config } from './config/config.ts'
import type { RoleContext, ServiceRuntime } from './roles/context.ts'

export const ROLES = ['api', 'scheduler', 'mailer', 'maintain', 'bounces'] as const
export type Role = (typeof ROLES)[number]

export interface Service {
  /** Where the site listens; `null` without the role `api`. */
  url: string | null
  /** Where mail that came back is taken; `null` where it is not. */
  bouncesPort: number | null
  close(): Promise<void>
}

/** Work under way at a stop has this long to end; Docker's own patience is 10 seconds. */
const GRACE = 6 * SECOND

/** Whoever waits for an answer of ours does not wait longer than this for the queue. */
const WAKE_TIMEOUT = SECOND / 10

/** A scheduler that was not woken for so long has lost its queue, or hangs in an edition. */
const LONGEST_SILENCE = 5 * MINUTE

/** How long a process may go on beside a schema that is no longer for it, where no query of its own fails. */
const SCHEMA_CHECK = 30 * SECOND

/**
 * Starts the roles; when the promise resolves everything of theirs is ready. What a role alone needs is loaded with it:
 * the model of relevance, the pages and the sources weigh tens of megabytes.
 */
export const startService = async (
  config: Config,
  runtime: ServiceRuntime,
  roles: ReadonlySet<Role>,
  /** Hears that the schema has been migrated beyond this version, which is to end. */
  onOutdated: (error: Error) => void = () => undefined,
): Promise<Service> => {
  const { databaseUrl, now, log } = runtime
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    // What was opened last leans on what was opened first. One that fails must not keep the others open.
    for (const closer of closers.splice(0).reverse())
      await closer().catch((error) => log.error({ error: describeError(error) }, 'could not be closed'))
  }
  try {
    const db = openDatabase(databaseUrl, {
      connections: 10,
      name: `paper-round ${[...roles].join('+')}`,
      onError: (error) => log.warn({ error: error.message }, 'a database connection broke'),
      onMissing: () => schema.check(),
    })
    closers.push(() => db.destroy())
    const schema = watchSchema(db, { everyMs: SCHEMA_CHECK, onOutdated })
    closers.push(schema.close)
    if (roles.has('scheduler')) {
      const error = await clockError(db, now())
      if (error !== null) throw new UnusableClock(error)
    }

    const open = async <T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> => {
      const opened = await opening
      closers.push(opened.close)
      return opened
    }
    if (roles.has('maintain')) {
      // Before anything is published: an edition needs its month.
      const { openMaintain } = await import('./roles/maintain.ts')
      await open(openMaintain({ config, runtime, db }))
    }

    const queueNames = (roles.has('scheduler') ? 2 : 0) + (roles.has('mailer') ? 2 : 0)
    const queue = await openQueue({
      databaseUrl,
      redisUrl: config.redisUrl,
      workers: queueNames,
      onError: (where, error) => log.error({ where, error: describeError(error) }, 'the queue had trouble'),
      onNotice: (notice) => log.warn({}, notice),
    })
    closers.push(() => queue.close({ graceMs: GRACE }))
    // A bell that cannot be rung loses nothing: the sweep of the next tick finds what waits.
    const wake = async (queueName: QueueName) => {
      const woken = queue
        .wake(queueName)
        .catch((error) => log.warn({ queueName, error: describeError(error) }, 'a bell could not be rung'))
      await Promise.race([woken, delay(WAKE_TIMEOUT, undefined, { ref: false })])
    }

    // First of all, so that a port in use ends the start before anything has been published or sent.
    const ready = createReadiness({ db, queue, roles, now })
    const editions = createEditionReader(db)
    const metrics = createMetrics(() => readFigures(db, now()))
    if (config.healthPort !== null) {
      const { buildHealthApp } = await import('../src/http/health.ts')
      const health = buildHealthApp({ ready, log, metrics })
      closers.push(() => health.close())
      await health.listen({ host: config.host, port: config.healthPort })
    }

    const context: RoleContext = { config, runtime, db, queue, wake, looks: { ready, editions, metrics } }
    let url: string | null = null
    let bouncesPort: number | null = null
    if (roles.has('api')) {
      const { openApi } = await import('./roles/api.ts')
      url = (await open(openApi(context))).url
    }
    if (roles.has('bounces') && config.bounces !== null && config.bounceDomain !== null) {
      const { openBounces } = await import('./roles/bounces.ts')
      bouncesPort = (await open(openBounces(context, config.bounces, config.bounceDomain))).port
    }
    if (roles.has('mailer')) {
      const { openMailer } = await import('./roles/mailer.ts')
      await open(openMailer(context))
    }
    if (roles.has('scheduler')) {
      const { openScheduler } = await import('./roles/scheduler.ts')
      await open(openScheduler(context))
    }
    return { url, bouncesPort, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Needs {
  db: Database
  queue: Pick<Queue, 'ping'>
  roles: ReadonlySet<Role>
  now: () => Date
}

/** What must hold for the roles to do their work; rejects with what does not. */
const createReadiness = ({ db, queue, roles, now }: Needs): (() => Promise<void>) => {
  const begun = now().getTime()
  return async () => {
    await ping(db)
    // The site does without: what its bells would have said is found by the next tick.
    if (roles.has('scheduler') || roles.has('mailer')) await queue.ping()
    if (!roles.has('scheduler')) return
    const last = await readLastTick(db)
    const silence = now().getTime() - Math.max(begun, last?.getTime() ?? 0)
    if (silence > LONGEST_SILENCE) throw new Error(`no tick for ${Math.floor(silence / MINUTE)} minutes`)
  }
}
