/** `/admin/editions`: every edition with its equation, who missed it, and sending it again, pausing and canceling it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { readTimestamp } from '../../core/calendar.ts'
import type { MailState } from '../../core/sending/ledger.ts'
import { isUuid } from '../../core/uuid.ts'
import { UnusableEdition } from '../../newsletter/administration/editions.ts'
import { sendErrorPage } from '../errors.ts'
import type { App } from '../site.ts'
import { cancellationView, detailsView, MISSED_STATES, missedView, resendView, summaryView } from './edition-view.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { counted } from './words.ts'

const Id = Type.Object({ id: Type.String() })
const Text = Type.Optional(Type.String())

/** The number that a path has; `null` where it is none. */
export const editionNumber = (text: string): number | null => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : null)

/** Those states of a list that a missed delivery may have; all that it was sent for where there are none. */
const statesOf = (text: string | undefined, standard: readonly MailState[]): readonly MailState[] => {
  const named = MISSED_STATES.filter((state) => (text ?? '').split(',').includes(state))
  return named.length === 0 ? standard : named
}

/** What `resend` does unless told otherwise. */
const RESENDABLE = ['failed', 'unknown'] as const

/** `failed.0a0b…`, where the last page ended. */
const placeOf = (text: string | undefined) => {
  const [state, id = ''] = (text ?? '').split('.')
  const known = MISSED_STATES.find((one) => one === state)
  return known === undefined || !isUuid(id) ? null : { state: known, id }
}

/** Carries out an act; where the edition allows none, the page says why. */
const act = async (
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  site: AdminSite,
  work: (id: number) => Promise<FastifyReply>,
): Promise<FastifyReply> => {
  const id = editionNumber(request.params.id)
  if (id === null) {
    reply.callNotFound()
    return reply
  }
  try {
    return await work(id)
  } catch (error) {
    if (!(error instanceof UnusableEdition)) throw error
    const sentence = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`
    const known = (await site.editions.read(id)) !== null
    return sendErrorPage(request, reply, site, {
      status: known ? 409 : 404,
      heading: known ? 'That is not possible now' : 'There is no such edition',
      sentence: `${sentence} Nothing was changed.`,
    })
  }
}

export const editionRoutes = (app: App, site: AdminSite): void => {
  readRoutes(app, site)
  resendRoutes(app, site)
  pauseRoutes(app, site)
  cancelRoutes(app, site)
}

const readRoutes = (app: App, site: AdminSite): void => {
  const look = requireRole('look')

  app.get(
    '/admin/editions',
    { config: look, schema: { querystring: Type.Object({ before: Text }) } },
    async (request, reply) => {
      const before = readTimestamp(request.query.before ?? '')
      const { editions, older } = await site.editions.list(before)
      return showAdmin(request, reply, site, 'editions', {
        editions: editions.map(summaryView),
        isFirst: before === null,
        older: older === null ? null : `/admin/editions?${new URLSearchParams({ before: older.toISOString() })}`,
      })
    },
  )

  app.get('/admin/editions/:id', { config: look, schema: { params: Id } }, async (request, reply) => {
    const id = editionNumber(request.params.id)
    const edition = id === null ? null : await site.editions.read(id)
    if (edition === null) return reply.callNotFound()
    return showAdmin(request, reply, site, 'edition', detailsView(edition))
  })

  app.get(
    '/admin/editions/:id/missed',
    { config: look, schema: { params: Id, querystring: Type.Object({ state: Text, reason: Text, after: Text }) } },
    async (request, reply) => {
      const id = editionNumber(request.params.id)
      const edition = id === null ? null : await site.editions.read(id)
      if (edition === null) return reply.callNotFound()
      const which = {
        states: statesOf(request.query.state, ['failed', 'skipped', 'unknown']),
        reason: (request.query.reason ?? '').trim() || null,
      }
      const page = await site.editions.readMissed(edition.id, which, placeOf(request.query.after))
      return showAdmin(request, reply, site, 'edition-missed', missedView(edition, which, page))
    },
  )
}

const resendRoutes = (app: App, site: AdminSite): void => {
  app.get(
    '/admin/editions/:id/resend',
    {
      config: requireRole('look'),
      schema: { params: Id, querystring: Type.Object({ state: Text, subscriber: Text }) },
    },
    (request, reply) =>
      act(request, reply, site, async (id) => {
        const which = whichOf(request.query.state, request.query.subscriber)
        const plan = await site.editions.planResend(id, which)
        return showAdmin(request, reply, site, 'edition-resend', resendView(id, which, plan))
      }),
  )

  app.post(
    '/admin/editions/:id/resend',
    {
      config: requireRole('act'),
      schema: { params: Id, body: form({ state: field('States, comma-separated'), subscriber: field('An id') }) },
    },
    (request, reply) =>
      act(request, reply, site, async (id) => {
        const which = whichOf(textOf(request.body.state), textOf(request.body.subscriber))
        const { requeued, paused } = await site.editions.resend(actorOf(request), id, which)
        const back =
          requeued === 0
            ? 'Nothing was put back in the queue: nobody missed it in that way.'
            : `Sending it again to ${counted(requeued, 'reader')}.${paused ? ' The edition is paused: resume it first.' : ''}`
        const { subscriber } = which
        const path = subscriber === null ? `/admin/editions/${id}` : `/admin/subscribers/${subscriber.id}`
        return sendBack(request, reply, site, path, back)
      }),
  )
}

const whichOf = (states: string | undefined, subscriber: string | undefined) => ({
  states: statesOf(states, RESENDABLE),
  subscriber: subscriber !== undefined && isUuid(subscriber) ? { id: subscriber } : null,
})

const pauseRoutes = (app: App, site: AdminSite): void => {
  app.post(
    '/admin/editions/:id/pause',
    { config: requireRole('act'), schema: { params: Id, body: form({ why: field('Why') }) } },
    (request, reply) =>
      act(request, reply, site, async (id) => {
        await site.editions.pause(actorOf(request), id, textOf(request.body.why).slice(0, MAX_WHY) || null)
        return sendBack(
          request,
          reply,
          site,
          `/admin/editions/${id}`,
          `Edition ${id} is paused. What mailers have in hand is finished.`,
        )
      }),
  )

  app.post(
    '/admin/editions/:id/resume',
    { config: requireRole('act'), schema: { params: Id, body: form({}) } },
    (request, reply) =>
      act(request, reply, site, async (id) => {
        await site.editions.resume(actorOf(request), id)
        return sendBack(request, reply, site, `/admin/editions/${id}`, `Edition ${id} goes on.`)
      }),
  )
}

/** Characters of a reason. */
export const MAX_WHY = 500

const cancelRoutes = (app: App, site: AdminSite): void => {
  const ask = async (
    request: FastifyRequest<{ Params: { id: string } }>,
    reply: FastifyReply,
    id: number,
    asked: { again: boolean; error: string | null },
  ) => {
    const plan = await site.editions.planCancellation(id, asked.again)
    return showAdmin(request, reply, site, 'edition-cancel', cancellationView(id, plan, asked))
  }

  app.get(
    '/admin/editions/:id/cancel',
    { config: requireRole('look'), schema: { params: Id, querystring: Type.Object({ again: Text }) } },
    (request, reply) =>
      act(request, reply, site, (id) => ask(request, reply, id, { again: request.query.again === 'yes', error: null })),
  )

  app.post(
    '/admin/editions/:id/cancel',
    {
      config: requireRole('act'),
      schema: { params: Id, body: form({ why: field('Why'), again: field('yes: its readers are due at once') }) },
    },
    (request, reply) =>
      act(request, reply, site, async (id) => {
        const why = textOf(request.body.why).slice(0, MAX_WHY)
        const again = textOf(request.body.again) === 'yes'
        if (why === '')
          return ask(request, reply.code(422), id, { again, error: 'Say why: it stands wherever the edition does.' })
        const result = await site.editions.cancel(actorOf(request), id, { why, again })
        const what = result === null ? 'what waits' : counted(result.canceled, 'delivery', 'deliveries')
        const done = `Edition ${id} is canceled: ${what} ${result === null ? 'is called off within minutes' : 'called off'}.`
        return sendBack(request, reply, site, `/admin/editions/${id}`, done)
      }),
  )
}
