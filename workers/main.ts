/** The service: all roles in one process on the embedded default, or the roles named as arguments. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { isDate } from '../src/core/calendar.ts'
import { describeError } from '../src/core/redact.ts'
import { describeHoldings } from '../src/newsletter/intake.ts'
import { maintain } from '../src/newsletter/maintenance.ts'
import { openDatabase } from '../src/store/database.ts'
import { type Config, readConfig } from './config/config.ts'
import { endWith, UsageError } from './exit.ts'
import { createLog } from './log.ts'
import { openRuntime, type Runtime } from './runtime.ts'
import { ROLES, type Role, type Service, startService } from './service.ts'

/** All must be closed within this, or the process ends as it is: a container gives no more than ten seconds. */
const CLOSE_WITHIN_MS = 9_000

type Work = { roles: Set<Role> } | 'migrate' | { maintain: { json: boolean; dryRun: boolean; months: string[] } }

const readWork = (words: string[], config: Config): Work => {
  if (words.length === 1 && words[0] === 'migrate') return 'migrate'
  const [first, ...rest] = words
  if (first === 'maintain' && rest.join() !== '--daily') return { maintain: readMaintenance(rest) }
  const roles = first === 'maintain' ? [first] : words
  const unknown = roles.filter((word) => !ROLES.some((role) => role === word))
  if (unknown.length > 0)
    throw new UsageError(
      `there is no role ${unknown.join(', ')}; the roles are ${ROLES.join(', ')} and migrate (alone)`,
    )
  if (roles.includes('bounces') && config.bounces === null)
    throw new UsageError('the role bounces needs BOUNCE_DOMAIN and BOUNCES_PORT')
  const isWanted = (role: Role) =>
    roles.length === 0 ? role !== 'bounces' || config.bounces !== null : roles.includes(role)
  return { roles: new Set(ROLES.filter(isWanted)) }
}

const readMaintenance = (words: string[]) => {
  try {
    const options = { json: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, month: { type: 'string' } } as const
    const { values } = parseArgs({ args: words, options, allowPositionals: false })
    const { month } = values
    if (month !== undefined && !isDate(`${month}-01`)) throw new Error('--month is written as 2026-04')
    return {
      json: values.json ?? false,
      dryRun: values['dry-run'] ?? false,
      months: month === undefined ? [] : [month],
    }
  } catch (error) {
    const usage = 'main.ts maintain [--daily | [--dry-run] [--json] [--month YYYY-MM]]'
    throw new UsageError(`${(error as Error).message}; usage: ${usage}`)
  }
}

/** Does the maintenance once and says what it did. */
const maintainOnce = async (
  runtime: Runtime,
  config: Config,
  { json, dryRun, months }: { json: boolean; dryRun: boolean; months: string[] },
): Promise<void> => {
  const db = openDatabase(runtime.databaseUrl, {
    connections: 1,
    name: 'paper-round maintain',
    onError: () => undefined,
  })
  try {
    const done = await maintain(db, { now: runtime.now(), keepDays: config.keepDeliveries, months, dryRun })
    if (json) console.log(JSON.stringify(done ?? { busy: true }))
    else if (done === null) console.log('Another process is at it; nothing was done.')
    else {
      const would = dryRun ? 'would be ' : ''
      const list = (all: string[]) => (all.length === 0 ? 'none' : all.join(', '))
      console.log(`Months of deliveries ${would}made: ${list(done.created)}; ${would}dropped: ${list(done.dropped)}.`)
      for (const { month, unsettled } of done.kept)
        console.log(`${month} is old enough to go and stays: ${unsettled} mails of it are not settled.`)
      const { letters, digests, observations, letterLimits, providerEvents } = done.deleted
      console.log(
        `Rows ${would}deleted: ${letters} letters, ${digests} digests, ${observations} observations, ` +
          `${letterLimits} sign-up limits, ${providerEvents} events of providers.`,
      )
    }
  } finally {
    await db.destroy()
  }
}

const start = async (signal: AbortSignal): Promise<() => Promise<void>> => {
  const begun = performance.now()
  const config = readConfig(process.env)
  const work = readWork(process.argv.slice(2), config)
  const log = createLog(config.logLevel)
  const roles = typeof work === 'object' && 'roles' in work ? work.roles : null
  // Mail that comes back may be taken elsewhere, or nowhere.
  const all = roles !== null && ROLES.every((role) => role === 'bounces' || roles.has(role))
  if (config.databaseUrl === null && roles !== null && !all)
    throw new UsageError('roles apart from each other need DATABASE_URL; without it start all of them: npm start')

  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const runtime = await openRuntime(config, 'service', {
      migrate: all || work === 'migrate',
      onNotice: (notice) => log.warn({}, notice),
      signal,
    })
    closers.push(runtime.close)
    if (roles === null) {
      if (typeof work === 'object' && 'maintain' in work) await maintainOnce(runtime, config, work.maintain)
      else if (runtime.newer.length === 0) console.log('The database has the schema of this version.')
      else console.log(`The database has a newer schema (${runtime.newer.join(', ')}), on which this version may run.`)
      await close()
      return async () => undefined
    }
    let mailbox: { smtpUrl: string; url: string } | null = null
    if (config.smtpUrl === null) {
      const { openMailbox } = await import('../src/adapters/mailbox/mailbox.ts')
      const opened = await openMailbox({
        httpPort: config.mailboxPort,
        folder: join(config.dataDir, 'mailbox'),
        now: runtime.now,
        onError: (error) => log.warn({ error: describeError(error) }, 'the mailbox had trouble'),
      })
      closers.push(opened.close)
      mailbox = opened
    }
    const service = await startService(
      config,
      {
        ...runtime,
        log,
        smtpUrl: config.smtpUrl ?? mailbox?.smtpUrl ?? '',
        mailboxUrl: mailbox?.url ?? null,
      },
      roles,
      endOutdated,
    )
    closers.push(service.close)
    await announce(config, runtime, service, mailbox, roles, performance.now() - begun)
    return close
  } catch (error) {
    await close()
    throw error
  }
}

/** Tells whoever started it where everything is. */
const announce = async (
  config: Config,
  runtime: Runtime,
  service: Service,
  mailbox: { url: string } | null,
  roles: Set<Role>,
  tookMs: number,
): Promise<void> => {
  const db = openDatabase(runtime.databaseUrl, { connections: 1, name: 'paper-round start', onError: () => undefined })
  try {
    const sources = config.sources.map((source) => (source.kind === 'file' ? `file:${source.path}` : source.kind))
    const embedded = [config.databaseUrl === null ? 'Postgres' : null, mailbox === null ? null : 'the mailbox'].filter(
      (part) => part !== null,
    )
    console.log(
      [
        `Paper Round is ready after ${(tookMs / 1000).toFixed(1)} s (${[...roles].join(', ')}).`,
        ...(service.url === null ? [] : [`  site      ${service.url}`]),
        mailbox === null
          ? '  mail      by SMTP_URL'
          : `  mailbox   ${mailbox.url}  (every mail sent; none leaves this machine)`,
        `  papers    ${await describeHoldings(db, runtime.now())}; sources: ${sources.join(', ')}`,
        ...(service.bouncesPort === null ? [] : [`  bounces   taken on port ${service.bouncesPort}`]),
        `  queue     on ${config.redisUrl === null ? 'Postgres' : 'Redis'}`,
        ...(embedded.length === 0 ? [] : [`  embedded  ${embedded.join(', ')}; data in ${config.dataDir}`]),
        ...(config.clock === null ? [] : [`  clock     started at ${config.clock.toISOString()}`]),
      ].join('\n'),
    )
  } finally {
    await db.destroy()
  }
}

const interruption = new AbortController()
let outdated: Error | null = null
/** Ends the process as a stop does, with what is to be done as its last word. */
const endOutdated = (error: Error): void => {
  outdated = error
  void grace.close()
}
const starting = start(interruption.signal)
// From here on: a signal during the start must not leave a Postgres behind either.
const grace = closeWithGrace({ delay: CLOSE_WITHIN_MS, logger: false }, async ({ err }) => {
  if (err !== undefined) endWith(err)
  interruption.abort()
  const close = await starting.catch(() => null)
  await close?.()
  if (outdated === null) return
  endWith(outdated)
  process.exit()
})
try {
  await starting
} catch (error) {
  // A start that was called off has nothing to complain of.
  if (!interruption.signal.aborted) {
    grace.uninstall()
    endWith(error)
  }
}
