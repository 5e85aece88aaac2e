/** The preview: the digest that a choice would bring today, before one subscribes. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { broadAuthorLine } from '../core/digest/broad-author.ts'
import { headingOf, standfirstOf } from '../core/digest/headline.ts'
import { volumeLine } from '../core/digest/volume.ts'
import { namedTopics, type Preferences, readNewPreferences, STANDARD } from '../core/subscriber/preferences.ts'
import type { createTurns } from './costly-pages.ts'
import { ADDRESSED, CHOICES, filledForm, refusedForm, withKnownZone } from './form.ts'
import { keepForBack } from './guard.ts'
import { BUDGET } from './request-budgets.ts'
import { type App, type Site, sendProblem, show, wantsJson } from './site.ts'

export const Choice = Type.Object(CHOICES)
/** The whole subscribe form, of which a preview needs the choices alone. */
const FormChoice = Type.Object({ ...ADDRESSED, ...CHOICES }, { additionalProperties: false })

/** Characters of a URL that every browser, proxy and server takes; Node refuses a request with more than 16 KiB of headers. */
const MAX_URL = 2_000

/** The choice of a preview, of what a form or a query holds. */
export const readChoice = (given: Readonly<Record<string, unknown>>, fromForm = false) => {
  const { body } = withKnownZone(given, fromForm)
  const filled = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== ''))
  return readNewPreferences(filled)
}

/** The URL of a preview: it contains what differs from the defaults, and never an email address. */
const urlOf = (preferences: Preferences): string => {
  const { keywords, authors, muted, frequency, papers, leastPapers, hour, timeZone, atOnce } = preferences
  const topics = namedTopics(preferences)
  const query = new URLSearchParams()
  if (topics.length > 0) query.set('topics', topics.join(','))
  query.set('frequency', frequency)
  for (const [name, list] of Object.entries({ keywords, authors, muted }))
    for (const entry of list) query.append(name, entry)
  if (papers !== STANDARD.papers) query.set('papers', String(papers))
  if (leastPapers !== STANDARD.leastPapers) query.set('least_papers', String(leastPapers))
  if (hour !== STANDARD.hour) query.set('hour', String(hour))
  if (timeZone !== STANDARD.timeZone) query.set('timezone', timeZone)
  if (atOnce) query.set('at_once', 'yes')
  return `/preview?${query.toString().replaceAll('%2C', ',').replaceAll('%2F', '/')}`
}

/** Pages are rendered in turn: `inTurn`. */
export const previewRoutes = (app: App, { previews, pages }: Site, inTurn: ReturnType<typeof createTurns>): void => {
  const refuse = (
    request: FastifyRequest,
    reply: FastifyReply,
    given: Readonly<Record<string, unknown>>,
    errors: Parameters<typeof refusedForm>[1],
  ) =>
    wantsJson(request)
      ? sendProblem(reply, 400, 'No preview', 'Some fields are not valid.', errors)
      : show(keepForBack(reply.code(400)), pages, 'subscribe', { form: refusedForm(given, errors) })

  const showPreview = async (request: FastifyRequest, reply: FastifyReply, preferences: Preferences, email = '') => {
    const issue = await previews.readDigest(preferences)
    if (wantsJson(request)) return issue
    const volume = await previews.readVolume(preferences)
    const broadAuthors = await previews.readBroadAuthors(preferences)
    return inTurn(async () =>
      show(reply, pages, 'preview', {
        ...issue,
        heading: headingOf(issue),
        standfirst: standfirstOf(issue),
        frequency: preferences.frequency,
        volume: volume === null ? null : volumeLine(volume),
        broadAuthors: broadAuthors.map(broadAuthorLine),
        form: { ...filledForm(preferences), email },
      }),
    )
  }

  const config = { perMinute: BUDGET.preview }
  app.get(
    '/preview',
    { config: { ...config, kept: true }, schema: { querystring: Choice } },
    async (request, reply) => {
      const read = readChoice(request.query)
      return 'errors' in read
        ? refuse(request, reply, request.query, read.errors)
        : showPreview(request, reply, read.preferences)
    },
  )

  /**
   * The second button of the subscribe form. It posts, since a form that is sent by GET would put the email address that
   * was typed into the URL, and so into browser histories and the logs of proxies. A preview has a URL to share, unless an
   * address was typed, which the page keeps, or the choice is too long for one: then it is shown at once.
   */
  app.post('/preview', { config, schema: { body: FormChoice } }, async (request, reply) => {
    const read = readChoice(request.body, !wantsJson(request))
    if ('errors' in read) return refuse(request, reply, request.body, read.errors)
    const { email } = request.body
    const typed = typeof email === 'string' ? email.trim() : ''
    const url = urlOf(read.preferences)
    return typed === '' && url.length <= MAX_URL
      ? reply.redirect(url, 303)
      : showPreview(request, keepForBack(reply), read.preferences, typed)
  })
}
