/** `subscribers …`: look at subscribers. */
import type { Command } from 'commander'
import { type MailRecord, readAccount, readMailDay } from '../../src/newsletter/account.ts'
import { UsageError } from '../exit.ts'
import { counted, day } from './arguments.ts'
import type { At } from './context.ts'

export const subscriberCommands = (program: Command, at: At): void => {
  const subscribers = program.command('subscribers').description('look at subscribers')

  subscribers
    .command('show')
    .description('one subscriber: state, choices, when the next digest is due, and what became of the last mails')
    .argument('<address>')
    .action((address: string) =>
      at(
        async (context) => {
          const account = await readAccount(context.db, address)
          if (account === null) throw new UsageError(`there is no subscriber ${address}`)
          return account
        },
        (account: NonNullable<Awaited<ReturnType<typeof readAccount>>>) =>
          [
            `${account.email}: ${account.state}`,
            ...(['topics', 'keywords', 'authors', 'muted'] as const)
              .filter((list) => account.preferences[list].length > 0)
              .map((list) => `${list.padEnd(10)} ${account.preferences[list].join(', ')}`),
            `digests    ${account.preferences.frequency}, at ${account.preferences.hour}:00 in ${account.preferences.timeZone}`,
            `asked      ${account.requestedAt.toISOString()}${account.confirmedAt ? `, confirmed ${account.confirmedAt.toISOString()}` : ''}`,
            `next       ${account.nextDueAt?.toISOString() ?? 'none'}${account.pausedUntil ? ` (paused until ${account.pausedUntil})` : ''}`,
            ...(account.suppressed === null ? [] : [`suppressed ${account.suppressed}`]),
            ...account.mails.map(
              (mail) =>
                `mail       ${mail.what}, ${mail.state}${mail.resent > 0 ? `, sent again ${mail.resent} times` : ''}${mail.reason ? ` (${mail.reason})` : ''}`,
            ),
          ].join('\n'),
      ),
    )

  subscribers
    .command('day')
    .description('one subscriber on one of their days: what was due, what became of it, when, and what the server said')
    .argument('<address>')
    .argument('<date>', 'such as 2026-04-15', day)
    .action((address: string, date: string) =>
      at(
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

const mailLines = (mail: MailRecord): string[] => [
  `${mail.what}${mail.edition === null ? '' : ` of edition ${mail.edition}`}: ${mail.state}${mail.reason ? ` (${mail.reason})` : ''}`,
  `  due        ${mail.dueAt.toISOString()}`,
  `  attempted  ${mail.attemptedAt === null ? 'never' : `${mail.attemptedAt.toISOString()}; tries that count: ${mail.attempts}`}`,
  ...(mail.sentAt === null ? [] : [`  sent       ${mail.sentAt.toISOString()}`]),
  ...(mail.resent === 0 ? [] : [`  resent     ${mail.resent}`]),
  ...(mail.said === null ? [] : [`  server     ${mail.said}`]),
]
