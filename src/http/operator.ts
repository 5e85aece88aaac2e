/** What operators' programs read: metrics, and editions with their equation. On the site only where there are operators. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type App, type Site, sendProblem } from './site.ts'

/** Open to everyone who can reach it, since no figure is about a person; the site guards it all the same (`operatorRoutes`). */
export const metricsRoute = (
  app: Pick<FastifyInstance, 'get'>,
  { contentType, read }: Pick<Site['metrics'], 'contentType' | 'read'>,
): void => {
  app.get('/metrics', async (_, reply) => reply.type(contentType).send(await read()))
}

const bearerOf = ({ headers }: FastifyRequest): string =>
  /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? ''

const refuse = (reply: FastifyReply): FastifyReply =>
  sendProblem(
    reply.header('www-authenticate', 'Bearer realm="Paper Round"'),
    401,
    'The token is missing or wrong.',
    'Send the header Authorization: Bearer, with the ADMIN_TOKEN of this service or the token of an operator.',
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

/** Without operators nobody could be authorised, so there are no routes. Whoever may look may read them. */
export const operatorRoutes = (app: App, { editions, metrics, roleOfToken }: Site): void => {
  if (roleOfToken === null) return
  app.register(async (guarded: App) => {
    guarded.addHook('onRequest', async (request, reply) => {
      if ((await roleOfToken(bearerOf(request))) === null) return refuse(reply)
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
