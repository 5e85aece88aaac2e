/**
 * The one cookie of the site: a browser that a reader asked us to remember holds the token of their vote links, for a year.
 *
 * It is sent to the pages for voting alone, so that no page that is cached can differ by it, and no script can read it. It
 * spares its reader the link and gives no right by itself: a press is sent with the token in its address, as from an email,
 * so that another site's page has nothing to make use of.
 */
import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

const NAME = 'vote'
const YEAR_IN_SECONDS = 31_536_000

const setCookie = (reply: FastifyReply, value: string, maxAge: number, secure: boolean): FastifyReply =>
  reply.header(
    'set-cookie',
    stringifySetCookie({ name: NAME, value, maxAge, path: '/vote', httpOnly: true, sameSite: 'lax', secure }),
  )

/** The token that a browser holds; `null` where it holds none. */
export const readVoter = ({ headers }: FastifyRequest): string | null => parseCookie(headers.cookie ?? '')[NAME] || null

/** `secure`: whether the site is reached by https alone. */
export const rememberVoter = (reply: FastifyReply, token: string, secure: boolean): FastifyReply =>
  setCookie(reply, token, YEAR_IN_SECONDS, secure)

export const forgetVoter = (reply: FastifyReply, secure: boolean): FastifyReply => setCookie(reply, '', 0, secure)
