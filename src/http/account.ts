/** The account: a fresh link to it by email, and what is done by that link alone. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { AccountData } from '../newsletter/subscription/account-link.ts'
import { BUTTON } from './form.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const Sure = Type.Object(
  { sure: Type.Optional(Type.Unknown({ description: 'yes: nothing brings it back' })) },
  { additionalProperties: false },
)
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

  app.post('/account/:token/data', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) =>
    showOutcome(reply, await accounts.takeData(request.params.token), (data) => {
      if (wantsJson(request)) return reply.send(data)
      const json = JSON.stringify(data, null, 2)
      const url = `data:application/json;base64,${Buffer.from(json).toString('base64')}`
      return show(reply, pages, 'account-data', { json, url, ...summaryOf(data) })
    }),
  )

  app.post('/account/:token/erase', { schema: { params: TokenParam, body: Sure } }, async (request, reply) => {
    const { token } = request.params
    // Nothing brings it back, so one press by mistake is not enough.
    if (request.body.sure !== 'yes') {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not deleted', 'The field “sure” is not “yes”.')
      return showOutcome(reply, await accounts.read(token), (account) =>
        show(reply.code(400), pages, 'account', { account, token, unsure: true }),
      )
    }
    const origin = { ip: request.ip, form: request.routeOptions.url ?? null, source: 'link' }
    return showOutcome(reply, await accounts.erase(token, origin), () =>
      show(reply, pages, 'message', {
        heading: 'Your data is deleted',
        sentence:
          'We hold nothing of you any more, but a code by which we know not to email this address. No email to it begins from now on. You can subscribe again at any time.',
      }),
    )
  })
}

/** What of somebody's data is told in words above the whole. */
const summaryOf = (data: AccountData) => ({
  email: data.subscriber?.email ?? '',
  counts: [
    counted(data.digests.length, 'digest'),
    counted(data.letters.length, 'other email'),
    counted(data.feedback.length, 'bounce or complaint', 'bounces and complaints'),
    counted(data.consent.length, 'record of your consent', 'records of your consent'),
  ],
})

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
