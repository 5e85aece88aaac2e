/** `destinations …`: relays and domains that take too little or nothing for now. */
import type { Command } from 'commander'
import { destinationOfDomain } from '../../src/core/sending/destination.ts'
import { isSlow } from '../../src/core/sending/pace.ts'
import { sweepRoutes } from '../../src/newsletter/sending/routes.ts'
import { forgetRoute, readThrottled, type ThrottledRoute } from '../../src/store/outbox/throttled-routes.ts'
import { UsageError } from '../exit.ts'
import { createLog } from '../log.ts'
import type { At } from './context.ts'

const tell = (route: ThrottledRoute): string => {
  const given = isSlow(route.cause) ? `${route.concurrency} at a time` : 'closed, one mail tries it'
  return [
    `${route.kind === 'relay' ? 'relay ' : ''}${route.name}: ${route.cause} since ${route.since.toISOString()}, ${given}`,
    `  next try ${route.notBefore.toISOString()}; ${route.waiting} ${route.waiting === 1 ? 'mail waits' : 'mails wait'}`,
    `  ${route.reason}`,
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
        async ({ db }) => ({ throttled: await readThrottled(db) }),
        ({ throttled }: { throttled: ThrottledRoute[] }) =>
          throttled.length === 0 ? 'Nothing is in trouble.' : throttled.map(tell).join('\n'),
      ),
    )

  destinations
    .command('clear')
    .description('forget the trouble of a domain, or of a relay by its name; what waits for it leaves within a minute')
    .argument('<domain>', 'as destinations list names it, or a domain of that family')
    .action((name: string) =>
      at(
        async ({ db }) => {
          const cleared = (await forgetRoute(db, destinationOfDomain(name).name)) + (await forgetRoute(db, name))
          if (cleared === 0)
            throw new UsageError(`nothing is known against ${name}; destinations list tells what is in trouble`)
          await sweepRoutes({ db, log: createLog('warn') })
          return { cleared: name }
        },
        ({ cleared }: { cleared: string }) => `${cleared} is sent to as any other again.`,
      ),
    )
}
