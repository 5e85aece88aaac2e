/** Signing in with a token, and out again. */
import { Type } from 'typebox'
import type { App } from '../site.ts'
import { beginSession, endSession } from './session.ts'
import { type AdminSite, field, form, requireRole, showAdmin, textOf } from './site.ts'

/** Tries a minute of one client. A token cannot be guessed; one that a person chose might be, and a log would fill. */
const TRIES = 10

const Asked = Type.Object({ to: Type.Optional(Type.Unknown()), ended: Type.Optional(Type.Unknown()) })
const SignIn = form({ token: field('The ADMIN_TOKEN, or the token of an operator'), to: field('Where to go on') })

/** A path of these pages alone. */
const ownPath = (typed: unknown): string => {
  const path = textOf(typed)
  return /^\/admin(?:[/?][\x21-\x5b\x5d-\x7e]*)?$/.test(path) && !path.startsWith('/admin/sign-') ? path : '/admin'
}

export const signInRoutes = (app: App, site: AdminSite): void => {
  const { operators, log } = site

  app.get('/admin/sign-in', { schema: { querystring: Asked } }, async (request, reply) =>
    showAdmin(request, reply, site, 'sign-in', {
      to: ownPath(request.query.to),
      error: null,
      ended: request.query.ended !== undefined,
    }),
  )

  app.post('/admin/sign-in', { config: { perMinute: TRIES }, schema: { body: SignIn } }, async (request, reply) => {
    const to = ownPath(request.body.to)
    const begun = await beginSession(request, reply, operators, textOf(request.body.token))
    if (begun !== null) {
      log.info({ operator: begun.name }, 'an operator signed in to the admin pages')
      return reply.redirect(to, 303)
    }
    log.warn({}, 'a token for the admin pages was wrong; somebody mistyped it, or is trying')
    return showAdmin(request, reply.code(403), site, 'sign-in', { to, error: 'That token is not valid.', ended: false })
  })

  app.post('/admin/sign-out', { config: requireRole('look'), schema: { body: form({}) } }, async (request, reply) => {
    await endSession(request, reply, operators)
    return reply.redirect('/admin/sign-in', 303)
  })
}
