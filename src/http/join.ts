/** Joining a group by its link: as a subscriber with one's own link, or by an address that the rest is mailed to. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Invitation } from '../newsletter/group-invitations.ts'
import { sendErrorPage } from './errors.ts'
import { ADDRESSED, BUTTON, blankForm, HONEYPOT, refusedForm } from './form.ts'
import { GROUP_REFUSALS } from './group-refusals.ts'
import { answerGroup } from './groups.ts'
import { keepForBack } from './guard.ts'
import { type App, type PublicSite, sendProblem, show, showDeadLink, wantsJson } from './site.ts'
import { confirmTaken, isBlank, originOf, readEmail, showHeld } from './subscription.ts'

const TokenParam = Type.Object({ token: Type.String() })
const Address = Type.Object(ADDRESSED, { additionalProperties: false })
const OwnParams = Type.Object({
  token: Type.String(),
  invitation: Type.String({ description: 'The token of the link by which one joins' }),
})

type JoinSite = Pick<PublicSite, 'groups' | 'pages' | 'subscriptions'>

export const joinRoutes = (app: App, site: JoinSite): void => {
  strangerRoutes(app, site)
  ownRoutes(app, site)
}

/** The page that the link leads to, for anybody: what the group is about, and a form that takes an address. */
const strangerRoutes = (app: App, { groups, pages, subscriptions }: JoinSite): void => {
  const showJoin = (reply: FastifyReply, token: string, group: Invitation, form = blankForm()): FastifyReply =>
    show(reply, pages, 'join', { token, group, form })

  app.get('/join/:token', { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    const group = await groups.readInvitation(token)
    if (group === null) return showDeadLink(reply, pages)
    return wantsJson(request) ? reply.send(group) : showJoin(reply, token, group)
  })

  app.post('/join/:token', { schema: { params: TokenParam, body: Address } }, async (request, reply) => {
    const { token } = request.params
    const [group, newcomer] = await Promise.all([groups.readInvitation(token), groups.preferencesFor(token)])
    if (group === null || newcomer === null) return showDeadLink(reply, pages)
    const email = readEmail(request.body.email)
    if ('error' in email) {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not joined', email.error.problem, [email.error])
      return showJoin(keepForBack(reply.code(400)), token, group, refusedForm(request.body, [email.error]))
    }
    // The same answer for every address, as to a sign-up, which it is for whoever is not subscribed.
    const sealed = subscriptions.sealAddress({ email: email.address, returnTo: '' })
    if (!isBlank(request.body[HONEYPOT])) return confirmTaken(request, reply, '/subscribe', sealed)
    const held = await subscriptions.requestMembership(email.address, newcomer, originOf(request))
    return held === null
      ? confirmTaken(request, reply, '/subscribe', sealed)
      : showHeld(reply, pages, '/subscribe', sealed, held)
  })
}

/** The same for a subscriber, by the link to their settings: one button. */
const ownRoutes = (app: App, site: JoinSite): void => {
  const { groups, pages } = site
  const url = '/preferences/:token/join/:invitation'
  app.get(url, { schema: { params: OwnParams } }, async (request, reply) => {
    const { token, invitation } = request.params
    return answerGroup(request, reply, site, await groups.list(token), async (own) => {
      const group = await groups.readInvitation(invitation)
      if (group === null) return sendErrorPage(request, reply, site, GROUP_REFUSALS['no group'])
      const member = own.groups.some(({ id }) => id === group.id)
      if (wantsJson(request)) return reply.send({ ...group, member })
      return show(reply, pages, 'join-own', { token, invitation, group, member, done: false })
    })
  })

  app.post(url, { schema: { params: OwnParams, body: BUTTON } }, async (request, reply) => {
    const { token, invitation } = request.params
    const group = await groups.readInvitation(invitation)
    const outcome = await groups.join(token, invitation)
    return answerGroup(request, reply, site, outcome, (joined) => {
      if (wantsJson(request)) return reply.send({ status: joined })
      return show(reply, pages, 'join-own', { token, invitation, group, member: true, done: joined === 'joined' })
    })
  })
}
