/** Starting from one's library: a page that reads it, and what it suggests, for whoever subscribes and for who has settings. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { LibrarySuggestions } from '../core/library/library-suggestions.ts'
import { isSubscribed, namedTopics, type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import type { OwnPreferences } from '../newsletter/subscription/preferences.ts'
import { blankForm, CHOICES, filledForm, refusedForm } from './form.ts'
import { keepForBack, makePublic, POLICY_WITH_SCRIPT } from './guard.ts'
import { LibraryBody, octetsOf, TAKES_LIBRARY, takeLibraries } from './library-upload.ts'
import { chosenOf, libraryJsonOf, libraryViewOf, withoutOwn } from './library-view.ts'
import { refuse, showNotSubscribed, showPreferences } from './preferences.ts'
import { settingsApart } from './settings-summary.ts'
import { type App, type PublicSite, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })
const { topics, keywords, authors } = CHOICES
const Added = Type.Object({ topics, keywords, authors }, { additionalProperties: false })

/** Characters of a pasted text that are shown again. */
const MOST_SHOWN = 100_000
const NOTHING = 'There is nothing to read yet. Choose a file, or paste the entries.'

/** Somebody's library, read: what it suggests, or why it was not read. */
type Read = { suggestions: LibrarySuggestions } | { problem: string; status: number }

/** Reads what was sent; an answer to a library that says nothing is a refusal, with what would be right. */
export const readSent = async (
  { libraries }: Pick<Site, 'libraries'>,
  body: { library?: unknown; file?: unknown },
): Promise<Read> => {
  const octets = octetsOf(body)
  if (octets === null) return { problem: NOTHING, status: 400 }
  try {
    const suggestions = await libraries.suggest(octets)
    if (suggestions.read > 0) return { suggestions }
    const [fault] = suggestions.faults
    const first = fault === undefined ? '' : ` Line ${fault.line}: ${fault.problem}`
    return { problem: `We found no paper in it.${first}`, status: 422 }
  } catch (error) {
    if (error instanceof Error && error.name === 'UnreadLibrary') return { problem: error.message, status: 422 }
    throw error
  }
}

/** What was pasted, to be shown again where it could not be read; more than anybody would mend by hand is left out. */
const pastedIn = ({ library }: { library?: unknown }): string =>
  typeof library === 'string' && library.length <= MOST_SHOWN ? library : ''

/** Refuses what could not be read, to a program. */
export const refuseLibrary = (reply: FastifyReply, { problem, status }: { problem: string; status: number }) =>
  sendProblem(reply, status, 'Not read', problem, [
    { field: 'library', problem, expected: 'BibTeX, RIS, CSL JSON, Zotero’s CSV, or arXiv ids, one a line' },
  ])

export const libraryRoutes = (app: App, site: PublicSite): void => {
  app.register(async (scope: App) => {
    await takeLibraries(scope, site)
    publicRoutes(scope, site)
    ownRoutes(scope, site)
  })
  addRoute(app, site)
}

/** Before one subscribes. */
const publicRoutes = (app: App, site: PublicSite): void => {
  const { previews, pages, baseUrl } = site
  const url = '/subscribe/library'
  const showForm = (reply: FastifyReply, problem: string | null, pasted = '') =>
    show(reply, pages, 'library', { canonical: `${baseUrl}${url}`, action: url, token: null, problem, pasted })

  app.get(url, async (_, reply) => showForm(makePublic(reply), null))

  app.post(url, { ...TAKES_LIBRARY, schema: { body: LibraryBody } }, async (request, reply) => {
    const read = await readSent(site, request.body)
    if ('problem' in read)
      return wantsJson(request)
        ? refuseLibrary(reply, read)
        : showForm(keepForBack(reply.code(read.status)), read.problem, pastedIn(request.body))
    const { suggestions } = read
    const volume = await volumeOf(previews, chosenOf(suggestions))
    if (wantsJson(request)) return libraryJsonOf(suggestions, volume)
    keepForBack(reply).header('content-security-policy', POLICY_WITH_SCRIPT)
    return show(reply, pages, 'library-suggested', {
      ...libraryViewOf(suggestions, volume),
      action: '/subscribe',
      token: null,
      form: blankForm(),
    })
  })
}

/** With the settings of somebody who is subscribed: nothing is saved before they press Save there. */
const ownRoutes = (app: App, site: Site): void => {
  const { subscriptions, previews, pages } = site
  const url = '/preferences/:token/library'
  const showForm = (reply: FastifyReply, token: string, problem: string | null, pasted = '') =>
    show(reply, pages, 'library', { action: `/preferences/${token}/library`, token, problem, pasted })
  const params = TokenParam

  app.get(url, { schema: { params } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
    return showForm(reply, token, null)
  })

  app.post(url, { ...TAKES_LIBRARY, schema: { params, body: LibraryBody } }, async (request, reply) => {
    const { token } = request.params
    const own = await subscriptions.readPreferences(token)
    if (own === null) return showDeadLink(reply, pages)
    if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
    const read = await readSent(site, request.body)
    if ('problem' in read)
      return wantsJson(request)
        ? refuseLibrary(reply, read)
        : showForm(reply.code(read.status), token, read.problem, pastedIn(request.body))
    const suggestions = withoutOwn(read.suggestions, own.preferences)
    const volume = await volumeOf(previews, chosenOf(suggestions))
    if (wantsJson(request)) return libraryJsonOf(suggestions, volume)
    return show(reply, pages, 'library-suggested', {
      ...libraryViewOf(suggestions, volume),
      action: `/preferences/${token}/library/add`,
      token,
    })
  })
}

/** Adds what was chosen of the suggestions to the form with the settings. */
const addRoute = (app: App, site: Site): void => {
  const { subscriptions, pages } = site
  app.post(
    '/preferences/:token/library/add',
    { schema: { params: TokenParam, body: Added } },
    async (request, reply) => {
      const { token } = request.params
      const own = await subscriptions.readPreferences(token)
      if (own === null) return showDeadLink(reply, pages)
      if (!isSubscribed(own.state)) return showNotSubscribed(request, reply, site)
      return showAdded(request, reply, site, token, own)
    },
  )
}

const listOf = (given: unknown): unknown[] => [given].flat().filter((one) => one !== undefined)

/** The settings with what was chosen added, in the form and not saved, and what that changes beside what is stored. */
const showAdded = async (
  request: FastifyRequest<{ Body: { topics?: unknown; keywords?: unknown; authors?: unknown } }>,
  reply: FastifyReply,
  site: Site,
  token: string,
  own: OwnPreferences,
): Promise<FastifyReply> => {
  const { preferences } = own
  const body = {
    topics: [...namedTopics(preferences), ...listOf(request.body.topics)],
    keywords: [...preferences.keywords, ...listOf(request.body.keywords)],
    authors: [...preferences.authors, ...listOf(request.body.authors)],
  }
  const read = readPreferences(body, preferences)
  if ('errors' in read)
    return refuse(request, reply, site, token, own, read.errors, { form: refusedForm(body, read.errors, preferences) })
  const differences = settingsApart(preferences, read.preferences)
  const added = read.preferences
  if (wantsJson(request))
    return reply.send({
      status: 'not saved',
      topics: namedTopics(added),
      keywords: added.keywords,
      authors: added.authors,
    })
  return showPreferences(reply, site, token, own, {
    form: filledForm(added),
    looked: added,
    differences,
    notice: differences.length === 0 ? 'Nothing was added.' : 'Not saved yet. Check what was added, then press Save.',
  })
}

/** How many papers a week a choice brings; `null` where nothing is chosen, or nothing is held to count. */
export const volumeOf = async ({ readVolume }: Pick<Site['previews'], 'readVolume'>, chosen: Preferences) =>
  chosen.topics.length + chosen.keywords.length + chosen.authors.length === 0 ? null : readVolume(chosen)
