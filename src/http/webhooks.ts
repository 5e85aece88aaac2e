/** `POST /webhooks/:provider`: the events of providers. The body is kept as it came, since its octets are what is signed. */
import { Type } from 'typebox'
import { type App, type Site, sendProblem } from './site.ts'

/** Octets; a batch of a thousand events has some 500 KB. */
const MAX_BODY = 2 * 1024 * 1024

const REFUSALS = {
  unconfigured: { status: 404, title: 'There is no such webhook.', detail: 'No provider of this name is configured.' },
  refused: {
    status: 401,
    title: 'The sender is not known.',
    detail: 'The signature or login is missing, wrong or old.',
  },
  unreadable: {
    status: 400,
    title: 'The events could not be read.',
    detail: 'The body is not what this provider sends.',
  },
} as const

const ProviderParam = Type.Object({ provider: Type.String() })

export const webhookRoutes = (app: App, { webhooks }: Pick<Site, 'webhooks'>): void => {
  app.register(async (hooks) => {
    hooks.removeAllContentTypeParsers()
    hooks.addContentTypeParser(
      '*',
      { bodyLimit: MAX_BODY, parseAs: 'buffer' },
      async (_: unknown, body: Buffer) => body,
    )
    hooks.addHook('onRequest', async (request) => {
      // SNS labels its JSON as plain text, and Fastify would refuse an empty or malformed type before it asks the parser.
      request.headers['content-type'] = 'application/octet-stream'
    })
    // A provider reports thousands of bounces from a few machines, each of which is authenticated.
    const config = { rawBody: true, perMinute: null }
    hooks.post<{ Params: { provider: string } }>(
      '/webhooks/:provider',
      { config, schema: { params: ProviderParam } },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const outcome =
          (await webhooks?.receive(request.params.provider, { headers: request.headers, body })) ?? 'unconfigured'
        if (outcome === 'taken') return { status: outcome }
        const { status, title, detail } = REFUSALS[outcome]
        return sendProblem(reply, status, title, detail)
      },
    )
  })
}
