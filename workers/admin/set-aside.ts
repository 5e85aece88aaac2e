/** `set-aside …`: subscribers and sign-ups that fail for a reason of their own, so that they hold up nobody else. */
import { type Command, InvalidArgumentError } from 'commander'
import { readSetAside, retrySetAside, type SetAside } from '../../src/newsletter/set-aside.ts'
import { UsageError } from '../exit.ts'
import { counted } from './arguments.ts'
import type { RunCommand } from './context.ts'

type Which = Parameters<typeof retrySetAside>[1]

const which = (text: string): Which => {
  if (text === 'all') return 'all'
  if (/^[1-9]\d{0,14}$/.test(text)) return { signUp: Number(text) }
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return { subscriber: text }
  throw new InvalidArgumentError(
    'write the id of a subscriber or the number of a sign-up, as set-aside list has them, or all',
  )
}

const listText = ({ subscribers, signUps }: SetAside): string =>
  [
    ...subscribers.map(
      (one) =>
        `subscriber ${one.id} (${one.email}): no digest since ${one.setAsideAt.toISOString()}, ` +
        `${counted(one.attempts, 'attempt')}, the next ${one.retryAt.toISOString()}\n  ${one.reason}`,
    ),
    ...signUps.map(
      (one) =>
        `sign-up ${one.id} (${one.email}) of ${one.requestedAt.toISOString()}: not answered, ` +
        `${counted(one.attempts, 'attempt')}\n  ${one.reason}`,
    ),
  ].join('\n') || 'Nothing is set aside.'

export const setAsideCommands = (program: Command, run: RunCommand): void => {
  const setAside = program
    .command('set-aside')
    .description('subscribers and sign-ups that fail for a reason of their own, and hold up nobody else')

  setAside
    .command('list')
    .description('who gets no digest and which sign-ups are not answered, each with the reason')
    .action(() => run(async ({ db }) => readSetAside(db), listText))

  setAside
    .command('retry')
    .description('try again at the next tick, within a minute; who fails again is set aside again')
    .argument('<id>', 'of a subscriber or a sign-up, as set-aside list has them, or all', which)
    .action((given: Which) =>
      run(
        async ({ db, actor }) => {
          const retried = await retrySetAside(db, given, actor)
          if (given !== 'all' && retried.subscribers + retried.signUps === 0)
            throw new UsageError('it is not set aside; set-aside list shows what is')
          return retried
        },
        ({ subscribers, signUps }: Awaited<ReturnType<typeof retrySetAside>>) =>
          `${counted(subscribers, 'subscriber')} and ${counted(signUps, 'sign-up')} are tried again within a minute.`,
      ),
    )
}
