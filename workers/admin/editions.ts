/** `editions …`: publish digests, see what became of them, and send them again, pause or resume them. */
import { once } from 'node:events'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DAY } from '../../src/core/calendar.ts'
import { MAIL_STATES, type MailState } from '../../src/core/sending/ledger.ts'
import {
  MISSED,
  type MissedDelivery,
  pauseEdition,
  resendMissed,
  resumeEdition,
  streamMissed,
} from '../../src/newsletter/edition-control.ts'
import {
  type EditionAccount,
  type EditionSummary,
  listEditions,
  readEditionAccount,
} from '../../src/newsletter/editions.ts'
import { maintainMonths } from '../../src/newsletter/maintenance.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { UsageError } from '../exit.ts'
import { createLog } from '../log.ts'
import { counted, instant } from './arguments.ts'
import { type At, type CliContext, wakeOrNotify } from './context.ts'

/** The months that an edition of an instant may owe digests in: somewhere it is the day before, or after. */
const makeMonthsAround = async ({ db, config, now }: CliContext, at: Date): Promise<void> => {
  const months = [-DAY, 0, DAY].map((days) => new Date(at.getTime() + days).toISOString().slice(0, 7))
  await maintainMonths(db, { now: now(), keepDays: config.keepDeliveries, months })
}

const editionId = (text: string): number => {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('write its number, as in editions list')
  return Number(text)
}

const howMany = (text: string): number => {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('write a number')
  return Number(text)
}

const statesOf =
  (known: readonly MailState[]) =>
  (text: string): MailState[] =>
    text.split(',').map((part) => {
      const state = known.find((one) => one === part.trim())
      if (state === undefined)
        throw new InvalidArgumentError(`there is no ${JSON.stringify(part.trim())}; write some of ${known.join(',')}`)
      return state
    })

const equationText = ({ due, sent, failed, skipped, pending, unknown, missing }: EditionSummary['equation']): string =>
  `due ${due} = sent ${sent} + failed ${failed} + skipped ${skipped} + pending ${pending} + unknown ${unknown}` +
  (missing === 0 ? '' : `  DOES NOT ADD UP: ${missing > 0 ? `${missing} missing` : `${-missing} too many`}`)

const pausedText = ({ paused }: EditionSummary): string =>
  paused === null
    ? ''
    : `paused since ${paused.at.toISOString()}${paused.by ? ` by ${paused.by}` : ''}${paused.why ? `: ${paused.why}` : ''}`

const accountText = (account: EditionAccount): string =>
  [
    `Edition ${account.id} of ${account.cutoff.toISOString()}: ${account.status}`,
    `  ${equationText(account.equation)}`,
    ...account.counts.map(
      ({ state, reason, count, resent }) =>
        `  ${String(count).padStart(9)}  ${state}${reason ? `: ${reason}` : ''}${resent > 0 ? ` (${resent} sent again)` : ''}`,
    ),
    `  begun      ${account.begunAt.toISOString()}`,
    `  published  ${account.publishedAt?.toISOString() ?? 'not yet to its end'}`,
    `  completed  ${account.completedAt?.toISOString() ?? 'not yet'}`,
    ...(account.paused === null ? [] : [`  ${pausedText(account)}`]),
    ...(account.seconds === null ? [] : [`  took       ${account.seconds.toFixed(1)} s`]),
    ...(account.perSecond === null ? [] : [`  rate       ${account.perSecond.toFixed(1)} mails a second`]),
    `  resent     ${account.resent}`,
  ].join('\n')

const missedText = (row: MissedDelivery): string =>
  [row.email ?? '(erased)', row.state, row.reason ?? '', row.said ?? ''].join('\t')

/** Prints lines at the pace of whoever reads them. */
const print = async (lines: string[]): Promise<void> => {
  if (lines.length > 0 && !process.stdout.write(`${lines.join('\n')}\n`)) await once(process.stdout, 'drain')
}

const backText = (result: { requeued: number; from: Record<string, number>; paused: boolean }): string => {
  const from = Object.entries(result.from).map(([state, count]) => `${count} ${state}`)
  return (
    `${counted(result.requeued, 'delivery', 'deliveries')} put back in the queue` +
    (from.length === 0 ? '.' : ` (${from.join(', ')}); who no longer wants it is skipped.`) +
    (result.paused && result.requeued > 0 ? ' The edition is paused: nothing leaves until editions resume.' : '')
  )
}

export const editionCommands = (program: Command, at: At): void => {
  const editions = program
    .command('editions')
    .description('publish digests, see what became of them, send them again, pause and resume')

  editions
    .command('publish')
    .description(
      'publish everything that is due, as if the clock stood at an instant; running it twice sends nothing twice',
    )
    .option('--at <instant>', 'such as 2026-04-15T12:00:00Z; without it, the time now', instant)
    .action((options: { at?: Date }) =>
      at(
        async (context) => {
          const instant = options.at ?? context.now()
          const log = createLog('warn')
          // On a database of one's own `maintain` alone makes tables; the embedded one has nobody else.
          if (context.config.databaseUrl === null) await makeMonthsAround(context, instant)
          const published = await publishDue({ db: context.db, log, wake: async () => undefined }, instant)
          if (published.owed > 0) await wakeOrNotify(context)
          return { at: instant, ...published }
        },
        (result: { at: Date; subscribers: number; owed: number; digests: number }) =>
          result.subscribers === 0
            ? `Nobody was due by ${result.at.toISOString()}.`
            : `Due by ${result.at.toISOString()}: ${counted(result.subscribers, 'subscriber')}, ${counted(result.owed, 'delivery', 'deliveries')} of ${counted(result.digests, 'digest')}.`,
      ),
    )

  editions
    .command('list')
    .description('the newest editions, each with its equation')
    .option('--most <n>', 'how many', howMany, 20)
    .action((options: { most: number }) =>
      at(
        async ({ db }) => ({ editions: await listEditions(db, options.most) }),
        ({ editions: all }: { editions: EditionSummary[] }) =>
          all.length === 0
            ? 'There are no editions yet.'
            : all
                .map((one) =>
                  [
                    `${String(one.id).padStart(6)}  ${one.cutoff.toISOString()}  ${one.status.padEnd(10)}  ${equationText(one.equation)}`,
                    ...(one.paused === null ? [] : [`        ${pausedText(one)}`]),
                  ].join('\n'),
                )
                .join('\n'),
      ),
    )

  editions
    .command('show')
    .description('one edition: its equation, states and reasons, when it was begun, published and completed')
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      at(async ({ db }) => {
        const account = await readEditionAccount(db, id)
        if (account === null) throw new UsageError(`there is no edition ${id}; editions list tells which there are`)
        return account
      }, accountText),
    )

  editions
    .command('missed')
    .description(
      'who did not get it: address, state, reason, and what the server said, separated by tabs; with --json one object a line',
    )
    .argument('<id>', 'its number', editionId)
    .addOption(
      new Option('--state <a,b>', 'only these')
        .argParser(statesOf(MAIL_STATES.filter((state) => state !== 'sent')))
        .default([...MISSED], MISSED.join(',')),
    )
    .option('--reason <text>', 'only where the reason has this in it, such as "550 5.1.1"')
    .action((id: number, options: { state: MailState[]; reason?: string }) =>
      at(async ({ db, json }) => {
        const which = { states: options.state, reason: options.reason ?? null }
        await streamMissed(db, id, which, (rows) =>
          print(rows.map((row) => (json ? JSON.stringify(row) : missedText(row)))),
        )
        return null
      }),
    )

  editions
    .command('resend')
    .description(
      'send it to those who did not get it: puts them back in the queue, with all their tries. What was sent is never\n' +
        'touched, who no longer wants it is skipped, and a digest without papers stays unsent. Of the unknown the server\n' +
        'may have taken a copy: they get the same Message-ID and are counted as resent (for these alone: editions release)',
    )
    .argument('<id>', 'its number', editionId)
    .addOption(
      new Option('--state <a,b>', `some of ${MISSED.join(',')}`)
        .argParser(statesOf(MISSED))
        .default(['failed', 'unknown'], 'failed,unknown'),
    )
    .option('--subscriber <address>', 'to this one only')
    .action((id: number, options: { state: MailState[]; subscriber?: string }) =>
      at(async (context) => {
        const which = { states: options.state, address: options.subscriber ?? null }
        const result = await resendMissed(context.db, id, which)
        if (result.requeued > 0) await wakeOrNotify(context)
        return { edition: id, ...result }
      }, backText),
    )

  editions
    .command('release')
    .description(
      'send the digests that are held as unknown (ON_UNKNOWN=hold): the same as resend --state unknown, with the same\n' +
        'Message-ID as before; each is counted as resent, since it may arrive a second time',
    )
    .argument('<id>', 'its number', editionId)
    .action((id: number) =>
      at(async (context) => {
        const result = await resendMissed(context.db, id, { states: ['unknown'], address: null })
        if (result.requeued > 0) await wakeOrNotify(context)
        return { edition: id, ...result }
      }, backText),
    )

  editions
    .command('pause')
    .description('claim nothing more of an edition; what the mailers have in hand is finished, and others go on')
    .argument('<id>', 'its number', editionId)
    .option('--by <name>', 'who pauses it')
    .option('--why <text>', 'shown wherever the edition is')
    .action((id: number, options: { by?: string; why?: string }) =>
      at(
        async ({ db }) => {
          await pauseEdition(db, id, { by: options.by ?? null, why: options.why ?? null })
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
      at(
        async (context) => {
          await resumeEdition(context.db, id)
          await wakeOrNotify(context)
          return { edition: id, paused: false }
        },
        () => `Edition ${id} goes on.`,
      ),
    )
}
