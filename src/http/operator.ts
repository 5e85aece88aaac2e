/** What operators read by program: metrics, and editions with their equation. On the site only with ADMIN_TOKEN. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type App, type Site, sendProblem } from './site.ts'

/** Open to whoever reaches it: no figure is about a person. The site guards it all the same (`operatorRoutes`). */
export const metricsRoute = (app: Pick<FastifyInstance, 'get'>, { contentType, read }: Site['metrics']): void => {
  app.get('/metrics', async (_, reply) => reply.type(contentType).send(await read()))
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Whether the request has the token, found out in a time that tells nothing of either. */
const isOperator = (request: FastifyRequest, token: string): boolean => {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return timingSafeEqual(hash(given), hash(token))
}

const refuse = (reply: FastifyReply): FastifyReply =>
  sendProblem(
    reply.header('www-authenticate', 'Bearer realm="Paper Round"'),
    401,
    'Who asks is not known.',
    'Send the header Authorization: Bearer, with the ADMIN_TOKEN of this service.',
  )

const Time = Type.Unsafe<Date>(Type.String({ format: 'date-time' }))
const MaybeTime = Type.Union([Time, Type.Null()])
const MaybeText = Type.Union([Type.String(), Type.Null()])
const MaybeNumber = Type.Union([Type.Number(), Type.Null()])
const Count = Type.Integer()

const Equation = Type.Object({
  due: Count,
  sent: Count,
  failed: Count,
  skipped: Count,
  pending: Count,
  unknown: Count,
  missing: Type.Integer({ description: 'Due less all the others: anything but 0 is an error.' }),
})
const summary = {
  id: Type.Integer(),
  cutoff: Time,
  status: Type.String({ description: 'publishing, sending, paused, complete or broken' }),
  begunAt: Time,
  publishedAt: MaybeTime,
  completedAt: MaybeTime,
  paused: Type.Union([Type.Object({ at: Time, by: MaybeText, why: MaybeText }), Type.Null()]),
  equation: Equation,
}
const Account = Type.Object({
  ...summary,
  counts: Type.Array(Type.Object({ state: Type.String(), reason: MaybeText, count: Count, resent: Count })),
  resent: Count,
  seconds: MaybeNumber,
  perSecond: MaybeNumber,
})
const Editions = Type.Object({ editions: Type.Array(Type.Object(summary)) })
const Most = Type.Object({ most: Type.Integer({ minimum: 1, maximum: 1_000, default: 50 }) })
const EditionId = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) })
const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
})

/** Without a token nobody could be let in, so there is nothing here. */
export const operatorRoutes = (app: App, { editions, metrics, adminToken }: Site): void => {
  if (adminToken === null) return
  app.register(async (guarded: App) => {
    guarded.addHook('onRequest', async (request, reply) => {
      if (!isOperator(request, adminToken)) return refuse(reply)
    })
    metricsRoute(guarded, metrics)
    guarded.get(
      '/api/v1/editions',
      { schema: { querystring: Most, response: { 200: Editions } } },
      async (request) => ({ editions: await editions.list(request.query.most) }),
    )
    guarded.get(
      '/api/v1/editions/:id',
      { schema: { params: EditionId, response: { 200: Account, 404: Problem } } },
      async (request, reply) => {
        const account = await editions.readAccount(request.params.id)
        if (account !== null) return account
        return sendProblem(reply, 404, 'There is no such edition.', `No edition has the number ${request.params.id}.`)
      },
    )
  })
}
