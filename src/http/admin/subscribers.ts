/** `/admin/subscribers`: finding one, their whole history, the mails as they were sent, and what an operator does for them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { isTopic, topics } from '../../core/topics.ts'
import { isUuid } from '../../core/uuid.ts'
import type { Refused } from '../../newsletter/administration/subscribers.ts'
import type { App } from '../site.ts'
import { editionNumber, MAX_WHY } from './editions.ts'
import { type AdminSite, actorOf, field, form, operatorOf, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { detailsView, mailView, rowView, stateCounts } from './subscriber-view.ts'
import { SUBSCRIBER_STATES } from './words.ts'

const Id = Type.Object({ id: Type.String() })
const Text = Type.Optional(Type.String())

/** Characters of a search: more than an address has. */
const MAX_SEARCH = 300

/** Why a form did nothing, for whoever pressed its button. */
const REFUSAL_WORDS: Record<Refused, string> = {
  'no such subscriber': 'Nothing was done: the subscriber is erased, or there is none.',
  'too many': 'Nothing was sent: they had three such emails in the last 24 hours.',
  'not now': 'Nothing was done: their state does not allow it.',
  'another address': 'Nothing was erased: type the address as it stands on this page.',
}

const isRefused = (result: unknown): result is Refused =>
  typeof result === 'string' && Object.hasOwn(REFUSAL_WORDS, result)

export const subscriberRoutes = (app: App, site: AdminSite): void => {
  listRoute(app, site)
  detailRoutes(app, site)
  actRoutes(app, site)
  personalDataRoutes(app, site)
}

const listRoute = (app: App, site: AdminSite): void => {
  app.get(
    '/admin/subscribers',
    {
      config: requireRole('look'),
      schema: { querystring: Type.Object({ q: Text, state: Text, topic: Text, after: Text }) },
    },
    async (request, reply) => {
      const { q = '', state: askedState = '', topic: askedTopic = '', after = '' } = request.query
      const text = q.trim().slice(0, MAX_SEARCH)
      const state = SUBSCRIBER_STATES.find((one) => one === askedState) ?? null
      const topic = isTopic(askedTopic) || askedTopic === 'trending' ? askedTopic : null
      const search = { text: text === '' ? null : text, state, topic }
      const page = await site.subscribers.list(search, isUuid(after) ? after : null)
      const query = {
        ...(text === '' ? {} : { q: text }),
        ...(state === null ? {} : { state }),
        ...(topic === null ? {} : { topic }),
      }
      return showAdmin(request, reply, site, 'subscribers', {
        asked: { q: text, state: state ?? '', topic: topic ?? '' },
        isSearch: Object.keys(query).length > 0,
        groups: topics().groups,
        states: SUBSCRIBER_STATES,
        counts: stateCounts(page.states),
        rows: page.rows.map(rowView),
        erased: page.erased && { at: page.erased.at.toISOString().slice(0, 10) },
        next: page.more === null ? null : `/admin/subscribers?${new URLSearchParams({ ...query, after: page.more })}`,
      })
    },
  )
}

/** Shows a subscriber, with what was wrong about a form; without one it is noted in the log who looked. */
const showSubscriber = async (
  request: FastifyRequest,
  reply: FastifyReply,
  site: AdminSite,
  { id, page, problem = null }: { id: string; page: number; problem?: { field: string; sentence: string } | null },
): Promise<FastifyReply> => {
  const details = isUuid(id) ? await site.subscribers.read(id, page) : null
  if (details === null) {
    reply.callNotFound()
    return reply
  }
  site.log.info({ operator: operatorOf(request).name, subscriber: id }, 'an operator looked at a subscriber')
  return showAdmin(request, reply, site, 'subscriber', { ...detailsView(details, page, site.mailDomains), problem })
}

const detailRoutes = (app: App, site: AdminSite): void => {
  const look = requireRole('look')

  app.get(
    '/admin/subscribers/:id',
    { config: look, schema: { params: Id, querystring: Type.Object({ page: Text }) } },
    (request, reply) =>
      showSubscriber(request, reply, site, {
        id: request.params.id,
        page: Math.min(editionNumber(request.query.page ?? '') ?? 1, 1_000),
      }),
  )

  app.get(
    '/admin/subscribers/:id/mails/:mail',
    { config: look, schema: { params: Type.Object({ id: Type.String(), mail: Type.String() }) } },
    async (request, reply) => {
      const { id, mail } = request.params
      const found = isUuid(id) ? await site.subscribers.readMail(id, mail) : null
      if (found === null) return reply.callNotFound()
      site.log.info({ operator: operatorOf(request).name, subscriber: id, mail }, 'an operator looked at a mail')
      return showAdmin(request, reply, site, 'subscriber-mail', { id, ...mailView(found, site.mailDomains) })
    },
  )
}

const actRoutes = (app: App, site: AdminSite): void => {
  const act = requireRole('act')
  const answer = (
    request: FastifyRequest<{ Params: { id: string } }>,
    reply: FastifyReply,
    result: unknown,
    done: string,
  ) =>
    sendBack(
      request,
      reply,
      site,
      `/admin/subscribers/${request.params.id}`,
      isRefused(result) ? REFUSAL_WORDS[result] : done,
    )

  app.post(
    '/admin/subscribers/:id/links',
    { config: act, schema: { params: Id, body: form({}) } },
    async (request, reply) => {
      if (!isUuid(request.params.id)) return reply.callNotFound()
      const result = await site.subscribers.sendLinks(actorOf(request), request.params.id)
      return answer(
        request,
        reply,
        result,
        result === 'confirmation' ? 'The confirmation is on its way again.' : 'Fresh links are on their way.',
      )
    },
  )

  app.post(
    '/admin/subscribers/:id/unsubscribe',
    { config: act, schema: { params: Id, body: form({}) } },
    async (request, reply) => {
      if (!isUuid(request.params.id)) return reply.callNotFound()
      const result = await site.subscribers.unsubscribe(actorOf(request), request.params.id)
      return answer(request, reply, result, 'They are unsubscribed, and may subscribe again.')
    },
  )

  app.post(
    '/admin/subscribers/:id/suppress',
    { config: act, schema: { params: Id, body: form({ why: field('Why') }) } },
    async (request, reply) => {
      const { id } = request.params
      const details = isUuid(id) ? await site.subscribers.read(id, 1) : null
      if (details === null || details.email === null) return reply.callNotFound()
      const why = textOf(request.body.why).slice(0, MAX_WHY)
      if (why === '')
        return showSubscriber(request, reply.code(422), site, {
          ...{ id, page: 1 },
          problem: { field: 'why', sentence: 'Say why: it stands in the log of suppressions.' },
        })
      const added = await site.suppressions.add(actorOf(request), details.email, why)
      const isDone = 'added' in added && added.added
      return answer(
        request,
        reply,
        null,
        isDone ? 'Nothing is mailed to the address any more.' : 'It was suppressed already.',
      )
    },
  )
}

const personalDataRoutes = (app: App, site: AdminSite): void => {
  app.post(
    '/admin/subscribers/:id/export',
    { config: requireRole('act'), schema: { params: Id, body: form({}) } },
    async (request, reply) => {
      const { id } = request.params
      const data = isUuid(id) ? await site.subscribers.exportData(actorOf(request), id) : 'no such subscriber'
      if (isRefused(data)) return reply.callNotFound()
      return reply
        .header('content-disposition', `attachment; filename="subscriber-${id}.json"`)
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(data, null, 2))
    },
  )

  app.post(
    '/admin/subscribers/:id/erase',
    { config: requireRole('own'), schema: { params: Id, body: form({ address: field('The address, typed') }) } },
    async (request, reply) => {
      const { id } = request.params
      if (!isUuid(id)) return reply.callNotFound()
      const result = await site.subscribers.erase(actorOf(request), id, textOf(request.body.address))
      if (result === 'no such subscriber') return reply.callNotFound()
      if (isRefused(result))
        return showSubscriber(request, reply.code(422), site, {
          ...{ id, page: 1 },
          problem: { field: 'address', sentence: REFUSAL_WORDS[result] },
        })
      return sendBack(
        request,
        reply,
        site,
        '/admin/subscribers',
        'Erased. A keyed hash of the address is kept, so that it is not mailed again unasked.',
      )
    },
  )
}
