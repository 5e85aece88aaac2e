/** `suppressions …`: addresses that are not mailed, and why. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { addSuppression, removeSuppression } from '../../src/newsletter/feedback/suppressions.ts'
import {
  listSuppressions,
  readSuppression,
  readSuppressionLog,
  type Suppression,
} from '../../src/store/suppressions.ts'
import { UsageError } from '../exit.ts'
import type { RunCommand } from './context.ts'

const MAX_LISTED = 1_000

/** What is printed of a row; the state of the subscriber before is left out, since only `remove` needs it. */
const visible = ({ email, class: suppressionClass, code, reason, diagnostic, source, created_at }: Suppression) => ({
  email,
  class: suppressionClass,
  code,
  reason,
  diagnostic,
  source,
  at: created_at,
})

const lineOf = (one: ReturnType<typeof visible>): string =>
  `${one.email}  ${one.class.padEnd(9)}  ${one.at.toISOString()}  by ${one.source}: ${one.reason}`

/** The name that was given, or the user of this machine. */
const operator = (named: string | undefined): string => named ?? userInfo().username

export const suppressionCommands = (program: Command, run: RunCommand): void => {
  const suppressions = program.command('suppressions').description('addresses that are not mailed')

  suppressions
    .command('list')
    .description('the newest first, with the reason; for one address also every change')
    .argument('[address]')
    .action((address: string | undefined) =>
      run(
        async ({ db }) => {
          if (address === undefined)
            return { suppressions: (await listSuppressions(db, MAX_LISTED)).map(visible), changes: [] }
          const one = await readSuppression(db, address)
          const log = await readSuppressionLog(db, address)
          const changes = log.map(({ by_whom, ...change }) => ({ ...change, by: by_whom }))
          return { suppressions: one === undefined ? [] : [visible(one)], changes }
        },
        (result: {
          suppressions: ReturnType<typeof visible>[]
          changes: { at: Date; change: string; class: string; by: string; why: string }[]
        }) =>
          [
            ...(result.suppressions.length === 0 ? ['Nothing is suppressed.'] : result.suppressions.map(lineOf)),
            ...result.changes.map(
              (one) => `  ${one.at.toISOString()}  ${one.change} (${one.class}) by ${one.by}: ${one.why}`,
            ),
          ].join('\n'),
      ),
    )

  suppressions
    .command('add')
    .description('send no mail to an address any more, whether it belongs to a subscriber or not')
    .argument('<address>')
    .requiredOption('--why <text>', 'the reason, which is stored')
    .option('--by <name>', 'who decides; by default your user name on this machine')
    .action((address: string, options: { why: string; by?: string }) =>
      run(
        async ({ db }) => {
          const added = await addSuppression(db, address, { whom: operator(options.by), why: options.why })
          if ('problem' in added) throw new UsageError(added.problem)
          return added
        },
        ({ email, added }: { email: string; added: boolean }) =>
          added ? `${email} is not mailed any more.` : `${email} was suppressed already.`,
      ),
    )

  suppressions
    .command('remove')
    .description(
      'lift it: the subscriber has their former state again; after a complaint they stay unsubscribed, and may subscribe again',
    )
    .argument('<address>')
    .requiredOption('--why <text>', 'the reason, which is logged')
    .option('--by <name>', 'who decides; by default your user name on this machine')
    .action((address: string, options: { why: string; by?: string }) =>
      run(
        async ({ db, now }) => {
          const by = { whom: operator(options.by), why: options.why }
          const removed = await removeSuppression(db, now(), address, by)
          if (removed === null) throw new UsageError(`${address} is not suppressed`)
          return removed
        },
        ({ email, state }: { email: string; state: string | null }) =>
          `${email} may be mailed again${state === null ? '' : `; the subscriber is ${state}`}.`,
      ),
    )
}
