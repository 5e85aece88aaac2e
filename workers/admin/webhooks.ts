/** `webhooks …`: programs of the operator's that are told of what happens. */
import type { Command } from 'commander'
import { isPrivateLiteral } from '../../src/adapters/public-network.ts'
import { WEBHOOK_EVENTS } from '../../src/core/event-webhook.ts'
import {
  createEventWebhooks,
  type EventWebhooks,
  type WebhookProblem,
  type WithSecret,
} from '../../src/newsletter/event-webhooks.ts'
import type { EndpointRow, MessageRow, WebhookEndpoint } from '../../src/store/event-webhooks.ts'
import { UsageError } from '../exit.ts'
import { counted } from './arguments.ts'
import type { CliContext, RunCommand } from './context.ts'

const MOST_MESSAGES = 20

/** Ends with the problem, if there is one. */
const orProblem = <T>(result: T | WebhookProblem): T => {
  if (typeof result === 'object' && result !== null && 'problem' in result) throw new UsageError(result.problem)
  return result as T
}

const webhooksOf = (context: CliContext): EventWebhooks => createEventWebhooks({ ...context, isPrivateLiteral })

const visible = ({
  id,
  url,
  events,
  with_addresses,
  added_at,
  added_by,
  disabled_at,
  disabled_why,
}: WebhookEndpoint) => ({
  id,
  url,
  events,
  withAddresses: with_addresses,
  added: added_at,
  by: added_by,
  disabled: disabled_at,
  why: disabled_why,
})

const withCounts = (endpoint: EndpointRow) => {
  const { waiting, waitingSince, delivered, failed, failing_since: failingSince } = endpoint
  return { ...visible(endpoint), waiting, waitingSince, delivered, failed, failingSince }
}

const stateOf = ({ disabled, why, failingSince }: ReturnType<typeof withCounts>): string => {
  if (disabled !== null) return `disabled since ${disabled.toISOString()}: ${why}`
  return failingSince === null ? 'enabled' : `failing since ${failingSince.toISOString()}`
}

const lineOf = (one: ReturnType<typeof withCounts>): string =>
  `${one.id}  ${one.url}\n  ${one.events.join(', ')}${one.withAddresses ? '; with addresses' : ''}\n` +
  `  ${stateOf(one)}; ${one.delivered} delivered, ${one.waiting} waiting, ${one.failed} given up`

const secretText = ({ endpoint: { url }, secret }: { endpoint: { url: string }; secret: string }): string =>
  [
    `${url} verifies messages with this secret (https://www.standardwebhooks.com), which webhooks secret shows again:`,
    '',
    `  ${secret}`,
  ].join('\n')

const shown = ({ endpoint, secret }: WithSecret) => ({ endpoint: visible(endpoint), secret })

const messageLines = ({ id, event, at, deliveredAt, nextAttemptAt, attempts }: MessageRow): string[] => {
  const state =
    deliveredAt !== null ? 'delivered' : nextAttemptAt !== null ? `due ${nextAttemptAt.toISOString()}` : 'given up'
  return [
    `${at.toISOString()}  ${event}  ${state}  ${id}`,
    ...attempts.map(
      (one) =>
        `  ${one.attempt}. ${new Date(one.at).toISOString()}  ${one.error ?? `it answered ${one.status}`}, ${one.milliseconds} ms`,
    ),
  ]
}

export const webhookCommands = (program: Command, run: RunCommand): void => {
  const webhooks = program
    .command('webhooks')
    .description('programs that are told of what happens, signed as Standard Webhooks')
  const by = (command: Command) =>
    command.option('--by <name>', 'who decides; by default your user name on this machine')

  by(webhooks.command('add'))
    .description(
      `tell a URL of events, and print the secret that verifies them. Events:\n${Object.entries(WEBHOOK_EVENTS)
        .map(([event, what]) => `  ${event}: ${what}`)
        .join('\n')}`,
    )
    .argument('<url>', 'such as https://hooks.example.org/paper-round')
    .requiredOption('--events <list>', 'by comma, or all')
    .option('--with-addresses', 'messages hold the address of the reader they are about')
    .option('--any-network', 'it may be at an address that is not of the public internet')
    .action((url: string, options: { events: string; withAddresses?: boolean; anyNetwork?: boolean }) =>
      run(
        async (context) =>
          shown(
            orProblem(
              await webhooksOf(context).add(context.actor, {
                url,
                events: options.events === 'all' ? Object.keys(WEBHOOK_EVENTS) : options.events.split(/\s*,\s*/),
                withAddresses: options.withAddresses === true,
                anyNetwork: options.anyNetwork === true,
              }),
            ),
          ),
        secretText,
      ),
    )

  webhooks
    .command('list')
    .description('who is told of what, and how that goes')
    .action(() =>
      run(
        async (context) => ({ webhooks: (await webhooksOf(context).list()).map(withCounts) }),
        ({ webhooks: all }) => (all.length === 0 ? 'Nobody is told of anything.' : all.map(lineOf).join('\n')),
      ),
    )

  webhooks
    .command('show')
    .description(`one of them, and the attempts to deliver its last ${MOST_MESSAGES} messages`)
    .argument('<id>')
    .action((id: string) =>
      run(
        async (context) => {
          const found = await webhooksOf(context).read(id, { before: null, most: MOST_MESSAGES })
          if (found === null) throw new UsageError('There is no such webhook; see webhooks list.')
          return { webhook: withCounts(found.endpoint), messages: found.messages }
        },
        ({ webhook, messages }) => [lineOf(webhook), ...messages.flatMap(messageLines)].join('\n'),
      ),
    )

  by(webhooks.command('secret'))
    .description('print the secret again; with --new another one, and for a day messages are signed with both')
    .argument('<id>')
    .option('--new', 'make another one')
    .action((id: string, options: { new?: boolean }) =>
      run(async (context) => {
        const use = webhooksOf(context)
        return shown(
          orProblem(
            options.new === true ? await use.renewSecret(context.actor, id) : await use.showSecret(context.actor, id),
          ),
        )
      }, secretText),
    )

  by(webhooks.command('test'))
    .description('send it a message of the kind webhook.test')
    .argument('<id>')
    .action((id: string) =>
      run(
        async (context) => {
          const endpoint = visible(orProblem(await webhooksOf(context).test(context.actor, id)))
          return { endpoint, serviceRuns: context.serviceRuns }
        },
        ({ endpoint, serviceRuns }) =>
          serviceRuns
            ? `${endpoint.url} is sent a test in a moment. See: webhooks show ${endpoint.id}`
            : `${endpoint.url} is sent a test when the service is started (npm start).`,
      ),
    )

  by(webhooks.command('resend'))
    .description('send a message once more, or each that was given up')
    .argument('<id>')
    .argument('[message]', 'the id of a message; without it, each that was given up')
    .action((id: string, message: string | undefined) =>
      run(
        async (context) => ({
          count: orProblem(await webhooksOf(context).sendAgain(context.actor, id, message ?? 'failed')),
        }),
        ({ count }) => `${counted(count, 'message')} will be sent again.`,
      ),
    )

  for (const [name, description, done] of [
    ['disable', 'tell it of nothing any more; what it is owed is given up', 'is told of nothing any more'],
    ['enable', 'tell it again of what happens from now on', 'is told of what happens from now on'],
    ['remove', 'tell it of nothing any more, and forget it with its messages', 'is removed'],
  ] as const)
    by(webhooks.command(name))
      .description(description)
      .argument('<id>')
      .action((id: string) =>
        run(
          async (context) => visible(orProblem(await webhooksOf(context)[name](context.actor, id))),
          ({ url }) => `${url} ${done}.`,
        ),
      )
}
