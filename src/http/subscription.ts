/** Subscribing, confirming, and having one's links mailed again. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { readAddress } from '../core/subscriber/address.ts'
import { likelyAddress } from '../core/subscriber/address-typo.ts'
import { followedLabels } from '../core/subscriber/followed.ts'
import { type FieldError, readNewPreferences } from '../core/subscriber/preferences.ts'
import type { Challenge } from '../core/subscriber/proof-of-work.ts'
import { quoted } from '../core/text/text.ts'
import type { Origin } from '../newsletter/subscription/subscription.ts'
import {
  ADDRESSED,
  BUTTON,
  CHOICES,
  carriedFields,
  FORM_STAMP,
  HONEYPOT,
  refusedForm,
  SURE,
  withKnownZone,
} from './form.ts'
import { keepForBack, makePublic, POLICY_WITH_SCRIPT } from './guard.ts'
import { type App, linkOrigin, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const SignUp = Type.Object({ ...ADDRESSED, ...CHOICES }, { additionalProperties: false })
const LostMail = Type.Object(ADDRESSED, { additionalProperties: false })
export const Proof = Type.Object(
  {
    proof: Type.Optional(Type.Unknown({ description: 'A solved challenge, base64 of its JSON' })),
    address: Type.Optional(Type.Unknown({ description: 'The address that the form was sent with, sealed' })),
  },
  { additionalProperties: false },
)
const TokenParam = Type.Object({ token: Type.String() })
const SealedParam = Type.Object({ sealed: Type.String() })

/** The address that a form was sent with, or what is wrong about it. */
export const readEmail = (raw: unknown): { address: string } | { error: FieldError } => {
  const read = readAddress(typeof raw === 'string' ? raw : '')
  if ('address' in read) return read
  return { error: { field: 'email', problem: read.problem, expected: 'one email address such as ada@example.org' } }
}

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

/** The page that follows each form. */
const TAKEN = { '/subscribe': '/check-inbox', '/links': '/links/sent' } as const
type Taken = keyof typeof TAKEN

/** `sealed`: the address, for the page that follows; `notes`: what a program is told besides. */
const confirmTaken = (
  request: FastifyRequest,
  reply: FastifyReply,
  from: Taken,
  sealed: string,
  notes: object = {},
): FastifyReply =>
  wantsJson(request)
    ? reply.code(202).send({ ...CHECK_INBOX, ...notes })
    : reply.redirect(sealed === '' ? TAKEN[from] : `${TAKEN[from]}/${sealed}`, 303)

/** What a program is told of what it sent, which depends on that alone. */
const notesOn = (address: string, unknownZone: string | null) => {
  const meant = likelyAddress(address)
  return {
    ...(meant === null ? {} : { did_you_mean: meant }),
    ...(unknownZone === null
      ? {}
      : { timezone: 'UTC', note: `We don’t know the time zone ${quoted(unknownZone)}, so times are in UTC.` }),
  }
}

/** An address to which no email can arrive, as far as name servers tell. */
const unreachable = (address: string): FieldError => ({
  field: 'email',
  problem: `Check the part after the @: we can’t find a mail server for ${address.split('@')[1]}. To use this address all the same, subscribe again.`,
  expected: 'an address whose domain takes email, or the same address in “sure” too',
})

export const subscriptionRoutes = (app: App, site: Site): void => {
  requestRoutes(app, site)
  confirmationRoutes(app, site)
}

/** The two forms that take an address, and the pages that follow. */
const requestRoutes = (app: App, { subscriptions, pages, takesMail = async () => null }: Site): void => {
  /** Many requests come at the moment: this one waits, unless the browser does some work for it. */
  const showHeld = (
    request: FastifyRequest,
    reply: FastifyReply,
    from: Taken,
    sealed: string,
    challenge: Challenge,
    notes: object = {},
  ): FastifyReply => {
    if (wantsJson(request)) return reply.code(202).send({ ...CHECK_INBOX, ...notes, challenge })
    reply.header('content-security-policy', POLICY_WITH_SCRIPT)
    return show(reply, pages, 'held', { action: `${from}/proof`, sealed, challenge: JSON.stringify(challenge) })
  }

  for (const from of ['/subscribe', '/links'] as const)
    app.post(`${from}/proof`, { schema: { body: Proof } }, async (request, reply) => {
      const { proof, address } = request.body
      // What proves nothing changes nothing: the email comes later then, as the page before has said.
      await subscriptions.proveWork(typeof proof === 'string' ? proof : '')
      const sealed = typeof address === 'string' && subscriptions.openAddress(address) !== null ? address : ''
      return confirmTaken(request, reply, from, sealed)
    })

  app.get('/subscribe', async (_, reply) => reply.redirect('/#email', 303))

  app.post('/subscribe', { schema: { body: SignUp } }, async (request, reply) => {
    const isForm = !wantsJson(request)
    const { body, unknownZone } = withKnownZone(request.body, isForm)
    const email = readEmail(body.email)
    const read = readNewPreferences(body)
    if ('error' in email || 'errors' in read) {
      const errors = ['error' in email ? [email.error] : [], 'errors' in read ? read.errors : []].flat()
      if (!isForm) return sendProblem(reply, 400, 'Not subscribed', 'Some fields are not valid.', errors)
      return show(keepForBack(reply.code(400)), pages, 'subscribe', { form: refusedForm(body, errors) })
    }
    const { address } = email
    const sealed = subscriptions.sealAddress(address)
    // Only a program fills in a field that no reader sees.
    if (!isBlank(body[HONEYPOT])) return confirmTaken(request, reply, '/subscribe', sealed)
    const notes = notesOn(address, unknownZone)
    if (body[SURE] !== address) {
      const { did_you_mean: meant } = notes
      if (isForm && meant !== undefined) {
        const asked = { typed: address, meant, carried: carriedFields(body) }
        return show(keepForBack(reply), pages, 'did-you-mean', asked)
      }
      if (meant === undefined && (await takesMail(address.split('@')[1] ?? '')) === false) {
        const errors = [unreachable(address)]
        if (!isForm) return sendProblem(reply, 400, 'Not subscribed', 'No email can arrive there.', errors)
        const form = { ...refusedForm({ ...body, email: address }, errors), sure: address }
        return show(keepForBack(reply.code(400)), pages, 'subscribe', { form })
      }
    }
    const held = await subscriptions.requestSubscription(address, read.preferences, originOf(request))
    return held === null
      ? confirmTaken(request, reply, '/subscribe', sealed, notes)
      : showHeld(request, reply, '/subscribe', sealed, held, notes)
  })

  for (const [path, page] of [
    ['/check-inbox', 'check-inbox'],
    ['/links/sent', 'links-sent'],
  ] as const) {
    app.get(path, async (_, reply) => show(reply, pages, page, { email: null }))
    app.get(`${path}/:sealed`, { schema: { params: SealedParam } }, async (request, reply) =>
      show(reply, pages, page, { email: subscriptions.openAddress(request.params.sealed) }),
    )
  }

  app.get('/links', async (_, reply) =>
    show(makePublic(reply), pages, 'links', { here: '/links', form: { email: '', errors: {} } }),
  )

  app.post('/links', { schema: { body: LostMail } }, async (request, reply) => {
    const email = readEmail(request.body.email)
    if ('error' in email) {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not sent', email.error.problem, [email.error])
      const form = refusedForm(request.body, [email.error])
      return show(keepForBack(reply.code(400)), pages, 'links', { here: '/links', form })
    }
    const sealed = subscriptions.sealAddress(email.address)
    if (!isBlank(request.body[HONEYPOT])) return confirmTaken(request, reply, '/links', sealed)
    const held = await subscriptions.requestLinks(email.address, originOf(request))
    return held === null
      ? confirmTaken(request, reply, '/links', sealed)
      : showHeld(request, reply, '/links', sealed, held)
  })
}

/** The page of a confirmation's link, and its button. */
const confirmationRoutes = (app: App, { subscriptions, pages }: Site): void => {
  app.get('/confirm/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    if (found === null) return showDeadLink(reply, pages)
    if (found.confirmed) return show(reply, pages, 'confirmed', { ...found, already: true })
    return show(reply, pages, 'confirm', { ...found, token, topics: followedLabels(found.preferences) })
  })

  app.post('/confirm/:token', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    const outcome = found === null ? null : await subscriptions.confirm(token, linkOrigin(request))
    if (found === null || outcome === null) return showDeadLink(reply, pages)
    return show(reply, pages, 'confirmed', { ...found, already: outcome === 'already' })
  })
}
