/** The account: a fresh link to it by email, and what is done by that link alone. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { BUTTON } from './form.ts'
import { type App, type Site, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })

type AccountSite = Pick<Site, 'accounts' | 'pages'>

export const accountRoutes = (app: App, { accounts, pages }: AccountSite): void => {
  /** Answers what an account link led to; a link that is dead, used or too old is answered here. */
  const showOutcome = <T>(
    reply: FastifyReply,
    outcome: T | 'ended' | null,
    present: (found: T) => FastifyReply,
  ): FastifyReply =>
    outcome === null || outcome === 'ended'
      ? showDeadLink(reply, pages, { ended: outcome === 'ended' })
      : present(outcome)

  app.post('/preferences/:token/account', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    if (!(await accounts.requestLink(request.params.token))) return showDeadLink(reply, pages)
    // The same answer whether an email goes or not: whoever presses this may be a stranger with a forwarded digest.
    return wantsJson(request)
      ? reply.code(202).send({ status: 'check your inbox' })
      : reply.redirect('/account/sent', 303)
  })

  app.get('/account/sent', async (_, reply) => show(reply, pages, 'account-sent', {}))

  app.get('/account/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    return showOutcome(reply, await accounts.read(token), (account) =>
      show(reply, pages, 'account', { account, token }),
    )
  })

  app.post('/account/:token/renew', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) =>
    showOutcome(reply, await accounts.renewLinks(request.params.token), () =>
      show(reply, pages, 'message', {
        heading: 'Your links are renewed',
        sentence:
          'Links in earlier emails to your settings and digests no longer work. An email with your new links is on its way. Links to unsubscribe go on working.',
      }),
    ),
  )
}
