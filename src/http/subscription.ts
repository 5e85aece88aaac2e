/** Subscribing, confirming, and having one's links mailed again. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { readAddress } from '../core/subscriber/address.ts'
import { type FieldError, type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import type { Challenge } from '../core/subscriber/proof-of-work.ts'
import { topicBySlug } from '../core/topics.ts'
import type { Origin } from '../newsletter/subscription/subscription.ts'
import { ADDRESSED, BUTTON, CHOICES, FORM_STAMP, HONEYPOT, refusedForm } from './form.ts'
import { makePublic, POLICY_WITH_SCRIPT } from './guard.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const SignUp = Type.Object({ ...ADDRESSED, ...CHOICES }, { additionalProperties: false })
const LostMail = Type.Object(ADDRESSED, { additionalProperties: false })
const Proof = Type.Object(
  { proof: Type.Optional(Type.Unknown({ description: 'A solved challenge, base64 of its JSON' })) },
  { additionalProperties: false },
)
const TokenParam = Type.Object({ token: Type.String() })

const readEmail = (raw: unknown): { address: string } | { error: FieldError } => {
  const read = readAddress(typeof raw === 'string' ? raw : '')
  if ('address' in read) return read
  return { error: { field: 'email', problem: read.problem, expected: 'one email address such as ada@example.org' } }
}

const labelsOf = ({ topics, keywords, authors }: Preferences): string[] => [
  ...topics.map((slug) => topicBySlug(slug)?.label ?? slug),
  ...keywords.map((keyword) => `“${keyword}”`),
  ...authors,
]

/** The same for every address, so that nobody learns who subscribes. */
const CHECK_INBOX = { status: 'check your inbox' }

const isBlank = (value: unknown): boolean => value === undefined || value === ''

const originOf = (request: FastifyRequest<{ Body: { [FORM_STAMP]?: unknown } }>): Origin => {
  const { ip, body } = request
  const stamp = body[FORM_STAMP]
  // What a program sends may have none; one that is no text is none of ours.
  const from = { ip, form: request.routeOptions.url ?? null, source: wantsJson(request) ? 'api' : 'form' }
  return { ...from, ...(stamp === undefined ? {} : { stamp: typeof stamp === 'string' ? stamp : '' }) }
}

const linkOrigin = ({ ip, routeOptions }: FastifyRequest): Origin => ({
  ip,
  form: routeOptions.url ?? null,
  source: 'link',
})

/** The page that follows each form. */
const TAKEN = { '/subscribe': '/check-inbox', '/links': '/links/sent' } as const
type Taken = keyof typeof TAKEN

const confirmTaken = (request: FastifyRequest, reply: FastifyReply, from: Taken): FastifyReply =>
  wantsJson(request) ? reply.code(202).send(CHECK_INBOX) : reply.redirect(TAKEN[from], 303)

export const subscriptionRoutes = (app: App, { subscriptions, pages }: Site): void => {
  /** Many requests come at the moment: this one waits, unless the browser does some work for it. */
  const showHeld = (request: FastifyRequest, reply: FastifyReply, from: Taken, challenge: Challenge): FastifyReply => {
    if (wantsJson(request)) return reply.code(202).send({ ...CHECK_INBOX, challenge })
    reply.header('content-security-policy', POLICY_WITH_SCRIPT)
    return show(reply, pages, 'held', { action: `${from}/proof`, challenge: JSON.stringify(challenge) })
  }

  for (const from of ['/subscribe', '/links'] as const)
    app.post(`${from}/proof`, { schema: { body: Proof } }, async (request, reply) => {
      const { proof } = request.body
      // What proves nothing changes nothing: the email comes later then, as the page before has said.
      await subscriptions.proveWork(typeof proof === 'string' ? proof : '')
      return confirmTaken(request, reply, from)
    })

  app.get('/subscribe', async (_, reply) => reply.redirect('/#subscribe', 303))

  app.post('/subscribe', { schema: { body: SignUp } }, async (request, reply) => {
    const email = readEmail(request.body.email)
    const read = readPreferences(request.body)
    if ('error' in email || 'errors' in read) {
      const errors = ['error' in email ? [email.error] : [], 'errors' in read ? read.errors : []].flat()
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not subscribed', 'Some fields are not valid.', errors)
      return show(reply.code(400), pages, 'subscribe', { form: refusedForm(request.body, errors) })
    }
    // Only a program fills in a field that no reader sees.
    if (!isBlank(request.body[HONEYPOT])) return confirmTaken(request, reply, '/subscribe')
    const held = await subscriptions.requestSubscription(email.address, read.preferences, originOf(request))
    return held === null ? confirmTaken(request, reply, '/subscribe') : showHeld(request, reply, '/subscribe', held)
  })

  app.get('/check-inbox', async (_, reply) => show(reply, pages, 'check-inbox', {}))

  app.get('/confirm/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    if (found === null) return showDeadLink(reply, pages)
    if (found.confirmed) return show(reply, pages, 'confirmed', { ...found, already: true })
    return show(reply, pages, 'confirm', { ...found, token, topics: labelsOf(found.preferences) })
  })

  app.post('/confirm/:token', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    const outcome = found === null ? null : await subscriptions.confirm(token, linkOrigin(request))
    if (found === null || outcome === null) return showDeadLink(reply, pages)
    return show(reply, pages, 'confirmed', { ...found, already: outcome === 'already' })
  })

  app.get('/links', async (_, reply) =>
    show(makePublic(reply), pages, 'links', { here: '/links', form: { email: '', errors: {} } }),
  )

  app.post('/links', { schema: { body: LostMail } }, async (request, reply) => {
    const email = readEmail(request.body.email)
    if ('error' in email) {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not sent', email.error.problem, [email.error])
      return show(reply.code(400), pages, 'links', { here: '/links', form: refusedForm(request.body, [email.error]) })
    }
    if (!isBlank(request.body[HONEYPOT])) return confirmTaken(request, reply, '/links')
    const held = await subscriptions.requestLinks(email.address, originOf(request))
    return held === null ? confirmTaken(request, reply, '/links') : showHeld(request, reply, '/links', held)
  })

  app.get('/links/sent', async (_, reply) => show(reply, pages, 'links-sent', {}))
}
