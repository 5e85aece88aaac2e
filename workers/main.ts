/** The service: all roles in one process on the embedded default, or the roles named as arguments. */
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { openMailbox } from '../src/adapters/mailbox.ts'
import { describeFault } from '../src/core/scrub.ts'
import { describeHoldings } from '../src/newsletter/intake.ts'
import { openDatabase } from '../src/store/database.ts'
import { type Config, readConfig } from './config.ts'
import { endWith, UsageError } from './exit.ts'
import { type Ground, openGround } from './ground.ts'
import { createLog } from './log.ts'
import { ROLES, type Role, type Service, startService } from './service.ts'

/** All must be closed within this, or the process ends as it is: a container gives no more than ten seconds. */
const CLOSE_WITHIN_MS = 9_000

const readRoles = (words: string[]): Set<Role> | 'migrate' => {
  if (words.length === 1 && words[0] === 'migrate') return 'migrate'
  const unknown = words.filter((word) => !ROLES.some((role) => role === word))
  if (unknown.length > 0)
    throw new UsageError(
      `there is no role ${unknown.join(', ')}; the roles are ${ROLES.join(', ')} and migrate (alone)`,
    )
  return new Set(words.length === 0 ? ROLES : ROLES.filter((role) => words.includes(role)))
}

const start = async (signal: AbortSignal): Promise<() => Promise<void>> => {
  const begun = performance.now()
  const roles = readRoles(process.argv.slice(2))
  const config = readConfig(process.env)
  const log = createLog(config.logLevel)
  const all = roles !== 'migrate' && roles.size === ROLES.length
  if (config.databaseUrl === null && !all && roles !== 'migrate')
    throw new UsageError('roles apart from each other need DATABASE_URL; without it start all of them: npm start')

  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const ground = await openGround(config, 'service', {
      migrate: all || roles === 'migrate',
      onNotice: (notice) => log.warn({}, notice),
      signal,
    })
    closers.push(ground.close)
    if (roles === 'migrate') {
      console.log('The database has the schema of this version.')
      await close()
      return async () => undefined
    }
    let mailbox: { smtpUrl: string; url: string } | null = null
    if (config.smtpUrl === null) {
      const opened = await openMailbox({
        httpPort: config.mailboxPort,
        folder: join(config.dataDir, 'mailbox'),
        now: ground.now,
        onError: (error) => log.warn({ trouble: describeFault(error) }, 'the mailbox had trouble'),
      })
      closers.push(opened.close)
      mailbox = opened
    }
    const service = await startService(
      config,
      {
        ...ground,
        log,
        smtpUrl: config.smtpUrl ?? mailbox?.smtpUrl ?? '',
        mailboxUrl: mailbox?.url ?? null,
      },
      roles,
    )
    closers.push(service.close)
    await announce(config, ground, service, mailbox, roles, performance.now() - begun)
    return close
  } catch (error) {
    await close()
    throw error
  }
}

/** Tells whoever started it where everything is. */
const announce = async (
  config: Config,
  ground: Ground,
  service: Service,
  mailbox: { url: string } | null,
  roles: Set<Role>,
  tookMs: number,
): Promise<void> => {
  const db = openDatabase(ground.databaseUrl, { connections: 1, name: 'paper-round start', onError: () => undefined })
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
        `  papers    ${await describeHoldings(db, ground.now())}; sources: ${sources.join(', ')}`,
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
const starting = start(interruption.signal)
// From here on: a signal during the start must not leave a Postgres behind either.
const grace = closeWithGrace({ delay: CLOSE_WITHIN_MS, logger: false }, async ({ err }) => {
  if (err !== undefined) endWith(err)
  interruption.abort()
  const close = await starting.catch(() => null)
  await close?.()
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
