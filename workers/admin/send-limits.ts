/** `destinations limit` and `destinations warm-up`: caps on what the relay and a domain are sent. */
import { type Command, InvalidArgumentError } from 'commander'
import { readSmtpUrl } from '../../src/core/sending/smtp-url.ts'
import { type Caps, type LimitReport, limitedRoute, setCaps, setWarmUp } from '../../src/newsletter/sending/limits.ts'
import { sweepRoutes } from '../../src/newsletter/sending/routes.ts'
import { readCount, readRate } from '../config/caps.ts'
import { UsageError } from '../exit.ts'
import { createLog } from '../log.ts'
import { type CliContext, type RunCommand, wakeOrNotify } from './context.ts'

/** A parser of settings as one of arguments. */
const argument =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message)
    }
  }

const growth = (text: string): number => {
  const factor = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || factor <= 1 || factor > 10)
    throw new InvalidArgumentError('is a factor above 1, such as 2 or 1.5')
  return factor
}

const DOMAIN = /^[a-z\d-]+(\.[a-z\d-]+)+$/i

const relayOf = ({ config }: CliContext): string => {
  if (config.smtpUrl === null) throw new UsageError('there is no relay; SMTP_URL names it')
  const { host, port } = readSmtpUrl(config.smtpUrl)
  return `${host}:${port}`
}

/** One capped route: what is used of each cap, and when the next digest may go. */
export const limitText = ({
  kind,
  name,
  used,
  kept,
  perSecond,
  perHour,
  perDay,
  warmUp,
  fromSettings,
  next,
}: LimitReport) => {
  const cap = (most: number | null, count: number, reserve: number, per: string) =>
    most === null ? [] : [`${count} of ${most} in ${per}${reserve > 0 ? ` (${reserve} kept for letters)` : ''}`]
  const caps = [
    ...(perSecond === null ? [] : [`at most ${perSecond} a second`]),
    ...cap(perHour, used.hour, kept.hour, '60 minutes'),
    ...cap(perDay, used.day, kept.day, '24 hours'),
  ]
  const steps =
    warmUp === null
      ? []
      : [
          `  warm-up: ${used.day} of ${warmUp.limit} in 24 hours, since ${warmUp.since.toISOString()}; ` +
            `each day ${warmUp.growth} times as many, up to ${warmUp.until}`,
        ]
  return [
    `${kind === 'relay' ? 'relay ' : ''}${name} is capped${fromSettings ? ' by settings' : ''}${caps.length > 0 ? `: ${caps.join(', ')}` : ''}`,
    ...steps,
    `  next digest ${next === null ? 'not within a year' : `from ${next.toISOString()}`}`,
  ].join('\n')
}

interface LimitOptions {
  perSecond?: number
  perHour?: number
  perDay?: number
  none?: boolean
}

export const limitCommands = (destinations: Command, run: RunCommand): void => {
  destinations
    .command('limit')
    .description(
      'cap what a domain or the relay is sent, over all mailers, in any second, 60 minutes and 24 hours; the caps given\n' +
        'replace those before. What does not fit waits, letters go first, and 5 % of an hour and a day is kept for them',
    )
    .argument('<route>', 'relay, or a domain such as gmail.com')
    .option('--per-second <n>', 'may be a fraction', argument(readRate))
    .option('--per-hour <n>', 'in any 60 minutes', argument(readCount))
    .option('--per-day <n>', 'in any 24 hours', argument(readCount))
    .option('--none', 'no cap any more')
    .action((name: string, options: LimitOptions) =>
      run(
        async (context) => {
          const caps: Caps = {
            perSecond: options.perSecond ?? null,
            perHour: options.perHour ?? null,
            perDay: options.perDay ?? null,
          }
          const isCapped = Object.values(caps).some((cap) => cap !== null)
          if (isCapped === (options.none === true))
            throw new UsageError('say how much: --per-second, --per-hour, --per-day, or --none')
          const route = limitedRoute(name === 'relay' ? relayOf(context) : name)
          if (route.kind === 'destination' && !DOMAIN.test(name))
            throw new UsageError(`${JSON.stringify(name)} is neither relay nor a domain such as gmail.com`)
          if (!(await setCaps(context.db, route, caps)))
            throw new UsageError('SMTP_PER_SECOND, SMTP_PER_HOUR and SMTP_PER_DAY cap the relay; change them there')
          await letGo(context)
          return { route: route.name, ...caps }
        },
        ({ route, ...caps }: Caps & { route: string }) =>
          Object.values(caps).every((cap) => cap === null)
            ? `${route} is not capped any more.`
            : `${route} is capped; destinations list shows what is used.`,
      ),
    )

  destinations
    .command('warm-up')
    .description(
      'cap what a new sender sends in 24 hours: first so many, the next day more, until a last step. A day that used less\n' +
        'than half is not followed by a larger one. Letters count, and do not wait for it',
    )
    .option('--start <n>', 'emails on the first day', argument(readCount))
    .option('--growth <factor>', 'how many times as many each day', growth, 2)
    .option('--until <n>', 'no step is larger; after the last one there is no cap', argument(readCount))
    .option('--stop', 'end it now')
    .action((options: { start?: number; growth: number; until?: number; stop?: boolean }) =>
      run(
        async (context) => {
          const { start, until, stop } = options
          const relay = relayOf(context)
          if (stop === true) {
            await setWarmUp(context.db, relay, null)
            await letGo(context)
            return { relay, warmUp: null }
          }
          if (start === undefined || until === undefined || until < start)
            throw new UsageError('say --start and --until, which is not less, or --stop')
          const warmUp = { limit: start, growth: options.growth, until }
          await setWarmUp(context.db, relay, warmUp)
          return { relay, warmUp }
        },
        ({ relay, warmUp }: { relay: string; warmUp: object | null }) =>
          warmUp === null ? `The warm-up of ${relay} is over.` : `${relay} warms up; destinations list shows the day.`,
      ),
    )
}

/** Mail that waited for a cap is sent at once. */
const letGo = async (context: CliContext): Promise<void> => {
  await sweepRoutes({ db: context.db, log: createLog('warn') }, context.now())
  await wakeOrNotify(context)
}
