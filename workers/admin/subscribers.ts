/** `subscribers …`: look at subscribers. */
import type { Command } from 'commander'
import { readAccount } from '../../src/newsletter/account.ts'
import { UsageError } from '../exit.ts'
import type { At } from './desk.ts'

export const subscriberCommands = (program: Command, at: At): void => {
  program
    .command('subscribers')
    .description('look at subscribers')
    .command('show')
    .description('one subscriber: state, choices, when the next digest is due, and what became of the last mails')
    .argument('<address>')
    .action((address: string) =>
      at(
        async (desk) => {
          const account = await readAccount(desk.db, address)
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
}
