/** `groups …`: which groups readers have made, and ending one. */
import type { Command } from 'commander'
import { endGroup, readGroupList } from '../../src/newsletter/administration/groups.ts'
import { UsageError } from '../exit.ts'
import { counted } from './arguments.ts'
import type { RunCommand } from './context.ts'

const listText = ({ groups }: Awaited<ReturnType<typeof readGroupList>>): string =>
  groups
    .map(
      ({ id, name, members, madeAt }) =>
        `${id}  “${name}”: ${counted(members, 'member')}, since ${madeAt.toISOString().slice(0, 10)}`,
    )
    .join('\n') || 'There are no groups.'

export const groupCommands = (program: Command, run: RunCommand): void => {
  const groups = program.command('groups').description('groups that readers have made')

  groups
    .command('list')
    .description('each with how many are in it; who they are is not told')
    .action(() => run(async ({ db }) => readGroupList(db), listText))

  groups
    .command('end')
    .description('end a group for all members; what each follows goes on')
    .argument('<id>', 'as groups list has it')
    .action((id: string) =>
      run(
        async ({ db, now, actor }) => {
          const ended = await endGroup({ db, now }, actor, id)
          if (ended === null) throw new UsageError('there is no such group; groups list shows which there are')
          return ended
        },
        ({ name }: { name: string }) => `The group “${name}” has ended.`,
      ),
    )
}
