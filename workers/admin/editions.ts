/** `editions …`: publish digests. */
import type { Command } from 'commander'
import { DAY } from '../../src/core/calendar.ts'
import { publishDue } from '../../src/newsletter/edition.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { createLog } from '../log.ts'
import { type At, type Desk, ringOrSay } from './desk.ts'
import { counted, instant } from './words.ts'

/** The months that an edition of an instant may owe digests in: somewhere it is the day before, or after. */
const makeMonthsAround = async ({ db, config, now }: Desk, at: Date): Promise<void> => {
  const months = [-DAY, 0, DAY].map((days) => new Date(at.getTime() + days).toISOString().slice(0, 7))
  await maintain(db, { now: now(), keepDays: config.keepDeliveries, months })
}

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
          // On a database of one's own `maintain` alone makes tables; the embedded one has nobody else.
          if (desk.config.databaseUrl === null) await makeMonthsAround(desk, instant)
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
