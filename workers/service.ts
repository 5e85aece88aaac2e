/** The service: opens what every process needs, then its roles, and closes all of it. */
import { setTimeout as delay } from 'node:timers/promises'
import { createMetrics } from '../src/adapters/metrics.ts'
import { openQueue, type Queue } from '../src/adapters/queue/queue.ts'
import type { QueueName } from '../src/adapters/queue/queue-names.ts'
import { SECOND } from '../src/core/calendar.ts'
import { LittleSpace } from '../src/core/disk-space.ts'
import type { Log } from '../src/core/log.ts'
import { describeError } from '../src/core/redact.ts'
import { clockError } from '../src/newsletter/clock.ts'
import { createEditionReader } from '../src/newsletter/editions.ts'
import { createFigureReader } from '../src/newsletter/figures.ts'
import { openDatabase } from '../src/store/database.ts'
import { watchSchema } from '../src/store/schema-watch.ts'
import { watchAlarms } from './alarms.ts'
import { UnusableClock } from './clock.ts'
import type { Config } from './config/config.ts'
import { createReadiness } from './readiness.ts'
import type { RoleContext, ServiceContext } from './roles/context.ts'
import type { Role } from './roles/role.ts'
import { openTracingOf } from './tracing.ts'
import { readVersion } from './version.ts'
import { watchWebhooks } from './webhooks.ts'

export interface Service {
  /** Where the site listens; `null` without the role `api`. */
  url: string | null
  /** The first of the pages for operators; `null` where there are none. */
  adminUrl: string | null
  /** The port on which bounces are received; `null` where they are not. */
  bouncesPort: number | null
  close(): Promise<void>
}

/** Jobs under way at a stop have this long to end: Docker kills a container after 10 seconds. */
const CLOSE_TIMEOUT = 6 * SECOND

/** How long a request may wait for the queue before it is answered without. */
const WAKE_TIMEOUT = SECOND / 10

/** How long a server whose disk was full is asked for nothing that needs more space. */
const FULL_FOR = 10 * SECOND

/** How long a process may run beside a schema that is too new for it, as long as no query of its own fails. */
const SCHEMA_CHECK_INTERVAL = 30 * SECOND

/** Keeps what was opened, to be closed in the opposite order: what was opened later may need what was opened before. */
type Keep = <T extends { close(): Promise<unknown> }>(opened: T) => T

/**
 * Starts the roles; when the promise resolves, all of them are ready. Throws `UnusableClock` and `UnusableQueue`, and the
 * system's own error when a port is in use. `onOutdated` gets the error when the schema has been migrated to one that
 * this version cannot run on; the process is to end then. Once `signal` is aborted nothing more is opened, what was opened
 * is closed, and its reason is thrown: a stop need not wait for the rest of a start.
 */
export const startService = async (
  config: Config,
  service: ServiceContext,
  roles: ReadonlySet<Role>,
  onOutdated: (error: Error) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Service> => {
  const { databaseUrl, now, log } = service
  await using opened = new AsyncDisposableStack()
  const keep: Keep = (part) => {
    // One that fails must not keep the others open.
    opened.defer(async () => {
      await part.close().catch((error) => log.error({ error: describeError(error) }, 'a part could not be closed'))
    })
    signal?.throwIfAborted()
    return part
  }
  // First, so that it sees all that follows, and is closed last.
  const tracing = await openTracingOf(config, log)
  if (tracing !== null) keep(tracing)
  let fullUntil = Number.NEGATIVE_INFINITY
  const db = openDatabase(databaseUrl, {
    connections: 10,
    name: `paper-round ${[...roles].join('+')}`,
    onError: (error) => log.warn({ error: describeError(error) }, 'a database connection broke'),
    onMissing: () => schema.check(),
    onFull: () => {
      fullUntil = performance.now() + FULL_FOR
    },
  })
  keep({ close: () => db.destroy() })
  const schema = keep(watchSchema(db, { everyMs: SCHEMA_CHECK_INTERVAL, onOutdated }))
  if (roles.has('scheduler')) {
    const error = await clockError(db, now())
    if (error !== null) throw new UnusableClock(error)
  }
  if (roles.has('maintain')) {
    // Before anything is published: an edition needs its month.
    const { openMaintain } = await import('./roles/maintain.ts')
    keep(await openMaintain({ ...service, config, db }))
  }
  const queue = await openQueue({
    databaseUrl,
    redisUrl: config.redisUrl,
    workers: (roles.has('scheduler') ? 2 : 0) + (roles.has('mailer') ? 2 : 0),
    onError: (source, error) => log.error({ source, error: describeError(error) }, 'the queue reported an error'),
    onNotice: (notice) => log.warn({}, notice),
    ...(tracing === null ? {} : { telemetry: tracing.jobs }),
  })
  keep({ close: () => queue.close({ graceMs: CLOSE_TIMEOUT }) })
  const requireSpace = async () => {
    if (performance.now() < fullUntil) throw new LittleSpace('the database server says that its disk is full')
    await service.requireSpace?.()
  }
  const operations = {
    ready: createReadiness({ db, queue, roles, now, requireSpace }),
    editions: createEditionReader(db),
    metrics: createMetrics(createFigureReader(db, now), {
      info: { version: readVersion(), roles: [...roles].join('+') },
      onError: (error) => log.warn({ error: describeError(error) }, 'the figures for metrics could not be read'),
    }),
  }
  // Before the roles, so that a port in use ends the start before anything has been published or sent.
  if (config.healthPort !== null) {
    const { buildHealthApp } = await import('../src/http/health.ts')
    const health = keep(buildHealthApp({ ...operations, log }))
    await health.listen({ host: config.host, port: config.healthPort })
  }
  const ports = await openRoles(
    { ...service, config, db, queue, wake: createWake(queue, log), requireSpace, operations, tracing },
    roles,
    keep,
  )
  // In every process, since any of them may be the one that is down.
  keep(watchAlarms(config, { db, log, now, requireSpace, smtpUrl: service.smtpUrl }))
  const running = opened.move()
  return { ...ports, close: () => running.disposeAsync() }
}

/**
 * Opens the roles, but `maintain`. The code of a role is loaded only where the role is wanted: the relevance model, the
 * pages and the sources take tens of megabytes.
 */
const openRoles = async (
  context: RoleContext,
  roles: ReadonlySet<Role>,
  keep: Keep,
): Promise<Omit<Service, 'close'>> => {
  const { bounces, bounceDomain } = context.config
  let url: string | null = null
  let adminUrl: string | null = null
  let bouncesPort: number | null = null
  if (roles.has('api')) {
    const { openApi } = await import('./roles/api.ts')
    url = keep(await openApi(context)).url
    adminUrl = await startAdmin(context, keep)
  }
  if (roles.has('bounces') && bounces !== null && bounceDomain !== null) {
    const { openBounces } = await import('./roles/bounces.ts')
    bouncesPort = keep(await openBounces(context, bounces, bounceDomain)).port
  }
  if (roles.has('mailer')) {
    const { openMailer } = await import('./roles/mailer.ts')
    keep(await openMailer(context))
  }
  if (roles.has('scheduler')) {
    const { openScheduler } = await import('./roles/scheduler.ts')
    keep(await openScheduler(context))
    keep(watchWebhooks(context))
  }
  return { url, adminUrl, bouncesPort }
}

/** Starts the pages for operators where they are wanted; returns their address. */
const startAdmin = async (context: RoleContext, keep: Keep): Promise<string | null> => {
  const { admin } = context.config
  if (admin === null) return null
  const { openAdmin } = await import('./roles/admin.ts')
  const opened = await openAdmin(context, admin)
  return opened === null ? null : keep(opened).url
}

/** Wakes a queue without ever failing: a job that the queue refuses loses nothing, since the next tick finds the work. */
const createWake =
  (queue: Queue, log: Log) =>
  async (name: QueueName): Promise<void> => {
    const woken = queue
      .wake(name)
      .catch((error) =>
        log.warn({ queue: name, error: describeError(error) }, 'the queue refused a job; the next tick finds the work'),
      )
    await Promise.race([woken, delay(WAKE_TIMEOUT, undefined, { ref: false })])
  }
