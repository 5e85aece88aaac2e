/** The preferences page: topics, times and a pause, by the link at the foot of every mail. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { addDays } from '../core/calendar.ts'
import { latestPause, pauseChoices, readPause } from '../core/pause.ts'
import { type FieldError, readPreferences } from '../core/preferences.ts'
import type { OwnPreferences } from '../newsletter/subscription.ts'
import { type FormView, filledForm, refusedForm } from './form.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })

/** As they are sent; `core/preferences` says what is right. */
const Choices = Type.Object({
  topics: Type.Optional(Type.Unknown({ description: 'Topic names, at least one' })),
  frequency: Type.Optional(Type.Unknown({ description: 'daily or weekly' })),
  timezone: Type.Optional(Type.Unknown({ description: 'An IANA time zone such as Europe/London' })),
  hour: Type.Optional(Type.Unknown({ description: '0 to 23' })),
  weekday: Type.Optional(Type.Unknown({ description: '1 (Monday) to 7' })),
})
const Pause = Type.Object({
  until: Type.Optional(Type.Unknown({ description: 'The first date with mail again, YYYY-MM-DD' })),
  end: Type.Optional(Type.Unknown({ description: 'Any value ends the pause' })),
})

const isSubscribed = (own: OwnPreferences): boolean => own.state === 'active' || own.state === 'paused'

export const preferencesRoutes = (app: App, { subscriptions, pages }: Site): void => {
  const showPreferences = (
    reply: FastifyReply,
    token: string,
    own: OwnPreferences,
    { form = filledForm(own.preferences), saved = null as string | null, until = null as string | null } = {},
  ) => {
    const today = subscriptions.localToday(own.preferences.timeZone)
    return show(reply, pages, 'preferences', {
      token,
      own,
      form,
      saved,
      pause: {
        value: until ?? own.pausedUntil ?? pauseChoices(today)[0],
        earliest: addDays(today, 1),
        latest: latestPause(today),
      },
    })
  }

  const showNotSubscribed = (request: FastifyRequest, reply: FastifyReply) => {
    const sentence = 'No digest goes to this address, so there is nothing to choose. Subscribe again whenever you like.'
    const status = request.method === 'POST' ? 409 : 200
    return wantsJson(request)
      ? sendProblem(reply, status, 'Not subscribed', sentence)
      : show(reply.code(status), pages, 'message', { heading: 'You are not subscribed.', sentence })
  }

  const refuse = (
    request: FastifyRequest,
    reply: FastifyReply,
    own: OwnPreferences,
    errors: FieldError[],
    view: { token: string; form: FormView; until?: string },
  ) =>
    wantsJson(request)
      ? sendProblem(reply, 400, 'Not saved', 'Some fields are not right yet.', errors)
      : showPreferences(reply.code(400), view.token, own, view)

  app.get('/preferences/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    return isSubscribed(own) ? showPreferences(reply, token, own) : showNotSubscribed(request, reply)
  })

  app.post('/preferences/:token', { schema: { params: TokenParam, body: Choices } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own)) return showNotSubscribed(request, reply)
    const read = readPreferences(request.body, own.preferences)
    if ('errors' in read) {
      const form = refusedForm(request.body, read.errors, own.preferences)
      return refuse(request, reply, own, read.errors, { token, form })
    }
    const changed = await subscriptions.changePreferences(token, read.preferences)
    if (changed === null) return showDeadLink(reply, pages)
    if (!isSubscribed(changed)) return showNotSubscribed(request, reply)
    if (wantsJson(request)) return { status: 'saved' }
    return showPreferences(reply, token, changed, { saved: 'Your preferences are saved.' })
  })

  app.post('/preferences/:token/pause', { schema: { params: TokenParam, body: Pause } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own)) return showNotSubscribed(request, reply)
    const { until: typed, end } = request.body
    const read =
      end === undefined ? readPause(typed, subscriptions.localToday(own.preferences.timeZone)) : { until: null }
    if ('problem' in read) {
      const errors = [{ field: 'until', problem: read.problem, expected: 'a date after today, YYYY-MM-DD' }]
      const form = filledForm(own.preferences, errors)
      return refuse(request, reply, own, errors, { token, form, until: typeof typed === 'string' ? typed : '' })
    }
    const changed = await subscriptions.pause(token, read.until)
    if (changed === null) return showDeadLink(reply, pages)
    if (!isSubscribed(changed)) return showNotSubscribed(request, reply)
    if (wantsJson(request)) return { status: 'saved' }
    const saved = read.until === null ? 'The pause is over.' : 'Your pause is saved.'
    return showPreferences(reply, token, changed, { saved })
  })
}
