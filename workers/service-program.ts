/** The service: all roles in one process on the embedded default, or the roles named as arguments. */
import closeWithGrace from 'close-with-grace'
import type { Log } from '../src/core/log.ts'
import { describeError } from '../src/core/redact.ts'
import { maintain } from '../src/newsletter/maintenance.ts'
import { deletePersonalData } from '../src/newsletter/personal-retention.ts'
import { openDatabase } from '../src/store/database.ts'
import { replacePassword } from '../src/store/passwords.ts'
import { prepareServingUser } from '../src/store/serving-user.ts'
import { announcementOf } from './announcement.ts'
import { isWholeService, type MaintenanceArguments, readCommandLine } from './command-line.ts'
import { type Config, loadConfig } from './config/config.ts'
import { COMPOSE_PASSWORD } from './config/production.ts'
import { endWith, ignoreClosedOutput, UsageError } from './exit.ts'
import { createForgetMails, mailboxFolder } from './forget-mails.ts'
import { createLog, logsJson } from './log.ts'
import { openRuntime, type Runtime } from './runtime.ts'
import { startService } from './service.ts'
import { readVersion } from './version.ts'

/** Milliseconds until the process ends whether all is closed or not: Docker kills a container after ten seconds. */
const CLOSE_TIMEOUT = 9_000

/** Does the maintenance once and prints what it did. */
const maintainOnce = async (
  runtime: Runtime,
  config: Config,
  { json, dryRun, months }: MaintenanceArguments,
): Promise<void> => {
  const db = openDatabase(runtime.databaseUrl, {
    connections: 1,
    name: 'paper-round maintain',
    onError: () => undefined,
  })
  try {
    const done = await maintain(db, { now: runtime.now(), keepDays: config.keepDeliveries, months, dryRun })
    const { keys, now } = runtime
    const forgetMails = config.smtpUrl === null ? createForgetMails(config) : undefined
    const personal =
      done && (await deletePersonalData({ db, keys, now, forgetMails }, { retention: config.retention, dryRun }))
    if (json) console.log(JSON.stringify(done === null ? { busy: true } : { ...done, personal }))
    else if (done === null) console.log('Another process does the maintenance at this moment; nothing was done.')
    else {
      const would = dryRun ? 'would be ' : ''
      const list = (all: string[]) => (all.length === 0 ? 'none' : all.join(', '))
      console.log(
        `Months of deliveries ${would}created: ${list(done.created)}; ${would}dropped: ${list(done.dropped)}.`,
      )
      for (const { month, unsettled } of done.kept)
        console.log(`${month} is old enough to be dropped and stays: ${unsettled} of its mails are not settled.`)
      const { letters, announcementMails, digests, observations, ...rest } = done.deleted
      console.log(
        `Rows ${would}deleted: ${letters} letters, ${announcementMails} mails of announcements, ${digests} digests, ${observations} observations, ` +
          `${rest.letterLimits + rest.signUpCounts} sign-up limits, ${rest.providerEvents} events of providers, ${rest.suggestions} suggestions.`,
      )
      if (personal !== null)
        console.log(
          `Personal data ${would}deleted: ${personal.leavers} who left, ${personal.clients} client addresses, ` +
            `${personal.consent} records of consent.`,
        )
    }
  } finally {
    await db.destroy()
  }
}

/** Starts what the arguments name. Returns what closes it; a task that ends by itself has closed everything before. */
const start = async (signal: AbortSignal): Promise<() => Promise<void>> => {
  const begun = performance.now()
  if (process.argv.slice(2).join() === '--version') {
    console.log(readVersion())
    return async () => undefined
  }
  const config = loadConfig(process.env)
  const task = readCommandLine(process.argv.slice(2), config)
  const log = createLog(config.logLevel)
  const whole = task.kind === 'serve' && isWholeService(task.roles)
  if (config.databaseUrl === null && task.kind === 'serve' && !whole)
    throw new UsageError('separate roles need DATABASE_URL; without it start all of them: npm start')

  if (
    task.kind === 'migrate' &&
    config.databaseUrl !== null &&
    (await replacePassword(config.databaseUrl, COMPOSE_PASSWORD))
  )
    console.log('The user of DATABASE_URL had the password that is for trying out; it now has the one of DATABASE_URL.')
  await using opened = new AsyncDisposableStack()
  const runtime = await openRuntime(config, 'service', {
    migrate: whole || task.kind === 'migrate',
    onNotice: (notice) => log.warn({}, notice),
    signal,
    onLost: endBecause,
  })
  opened.defer(runtime.close)
  if (task.kind === 'maintain') await maintainOnce(runtime, config, task.options)
  if (task.kind === 'migrate') {
    if (config.redisUrl === null) {
      const { prepareQueueSchema } = await import('../src/adapters/queue/postgres-backend.ts')
      await prepareQueueSchema(runtime.databaseUrl)
    }
    if (config.servingDatabaseUrl !== null) await prepareServingUser(runtime.databaseUrl, config.servingDatabaseUrl)
    console.log(describeSchema(runtime))
  }
  if (task.kind !== 'serve') return async () => undefined

  const mailbox = config.smtpUrl === null ? await openEmbeddedMailbox(config, runtime, log) : null
  if (mailbox !== null) opened.defer(mailbox.close)
  const { roles } = task
  const context = {
    ...runtime,
    log,
    smtpUrl: config.smtpUrl ?? mailbox?.smtpUrl ?? '',
    mailboxUrl: mailbox?.url ?? null,
    ...(mailbox === null ? {} : { forgetMails: createForgetMails(config) }),
  }
  const service = await startService(config, context, roles, endBecause, signal)
  opened.defer(service.close)
  const tookMs = performance.now() - begun
  console.log(await announcementOf({ config, runtime, service, mailbox, roles, tookMs }, logsJson()))
  const running = opened.move()
  return () => running.disposeAsync()
}

const describeSchema = ({ newer }: Runtime): string =>
  newer.length === 0
    ? 'The database has the schema of this version.'
    : `The database has a newer schema (${newer.join(', ')}), on which this version may run.`

const openEmbeddedMailbox = async (config: Config, { now }: Runtime, log: Log) => {
  const { openMailbox } = await import('../src/adapters/mailbox/mailbox.ts')
  return openMailbox({
    httpPort: config.mailboxPort,
    folder: mailboxFolder(config),
    now,
    onError: (error) => log.warn({ error: describeError(error) }, 'the mailbox reported an error'),
  })
}

ignoreClosedOutput()
const interruption = new AbortController()
/** Ends the process as a stop does, with the error as its last line, even where what is open cannot be closed in time. */
const endBecause = (error: Error): void => {
  process.once('exit', () => endWith(error))
  void grace.close()
}
const starting = start(interruption.signal)
// From here on: a signal during the start must not leave a Postgres behind either.
const grace = closeWithGrace({ delay: CLOSE_TIMEOUT, logger: false }, async ({ err }) => {
  if (err !== undefined) endWith(err)
  interruption.abort()
  const close = await starting.catch(() => null)
  await close?.()
})
try {
  await starting
} catch (error) {
  // A start that was interrupted has no error to report.
  if (!interruption.signal.aborted) {
    grace.uninstall()
    endWith(error)
  }
}
