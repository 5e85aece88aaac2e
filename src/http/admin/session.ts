/** Whose request it is and what they may: the cookie of a session, the token of each form, and the role of each route. */
import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { allows } from '../../core/operator.ts'
import { hashOfToken, sameHash } from '../../core/operator-token.ts'
import type { Operators } from '../../newsletter/operators.ts'
import { CROSS_SITE, sendErrorPage } from '../errors.ts'
import { isCrossSite } from '../guard.ts'
import type { App } from '../site.ts'
import { type AdminSite, FORM_FIELD } from './site.ts'

const NAME = 'paper_round_admin'

/** For the pages of operators alone; it ends with the browser, and in the store before. Cookies know no ports. */
const setCookie = (request: FastifyRequest, reply: FastifyReply, value: string, maxAge?: number): FastifyReply =>
  reply.header(
    'set-cookie',
    stringifySetCookie({
      name: NAME,
      value,
      path: '/admin',
      httpOnly: true,
      sameSite: 'strict',
      secure: request.protocol === 'https',
      ...(maxAge === undefined ? {} : { maxAge }),
    }),
  )

const cookieOf = ({ headers }: FastifyRequest): string => parseCookie(headers.cookie ?? '')[NAME] ?? ''

/** Begins a session for whoever has a token, under a new id, and ends the one that the browser had; `null` for a wrong token. */
export const beginSession = async (
  request: FastifyRequest,
  reply: FastifyReply,
  operators: Operators,
  token: string,
): Promise<{ name: string } | null> => {
  const begun = await operators.signIn(token)
  if (begun === null) return null
  await operators.signOut(cookieOf(request))
  setCookie(request, reply, begun.session)
  return begun
}

export const endSession = async (request: FastifyRequest, reply: FastifyReply, operators: Operators): Promise<void> => {
  await operators.signOut(cookieOf(request))
  setCookie(request, reply, '', 0)
}

const changes = ({ method }: FastifyRequest): boolean => method !== 'GET' && method !== 'HEAD'

/** Where whoever is not signed in goes; a page is gone on to afterwards. */
const signInPath = (request: FastifyRequest): string =>
  changes(request) ? '/admin/sign-in?ended=1' : `/admin/sign-in?${new URLSearchParams({ to: request.url })}`

const NOT_ALLOWED = {
  status: 403,
  heading: 'Your role does not allow that',
  sentence: 'Nothing was changed. Whoever has the role “own” can give you another.',
}

const STALE_FORM = {
  status: 403,
  heading: 'This form is from another session',
  sentence: 'Nothing was changed. Open the page again and repeat what you did.',
}

/** What whoever is not signed in may ask for. */
const OPEN = ['/admin/sign-in']

/** Lets through only what its operator may ask for. A route that has no role fails the start. */
export const guardRoutes = (app: App, site: AdminSite): void => {
  app.decorateRequest('signedIn', null)
  app.addHook('onRoute', ({ method, url, config }) => {
    const isPage = url.startsWith('/admin') && !url.endsWith('.css')
    if (config?.role === undefined && !OPEN.includes(url) && (isPage || (method !== 'GET' && method !== 'HEAD')))
      throw new Error(`${method} ${url} does not say which role it needs`)
  })
  app.addHook('onRequest', async (request, reply) => {
    if (changes(request) && isCrossSite(request, `http://${request.host}`))
      return sendErrorPage(request, reply, site, CROSS_SITE)
    const { role } = request.routeOptions.config ?? {}
    if (role === undefined) return
    const session = cookieOf(request)
    const signedIn =
      session === '' ? null : await site.operators.readSession(session, changes(request) ? null : 'message')
    if (signedIn === null) return reply.redirect(signInPath(request), 303)
    request.signedIn = signedIn
    if (!allows(signedIn.role, role)) return sendErrorPage(request, reply, site, NOT_ALLOWED)
  })
  app.addHook('preValidation', async (request, reply) => {
    if (!changes(request) || request.signedIn === null) return
    const { [FORM_FIELD]: sent, ...fields } = (request.body ?? {}) as Record<string, unknown>
    request.body = fields
    const isOurs = typeof sent === 'string' && sameHash(hashOfToken(sent), hashOfToken(request.signedIn.csrf))
    if (!isOurs) return sendErrorPage(request, reply, site, STALE_FORM)
  })
}
