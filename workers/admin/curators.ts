/** `curators …`: who may pick, pin and hide papers on the site. */
import type { Command } from 'commander'
import {
  type MailedCurator,
  nameCurator,
  type Problem,
  removeCurator,
  renewCuratorLink,
} from '../../src/newsletter/curation/curators.ts'
import { type Curator, readCurators } from '../../src/store/curators.ts'
import { UsageError } from '../exit.ts'
import { type CliContext, type RunCommand, wakeOrNotify } from './context.ts'

/** What is printed of a curator; the address of one who was removed is not kept. */
const visible = ({ id, address, name, added_at, ended_at }: Curator) => ({
  id,
  address,
  name,
  added: added_at,
  removed: ended_at,
})
type Visible = ReturnType<typeof visible>

const lineOf = ({ address, name, added, removed }: Visible): string =>
  removed === null
    ? `${address}  ${name}  since ${added.toISOString()}`
    : `(removed)  ${name}  ${added.toISOString()} to ${removed.toISOString()}`

/** Prints what came of a letter with a link, or ends with the problem. */
const mailed = async (context: CliContext, result: MailedCurator | Problem) => {
  if ('problem' in result) throw new UsageError(result.problem)
  const { curator, suppressed } = result
  if (suppressed === null) await wakeOrNotify(context, 'letters')
  return { ...visible(curator), suppressed }
}

const mailedText = ({ address, name, suppressed }: Visible & { suppressed: string | null }): string =>
  suppressed === null
    ? `${name} is a curator. The link is mailed to ${address}.`
    : `${name} is a curator, but nothing is mailed to ${address}: it is suppressed (${suppressed}). Run: suppressions remove ${address}, then: curators link ${address}.`

export const curatorCommands = (program: Command, run: RunCommand): void => {
  const curators = program.command('curators').description('who may pick, pin and hide papers on the site')

  curators
    .command('add')
    .description('name a curator, and mail them their link')
    .argument('<address>', 'their email address')
    .requiredOption('--name <name>', 'the name that readers see beside what they do')
    .action((address: string, { name }: { name: string }) =>
      run(async (context) => mailed(context, await nameCurator(context, context.actor, address, name)), mailedText),
    )

  curators
    .command('list')
    .description('who is a curator, and who was')
    .action(() =>
      run(
        async ({ db }) => ({ curators: (await readCurators(db)).map(visible) }),
        ({ curators: all }) => (all.length === 0 ? 'There are no curators.' : all.map(lineOf).join('\n')),
      ),
    )

  curators
    .command('link')
    .description('mail a curator a fresh link; older links stop working at once')
    .argument('<address>')
    .action((address: string) =>
      run(async (context) => mailed(context, await renewCuratorLink(context, context.actor, address)), mailedText),
    )

  curators
    .command('remove')
    .description('end a curator’s link at once and forget their address; what they did stays, with their name')
    .argument('<address>')
    .action((address: string) =>
      run(
        async (context) => {
          const removed = await removeCurator(context, context.actor, address)
          if ('problem' in removed) throw new UsageError(removed.problem)
          return visible(removed)
        },
        ({ name }) => `${name} is no curator any more. What they did stays; other curators can undo it.`,
      ),
    )
}
