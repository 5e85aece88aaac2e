/** A reader's groups, by the link to their settings: make one, see who is in it, change it, leave it, hand it over, end it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type FieldError, type Preferences, STANDARD } from '../core/subscriber/preferences.ts'
import type { ChannelOutcome } from '../newsletter/group-channel.ts'
import type { GroupRefusal, MadeGroup, OwnGroup, OwnGroups } from '../newsletter/groups.ts'
import { sendErrorPage } from './errors.ts'
import { BUTTON, CHOICES, type FormView, filledForm, refusedForm, sent } from './form.ts'
import { GROUP_REFUSALS } from './group-refusals.ts'
import { type App, type PublicSite, sendProblem, show, showDeadLink, wantsJson } from './site.ts'

const TokenParam = Type.Object({ token: Type.String() })
export const GroupParams = Type.Object({
  token: Type.String(),
  group: Type.String({ description: 'The id of a group' }),
})

const { topics, keywords, authors, muted, papers, weekday } = CHOICES
const Typed = Type.Object(
  {
    name: sent({ type: 'string', maxLength: 40 }, 'The name of the group', 'Vision Lab'),
    topics,
    keywords,
    authors,
    muted,
    papers,
    weekday,
  },
  { additionalProperties: false },
)
const Act = Type.Object(
  {
    member: sent({ type: 'string' }, 'The id of a member'),
    what: sent({ type: 'string', enum: ['remove', 'hand-over'] }, 'What is done'),
  },
  { additionalProperties: false },
)
const Sure = Type.Object(
  { sure: Type.Optional(Type.Unknown({ description: 'yes: nothing brings it back' })) },
  { additionalProperties: false },
)
const Only = Type.Object(
  { only: sent({ type: 'string', enum: ['yes', 'no'] }, 'Whether only the groups’ papers come') },
  { additionalProperties: false },
)

const SetChannel = Type.Object(
  {
    what: sent({ type: 'string', enum: ['set', 'test', 'renew', 'enable', 'remove'] }, 'What is done'),
    url: sent({ type: 'string', format: 'uri' }, 'The address to post to, of set', 'https://chat.example.org/hooks/a'),
  },
  { additionalProperties: false },
)

type GroupsSite = Pick<PublicSite, 'groups' | 'groupChannels' | 'pages' | 'baseUrl'>

/** The form of a group: its name, and what is chosen of it. */
interface GroupForm {
  name: string
  choices: FormView
}

export const blankGroupForm = (preferences: Preferences): GroupForm => ({ name: '', choices: filledForm(preferences) })

const typedForm = (body: Readonly<Record<string, unknown>>, errors: FieldError[]): GroupForm => ({
  name: typeof body.name === 'string' ? body.name : '',
  choices: refusedForm(body, errors),
})

/** Answers what became of something; `present` what it came to. Dead links and refusals are answered here. */
export const answerGroup = <T extends object | 'done' | 'joined' | 'joined before'>(
  request: FastifyRequest,
  reply: FastifyReply,
  site: Pick<GroupsSite, 'pages'>,
  outcome: T | GroupRefusal | null,
  present: (found: T) => FastifyReply | Promise<FastifyReply>,
): FastifyReply | Promise<FastifyReply> => {
  if (outcome === null) return showDeadLink(reply, site.pages)
  if (typeof outcome === 'object' || !Object.hasOwn(GROUP_REFUSALS, outcome)) return present(outcome as T)
  const refusal = GROUP_REFUSALS[outcome as GroupRefusal]
  // Of a page that is only opened nothing was asked for yet, and the link may work again.
  const status = request.method !== 'POST' && refusal.status === 409 ? 200 : refusal.status
  return sendErrorPage(request, reply, site, { ...refusal, status })
}

export const groupRoutes = (app: App, site: GroupsSite): void => {
  listRoutes(app, site)
  memberRoutes(app, site)
  makerRoutes(app, site)
}

const pathOf = (token: string, group = ''): string => `/preferences/${token}/groups${group && `/${group}`}`

const showList = (
  reply: FastifyReply,
  { pages }: GroupsSite,
  token: string,
  own: OwnGroups,
  form = blankGroupForm(own.preferences),
): FastifyReply => show(reply, pages, 'groups', { token, ...own, name: form.name, form: form.choices })

/** The groups of a reader, a form for one more, and whether only theirs come. */
const listRoutes = (app: App, site: GroupsSite): void => {
  const { groups } = site
  const url = '/preferences/:token/groups'
  app.get(url, { schema: { params: TokenParam } }, async (request, reply) => {
    const { token } = request.params
    return answerGroup(request, reply, site, await groups.list(token), (own) =>
      wantsJson(request) ? reply.send({ groups: own.groups, only: own.only }) : showList(reply, site, token, own),
    )
  })

  app.post(url, { schema: { params: TokenParam, body: Typed } }, async (request, reply) => {
    const { token } = request.params
    const made = await groups.make(token, request.body)
    return answerGroup(request, reply, site, made, async (outcome) => {
      if ('id' in outcome)
        return wantsJson(request)
          ? reply.code(201).send({ status: 'made', id: outcome.id })
          : reply.redirect(pathOf(token, outcome.id), 303)
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not made', 'Some fields are not valid.', outcome.errors)
      return answerGroup(request, reply, site, await groups.list(token), (own) =>
        showList(reply.code(400), site, token, own, typedForm(request.body, outcome.errors)),
      )
    })
  })

  app.post(
    '/preferences/:token/groups/only',
    { schema: { params: TokenParam, body: Only } },
    async (request, reply) => {
      const { token } = request.params
      const { only } = request.body
      if (only !== 'yes' && only !== 'no') {
        const errors = [{ field: 'only', problem: 'Choose whether only groups’ papers come.', expected: 'yes or no' }]
        return sendErrorPage(request, reply, site, {
          status: 400,
          heading: 'Not saved',
          sentence: errors[0]?.problem ?? '',
        })
      }
      return answerGroup(request, reply, site, await groups.setOnly(token, only === 'yes'), () =>
        wantsJson(request) ? reply.send({ status: 'saved' }) : reply.redirect(pathOf(token), 303),
      )
    },
  )
}

interface GroupPage {
  notice?: string
  form?: GroupForm
  /** Whether ending it was pressed and the box not ticked. */
  unsure?: boolean
  /** The secret of its channel, which is shown once. */
  secret?: string
  /** What is wrong with the address of a channel, and the address. */
  channelProblem?: string
  typedUrl?: string
}

const formOf = ({ choices }: MadeGroup): GroupForm => ({
  name: choices.name,
  choices: filledForm({ ...STANDARD, ...choices, frequency: 'weekly' }),
})

const showGroup = async (
  reply: FastifyReply,
  { pages, baseUrl, groupChannels }: GroupsSite,
  token: string,
  { group, made }: { group: OwnGroup; made: MadeGroup | null },
  { notice, form, unsure = false, secret, channelProblem, typedUrl = '' }: GroupPage = {},
): Promise<FastifyReply> => {
  const found = made === null ? null : await groupChannels.read(token, group.id)
  const shown = form ?? (made && formOf(made))
  return show(reply, pages, 'group', {
    token,
    group,
    notice: notice ?? null,
    unsure,
    made: made && { members: made.members, joinLink: `${baseUrl}/join/${made.joinToken}` },
    channel: (typeof found === 'object' && found?.channel) || null,
    secret: secret ?? null,
    channelProblem: channelProblem ?? null,
    typedUrl,
    name: shown?.name ?? '',
    form: shown?.choices ?? null,
  })
}

/** The page of a group after something was done to it. */
const showChanged = async (
  request: FastifyRequest<{ Params: { token: string; group: string } }>,
  reply: FastifyReply,
  site: GroupsSite,
  page: GroupPage,
): Promise<FastifyReply> => {
  const { token, group } = request.params
  if (wantsJson(request)) return reply.send({ status: 'done' })
  return answerGroup(request, reply, site, await site.groups.read(token, group), (found) =>
    showGroup(reply, site, token, found, page),
  )
}

/** What every member can do. */
const memberRoutes = (app: App, site: GroupsSite): void => {
  const { groups, pages } = site
  app.get('/preferences/:token/groups/:group', { schema: { params: GroupParams } }, async (request, reply) => {
    const { token, group } = request.params
    return answerGroup(request, reply, site, await groups.read(token, group), (found) =>
      wantsJson(request) ? reply.send(found.group) : showGroup(reply, site, token, found),
    )
  })

  app.post(
    '/preferences/:token/groups/:group/leave',
    { schema: { params: GroupParams, body: BUTTON } },
    async (request, reply) => {
      const { token, group } = request.params
      return answerGroup(request, reply, site, await groups.leave(token, group), () =>
        wantsJson(request)
          ? reply.send({ status: 'left' })
          : show(reply, pages, 'message', {
              heading: 'You’ve left the group',
              sentence: 'It brings you no more papers. Your own digest goes on as your settings say.',
              link: { href: `/preferences/${token}`, label: 'Your settings' },
            }),
      )
    },
  )
}

const CHANNEL_NOTICES: Readonly<Record<string, string>> = {
  test: 'A test message is on its way. Open this page again to see whether it arrived.',
  enable: 'Lists are posted to the channel again.',
  remove: 'The channel is removed.',
}

/** What its maker alone can do. */
const makerRoutes = (app: App, site: GroupsSite): void => {
  const { groups, pages } = site
  const url = '/preferences/:token/groups/:group'
  app.post(url, { schema: { params: GroupParams, body: Typed } }, async (request, reply) => {
    const { token, group } = request.params
    const changed = await groups.change(token, group, request.body)
    return answerGroup(request, reply, site, changed, async (outcome) => {
      if (outcome === 'done') return showChanged(request, reply, site, { notice: 'Group saved.' })
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not saved', 'Some fields are not valid.', outcome.errors)
      return answerGroup(request, reply, site, await groups.read(token, group), (found) =>
        showGroup(reply.code(400), site, token, found, { form: typedForm(request.body, outcome.errors) }),
      )
    })
  })

  app.post(`${url}/link`, { schema: { params: GroupParams, body: BUTTON } }, async (request, reply) => {
    const { token, group } = request.params
    return answerGroup(request, reply, site, await groups.renewLink(token, group), () =>
      showChanged(request, reply, site, { notice: 'The group has a new link. The one before works no more.' }),
    )
  })

  app.post(`${url}/members`, { schema: { params: GroupParams, body: Act } }, async (request, reply) => {
    const { token, group } = request.params
    const { member, what } = request.body
    if (what !== 'remove' && what !== 'hand-over')
      return sendErrorPage(request, reply, site, {
        status: 400,
        heading: 'Nothing was changed',
        sentence: 'A member can be removed, or the group handed over to them.',
      })
    const whom = typeof member === 'string' ? member : ''
    const outcome = await (what === 'remove' ? groups.remove : groups.handOver)(token, group, whom)
    const notice = what === 'remove' ? 'The member is removed.' : 'The group is handed over. You’re a member still.'
    return answerGroup(request, reply, site, outcome, () => showChanged(request, reply, site, { notice }))
  })

  app.post(`${url}/channel`, { schema: { params: GroupParams, body: SetChannel } }, async (request, reply) => {
    const { token, group } = request.params
    const { what, url: typed } = request.body
    const { groupChannels: channels } = site
    const typedUrl = typeof typed === 'string' ? typed : ''
    const acts: Record<string, () => Promise<ChannelOutcome>> = {
      set: () => channels.set(token, group, typedUrl),
      test: () => channels.test(token, group),
      renew: () => channels.renewSecret(token, group),
      enable: () => channels.enable(token, group),
      remove: () => channels.remove(token, group),
    }
    const act = typeof what === 'string' && Object.hasOwn(acts, what) ? what : 'set'
    const outcome = (await acts[act]?.()) ?? null
    return answerGroup(request, reply, site, outcome, async (found) => {
      if (found === 'done') return showChanged(request, reply, site, { notice: CHANNEL_NOTICES[act] ?? 'Saved.' })
      if ('secret' in found) {
        if (wantsJson(request)) return reply.send({ status: 'done', secret: found.secret })
        return showChanged(request, reply, site, { notice: 'Channel saved.', secret: found.secret })
      }
      const errors = [{ field: 'url', problem: found.problem, expected: 'the address of a receiver, with https://' }]
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not done', found.problem, errors)
      return showChanged(request, reply.code(400), site, { channelProblem: found.problem, typedUrl })
    })
  })

  app.post(`${url}/end`, { schema: { params: GroupParams, body: Sure } }, async (request, reply) => {
    const { token, group } = request.params
    // Nothing brings it back, so one press by mistake is not enough.
    if (request.body.sure !== 'yes') {
      if (wantsJson(request)) return sendProblem(reply, 400, 'Not ended', 'The field “sure” is not “yes”.')
      return answerGroup(request, reply, site, await groups.read(token, group), (found) =>
        showGroup(reply.code(400), site, token, found, { unsure: true }),
      )
    }
    return answerGroup(request, reply, site, await groups.end(token, group), () =>
      wantsJson(request)
        ? reply.send({ status: 'ended' })
        : show(reply, pages, 'message', {
            heading: 'The group has ended',
            sentence: 'Its members get nothing more of it. What they follow themselves goes on.',
            link: { href: pathOf(token), label: 'Your groups' },
          }),
    )
  })
}
