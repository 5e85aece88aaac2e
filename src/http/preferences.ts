/** The preferences page: topics, own words, times and a pause, by the link at the foot of every mail. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { addDays } from '../core/calendar.ts'
import { changeLine, volumeLine } from '../core/digest/volume.ts'
import { latestPause, pauseChoices, readPause } from '../core/subscriber/pause.ts'
import { type FieldError, isSubscribed, type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import type { OwnPreferences } from '../newsletter/subscription/preferences.ts'
import { CHOICES, type FormView, filledForm, refusedForm } from './form.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })

const Choices = Type.Object(CHOICES)
const Pause = Type.Object({
  until: Type.Optional(Type.Unknown({ description: 'The first date with mail again, YYYY-MM-DD' })),
  end: Type.Optional(Type.Unknown({ description: 'Any value ends the pause' })),
})

/** Whether two preferences bring the same papers, whenever they come. */
const choosesAlike = (one: Preferences, other: Preferences): boolean =>
  (['topics', 'keywords', 'authors', 'muted'] as const).every((list) => one[list].join('\n') === other[list].join('\n'))

export const preferencesRoutes = (app: App, { subscriptions, previews, pages }: Site): void => {
  /** What a change does to the number of papers, `null` when it cannot be told or does nothing to it. */
  const tellChange = async (before: Preferences, after: Preferences): Promise<string | null> => {
    const volumes = await Promise.all([before, after].map((profile) => previews.readVolume(profile)))
    const [was, becomes] = volumes
    return was == null || becomes == null ? null : changeLine(was, becomes)
  }

  const showPreferences = async (
    reply: FastifyReply,
    token: string,
    own: OwnPreferences,
    { form = filledForm(own.preferences), notice = null as string | null, until = null as string | null } = {},
  ) => {
    const today = subscriptions.localToday(own.preferences.timeZone)
    const volume = await previews.readVolume(own.preferences)
    return show(reply, pages, 'preferences', {
      token,
      own,
      form,
      notice,
      volume: volume === null ? null : volumeLine(volume),
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

  const refuse = async (
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
    return isSubscribed(own.state) ? showPreferences(reply, token, own) : showNotSubscribed(request, reply)
  })

  app.post('/preferences/:token', { schema: { params: TokenParam, body: Choices } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply)
    const read = readPreferences(request.body, own.preferences)
    if ('errors' in read) {
      const form = refusedForm(request.body, read.errors, own.preferences)
      return refuse(request, reply, own, read.errors, { token, form })
    }
    const changed = await subscriptions.changePreferences(token, read.preferences)
    if (changed === null) return showDeadLink(reply, pages)
    if (!isSubscribed(changed.state)) return showNotSubscribed(request, reply)
    if (wantsJson(request)) return { status: 'saved' }
    const change = choosesAlike(own.preferences, read.preferences)
      ? null
      : await tellChange(own.preferences, read.preferences)
    const notice = ['Your preferences are saved.', change].filter((line) => line !== null).join(' ')
    return showPreferences(reply, token, changed, { notice })
  })

  /** Shows what a change would do, and keeps it in the form; it is a POST so that no address holds what was typed. */
  app.post('/preferences/:token/look', { schema: { params: TokenParam, body: Choices } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply)
    const read = readPreferences(request.body, own.preferences)
    if ('errors' in read) {
      const form = refusedForm(request.body, read.errors, own.preferences)
      return refuse(request, reply, own, read.errors, { token, form })
    }
    const change = (await tellChange(own.preferences, read.preferences)) ?? 'No papers are held yet to count by.'
    if (wantsJson(request)) return { status: 'not saved', change }
    return showPreferences(reply, token, own, {
      form: filledForm(read.preferences),
      notice: `Not saved yet. ${change}`,
    })
  })

  app.post('/preferences/:token/pause', { schema: { params: TokenParam, body: Pause } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply)
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
    if (!isSubscribed(changed.state)) return showNotSubscribed(request, reply)
    if (wantsJson(request)) return { status: 'saved' }
    const notice = read.until === null ? 'The pause is over.' : 'Your pause is saved.'
    return showPreferences(reply, token, changed, { notice })
  })
}
