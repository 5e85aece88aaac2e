/** The account: a fresh link to it by email, and what is done by that link alone. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Account, AccountData } from '../newsletter/subscription/account-link.ts'
import { BUTTON } from './form.ts'
import { POLICY_WITH_SCRIPT } from './guard.ts'
import { type App, linkOrigin, type Pages, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'
import { Proof, readEmail } from './subscription.ts'

const Sure = Type.Object(
  { sure: Type.Optional(Type.Unknown({ description: 'yes: nothing brings it back' })) },
  { additionalProperties: false },
)
const NewAddress = Type.Object(
  { email: Type.Optional(Type.Unknown({ description: 'The new address' })) },
  { additionalProperties: false },
)
const TokenParam = Type.Object({ token: Type.String() })

type AccountSite = Pick<Site, 'accounts' | 'pages'>
type AddressSite = AccountSite & Pick<Site, 'subscriptions'>

/** Answers what a link that works once led to; one that is dead, used or too old is answered here. */
const showOutcome = <T>(
  reply: FastifyReply,
  pages: Pages,
  outcome: T | 'ended' | null,
  present: (found: T) => FastifyReply,
): FastifyReply =>
  outcome === null || outcome === 'ended'
    ? showDeadLink(reply, pages, { ended: outcome === 'ended' })
    : present(outcome)

/** The account's page, with what is wrong about what was typed or ticked. */
const showAccount = (
  reply: FastifyReply,
  pages: Pages,
  token: string,
  account: Account,
  { unsure = false, typed = '', problem = null as string | null } = {},
): FastifyReply =>
  show(reply, pages, 'account', { account, token, unsure, form: { email: typed, errors: { email: problem } } })

export const accountRoutes = (app: App, { accounts, pages }: AccountSite): void => {
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
    return showOutcome(reply, pages, await accounts.read(token), (account) => showAccount(reply, pages, token, account))
  })

  app.post('/account/:token/renew', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) =>
    showOutcome(reply, pages, await accounts.renewLinks(request.params.token), () =>
      show(reply, pages, 'message', {
        heading: 'Your links are renewed',
        sentence:
          'Links in earlier emails to your settings and digests no longer work. An email with your new links is on its way. Links to unsubscribe go on working.',
      }),
    ),
  )

  app.post('/account/:token/data', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) =>
    showOutcome(reply, pages, await accounts.takeData(request.params.token), (data) => {
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
      return showOutcome(reply, pages, await accounts.read(token), (account) =>
        showAccount(reply.code(400), pages, token, account, { unsure: true }),
      )
    }
    const origin = linkOrigin(request)
    return showOutcome(reply, pages, await accounts.erase(token, origin), () =>
      show(reply, pages, 'message', {
        heading: 'Your data is deleted',
        sentence:
          'We hold nothing about you any more but a code by which we know not to email this address. We’ll send it no more; an email that was on its way may still arrive. You can subscribe again at any time.',
      }),
    )
  })
}

/** Asking for another address by an account link, and what the letters of that lead to. */
export const addressRoutes = (app: App, { accounts, subscriptions, pages }: AddressSite): void => {
  app.post('/account/:token/address', { schema: { params: TokenParam, body: NewAddress } }, async (request, reply) => {
    const { token } = request.params
    const email = readEmail(request.body.email)
    if ('error' in email) {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not changed', email.error.problem, [email.error])
      const typed = typeof request.body.email === 'string' ? request.body.email : ''
      return showOutcome(reply, pages, await accounts.read(token), (account) =>
        showAccount(reply.code(400), pages, token, account, { typed, problem: email.error.problem }),
      )
    }
    const origin = { ip: request.ip, form: request.routeOptions.url ?? null, source: 'account' }
    return showOutcome(reply, pages, await accounts.changeAddress(token, email.address, origin), ({ held }) => {
      if (wantsJson(request))
        return reply.code(202).send({ status: 'check your inbox', ...(held && { challenge: held }) })
      if (held === null) return reply.redirect('/account/address-sent', 303)
      reply.header('content-security-policy', POLICY_WITH_SCRIPT)
      return show(reply, pages, 'held', { action: '/account/proof', challenge: JSON.stringify(held), sealed: '' })
    })
  })

  app.post('/account/proof', { schema: { body: Proof } }, async (request, reply) => {
    const { proof } = request.body
    await subscriptions.proveWork(typeof proof === 'string' ? proof : '')
    return reply.redirect('/account/address-sent', 303)
  })

  app.get('/account/address-sent', async (_, reply) => show(reply, pages, 'address-sent', {}))

  app.get('/address/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const change = await accounts.readAddressChange(token)
    return change === null ? showDeadLink(reply, pages) : show(reply, pages, 'new-address', { ...change, token })
  })

  app.post('/address/:token', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    const { token } = request.params
    const change = await accounts.confirmAddressChange(token, linkOrigin(request))
    return change === null ? showDeadLink(reply, pages) : show(reply, pages, 'new-address', { ...change, token })
  })

  app.get('/undo/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    return showOutcome(reply, pages, await accounts.readAddressUndo(token), (found) =>
      show(reply, pages, 'undo-address', { ...found, token, done: false }),
    )
  })

  app.post('/undo/:token', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    const { token } = request.params
    return showOutcome(reply, pages, await accounts.undoAddressChange(token, linkOrigin(request)), (found) =>
      show(reply, pages, 'undo-address', { ...found, token, done: true }),
    )
  })
}

/** What of somebody's data is told in words above the whole. */
const summaryOf = (data: AccountData) => ({
  email: data.subscriber?.email ?? '',
  counts: [
    ...counted(data.digests.length, 'digest'),
    ...counted(data.letters.length, 'other email'),
    ...counted(data.votes.length, 'vote'),
    ...counted(data.saved.length, 'saved paper'),
    ...counted(data.likes.length, 'paper you want more or less like', 'papers you want more or less like'),
    ...counted(data.groups.length, 'group'),
    ...counted(data.feedback.length, 'bounce or complaint', 'bounces and complaints'),
    ...counted(data.consent.length, 'record of your consent', 'records of your consent'),
  ],
})

const counted = (count: number, one: string, many = `${one}s`): string[] =>
  count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]
