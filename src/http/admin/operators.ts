/** `/admin/operators`: who may look at these pages and act on them, and where they are signed in. */
import { Type } from 'typebox'
import { OPERATOR_ROLES } from '../../core/operator.ts'
import type { Problem, WithToken } from '../../newsletter/operators.ts'
import type { App } from '../site.ts'
import { type AdminSite, actorOf, field, form, operatorOf, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { momentOf } from './words.ts'

const PATH = '/admin/operators'
const Name = Type.Object({ name: Type.String() })

const ROLE_WORDS = {
  look: 'sees everything',
  act: 'also changes editions, readers and papers',
  own: 'also says who is an operator',
} as const
const roles = OPERATOR_ROLES.map((role) => ({ role, words: ROLE_WORDS[role] }))

/** What the page shows besides what is stored. */
interface Shown {
  /** A new token, which is shown this once. */
  told?: WithToken
  typed?: { name: string; role: string }
  error?: string
}

const viewOf = async ({ operators }: AdminSite, { told, typed, error }: Shown) => {
  const { operators: all, sessions } = await operators.list()
  return {
    roles,
    told: told === undefined ? null : { name: told.operator.name, token: told.token },
    typed: typed ?? { name: '', role: 'look' },
    error: error ?? null,
    current: all
      .filter(({ ended_at }) => ended_at === null)
      .map(({ id, name, role, added_at, last_seen_at }) => ({
        name,
        role,
        href: `${PATH}/${encodeURIComponent(name)}`,
        added: momentOf(added_at),
        seen: momentOf(last_seen_at),
        sessions: sessions.filter(({ operatorId }) => operatorId === id).length,
      })),
    former: all
      .filter(({ ended_at }) => ended_at !== null)
      .map(({ name, ended_at }) => ({ name, ended: momentOf(ended_at) })),
    adminSessions: sessions.filter(({ operatorId }) => operatorId === null).length,
  }
}

export const operatorRoutes = (app: App, site: AdminSite): void => {
  const { operators } = site
  const own = requireRole('own')

  app.get(PATH, { config: own }, async (request, reply) =>
    showAdmin(request, reply, site, 'operators', await viewOf(site, {})),
  )

  // The token is in the answer to the form alone: it is kept nowhere, so no page can be asked for it again.
  app.post(
    PATH,
    { config: own, schema: { body: form({ name: field('As it will stand in the record'), role: field('The role') }) } },
    async (request, reply) => {
      const typed = { name: textOf(request.body.name), role: textOf(request.body.role) }
      const added = await operators.add(actorOf(request), typed)
      if ('problem' in added) {
        const view = await viewOf(site, { typed, error: added.problem })
        return showAdmin(request, reply.code(422), site, 'operators', view)
      }
      return showAdmin(request, reply, site, 'operators', await viewOf(site, { told: added }))
    },
  )

  app.post(`${PATH}/:name/token`, { config: own, schema: { params: Name, body: form({}) } }, async (request, reply) => {
    const renewed = await operators.renewToken(actorOf(request), request.params.name)
    if ('problem' in renewed) return reply.callNotFound()
    // Whoever renews their own is signed out by it, and has the new one before them.
    return showAdmin(request, reply, site, 'operators', await viewOf(site, { told: renewed }))
  })

  app.post(
    `${PATH}/:name/role`,
    { config: own, schema: { params: Name, body: form({ role: field('The role') }) } },
    async (request, reply) => {
      const { name } = request.params
      const role = textOf(request.body.role)
      const problem = ownRank(operatorOf(request).name, name)
      if (problem !== null) return refuse(site, request, reply, problem)
      const changed = await operators.changeRole(actorOf(request), name, role)
      if ('problem' in changed) return refuse(site, request, reply, changed)
      return sendBack(request, reply, site, PATH, `${changed.name} may now: ${role}.`)
    },
  )

  app.post(`${PATH}/:name/end`, { config: own, schema: { params: Name, body: form({}) } }, async (request, reply) => {
    const problem = ownRank(operatorOf(request).name, request.params.name)
    if (problem !== null) return refuse(site, request, reply, problem)
    const ended = await operators.end(actorOf(request), request.params.name)
    if ('problem' in ended) return refuse(site, request, reply, ended)
    return sendBack(request, reply, site, PATH, `${ended.name} is no operator any more.`)
  })
}

/** Nobody locks themselves out by a slip. */
const ownRank = (me: string, name: string): Problem | null =>
  me.toLowerCase() === name.trim().toLowerCase()
    ? { problem: 'You cannot end yourself or change your own role. Somebody else with the role “own” can.' }
    : null

const refuse = async (
  site: AdminSite,
  request: Parameters<typeof showAdmin>[0],
  reply: Parameters<typeof showAdmin>[1],
  { problem }: Problem,
) => showAdmin(request, reply.code(422), site, 'operators', await viewOf(site, { error: problem }))
