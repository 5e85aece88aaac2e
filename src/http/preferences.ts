/** The preferences page: topics, own terms, times and a pause, by the link at the foot of every mail. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { addDays } from '../core/calendar.ts'
import { broadAuthorLine } from '../core/digest/broad-author.ts'
import { changeLine, volumeLine } from '../core/digest/volume.ts'
import { latestPause, pauseChoices, readPause } from '../core/subscriber/pause.ts'
import { type FieldError, isSubscribed, type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import type { OwnPreferences } from '../newsletter/subscription/preferences.ts'
import { CHOICES, type FormView, filledForm, refusedForm } from './form.ts'
import { BUDGET } from './request-budgets.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })

const Choices = Type.Object(CHOICES, { additionalProperties: false })
const Pause = Type.Object(
  {
    until: Type.Optional(Type.Unknown({ description: 'The date when digests start again, YYYY-MM-DD' })),
    end: Type.Optional(Type.Unknown({ description: 'Any value ends the pause' })),
  },
  { additionalProperties: false },
)

type PreferencesSite = Pick<Site, 'subscriptions' | 'previews' | 'pages'>

export const preferencesRoutes = (app: App, site: PreferencesSite): void => {
  const { subscriptions, pages } = site

  app.get('/preferences/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const own = await subscriptions.readPreferences(request.params.token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
    return showPreferences(reply, site, request.params.token, own)
  })

  app.post('/preferences/:token', { schema: { params: TokenParam, body: Choices } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
    const read = readPreferences(request.body, own.preferences)
    if ('errors' in read) return refuseChoices(request, reply, site, token, own, read.errors)
    const changed = await subscriptions.changePreferences(token, read.preferences)
    if (changed === null) return showDeadLink(reply, pages)
    if (!isSubscribed(changed.state)) return showNotSubscribed(request, reply, site)
    if (wantsJson(request)) return { status: 'saved' }
    const change = choosesAlike(own.preferences, read.preferences)
      ? null
      : await changeOfVolume(site, own.preferences, read.preferences)
    const notice = ['Settings saved.', change].filter((line) => line !== null).join(' ')
    return showPreferences(reply, site, token, changed, { notice })
  })

  /** Shows what a change would do, and keeps it in the form. It is a POST, so that no URL holds what was typed. */
  app.post(
    '/preferences/:token/look',
    { config: { perMinute: BUDGET.preview }, schema: { params: TokenParam, body: Choices } },
    async (request, reply) => {
      const { token } = request.params
      const own = await subscriptions.readPreferences(token)
      if (own === null) return showDeadLink(reply, pages)
      if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
      const read = readPreferences(request.body, own.preferences)
      if ('errors' in read) return refuseChoices(request, reply, site, token, own, read.errors)
      const change =
        (await changeOfVolume(site, own.preferences, read.preferences)) ?? 'There are no papers yet to count.'
      if (wantsJson(request)) return { status: 'not saved', change }
      const form = filledForm(read.preferences)
      return showPreferences(reply, site, token, own, {
        form,
        looked: read.preferences,
        notice: `Not saved yet. ${change}`,
      })
    },
  )

  app.post('/preferences/:token/pause', { schema: { params: TokenParam, body: Pause } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
    const { until: typed, end } = request.body
    const read =
      end === undefined ? readPause(typed, subscriptions.localToday(own.preferences.timeZone)) : { until: null }
    if ('problem' in read) {
      const errors = [{ field: 'until', problem: read.problem, expected: 'a date after today, YYYY-MM-DD' }]
      const until = typeof typed === 'string' ? typed : ''
      return refuse(request, reply, site, token, own, errors, { form: filledForm(own.preferences, errors), until })
    }
    const changed = await subscriptions.pause(token, read.until)
    if (changed === null) return showDeadLink(reply, pages)
    if (!isSubscribed(changed.state)) return showNotSubscribed(request, reply, site)
    if (wantsJson(request)) return { status: 'saved' }
    const notice = read.until === null ? 'Digests resumed.' : 'Digests paused.'
    return showPreferences(reply, site, token, changed, { notice })
  })
}

/** Whether two preferences bring the same papers, whenever they come. */
const choosesAlike = (one: Preferences, other: Preferences): boolean =>
  one.trending === other.trending &&
  (['topics', 'keywords', 'authors', 'muted'] as const).every((list) => one[list].join('\n') === other[list].join('\n'))

/** What a change does to the number of papers, in a sentence; `null` when it cannot be counted or stays the same. */
const changeOfVolume = async (
  { previews }: PreferencesSite,
  before: Preferences,
  after: Preferences,
): Promise<string | null> => {
  const [was, becomes] = await Promise.all([before, after].map((preferences) => previews.readVolume(preferences)))
  return was == null || becomes == null ? null : changeLine(was, becomes)
}

interface PageOptions {
  /** The form as it is to be shown; by default with what is stored. */
  form?: FormView
  /** What is looked at before it is saved; by default what is stored. */
  looked?: Preferences
  /** A sentence above the form. */
  notice?: string
  /** The end of a pause as it was typed. */
  until?: string
}

const showPreferences = async (
  reply: FastifyReply,
  { subscriptions, previews, pages }: PreferencesSite,
  token: string,
  own: OwnPreferences,
  { form, looked, notice, until }: PageOptions = {},
): Promise<FastifyReply> => {
  const today = subscriptions.localToday(own.preferences.timeZone)
  const volume = await previews.readVolume(own.preferences)
  const broadAuthors = await previews.readBroadAuthors(looked ?? own.preferences)
  return show(reply, pages, 'preferences', {
    token,
    own,
    form: form ?? filledForm(own.preferences),
    notice: notice ?? null,
    volume: volume === null ? null : volumeLine(volume),
    broadAuthors: broadAuthors.map(broadAuthorLine),
    pause: {
      value: until ?? own.pausedUntil ?? pauseChoices(today)[0],
      earliest: addDays(today, 1),
      latest: latestPause(today),
    },
  })
}

/** A page that reads is there all the same; a change of what is not subscribed is a conflict (409). */
const showNotSubscribed = (
  request: FastifyRequest<{ Params: { token: string } }>,
  reply: FastifyReply,
  { pages }: Pick<Site, 'pages'>,
): FastifyReply => {
  const sentence =
    'This address gets no digests, so there are no settings to change. You can subscribe again at any time.'
  const status = request.method === 'POST' ? 409 : 200
  return wantsJson(request)
    ? sendProblem(reply, status, 'Not subscribed', sentence)
    : show(reply.code(status), pages, 'not-subscribed', { sentence, token: request.params.token })
}

const refuse = async (
  request: FastifyRequest,
  reply: FastifyReply,
  site: PreferencesSite,
  token: string,
  own: OwnPreferences,
  errors: FieldError[],
  page: PageOptions,
): Promise<FastifyReply> =>
  wantsJson(request)
    ? sendProblem(reply, 400, 'Not saved', 'Some fields are not valid.', errors)
    : showPreferences(reply.code(400), site, token, own, page)

const refuseChoices = (
  request: FastifyRequest<{ Body: Readonly<Record<string, unknown>> }>,
  reply: FastifyReply,
  site: PreferencesSite,
  token: string,
  own: OwnPreferences,
  errors: FieldError[],
): Promise<FastifyReply> =>
  refuse(request, reply, site, token, own, errors, { form: refusedForm(request.body, errors, own.preferences) })
