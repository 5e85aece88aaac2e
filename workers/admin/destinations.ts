/** `destinations …`: relays and domains that take too little or nothing for now. */
import type { Command } from 'commander'
import { destinationOfDomain } from '../../src/core/sending/destination.ts'
import { isSlow } from '../../src/core/sending/pace.ts'
import { sweepWays } from '../../src/newsletter/routes.ts'
import { forgetWay, readTroubled, type TroubledWay } from '../../src/store/throttled-routes.ts'
import { UsageError } from '../exit.ts'
import { createLog } from '../log.ts'
import type { At } from './context.ts'

const tell = (way: TroubledWay): string => {
  const given = isSlow(way.trouble) ? `${way.seats} at a time` : 'closed, one mail tries it'
  return [
    `${way.kind === 'relay' ? 'relay ' : ''}${way.name}: ${way.trouble} since ${way.since.toISOString()}, ${given}`,
    `  next try ${way.notBefore.toISOString()}; ${way.waiting} ${way.waiting === 1 ? 'mail waits' : 'mails wait'}`,
    `  ${way.reason}`,
  ].join('\n')
}

export const destinationCommands = (program: Command, at: At): void => {
  const destinations = program
    .command('destinations')
    .description('relays and domains that take too little or nothing for now')

  destinations
    .command('list')
    .description(
      'what is in trouble, why, what may be sent there, when it is tried next, and how many mails wait for it',
    )
    .action(() =>
      at(
        async ({ db }) => ({ troubled: await readTroubled(db) }),
        ({ troubled }: { troubled: TroubledWay[] }) =>
          troubled.length === 0 ? 'Nothing is in trouble.' : troubled.map(tell).join('\n'),
      ),
    )

  destinations
    .command('clear')
    .description('forget the trouble of a domain, or of a relay by its name; what waits for it leaves within a minute')
    .argument('<domain>', 'as destinations list names it, or a domain of that family')
    .action((name: string) =>
      at(
        async ({ db }) => {
          const cleared = (await forgetWay(db, destinationOfDomain(name).name)) + (await forgetWay(db, name))
          if (cleared === 0)
            throw new UsageError(`nothing is known against ${name}; destinations list tells what is in trouble`)
          await sweepWays({ db, log: createLog('warn') })
          return { cleared: name }
        },
        ({ cleared }: { cleared: string }) => `${cleared} is sent to as any other again.`,
      ),
    )
}
