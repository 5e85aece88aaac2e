/** `destinations …`: the throttled routes, which are relays and domains that accept little or nothing for now. */
import type { Command } from 'commander'
import { ADVICE } from '../../src/core/sending/advice.ts'
import { isSlow } from '../../src/core/sending/pace.ts'
import { clearRoute } from '../../src/newsletter/administration/routes.ts'
import { type LimitReport, reportLimits } from '../../src/newsletter/sending/limits.ts'
import { readThrottled, type ThrottledRoute } from '../../src/store/outbox/throttled-routes.ts'
import { UsageError } from '../exit.ts'
import { createLog } from '../log.ts'
import type { RunCommand } from './context.ts'
import { limitCommands, limitText } from './send-limits.ts'

const describe = (route: ThrottledRoute): string => {
  const limit = isSlow(route.cause) ? `${route.concurrency} at a time` : 'closed, one mail at a time probes it'
  return [
    `${route.kind === 'relay' ? 'relay ' : ''}${route.name}: ${route.cause} since ${route.since.toISOString()}, ${limit}`,
    `  next attempt ${route.notBefore.toISOString()}; ${route.waiting} ${route.waiting === 1 ? 'mail waits' : 'mails wait'}`,
    `  ${route.reason}`,
    ...(route.kind === 'relay' ? [`  ${ADVICE[route.cause]}`] : []),
  ].join('\n')
}

export const destinationCommands = (program: Command, run: RunCommand): void => {
  const destinations = program
    .command('destinations')
    .description('relays and domains that accept little or nothing for now, and caps on what they are sent')

  destinations
    .command('list')
    .description(
      'the throttled routes: why, how much is sent there, when the next attempt is, and how many mails wait for it; and the\n' +
        'caps: how much of each is used, and when the next digest may go',
    )
    .action(() =>
      run(
        async ({ db }) => ({ throttled: await readThrottled(db), limits: await reportLimits(db) }),
        ({ throttled, limits }: { throttled: ThrottledRoute[]; limits: LimitReport[] }) =>
          [
            ...(throttled.length === 0 ? ['No route is throttled.'] : throttled.map(describe)),
            ...limits.map(limitText),
          ].join('\n'),
      ),
    )

  limitCommands(destinations, run)

  destinations
    .command('clear')
    .description('stop throttling a domain, or a relay by its name; the mail that waits for it is sent within a minute')
    .argument('<domain>', 'as destinations list names it, or a domain of that family')
    .action((name: string) =>
      run(
        async ({ db, now, actor }) => {
          if (!(await clearRoute({ db, log: createLog('warn'), now }, actor, name)))
            throw new UsageError(`${name} is not throttled; destinations list shows what is`)
          return { cleared: name }
        },
        ({ cleared }: { cleared: string }) => `${cleared} is not throttled any more.`,
      ),
    )
}
