/** `/admin/suppressions`: addresses that are not mailed and why, each change to that, adding one and lifting them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { CAUSED_BY_SERVERS, MOST_REMOVED, SUPPRESSION_CLASSES } from '../../newsletter/administration/suppressions.ts'
import { sendErrorPage } from '../errors.ts'
import type { App } from '../site.ts'
import { editionNumber, MAX_WHY } from './editions.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { CLASS_WORDS, count, counted, momentOf } from './words.ts'

const Text = Type.Optional(Type.String())
const MAX_SEARCH = 300

interface Asked {
  q: string
  class: string
  edition: string
  after?: string
}

/** The list, with what was wrong about the form that adds an address. */
const showList = async (
  request: FastifyRequest,
  reply: FastifyReply,
  site: AdminSite,
  asked: Asked,
  problem: { address: string; why: string; field: string; sentence: string } | null = null,
) => {
  const text = asked.q.trim().slice(0, MAX_SEARCH)
  const one = SUPPRESSION_CLASSES.find((name) => name === asked.class)
  const editionId = editionNumber(asked.edition)
  const filter = {
    classes: one === undefined ? SUPPRESSION_CLASSES : [one],
    editionId,
    text: text === '' ? null : text,
  }
  const list = await site.suppressions.list(filter, asked.after ?? null)
  const query = {
    ...(text === '' ? {} : { q: text }),
    ...(one === undefined ? {} : { class: one }),
    ...(editionId === null ? {} : { edition: String(editionId) }),
  }
  return showAdmin(request, reply, site, 'suppressions', {
    asked: { q: text, class: one ?? '', edition: editionId === null ? '' : String(editionId) },
    isSearch: Object.keys(query).length > 0,
    classes: SUPPRESSION_CLASSES.map((name) => ({
      name,
      words: CLASS_WORDS[name],
      count: count(list.classes[name] ?? 0),
    })),
    erased: count(list.erased),
    found: list.found && { address: text, at: momentOf(list.found.at), words: CLASS_WORDS[list.found.class] },
    rows: list.rows.map((row) => ({
      email: row.email,
      subscriber: row.subscriber,
      class: row.class,
      words: CLASS_WORDS[row.class],
      reason: row.reason,
      diagnostic: row.diagnostic,
      by: row.source,
      edition: row.edition_id,
      at: momentOf(row.created_at),
    })),
    next: list.more === null ? null : `/admin/suppressions?${new URLSearchParams({ ...query, after: list.more })}`,
    typed: problem ?? { address: '', why: '', field: '', sentence: '' },
  })
}

const NO_FILTER = { q: '', class: '', edition: '' }

export const suppressionRoutes = (app: App, site: AdminSite): void => {
  readRoutes(app, site)
  addRoute(app, site)
  removeRoutes(app, site)
  bulkRoutes(app, site)
}

const readRoutes = (app: App, site: AdminSite): void => {
  app.get(
    '/admin/suppressions',
    {
      config: requireRole('look'),
      schema: { querystring: Type.Object({ q: Text, class: Text, edition: Text, after: Text }) },
    },
    (request, reply) => showList(request, reply, site, { ...NO_FILTER, ...request.query }),
  )

  app.get(
    '/admin/suppressions/changes',
    { config: requireRole('look'), schema: { querystring: Type.Object({ before: Text }) } },
    async (request, reply) => {
      const { rows, more } = await site.suppressions.listChanges(editionNumber(request.query.before ?? ''))
      return showAdmin(request, reply, site, 'suppression-changes', {
        rows: rows.map((row) => ({
          at: momentOf(row.at),
          email: row.email,
          subscriber: row.subscriber,
          change: row.change,
          words: CLASS_WORDS[row.class],
          by: row.by_whom,
          why: row.why,
        })),
        next: more === null ? null : `/admin/suppressions/changes?before=${more}`,
      })
    },
  )
}

const addRoute = (app: App, site: AdminSite): void => {
  app.post(
    '/admin/suppressions',
    { config: requireRole('act'), schema: { body: form({ address: field('An address'), why: field('Why') }) } },
    async (request, reply) => {
      const address = textOf(request.body.address)
      const why = textOf(request.body.why).slice(0, MAX_WHY)
      const refuse = (name: string, sentence: string) =>
        showList(request, reply.code(422), site, NO_FILTER, { address, why, field: name, sentence })
      if (why === '') return refuse('why', 'Say why: it stands in the log.')
      const added = await site.suppressions.add(actorOf(request), address, why)
      if ('problem' in added) return refuse('address', added.problem)
      const done = added.added ? `${added.email} is not mailed any more.` : `${added.email} was suppressed already.`
      return sendBack(request, reply, site, '/admin/suppressions', done)
    },
  )
}

const removeRoutes = (app: App, site: AdminSite): void => {
  app.get(
    '/admin/suppressions/remove',
    { config: requireRole('look'), schema: { querystring: Type.Object({ address: Text }) } },
    async (request, reply) => askToRemove(request, reply, site, (request.query.address ?? '').trim(), null),
  )

  app.post(
    '/admin/suppressions/remove',
    { config: requireRole('act'), schema: { body: form({ address: field('An address'), why: field('Why') }) } },
    async (request, reply) => {
      const address = textOf(request.body.address)
      const why = textOf(request.body.why).slice(0, MAX_WHY)
      if (why === '') return askToRemove(request, reply, site, address, 'Say why: it stands in the log.')
      const removed = await site.suppressions.remove(actorOf(request), address, why)
      const state = removed?.state == null ? '' : ` The subscriber is ${removed.state}.`
      const done =
        removed === null ? 'That address is not suppressed.' : `${removed.email} may be mailed again.${state}`
      return sendBack(request, reply, site, '/admin/suppressions', done)
    },
  )
}

const askToRemove = async (
  request: FastifyRequest,
  reply: FastifyReply,
  site: AdminSite,
  address: string,
  error: string | null,
) => {
  const { rows, found } = await site.suppressions.list(
    { classes: SUPPRESSION_CLASSES, editionId: null, text: address === '' ? null : address.slice(0, MAX_SEARCH) },
    null,
  )
  const one = rows.find(({ email }) => email === address.toLowerCase())
  if (one === undefined && found === null)
    return sendErrorPage(request, reply, site, {
      status: 404,
      heading: 'That address is not suppressed',
      sentence: 'Nothing was changed.',
    })
  return showAdmin(request, error === null ? reply : reply.code(422), site, 'suppression-remove', {
    address: one?.email ?? address,
    words: CLASS_WORDS[one?.class ?? found?.class ?? ''] ?? '',
    class: one?.class ?? found?.class,
    reason: one?.reason ?? null,
    diagnostic: one?.diagnostic ?? null,
    at: momentOf(one?.created_at ?? found?.at ?? null),
    error,
  })
}

const bulkRoutes = (app: App, site: AdminSite): void => {
  const ask = async (request: FastifyRequest, reply: FastifyReply, edition: number, error: string | null) => {
    const plan = await site.suppressions.planRemoval(edition)
    return showAdmin(request, error === null ? reply : reply.code(422), site, 'suppressions-of-edition', {
      edition,
      none: plan.removed === 0,
      all: counted(plan.removed, 'address', 'addresses'),
      isMore: plan.removed >= MOST_REMOVED,
      classes: CAUSED_BY_SERVERS.flatMap((name) =>
        plan.classes[name] === undefined ? [] : [{ words: CLASS_WORDS[name], count: count(plan.classes[name]) }],
      ),
      addresses: plan.addresses,
      others: plan.removed - plan.addresses.length,
      error,
    })
  }

  app.get(
    '/admin/suppressions/of-edition',
    { config: requireRole('look'), schema: { querystring: Type.Object({ edition: Text }) } },
    async (request, reply) => {
      const edition = editionNumber(request.query.edition ?? '')
      return edition === null ? reply.callNotFound() : ask(request, reply, edition, null)
    },
  )

  app.post(
    '/admin/suppressions/of-edition',
    { config: requireRole('act'), schema: { body: form({ edition: field('Its number'), why: field('Why') }) } },
    async (request, reply) => {
      const edition = editionNumber(textOf(request.body.edition))
      if (edition === null) return reply.callNotFound()
      const why = textOf(request.body.why).slice(0, MAX_WHY)
      if (why === '') return ask(request, reply, edition, 'Say why: it stands in the log.')
      const { removed } = await site.suppressions.removeOfEdition(actorOf(request), edition, why)
      const done = `${counted(removed, 'address', 'addresses')} may be mailed again.`
      return sendBack(request, reply, site, `/admin/suppressions?edition=${edition}`, done)
    },
  )
}
