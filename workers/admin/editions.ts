/** `editions …`: publish digests. */
import type { Command } from 'commander'
import { publishDue } from '../../src/newsletter/edition.ts'
import { createLog } from '../log.ts'
import { type At, ringOrSay } from './desk.ts'
import { counted, instant } from './words.ts'

export const editionCommands = (program: Command, at: At): void => {
  program
    .command('editions')
    .description('publish digests')
    .command('publish')
    .description(
      'publish everything that is due, as if the clock stood at an instant; running it twice sends nothing twice',
    )
    .option('--at <instant>', 'such as 2026-04-15T12:00:00Z; without it, the time now', instant)
    .action((options: { at?: Date }) =>
      at(
        async (desk) => {
          const instant = options.at ?? desk.now()
          const log = createLog('warn')
          const published = await publishDue({ db: desk.db, log, ring: async () => undefined }, instant)
          if (published.owed > 0) await ringOrSay(desk)
          return { at: instant, ...published }
        },
        (result: { at: Date; subscribers: number; owed: number; digests: number }) =>
          result.subscribers === 0
            ? `Nobody was due by ${result.at.toISOString()}.`
            : `Due by ${result.at.toISOString()}: ${counted(result.subscribers, 'subscriber')}, ${counted(result.owed, 'delivery', 'deliveries')} of ${counted(result.digests, 'digest')}.`,
      ),
    )
}
