/** What operators' programs read: metrics, and editions with their equation. On the site only with ADMIN_TOKEN. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type App, type Site, sendProblem } from './site.ts'

/** Open to everyone who can reach it, since no figure is about a person; the site guards it all the same (`operatorRoutes`). */
export const metricsRoute = (
  app: Pick<FastifyInstance, 'get'>,
  { contentType, read }: Pick<Site['metrics'], 'contentType' | 'read'>,
): void => {
  app.get('/metrics', { config: { perMinute: null } }, async (_, reply) => reply.type(contentType).send(await read()))
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Whether the request has the token, compared in constant time. */
const isOperator = (request: FastifyRequest, token: string): boolean => {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return timingSafeEqual(hash(given), hash(token))
}

const refuse = (reply: FastifyReply): FastifyReply =>
  sendProblem(
    reply.header('www-authenticate', 'Bearer realm="Paper Round"'),
    401,
    'The ADMIN_TOKEN is missing or wrong.',
    'Send the header Authorization: Bearer, with the ADMIN_TOKEN of this service.',
  )

const Instant = Type.Unsafe<Date>(Type.String({ format: 'date-time' }))
const MaybeInstant = Type.Union([Instant, Type.Null()])
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
  canceled: Type.Integer({ description: 'Called off with their edition before they were sent.' }),
  missing: Type.Integer({ description: 'Due less all the others: anything but 0 is an error.' }),
})
const MaybeDecision = Type.Union([Type.Object({ at: Instant, by: MaybeText, why: MaybeText }), Type.Null()])
const summary = {
  id: Type.Integer(),
  cutoff: Instant,
  status: Type.String({ description: 'publishing, sending, paused, canceled, complete or broken' }),
  begunAt: Instant,
  publishedAt: MaybeInstant,
  completedAt: MaybeInstant,
  paused: MaybeDecision,
  canceled: MaybeDecision,
  expectedAt: Type.Unsafe<Date | null>({
    ...MaybeInstant,
    description: 'When all of it is sent at the earliest under the caps; null without caps, and beyond a year.',
  }),
  equation: Equation,
}
const Account = Type.Object({
  ...summary,
  counts: Type.Array(Type.Object({ state: Type.String(), reason: MaybeText, count: Count, resent: Count })),
  resent: Count,
  returned: Type.Object({ hard: Count, soft: Count, ours: Count, unknown: Count, complaint: Count }),
  seconds: MaybeNumber,
  perSecond: MaybeNumber,
})
const Editions = Type.Object({ editions: Type.Array(Type.Object(summary)) })
const DEFAULT_MOST = 50
const Most = Type.Object({
  most: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: DEFAULT_MOST })),
})
const EditionId = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) })
const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
})

/** Without a token nobody could be authorised, so there are no routes. */
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
      async (request) => ({ editions: await editions.list(request.query.most ?? DEFAULT_MOST) }),
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
