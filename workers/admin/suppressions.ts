/** `suppressions …`: addresses that are not mailed, and why. */
import type { Command } from 'commander'
import type { Actor } from '../../src/core/operator.ts'
import { addressHashes } from '../../src/core/subscriber/address-hash.ts'
import { createSuppressionAdministration } from '../../src/newsletter/administration/suppressions.ts'
import {
  addSuppression,
  type By,
  type RemovedSuppressions,
  removeSuppressions,
} from '../../src/newsletter/feedback/suppressions.ts'
import {
  listSuppressions,
  readErased,
  readSuppression,
  readSuppressionLog,
  type Suppression,
} from '../../src/store/suppressions.ts'
import { UsageError } from '../exit.ts'
import { counted, editionId, instant, someOf } from './arguments.ts'
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

const erasedLine = ({ class: why, at }: { class: string; at: Date }): string =>
  `The address was erased at ${at.toISOString()}${why === 'erased' ? '' : ` and must not be mailed (${why})`}; it may ${why === 'erased' || why === 'complaint' ? '' : 'not '}subscribe again.`

const byOf = (actor: Actor, why: string): By => ({ ...actor, whom: actor.byWhom, why })

export const suppressionCommands = (program: Command, run: RunCommand): void => {
  const suppressions = program.command('suppressions').description('addresses that are not mailed')

  suppressions
    .command('list')
    .description('the newest first, with the reason; for one address also every change')
    .argument('[address]')
    .action((address: string | undefined) =>
      run(
        async ({ db, keys }) => {
          if (address === undefined)
            return { suppressions: (await listSuppressions(db, MAX_LISTED)).map(visible), changes: [] }
          const erased = await readErased(db, addressHashes(keys, address))
          if (erased !== undefined)
            return { suppressions: [], changes: [], erased: { class: erased.class, at: erased.erased_at } }
          const one = await readSuppression(db, address)
          const log = await readSuppressionLog(db, address)
          const changes = log.map(({ by_whom, ...change }) => ({ ...change, by: by_whom }))
          return { suppressions: one === undefined ? [] : [visible(one)], changes }
        },
        (result: {
          suppressions: ReturnType<typeof visible>[]
          changes: { at: Date; change: string; class: string; by: string; why: string }[]
          erased?: { class: string; at: Date }
        }) =>
          [
            ...(result.suppressions.length > 0
              ? result.suppressions.map(lineOf)
              : [result.erased === undefined ? 'Nothing is suppressed.' : erasedLine(result.erased)]),
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
        async ({ db, actor }) => {
          const added = await addSuppression(db, address, byOf(actor, options.why))
          if ('problem' in added) throw new UsageError(added.problem)
          return added
        },
        ({ email, added }: { email: string; added: boolean }) =>
          added ? `${email} is not mailed any more.` : `${email} was suppressed already.`,
      ),
    )

  removeCommand(suppressions, run)
}

/** What a mail server caused, and may be undone in bulk unasked; a complaint or a person's own choice must be named. */
const CAUSED_BY_SERVERS = ['hard', 'soft'] as const
const CLASSES = ['hard', 'soft', 'complaint', 'reader', 'operator'] as const

interface RemoveOptions {
  why: string
  by?: string
  edition?: number
  class?: (typeof CLASSES)[number][]
  since?: Date
  until?: Date
  dryRun?: boolean
}

const removeCommand = (suppressions: Command, run: RunCommand): void => {
  suppressions
    .command('remove')
    .description(
      'lift it: the subscriber has their former state again; after a complaint they stay unsubscribed, and may subscribe\n' +
        'again. Without an address, all that --edition, --class, --since and --until let through',
    )
    .argument('[address]')
    .requiredOption('--why <text>', 'the reason, which is logged')
    .option('--by <name>', 'who decides; by default your user name on this machine')
    .option('--edition <id>', 'those that the digest of an edition led to', editionId)
    .option('--class <a,b>', `some of ${CLASSES.join(',')}; without it ${CAUSED_BY_SERVERS.join(',')}`, someOf(CLASSES))
    .option('--since <instant>', 'added then or later', instant)
    .option('--until <instant>', 'added before', instant)
    .option('--dry-run', 'change nothing; print how many it would be')
    .action((address: string | undefined, options: RemoveOptions) =>
      address === undefined ? removeMany(run, options) : removeOne(run, address, options),
    )
}

const isBulk = ({ edition, class: classes, since, until, dryRun }: RemoveOptions): boolean =>
  [edition, classes, since, until, dryRun].some((option) => option !== undefined)

const removeOne = (run: RunCommand, address: string, options: RemoveOptions): Promise<void> => {
  if (isBulk(options))
    throw new UsageError('write an address, or which suppressions by --edition, --class, --since, --until')
  return run(
    async ({ actor, ...ports }) => {
      const removed = await createSuppressionAdministration(ports).remove(actor, address, options.why)
      if (removed === null) throw new UsageError(`${address} is not suppressed`)
      return removed
    },
    ({ email, state }: { email: string; state: string | null }) =>
      `${email} may be mailed again${state === null ? '' : `; the subscriber is ${state}`}.`,
  )
}

const removeMany = (run: RunCommand, options: RemoveOptions): Promise<void> => {
  const { edition = null, class: classes, since = null, until = null, dryRun = false } = options
  if (edition === null && classes === undefined && since === null && until === null)
    throw new UsageError('write an address, or which suppressions by --edition, --class, --since, --until')
  const which = { editionId: edition, classes: classes ?? CAUSED_BY_SERVERS, since, until }
  return run(async ({ db, now, actor }) => {
    const by = byOf(actor, options.why)
    return { edition, dryRun, ...(await removeSuppressions(db, now(), which, by, dryRun)) }
  }, removedText)
}

const removedText = (result: RemovedSuppressions & { edition: number | null; dryRun: boolean }): string => {
  const { removed, classes, states, addresses, edition, dryRun } = result
  const list = (of: Record<string, number>) => Object.entries(of).map(([key, count]) => `${count} ${key}`)
  if (removed === 0) return 'No suppression is like that.'
  const others = removed - addresses.length
  return [
    `${dryRun ? 'Dry run, nothing was changed. Would be removed' : 'Removed'}: ` +
      `${counted(removed, 'suppression')} (${list(classes).join(', ')}).`,
    `  ${addresses.join(', ')}${others > 0 ? ` and ${counted(others, 'other')}` : ''}`,
    ...(Object.keys(states).length === 0 ? [] : [`  The subscribers: ${list(states).join(', ')}.`]),
    ...(edition === null || dryRun ? [] : [`  To send it to those who did not get it: editions resend ${edition}`]),
  ].join('\n')
}
