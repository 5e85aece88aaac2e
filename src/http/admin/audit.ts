/** `/admin/audit`: what was done by whom, and the button that takes it back where that can be. */
import { Type } from 'typebox'
import type { Act, ActFilter } from '../../newsletter/audit.ts'
import type { App } from '../site.ts'
import { type AdminSite, actorOf, form, hasPage, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { momentOf } from './words.ts'

const PATH = '/admin/audit'
const Filter = Type.Object({
  by: Type.Optional(Type.Unknown()),
  action: Type.Optional(Type.Unknown()),
  on: Type.Optional(Type.Unknown()),
  before: Type.Optional(Type.Unknown()),
})
const Id = Type.Object({ id: Type.String() })

const numberOf = (typed: unknown): number | null =>
  /^[1-9]\d{0,14}$/.test(textOf(typed)) ? Number(textOf(typed)) : null

const orNull = (text: string): string | null => (text === '' ? null : text)

/** Where what an act was on has a page. */
const PAGES: Record<string, string> = { edition: '/admin/editions', subscriber: '/admin/subscribers' }

const subjectView = ({ subject, detail }: Act) => {
  if (subject === null) return null
  const [kind = '', id = ''] = subject.split(/:(.*)/s)
  const page = PAGES[kind]
  return {
    // A name says more than an id.
    text: typeof detail.name === 'string' ? detail.name : `${kind} ${id}`,
    href: page !== undefined && hasPage(page) ? `${page}/${encodeURIComponent(id)}` : null,
    all: `${PATH}?${new URLSearchParams({ on: subject })}`,
  }
}

/** `Edition paused` for `edition.paused`. */
const actionInWords = (action: string): string => {
  const words = action.replaceAll('.', ' ').replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** A fact of an entry as text; a list or an object as JSON. */
const factOf = ([name, value]: [string, unknown]) => ({
  name,
  value: typeof value === 'string' ? value : JSON.stringify(value),
})

const actView = ({ canUndo, ...act }: Act & { canUndo: boolean }) => ({
  id: act.id,
  at: momentOf(act.at),
  by: act.by_whom,
  via: act.via === 'admin' ? 'on these pages' : 'by a command',
  action: actionInWords(act.action),
  subject: subjectView(act),
  facts: Object.entries(act.detail)
    .filter(([name, value]) => value !== null && !(name === 'name' && act.subject !== null))
    .map(factOf),
  undoes: act.undoes,
  undoneBy: act.undone_by,
  canUndo,
})

const queryOf = ({ byWhom, action, subject }: ActFilter, before: number | null): string => {
  const fields = { by: byWhom, action, on: subject, before: before === null ? null : String(before) }
  const set = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== null)
  return set.length === 0 ? PATH : `${PATH}?${new URLSearchParams(set)}`
}

export const auditRoutes = (app: App, site: AdminSite): void => {
  const { audit } = site

  app.get(PATH, { config: requireRole('look'), schema: { querystring: Filter } }, async (request, reply) => {
    const { by, action, on, before } = request.query
    const filter = { byWhom: orNull(textOf(by)), action: orNull(textOf(action)), subject: orNull(textOf(on)) }
    const { acts, older } = await audit.read(filter, numberOf(before))
    const choices = await audit.readChoices()
    const nouns = choices.actions.map((name) => name.replace(/\..*$/, ''))
    return showAdmin(request, reply, site, 'audit', {
      acts: acts.map(actView),
      older: older === null ? null : queryOf(filter, older),
      newest: numberOf(before) === null ? null : queryOf(filter, null),
      filter: { by: filter.byWhom ?? '', action: filter.action ?? '', on: filter.subject ?? '' },
      isFiltered: Object.values(filter).some((value) => value !== null),
      names: choices.byWhom,
      // A whole subject, and then each of what is done to it.
      actions: [...new Set([...nouns, ...choices.actions])]
        .sort()
        .map((name) => ({ name, words: actionInWords(name) })),
    })
  })

  app.post(
    `${PATH}/:id/undo`,
    { config: requireRole('act'), schema: { params: Id, body: form({}) } },
    async (request, reply) => {
      const id = numberOf(request.params.id)
      const result = id === null ? null : await audit.undo(actorOf(request), id)
      if (result === null) return reply.callNotFound()
      return sendBack(request, reply, site, PATH, result === 'undone' ? `Entry ${id} is undone.` : result.problem)
    },
  )
}
