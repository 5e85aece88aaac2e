/** The page of event webhooks: which programs are told of what, and each attempt to tell them. Only for `own`. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { WEBHOOK_EVENTS } from '../../core/event-webhook.ts'
import type { EndpointRow, MessageRow, WebhookProblem, WithSecret } from '../../newsletter/event-webhooks.ts'
import type { App } from '../site.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { shortDateTime } from './words.ts'

const MOST_MESSAGES = 50
const Id = Type.Object({ id: Type.String() })
const Page = Type.Object({ before: Type.Optional(Type.String()) })

type WebhookSite = Pick<AdminSite, 'pages' | 'operators' | 'eventWebhooks'>

/** What was typed, or nothing yet. */
interface Typed {
  url: string
  events: readonly string[]
  withAddresses: boolean
}
const NOTHING: Typed = { url: '', events: [], withAddresses: false }

const endpointView = (one: EndpointRow) => ({
  id: one.id,
  url: one.url,
  host: new URL(one.url).host,
  events: one.events.join(', '),
  withAddresses: one.with_addresses,
  added: shortDateTime(one.added_at),
  by: one.added_by,
  disabled: one.disabled_at !== null,
  state: stateOf(one),
  delivered: one.delivered,
  waiting: one.waiting,
  failed: one.failed,
})

const stateOf = ({ disabled_at, disabled_why, failing_since }: EndpointRow): string => {
  if (disabled_at !== null) return `Disabled since ${shortDateTime(disabled_at)}: ${disabled_why}.`
  return failing_since === null ? 'Enabled' : `Takes nothing since ${shortDateTime(failing_since)}`
}

const messageView = ({ id, event, at, subscriberId, data, nextAttemptAt, deliveredAt, attempts }: MessageRow) => ({
  id,
  event,
  at: shortDateTime(at),
  subscriberId,
  data: JSON.stringify(data, null, 2),
  isDue: nextAttemptAt !== null,
  state:
    deliveredAt !== null
      ? 'delivered'
      : nextAttemptAt === null
        ? 'given up'
        : `waits for its next attempt, ${shortDateTime(nextAttemptAt)}`,
  attempts: attempts.map(({ at: tried, status, error, milliseconds }) => ({
    at: shortDateTime(new Date(tried)),
    answer: error ?? `it answered ${status}`,
    milliseconds,
  })),
})

/** The acts of one button: what each does, and what is said once it is done. */
const ACTS = {
  test: 'A test is on its way. Its attempts are below in a moment.',
  disable: 'It is told of nothing any more.',
  enable: 'It is told of what happens from now on.',
  'renew-secret': 'It has another secret. For a day messages are signed with both.',
} as const

const isProblem = (result: object | number): result is WebhookProblem =>
  typeof result === 'object' && 'problem' in result

export const webhookRoutes = (app: App, site: WebhookSite): void => {
  const { eventWebhooks: webhooks } = site

  const showList = async (
    request: FastifyRequest,
    reply: FastifyReply,
    typed: Typed = NOTHING,
    problem: string | null = null,
  ) =>
    showAdmin(request, reply, site, 'webhooks', {
      webhooks: (await webhooks.list()).map(endpointView),
      events: Object.entries(WEBHOOK_EVENTS).map(([name, what]) => ({
        name,
        what,
        chosen: typed.events.includes(name),
      })),
      typed,
      problem,
    })

  const showOne = async (
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
    {
      before = null,
      problem = null,
      secret = null,
    }: { before?: Date | null; problem?: string | null; secret?: string | null },
  ) => {
    const found = await webhooks.read(id, { before, most: MOST_MESSAGES + 1 })
    if (found === null) return reply.callNotFound()
    const messages = found.messages.slice(0, MOST_MESSAGES)
    return showAdmin(request, reply, site, 'webhook', {
      webhook: endpointView(found.endpoint),
      messages: messages.map(messageView),
      older: found.messages.length > MOST_MESSAGES ? (messages.at(-1)?.at.toISOString() ?? null) : null,
      before,
      problem,
      secret,
    })
  }

  /** Answers an act on one of them: back to its page, or the page again with what stands against it. */
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
    result: object | number,
    said: string,
  ) =>
    isProblem(result)
      ? showOne(request, reply.code(422), id, { problem: result.problem })
      : sendBack(request, reply, site, `/admin/webhooks/${id}`, said)

  app.get('/admin/webhooks', { config: requireRole('own') }, (request, reply) => showList(request, reply))

  app.get(
    '/admin/webhooks/:id',
    { config: requireRole('own'), schema: { params: Id, querystring: Page } },
    async (request, reply) => {
      const typed = new Date(request.query.before ?? '')
      const before = Number.isNaN(typed.getTime()) ? null : typed
      return showOne(request, reply, request.params.id, { before })
    },
  )

  app.post(
    '/admin/webhooks',
    {
      config: requireRole('own'),
      schema: { body: form({ url: field('URL'), events: field('Events'), addresses: field('With addresses') }) },
    },
    async (request, reply) => {
      const { url, events, addresses } = request.body
      const chosen = (Array.isArray(events) ? events : [events]).filter((one): one is string => typeof one === 'string')
      const typed = { url: textOf(url), events: chosen, withAddresses: textOf(addresses) !== '' }
      // An address of the operator's own network is named by a command only: it is for whoever runs the machine to say.
      const added = await webhooks.add(actorOf(request), { ...typed, anyNetwork: false })
      if (isProblem(added)) return showList(request, reply.code(422), typed, added.problem)
      return sendBack(
        request,
        reply,
        site,
        `/admin/webhooks/${(added as WithSecret).endpoint.id}`,
        'It is told of what happens from now on. Give it the secret, and send a test.',
      )
    },
  )

  app.post(
    '/admin/webhooks/:id/secret',
    { config: requireRole('own'), schema: { params: Id, body: form({}) } },
    async (request, reply) => {
      const { id } = request.params
      const shown = await webhooks.showSecret(actorOf(request), id)
      return isProblem(shown) ? reply.callNotFound() : showOne(request, reply, id, { secret: shown.secret })
    },
  )

  app.post(
    '/admin/webhooks/:id/remove',
    { config: requireRole('own'), schema: { params: Id, body: form({}) } },
    async (request, reply) => {
      const removed = await webhooks.remove(actorOf(request), request.params.id)
      if (isProblem(removed)) return reply.callNotFound()
      return sendBack(
        request,
        reply,
        site,
        '/admin/webhooks',
        `${new URL(removed.url).host} is removed, with its messages.`,
      )
    },
  )

  app.post(
    '/admin/webhooks/:id/send-again',
    { config: requireRole('own'), schema: { params: Id, body: form({ message: field('Message') }) } },
    async (request, reply) => {
      const { id } = request.params
      const sent = await webhooks.sendAgain(actorOf(request), id, textOf(request.body.message) || 'failed')
      const said = sent === 1 ? 'One message is sent again.' : `${sent} messages are sent again.`
      return answer(request, reply, id, sent, said)
    },
  )

  for (const act of Object.keys(ACTS) as (keyof typeof ACTS)[])
    app.post(
      `/admin/webhooks/:id/${act}`,
      { config: requireRole('own'), schema: { params: Id, body: form({}) } },
      async (request, reply) => {
        const { id } = request.params as { id: string }
        const by = actorOf(request)
        const result = await (act === 'renew-secret' ? webhooks.renewSecret(by, id) : webhooks[act](by, id))
        return answer(request, reply, id, result, ACTS[act])
      },
    )
}
