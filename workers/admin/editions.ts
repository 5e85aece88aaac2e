/** `editions …`: publish digests, see what became of them, send them again, pause, resume and cancel them. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DAY, HOUR } from '../../src/core/calendar.ts'
import { MAIL_STATES, type MailState } from '../../src/core/sending/ledger.ts'
import { cancelEdition, finishCancellations } from '../../src/newsletter/edition-cancellation.ts'
import {
  MISSED,
  pauseEdition,
  type Resend,
  resendMissed,
  resumeEdition,
  streamMissed,
} from '../../src/newsletter/edition-control.ts'
import { listEditions, readEditionAccount } from '../../src/newsletter/editions.ts'
import { maintainMonths } from '../../src/newsletter/maintenance.ts'
import { planPublication } from '../../src/newsletter/publishing/publication-plan.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { UsageError } from '../exit.ts'
import { createLog } from '../log.ts'
import { editionId, instant, print, someOf } from './arguments.ts'
import { type CliContext, type RunCommand, wakeOrNotify } from './context.ts'
import { accountText, listText, missedText, requeuedText } from './edition-report.ts'
import { aheadText, cancelText, type Planned, type Published, publishText } from './publication-report.ts'

const positive = (text: string): number => {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('write a number')
  return Number(text)
}

export const editionCommands = (program: Command, run: RunCommand): void => {
  const editions = program
    .command('editions')
    .description('publish digests, see what became of them, send them again, pause, resume and cancel')
  publishCommand(editions, run)
  reportCommands(editions, run)
  resendCommands(editions, run)
  pauseCommands(editions, run)
  cancelCommand(editions, run)
}

/** Publishing for a time further ahead than this is asked about: a mistyped date would silence the service until then. */
const MAX_AHEAD = HOUR

const publishCommand = (editions: Command, run: RunCommand): void => {
  editions
    .command('publish')
    .description(
      'publish everything that is due, as if the clock stood at an instant; running it twice sends nothing twice. For an\n' +
        'instant more than an hour ahead it needs --yes: whoever is due by then gets a digest now, and no other before',
    )
    .option('--at <instant>', 'such as 2026-04-15T12:00:00Z; without it, the time now', instant)
    .option('--dry-run', 'publish nothing; print who would get a digest, and when they would be due next')
    .option('--yes', 'publish for an instant more than an hour ahead')
    .action(async (options: { at?: Date; dryRun?: boolean; yes?: boolean }) => {
      let refused: string | null = null
      await run(async (context): Promise<Published | Planned> => {
        const now = context.now()
        const at = options.at ?? now
        const isAhead = at.getTime() - now.getTime() > MAX_AHEAD
        if (options.dryRun || (isAhead && !options.yes)) {
          if (!options.dryRun)
            refused = `${at.toISOString()} is ${aheadText(at, now)}: nothing was published; to publish for then, add --yes`
          return { dryRun: true, ...(await planPublication(context.db, at, now)) }
        }
        // Only `maintain` creates tables in a database of DATABASE_URL; the embedded one has no such role.
        if (context.config.databaseUrl === null) await createMonthsAround(context, at)
        const log = createLog('warn')
        await finishCancellations({ db: context.db, log, now: context.now })
        const published = await publishDue({ db: context.db, log, wake: async () => undefined }, at)
        if (published.owed > 0) await wakeOrNotify(context)
        return { dryRun: false, at, ...published }
      }, publishText)
      if (refused !== null) throw new UsageError(refused)
    })
}

/** The months that the deliveries of an edition may lie in: the local date may be the day before, or the day after. */
const createMonthsAround = async ({ db, config, now }: CliContext, at: Date): Promise<void> => {
  const months = [-DAY, 0, DAY].map((days) => new Date(at.getTime() + days).toISOString().slice(0, 7))
  await maintainMonths(db, { now: now(), keepDays: config.keepDeliveries, months })
}

const reportCommands = (editions: Command, run: RunCommand): void => {
  editions
    .command('list')
    .description('the newest editions, each with its equation')
    .option('--most <n>', 'how many', positive, 20)
    .action((options: { most: number }) =>
      run(
        async ({ db }) => ({ editions: await listEditions(db, options.most) }),
        (result) => listText(result.editions),
      ),
    )

  editions
    .command('show')
    .description('one edition: its equation, states and reasons, when it was begun, published and completed')
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      run(async ({ db }) => {
        const account = await readEditionAccount(db, id)
        if (account === null) throw new UsageError(`there is no edition ${id}; editions list shows those there are`)
        return account
      }, accountText),
    )

  editions
    .command('missed')
    .description(
      'who did not get it: address, state, reason, and the reply of the server, separated by tabs; with --json one object a line',
    )
    .argument('<id>', 'its number', editionId)
    .addOption(
      new Option('--state <a,b>', 'only these')
        .argParser(someOf(MAIL_STATES.filter((state) => state !== 'sent')))
        .default([...MISSED], MISSED.join(',')),
    )
    .option('--reason <text>', 'only where the reason contains this, such as "550 5.1.1"')
    .action((id: number, options: { state: MailState[]; reason?: string }) =>
      run(async ({ db, json }) => {
        const which = { states: options.state, reason: options.reason ?? null }
        await streamMissed(db, id, which, (rows) =>
          print(rows.map((row) => (json ? JSON.stringify(row) : missedText(row)))),
        )
        return null
      }),
    )
}

const resendCommands = (editions: Command, run: RunCommand): void => {
  const resend = async (context: CliContext, id: number, which: Resend) => {
    const result = await resendMissed(context.db, id, which, context.actor)
    if (result.requeued > 0) await wakeOrNotify(context)
    return { edition: id, ...result }
  }

  editions
    .command('resend')
    .description(
      'send it to those who did not get it: puts their deliveries back in the queue, with all their attempts. What was\n' +
        'sent is never touched, what is no longer wanted is skipped, and a digest without papers stays unsent. Of the\n' +
        'unknown the server may have a copy: they get the same Message-ID and are counted as resent (for these alone:\n' +
        'editions release)',
    )
    .argument('<id>', 'its number', editionId)
    .addOption(
      new Option('--state <a,b>', `some of ${MISSED.join(',')}`)
        .argParser(someOf(MISSED))
        .default(['failed', 'unknown'], 'failed,unknown'),
    )
    .option('--subscriber <address>', 'to this one only')
    .action((id: number, options: { state: MailState[]; subscriber?: string }) =>
      run(
        (context) =>
          resend(context, id, {
            states: options.state,
            subscriber: options.subscriber === undefined ? null : { email: options.subscriber },
          }),
        requeuedText,
      ),
    )

  editions
    .command('release')
    .description(
      'send the digests that are held as unknown (ON_UNKNOWN=hold): the same as resend --state unknown, with the same\n' +
        'Message-ID as before; each is counted as resent, since it may arrive a second time',
    )
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      run((context) => resend(context, id, { states: ['unknown'], subscriber: null }), requeuedText),
    )
}

const pauseCommands = (editions: Command, run: RunCommand): void => {
  editions
    .command('pause')
    .description('claim nothing more of an edition; what the mailers have claimed is finished, and others go on')
    .argument('<id>', 'its number', editionId)
    .option('--by <name>', 'who pauses it')
    .option('--why <text>', 'shown wherever the edition is')
    .action((id: number, options: { by?: string; why?: string }) =>
      run(
        async ({ db, actor }) => {
          await pauseEdition(db, id, { by: options.by ?? null, why: options.why ?? null }, actor)
          return { edition: id, paused: true }
        },
        () => `Edition ${id} is paused. To go on: editions resume ${id}`,
      ),
    )

  editions
    .command('resume')
    .description('go on with an edition that was paused')
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      run(
        async (context) => {
          await resumeEdition(context.db, id, context.actor)
          await wakeOrNotify(context)
          return { edition: id, paused: false }
        },
        () => `Edition ${id} goes on.`,
      ),
    )
}

const cancelCommand = (editions: Command, run: RunCommand): void => {
  editions
    .command('cancel')
    .description(
      'call an edition off for good: nothing more of it is sent, but for what mailers have claimed, and it cannot be\n' +
        'resumed or sent again. Readers who did not get it are due at their next regular time, and its papers do not\n' +
        'count as sent to them. It may be run again, and the service finishes one that was broken off',
    )
    .argument('<id>', 'its number', editionId)
    .option('--again', 'let these readers be due at once: the service publishes a new edition for them within a minute')
    .option('--by <name>', 'who cancels it')
    .option('--why <text>', 'shown wherever the edition is')
    .option('--dry-run', 'change nothing; print what would be called off, and when its readers would be due next')
    .action((id: number, options: { again?: boolean; by?: string; why?: string; dryRun?: boolean }) =>
      run(async (context) => {
        const { by = null, why = null, again = false, dryRun = false } = options
        const ports = { db: context.db, log: createLog('error'), now: context.now }
        const canceled = await cancelEdition(ports, id, { by, why, again, dryRun, actor: context.actor })
        return {
          edition: id,
          dryRun,
          again,
          ...canceled,
          equation: (await readEditionAccount(context.db, id))?.equation,
        }
      }, cancelText),
    )
}
