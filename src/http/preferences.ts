/** The preferences page: topics, own terms, times and a pause, by the link at the foot of every mail. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { addDays } from '../core/calendar.ts'
import { broadAuthorLine } from '../core/digest/broad-author.ts'
import type { DigestIssue } from '../core/digest/digest.ts'
import { changeLine, volumeLine } from '../core/digest/volume.ts'
import { goneTopicsInWords } from '../core/subscriber/offered-topics.ts'
import { latestPause, pauseChoices, readPause } from '../core/subscriber/pause.ts'
import { type FieldError, isSubscribed, type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import { expectedTime } from '../core/subscriber/schedule.ts'
import type { OwnPreferences } from '../newsletter/subscription/preferences.ts'
import { CHOICES, type FormView, filledForm, refusedForm } from './form.ts'
import { POLICY_WITH_REQUESTS } from './guard.ts'
import { ownPages } from './own-pages.ts'
import { BUDGET } from './request-budgets.ts'
import { ownTermsInWords, scheduleInWords, settingsApart } from './settings-summary.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })

const SETTINGS = {
  ...CHOICES,
  revision: Type.Optional(
    Type.Unknown({
      description: 'Which settings the form was made from; others that are stored meanwhile are kept then',
    }),
  ),
}
export const Choices = Type.Object(SETTINGS, { additionalProperties: false })
const Pause = Type.Object(
  {
    ...SETTINGS,
    until: Type.Optional(Type.Unknown({ description: 'The date when digests start again, YYYY-MM-DD' })),
    end: Type.Optional(Type.Unknown({ description: 'Any value ends the pause' })),
  },
  { additionalProperties: false },
)

const Announcements = Type.Object(
  { ...SETTINGS, announcements: Type.Optional(Type.Unknown({ description: 'yes or no' })) },
  { additionalProperties: false },
)

type PreferencesSite = Pick<Site, 'subscriptions' | 'previews' | 'pages'>

export const preferencesRoutes = (app: App, site: PreferencesSite): void => {
  const { subscriptions, previews, pages } = site

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
    const changed = await subscriptions.changePreferences(token, read.preferences, seenRevision(request.body))
    if (changed === null) return showDeadLink(reply, pages)
    if (changed === 'stale') return showStale(request, reply, site, token, read.preferences)
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
      const due = await subscriptions.findNextDigest(token, read.preferences)
      const next = due === null ? '' : `Your next digest would come ${expectedTime(due, read.preferences)}.`
      if (wantsJson(request)) return { status: 'not saved', change, next }
      return showPreferences(reply, site, token, own, {
        form: filledForm(read.preferences),
        looked: read.preferences,
        preview: await previews.readDigest(read.preferences),
        revision: seenRevision(request.body),
        notice: ['Not saved yet.', change, next].filter(Boolean).join(' '),
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
      const { form, revision } = carriedSettings(request.body, own, errors)
      return refuse(request, reply, site, token, own, errors, { form, revision, until })
    }
    const changed = await subscriptions.pause(token, read.until)
    if (changed === null) return showDeadLink(reply, pages)
    if (!isSubscribed(changed.state)) return showNotSubscribed(request, reply, site)
    if (wantsJson(request)) return { status: 'saved' }
    const done = read.until === null ? 'Digests resumed.' : 'Digests paused.'
    const { form, revision, differ } = carriedSettings(request.body, own)
    const notice = differ ? `${done} ${NOT_SAVED_YET}` : done
    return showPreferences(reply, site, token, changed, { form, revision, notice })
  })
  announcementRoute(app, site)
}

/** Whether announcements come, too: apart from what is saved together, since the link in one changes it as well. */
const announcementRoute = (app: App, site: PreferencesSite): void => {
  const { subscriptions, pages } = site
  const url = '/preferences/:token/announcements'
  app.post(url, { schema: { params: TokenParam, body: Announcements } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
    const { announcements } = request.body
    if (announcements !== 'yes' && announcements !== 'no') {
      const problem = 'Choose whether you want announcements.'
      const errors = [{ field: 'announcements', problem, expected: 'yes or no' }]
      const { form, revision } = carriedSettings(request.body, own, errors)
      return refuse(request, reply, site, token, own, errors, { form, revision })
    }
    const changed = await subscriptions.changeAnnouncements(token, announcements === 'yes')
    if (changed === null) return showDeadLink(reply, pages)
    if (!isSubscribed(changed.state)) return showNotSubscribed(request, reply, site)
    if (wantsJson(request)) return { status: 'saved' }
    const done = announcements === 'yes' ? 'You get announcements again.' : 'You get no more announcements.'
    const { form, revision, differ } = carriedSettings(request.body, own)
    const notice = differ ? `${done} ${NOT_SAVED_YET}` : done
    return showPreferences(reply, site, token, changed, { form, revision, notice })
  })
}

const NOT_SAVED_YET = 'Your other changes are in the form, and not saved yet.'

type Sent = Readonly<Record<string, unknown>>

export const seenRevision = ({ revision }: Sent): string | null => (typeof revision === 'string' ? revision : null)

/** The form as it was sent beside a pause, which saves none of it; a program that sends a pause alone has the stored one. */
const carriedSettings = (
  body: Sent,
  own: OwnPreferences,
  errors: FieldError[] = [],
): { form: FormView; revision: string | null; differ: boolean } => {
  const revision = seenRevision(body)
  if (revision === null) return { form: filledForm(own.preferences, errors), revision, differ: false }
  const read = readPreferences(body, own.preferences)
  return 'errors' in read
    ? { form: refusedForm(body, [...read.errors, ...errors], own.preferences), revision, differ: true }
    : {
        form: filledForm(read.preferences, errors),
        revision,
        differ: settingsApart(own.preferences, read.preferences).length > 0,
      }
}

/** Others are stored than the page had that was sent: both are shown, and what was typed stays in the form. */
const showStale = async (
  request: FastifyRequest,
  reply: FastifyReply,
  site: PreferencesSite,
  token: string,
  typed: Preferences,
): Promise<FastifyReply> => {
  const own = await site.subscriptions.readPreferences(token)
  if (own === null) return showDeadLink(reply, site.pages)
  const sentence = 'Your settings were changed elsewhere since you opened this page. Nothing has been saved yet.'
  if (wantsJson(request)) return sendProblem(reply, 409, 'Changed meanwhile', sentence)
  return showPreferences(reply.code(409), site, token, own, {
    form: filledForm(typed),
    looked: typed,
    differences: settingsApart(own.preferences, typed),
    notice: sentence,
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
  /** The digest of today by what is looked at. */
  preview?: DigestIssue
  /** The settings from which the form was made; by default those that are stored. */
  revision?: string | null
  /** In what the form differs from what was stored meanwhile. */
  differences?: ReturnType<typeof settingsApart>
  /** A sentence above the form. */
  notice?: string
  /** The end of a pause as it was typed. */
  until?: string
}

export const showPreferences = async (
  reply: FastifyReply,
  { subscriptions, previews, pages }: PreferencesSite,
  token: string,
  own: OwnPreferences,
  { form, looked, preview, revision, differences = [], notice, until }: PageOptions = {},
): Promise<FastifyReply> => {
  const today = subscriptions.localToday(own.preferences.timeZone)
  const volume = await previews.readVolume(own.preferences)
  const broadAuthors = await previews.readBroadAuthors(looked ?? own.preferences)
  const shown = looked ?? own.preferences
  return show(reply.header('content-security-policy', POLICY_WITH_REQUESTS), pages, 'preferences', {
    token,
    own,
    pages: ownPages(token),
    revision: revision ?? own.revision,
    differences,
    preview:
      preview === undefined
        ? null
        : { kind: preview.kind, cards: [...preview.cards, ...(preview.also ?? []), ...preview.trendingExtras] },
    ownTerms: ownTermsInWords(shown),
    schedule: scheduleInWords(shown),
    gone: goneTopicsInWords(own.preferences),
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
export const showNotSubscribed = (
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

export const refuse = async (
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

export const refuseChoices = (
  request: FastifyRequest<{ Body: Readonly<Record<string, unknown>> }>,
  reply: FastifyReply,
  site: PreferencesSite,
  token: string,
  own: OwnPreferences,
  errors: FieldError[],
): Promise<FastifyReply> =>
  refuse(request, reply, site, token, own, errors, {
    form: refusedForm(request.body, errors, own.preferences),
    revision: seenRevision(request.body),
  })
