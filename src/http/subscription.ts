/** Subscribing, confirming, and having one's links mailed again. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { readAddress } from '../core/subscriber/address.ts'
import { likelyAddress } from '../core/subscriber/address-typo.ts'
import { followedLabels } from '../core/subscriber/followed.ts'
import {
  type FieldError,
  type Preferences,
  readNewPreferences,
  readPreferences,
  STANDARD,
  TRENDING,
} from '../core/subscriber/preferences.ts'
import type { Challenge } from '../core/subscriber/proof-of-work.ts'
import { quoted } from '../core/text/text.ts'
import type { ConfirmedTime } from '../newsletter/subscription/confirmation.ts'
import type { Origin } from '../newsletter/subscription/subscription.ts'
import {
  ADDRESSED,
  BACK,
  BUTTON,
  blankForm,
  CHOICES,
  carriedFields,
  FORM_STAMP,
  filledForm,
  HONEYPOT,
  refusedForm,
  SURE,
  withKnownZone,
} from './form.ts'
import { keepForBack, makePublic, POLICY_WITH_SCRIPT } from './guard.ts'
import { returnView } from './return-address.ts'
import {
  type App,
  linkOrigin,
  type Pages,
  type PublicSite,
  type Site,
  sendProblem,
  show,
  showDeadLink,
  wantsJson,
} from './site.ts'

const SignUp = Type.Object({ ...ADDRESSED, ...CHOICES }, { additionalProperties: false })
const LostMail = Type.Object(ADDRESSED, { additionalProperties: false })
export const Proof = Type.Object(
  {
    proof: Type.Optional(Type.Unknown({ description: 'A solved challenge, base64 of its JSON' })),
    address: Type.Optional(Type.Unknown({ description: 'The address that the form was sent with, sealed' })),
  },
  { additionalProperties: false },
)
/** A confirmation's button, and when digests are to come if not as it says. */
const Confirmed = Type.Object({ hour: CHOICES.hour, timezone: CHOICES.timezone }, { additionalProperties: false })
const TokenParam = Type.Object({ token: Type.String() })
const SealedParam = Type.Object({ sealed: Type.String() })

/** The address that a form was sent with, or what is wrong about it. */
export const readEmail = (raw: unknown): { address: string } | { error: FieldError } => {
  const read = readAddress(typeof raw === 'string' ? raw : '')
  if ('address' in read) return read
  return { error: { field: 'email', problem: read.problem, expected: 'one email address such as ada@example.org' } }
}

/** The same for every address, so that nobody learns who subscribes. */
export const CHECK_INBOX = { status: 'check your inbox' }

export const isBlank = (value: unknown): boolean => value === undefined || value === ''

export const originOf = (request: FastifyRequest<{ Body: Readonly<Record<string, unknown>> }>): Origin => {
  const { ip, body } = request
  const stamp = body[FORM_STAMP]
  // What a program sends may have none; one that is no text is none of ours.
  const from = { ip, form: request.routeOptions.url ?? null, source: wantsJson(request) ? 'api' : 'form' }
  return { ...from, ...(stamp === undefined ? {} : { stamp: typeof stamp === 'string' ? stamp : '' }) }
}

/** The page that follows each form. */
const TAKEN = { '/subscribe': '/check-inbox', '/links': '/links/sent', '/vote': '/vote/sent' } as const
type Taken = keyof typeof TAKEN

/** `sealed`: the address, for the page that follows; `notes`: what a program is told besides. */
export const confirmTaken = (
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

export const subscriptionRoutes = (app: App, site: PublicSite): void => {
  requestRoutes(app, site)
  confirmationRoutes(app, site)
}

/** Many requests come at the moment: this one waits, unless the browser does some work for it. */
export const showHeld = (
  reply: FastifyReply,
  pages: Pages,
  from: Taken,
  sealed: string,
  held: Challenge,
  notes = {},
) => {
  if (wantsJson(reply.request)) return reply.code(202).send({ ...CHECK_INBOX, ...notes, challenge: held })
  reply.header('content-security-policy', POLICY_WITH_SCRIPT)
  return show(reply, pages, 'held', { action: `${from}/proof`, sealed, challenge: JSON.stringify(held) })
}

type SignUpRequest = FastifyRequest<{ Body: Readonly<Record<string, unknown>> }>

/** Takes a sign-up: of the form and of the API, whose answers differ in form alone. */
export const createSignUp =
  ({ subscriptions, pages, takesMail = async () => null }: Site) =>
  async (request: SignUpRequest, reply: FastifyReply): Promise<FastifyReply> => {
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
    const back = typeof body[BACK] === 'string' ? subscriptions.openAddress(body[BACK]) : null
    const sealed = subscriptions.sealAddress({ email: address, returnTo: back?.returnTo ?? '' })
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
      : showHeld(reply, pages, '/subscribe', sealed, held, notes)
  }

/** The two forms that take an address, and the pages that follow. */
const requestRoutes = (app: App, site: PublicSite): void => {
  const { subscriptions, pages } = site
  for (const from of ['/subscribe', '/links', '/vote'] as const)
    app.post(`${from}/proof`, { schema: { body: Proof } }, async (request, reply) => {
      const { proof, address } = request.body
      // What proves nothing changes nothing: the email comes later then, as the page before has said.
      await subscriptions.proveWork(typeof proof === 'string' ? proof : '')
      const sealed = typeof address === 'string' && subscriptions.openAddress(address) !== null ? address : ''
      return confirmTaken(request, reply, from, sealed)
    })

  app.get('/subscribe', async (_, reply) => reply.redirect('/#email', 303))

  app.post('/subscribe', { schema: { body: SignUp } }, createSignUp(site))

  for (const [path, page] of [
    ['/check-inbox', 'check-inbox'],
    ['/links/sent', 'links-sent'],
    ['/vote/sent', 'vote-sent'],
  ] as const) {
    app.get(path, async (_, reply) => show(reply, pages, page, { email: null, returnTo: null }))
    app.get(`${path}/:sealed`, { schema: { params: SealedParam } }, async (request, reply) => {
      const { email = '', returnTo = '' } = subscriptions.openAddress(request.params.sealed) ?? {}
      return show(reply, pages, page, { email: email || null, returnTo: returnView(returnTo) })
    })
  }

  app.get('/links', async (_, reply) =>
    show(makePublic(reply), pages, 'links', {
      here: '/links',
      canonical: `${site.baseUrl}/links`,
      form: { email: '', errors: {} },
    }),
  )

  app.post('/links', { schema: { body: LostMail } }, async (request, reply) => {
    const email = readEmail(request.body.email)
    if ('error' in email) {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not sent', email.error.problem, [email.error])
      const form = refusedForm(request.body, [email.error])
      return show(keepForBack(reply.code(400)), pages, 'links', { here: '/links', form })
    }
    const sealed = subscriptions.sealAddress({ email: email.address, returnTo: '' })
    if (!isBlank(request.body[HONEYPOT])) return confirmTaken(request, reply, '/links', sealed)
    const held = await subscriptions.requestLinks(email.address, originOf(request))
    return held === null
      ? confirmTaken(request, reply, '/links', sealed)
      : showHeld(reply, pages, '/links', sealed, held)
  })
}

/** When digests are to come, as the page that confirms was sent; what it leaves out stays as it was asked for. */
const readTime = (
  body: Readonly<Record<string, unknown>>,
  { hour, timeZone }: Preferences,
): { time: ConfirmedTime } | { errors: FieldError[] } => {
  const read = readPreferences({ ...body, topics: TRENDING }, { ...STANDARD, hour, timeZone })
  return 'errors' in read ? read : { time: { hour: read.preferences.hour, timeZone: read.preferences.timeZone } }
}

/** The page of a confirmation's link, its button, and what to do once it is too old. */
const confirmationRoutes = (app: App, { subscriptions, pages }: Site): void => {
  type Found = { email: string; preferences: Preferences }
  const showConfirm = (reply: FastifyReply, token: string, found: Found, form = filledForm(found.preferences)) =>
    show(reply, pages, 'confirm', { ...found, token, topics: followedLabels(found.preferences), form })

  /** A link that has expired says so, and what to do; any other is dead. */
  const showUseless = async (request: FastifyRequest, reply: FastifyReply, token: string): Promise<FastifyReply> => {
    const expired = await subscriptions.readExpiredConfirmation(token)
    if (expired === null) return showDeadLink(reply, pages)
    if (wantsJson(request)) {
      const detail = 'Confirmation links work for 7 days, and end with the subscription. Subscribe again for a new one.'
      return sendProblem(reply, 410, 'Expired link', detail)
    }
    reply.code(410).header('content-security-policy', POLICY_WITH_SCRIPT)
    return show(reply, pages, 'expired', { ...expired, token, form: blankForm() })
  }

  app.get('/confirm/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    if (found === null) return showUseless(request, reply, token)
    if (found.confirmed) return show(reply, pages, 'confirmed', { ...found, already: true })
    return showConfirm(reply, token, found)
  })

  app.post('/confirm/:token', { schema: { params: TokenParam, body: Confirmed } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    if (found === null) return showUseless(request, reply, token)
    const { body } = withKnownZone(request.body, !wantsJson(request))
    const read = readTime(body, found.preferences)
    if ('errors' in read) {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not confirmed', 'Some fields are not valid.', read.errors)
      return showConfirm(reply.code(400), token, found, refusedForm(body, read.errors, found.preferences))
    }
    const outcome = await subscriptions.confirm(token, linkOrigin(request), read.time)
    if (outcome === null) return showUseless(request, reply, token)
    const preferences = outcome === 'already' ? found.preferences : { ...found.preferences, ...read.time }
    return show(reply, pages, 'confirmed', { ...found, preferences, already: outcome === 'already' })
  })

  app.post('/confirm/:token/again', { schema: { params: TokenParam, body: BUTTON } }, async (request, reply) => {
    const { token } = request.params
    const source = wantsJson(request) ? 'api' : 'form'
    const asked = await subscriptions.requestAgain(token, { ...linkOrigin(request), source })
    // Confirmed, forgotten or not too old meanwhile: the link itself says which.
    if (asked === null) return reply.redirect(`/confirm/${encodeURIComponent(token)}`, 303)
    const { email, held } = asked
    if (held !== null) return showHeld(reply, pages, '/subscribe', '', held)
    return wantsJson(request)
      ? reply.code(202).send(CHECK_INBOX)
      : show(reply, pages, 'check-inbox', { email, returnTo: null })
  })
}
