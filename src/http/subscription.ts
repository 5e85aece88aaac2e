/** Subscribing, confirming, and having one's links mailed again. */
import { Type } from 'typebox'
import { readAddress } from '../core/subscriber/address.ts'
import { type FieldError, type Preferences, readPreferences } from '../core/subscriber/preferences.ts'
import { topicBySlug } from '../core/topics.ts'
import { CHOICES, refusedForm } from './form.ts'
import { makePublic } from './guard.ts'
import { type App, type Site, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const SignUp = Type.Object({
  email: Type.Optional(Type.Unknown({ description: 'One email address' })),
  ...CHOICES,
})
const LostMail = Type.Object({ email: Type.Optional(Type.Unknown({ description: 'One email address' })) })
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

export const subscriptionRoutes = (app: App, { subscriptions, pages }: Site): void => {
  app.get('/subscribe', async (_, reply) => reply.redirect('/#subscribe', 303))

  app.post('/subscribe', { schema: { body: SignUp } }, async (request, reply) => {
    const email = readEmail(request.body.email)
    const read = readPreferences(request.body)
    if ('error' in email || 'errors' in read) {
      const errors = ['error' in email ? [email.error] : [], 'errors' in read ? read.errors : []].flat()
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not subscribed', 'Some fields are not valid.', errors)
      return show(reply.code(400), pages, 'subscribe', { form: refusedForm(request.body, errors) })
    }
    await subscriptions.requestSubscription(email.address, read.preferences)
    return wantsJson(request) ? reply.code(202).send(CHECK_INBOX) : reply.redirect('/check-inbox', 303)
  })

  app.get('/check-inbox', async (_, reply) => show(reply, pages, 'check-inbox', {}))

  app.get('/confirm/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    if (found === null) return showDeadLink(reply, pages)
    if (found.confirmed) return show(reply, pages, 'confirmed', { ...found, already: true })
    return show(reply, pages, 'confirm', { ...found, token, topics: labelsOf(found.preferences) })
  })

  app.post('/confirm/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const found = await subscriptions.readConfirmation(token)
    const outcome = found === null ? null : await subscriptions.confirm(token)
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
    await subscriptions.requestLinks(email.address)
    return wantsJson(request) ? reply.code(202).send(CHECK_INBOX) : reply.redirect('/links/sent', 303)
  })

  app.get('/links/sent', async (_, reply) => show(reply, pages, 'links-sent', {}))
}
