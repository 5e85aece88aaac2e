/** `service …`: hold the whole service, so that nothing is published or sent, and let it go on. */
import type { Command } from 'commander'
import { describeHold, endHold, holdService, makeReadOnly } from '../../src/newsletter/service-hold.ts'
import { isReadOnly } from '../../src/store/read-only.ts'
import { readHold } from '../../src/store/service-hold.ts'
import { counted } from './arguments.ts'
import { type RunCommand, wakeOrNotify } from './context.ts'

/** Of sessions that go on as they were, since this user may not end them. */
const restart = (left: number): string =>
  `${counted(left, 'session')} of other users could not be ended: restart the roles that they belong to.`

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
    .command('read-only')
    .description(
      'for maintenance of the database: the site shows all pages, every change is refused with when to try again, and\n' +
        'nothing is published, sent or written. Needs the owner of the database',
    )
    .requiredOption('--why <text>', 'shown wherever the hold is')
    .option('--by <name>', 'who asks for it; by default your user name on this machine')
    .action((options: { why: string; by?: string }) =>
      run(
        async ({ db, actor }) => {
          const left = await makeReadOnly(db, actor, options.why)
          return { held: await readHold(db), readOnly: true, left }
        },
        ({ left }) =>
          `The database is read-only, and the service is held. To go on: service resume${left === 0 ? '' : `\n${restart(left)}`}`,
      ),
    )

  service
    .command('show')
    .description('whether it is held or read-only, since when and why')
    .action(() =>
      run(
        async ({ db }) => ({ held: await readHold(db), readOnly: await isReadOnly(db) }),
        ({ held, readOnly }) =>
          `${held === null ? 'The service is not held.' : `${describeHold(held)}.`}${readOnly ? ' The database is read-only.' : ''}`,
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
          const { passedOver, left } = await endHold(context.db, context.actor, context.now(), {
            skipDue: options.skipDue ?? false,
          })
          await wakeOrNotify(context)
          return { held: null, readOnly: false, passedOver, left }
        },
        ({ passedOver, left }) =>
          `The service goes on.${left === 0 ? '' : ` ${restart(left)}`}${passedOver === 0 ? '' : ` ${counted(passedOver, 'reader')} moved on to the next regular time.`}`,
      ),
    )
}
