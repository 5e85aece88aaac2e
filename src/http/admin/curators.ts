/** `/admin/curators`: who may pick, pin and hide papers, what they did, and what readers suggest to them. */

import { Type } from 'typebox'
import { longDate } from '../../core/digest/headline.ts'
import { plainTitle } from '../../core/text/latex.ts'
import { isUuid } from '../../core/uuid.ts'
import type { Curation, Curator, CuratorDesk } from '../../newsletter/administration/papers.ts'
import type { App } from '../site.ts'
import { paperHref } from './papers.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { shortDateTime } from './words.ts'

const PATH = '/admin/curators'
const After = Type.Object({ after: Type.Optional(Type.Unknown()) })
const IdParam = Type.Object({ id: Type.String() })

const isId = (text: string): boolean => isUuid(text)

const curatorView = ({ id, name, address, added_at: addedAt, ended_at: endedAt }: Curator) => ({
  id,
  name,
  address,
  added: shortDateTime(addedAt),
  ended: endedAt === null ? null : shortDateTime(endedAt),
})

const VERBS = { pick: 'picked', pin: 'pinned', hide: 'hid' } as const

const curationView = (one: Curation) => ({
  id: one.id,
  href: paperHref(one.paperId),
  title: one.title === null ? one.paperId : plainTitle(one.title),
  isHeld: one.title !== null,
  what: `${one.curator} ${VERBS[one.action]}${one.action === 'pin' && one.listDay !== null ? ` to ${longDate(one.listDay)}` : ''}`,
  note: one.note,
  at: shortDateTime(one.at),
  undone: one.undoneAt === null ? null : `Undone by ${one.undoneBy} on ${shortDateTime(one.undoneAt)}.`,
})

const viewOf = (
  { curators, curations, older, suggestions, waiting }: CuratorDesk,
  typed: { name: string; address: string; error: string | null } = { name: '', address: '', error: null },
) => ({
  curators: curators.filter((one) => one.ended_at === null).map(curatorView),
  former: curators.filter((one) => one.ended_at !== null).map(curatorView),
  curations: curations.map(curationView),
  older: older === null ? null : `${PATH}?after=${older}`,
  suggestions: suggestions.map(({ paperId, note, at }) => ({ paperId, note, at: shortDateTime(at) })),
  waiting,
  typed,
})

/** What is said of a letter with a link. */
const mailed = (name: string, suppressed: string | null): string =>
  suppressed === null
    ? `The link is on its way to ${name}.`
    : `Nothing is mailed to ${name}: the address is suppressed (${suppressed}). Remove the suppression, then send a fresh link.`

export const curatorRoutes = (app: App, site: AdminSite): void => {
  app.get(PATH, { config: requireRole('look'), schema: { querystring: After } }, async (request, reply) => {
    const after = textOf(request.query.after)
    if (after !== '' && !isId(after)) return reply.callNotFound()
    const desk = await site.papers.readCurators(after === '' ? null : after)
    return showAdmin(request, reply, site, 'curators', viewOf(desk))
  })

  app.post(
    PATH,
    {
      config: requireRole('act'),
      schema: { body: form({ name: field('The name that readers see'), address: field('Their email address') }) },
    },
    async (request, reply) => {
      const typed = { name: textOf(request.body.name), address: textOf(request.body.address) }
      const result = await site.papers.addCurator(actorOf(request), typed.address, typed.name)
      if ('problem' in result) {
        const view = viewOf(await site.papers.readCurators(null), { ...typed, error: result.problem })
        return showAdmin(request, reply.code(422), site, 'curators', view)
      }
      return sendBack(request, reply, site, PATH, mailed(result.curator.name, result.suppressed))
    },
  )

  app.post(
    `${PATH}/:id/link`,
    { config: requireRole('act'), schema: { params: IdParam, body: form({}) } },
    async (request, reply) => {
      if (!isId(request.params.id)) return reply.callNotFound()
      const result = await site.papers.renewLink(actorOf(request), request.params.id)
      const said =
        'problem' in result ? NONE : `${mailed(result.curator.name, result.suppressed)} Older links are dead.`
      return sendBack(request, reply, site, PATH, said)
    },
  )

  app.post(
    `${PATH}/:id/end`,
    { config: requireRole('act'), schema: { params: IdParam, body: form({}) } },
    async (request, reply) => {
      if (!isId(request.params.id)) return reply.callNotFound()
      const result = await site.papers.endCurator(actorOf(request), request.params.id)
      const said = 'problem' in result ? NONE : `${result.name} is no curator any more; what they did stays.`
      return sendBack(request, reply, site, PATH, said)
    },
  )

  app.post(
    `${PATH}/curations/:id/undo`,
    { config: requireRole('act'), schema: { params: IdParam, body: form({}) } },
    async (request, reply) => {
      if (!isId(request.params.id)) return reply.callNotFound()
      const result = await site.papers.undoCuration(actorOf(request), request.params.id)
      return sendBack(request, reply, site, PATH, 'problem' in result ? result.problem : 'Undone.')
    },
  )
}

const NONE = 'Nothing has changed: that is no curator any more.'
