/** `subscribers …`: show subscribers. */
import type { Command } from 'commander'
import { type MailRecord, readAccount, readMailDay } from '../../src/newsletter/account.ts'
import { UsageError } from '../exit.ts'
import { counted, day } from './arguments.ts'
import type { RunCommand } from './context.ts'
import { reasonText } from './edition-report.ts'

type SubscriberAccount = NonNullable<Awaited<ReturnType<typeof readAccount>>>

export const subscriberCommands = (program: Command, run: RunCommand): void => {
  const subscribers = program.command('subscribers').description('show subscribers')

  subscribers
    .command('show')
    .description('one subscriber: state, choices, when the next digest is due, and what became of the last mails')
    .argument('<address>', 'or the id that a log line names')
    .action((address: string) =>
      run(async (context) => {
        const account = await readAccount(context.db, address)
        if (account === null) throw new UsageError(`there is no subscriber ${address}`)
        return account
      }, accountText),
    )

  subscribers
    .command('day')
    .description(
      'one subscriber on one of their days: what was due, what became of it, when, and the reply of the server',
    )
    .argument('<address>')
    .argument('<date>', 'such as 2026-04-15', day)
    .action((address: string, date: string) =>
      run(
        async (context) => {
          const found = await readMailDay(context.db, address, date)
          if (found === null) throw new UsageError(`there is no subscriber ${address}`)
          return { date, ...found }
        },
        ({ date, email, state, mails }) =>
          [
            `${email} (${state}) on ${date}: ${mails.length === 0 ? 'nothing was due' : counted(mails.length, 'mail')}`,
            ...mails.flatMap(mailLines),
          ].join('\n'),
      ),
    )
}

/** A mail and what became of it, a fact a line. */
export const mailLines = (mail: MailRecord): string[] => [
  `${mail.what}${mail.edition === null ? '' : ` of edition ${mail.edition}`}: ${mail.state}${reasonText(mail) === '' ? '' : ` (${reasonText(mail)})`}`,
  `  due        ${mail.dueAt.toISOString()}`,
  `  attempted  ${mail.attemptedAt === null ? 'never' : `${mail.attemptedAt.toISOString()}; attempts that count: ${mail.attempts}`}`,
  ...(mail.sentAt === null ? [] : [`  sent       ${mail.sentAt.toISOString()}`]),
  ...(mail.resent === 0 ? [] : [`  resent     ${mail.resent}`]),
  ...(mail.said === null ? [] : [`  server     ${mail.said}`]),
  `  id         ${mail.id}`,
]

const accountText = (account: SubscriberAccount): string => {
  const { preferences, requestedAt, confirmedAt, nextDueAt, pausedUntil, suppressed } = account
  return [
    `${account.email}: ${account.state}`,
    ...(['topics', 'keywords', 'authors', 'muted'] as const)
      .filter((list) => preferences[list].length > 0)
      .map((list) => `${list.padEnd(10)} ${preferences[list].join(', ')}`),
    `digests    ${preferences.frequency}, at ${preferences.hour}:00 in ${preferences.timeZone}`,
    `asked      ${requestedAt.toISOString()}${confirmedAt ? `, confirmed ${confirmedAt.toISOString()}` : ''}`,
    `next       ${nextDueAt?.toISOString() ?? 'none'}${pausedUntil ? ` (paused until ${pausedUntil})` : ''}`,
    ...(suppressed === null ? [] : [`suppressed ${suppressed}`]),
    ...account.mails.map(
      (mail) =>
        `mail       ${mail.what}, ${mail.state}${mail.resent > 0 ? `, sent again ${mail.resent} times` : ''}${mail.reason ? ` (${mail.reason})` : ''}`,
    ),
  ].join('\n')
}
