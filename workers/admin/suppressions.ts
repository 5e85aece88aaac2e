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
import type { At } from './context.ts'

const MOST_LISTED = 1_000

/** The rows as they are told; what the reader was before is ours to know. */
const shown = ({ email, class: of, code, reason, diagnostic, source, created_at }: Suppression) => ({
  email,
  class: of,
  code,
  reason,
  diagnostic,
  source,
  at: created_at,
})

const inWords = (one: ReturnType<typeof shown>): string =>
  `${one.email}  ${one.class.padEnd(9)}  ${one.at.toISOString()}  by ${one.source}: ${one.reason}`

/** Whoever sits at the machine, unless they say who they are. */
const operator = (named: string | undefined): string => named ?? userInfo().username

export const suppressionCommands = (program: Command, at: At): void => {
  const suppressions = program.command('suppressions').description('addresses that are not mailed')

  suppressions
    .command('list')
    .description('the newest first, with why; of one address all that was changed about it too')
    .argument('[address]')
    .action((address: string | undefined) =>
      at(
        async ({ db }) => {
          if (address === undefined)
            return { suppressions: (await listSuppressions(db, MOST_LISTED)).map(shown), changes: [] }
          const one = await readSuppression(db, address)
          const log = await readSuppressionLog(db, address)
          const changes = log.map(({ by_whom, ...change }) => ({ ...change, by: by_whom }))
          return { suppressions: one === undefined ? [] : [shown(one)], changes }
        },
        (result: {
          suppressions: ReturnType<typeof shown>[]
          changes: { at: Date; change: string; class: string; by: string; why: string }[]
        }) =>
          [
            ...(result.suppressions.length === 0 ? ['Nothing is suppressed.'] : result.suppressions.map(inWords)),
            ...result.changes.map(
              (one) => `  ${one.at.toISOString()}  ${one.change} (${one.class}) by ${one.by}: ${one.why}`,
            ),
          ].join('\n'),
      ),
    )

  suppressions
    .command('add')
    .description('mail nothing to an address any more, whether anybody subscribed with it or not')
    .argument('<address>')
    .requiredOption('--why <text>', 'kept with it')
    .option('--by <name>', 'who decided; your name on this machine when not given')
    .action((address: string, options: { why: string; by?: string }) =>
      at(
        async ({ db }) => {
          const added = await addSuppression(db, address, { whom: operator(options.by), why: options.why })
          if ('problem' in added) throw new UsageError(added.problem)
          return added
        },
        ({ email, added }: { email: string; added: boolean }) =>
          added ? `${email} is not mailed any more.` : `${email} was on the list already.`,
      ),
    )

  suppressions
    .command('remove')
    .description(
      'undo: the subscriber is again what they were; after a complaint they stay unsubscribed, and may subscribe anew',
    )
    .argument('<address>')
    .requiredOption('--why <text>', 'kept in the log')
    .option('--by <name>', 'who decided; your name on this machine when not given')
    .action((address: string, options: { why: string; by?: string }) =>
      at(
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
