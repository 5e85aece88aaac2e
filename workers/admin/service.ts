/** `service …`: hold the whole service, so that nothing is published or sent, and let it go on. */
import type { Command } from 'commander'
import { describeHold, holdService, resumeService } from '../../src/newsletter/service-hold.ts'
import { readHold } from '../../src/store/service-hold.ts'
import { counted } from './arguments.ts'
import { type RunCommand, wakeOrNotify } from './context.ts'

export const serviceCommands = (program: Command, run: RunCommand): void => {
  const service = program.command('service').description('hold the whole service, and let it go on')

  service
    .command('hold')
    .description('publish and send nothing more, neither digests nor letters; what mailers have claimed is finished')
    .requiredOption('--why <text>', 'shown wherever the hold is')
    .option('--by <name>', 'who holds it; by default your user name on this machine')
    .action((options: { why: string; by?: string }) =>
      run(
        async ({ db, actor }) => {
          await holdService(db, actor, options.why)
          return { held: await readHold(db) }
        },
        () => 'The service is held: nothing is published or sent. To go on: service resume',
      ),
    )

  service
    .command('show')
    .description('whether it is held, since when and why')
    .action(() =>
      run(
        async ({ db }) => ({ held: await readHold(db) }),
        ({ held }) => (held === null ? 'The service is not held.' : `${describeHold(held)}.`),
      ),
    )

  service
    .command('resume')
    .description('publish and send again: what waits, and what has fallen due meanwhile')
    .option(
      '--skip-due',
      'who is due by now gets no digest for it, and is due at their next regular time: as after a restore, when they had\n' +
        'their digest after the backup was made',
    )
    .action((options: { skipDue?: boolean }) =>
      run(
        async (context) => {
          const passedOver = await resumeService(context.db, context.actor, context.now(), {
            skipDue: options.skipDue ?? false,
          })
          await wakeOrNotify(context)
          return { held: null, passedOver }
        },
        ({ passedOver }) =>
          `The service goes on.${passedOver === 0 ? '' : ` ${counted(passedOver, 'reader')} moved on to the next regular time.`}`,
      ),
    )
}
