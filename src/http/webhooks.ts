/** `POST /webhooks/:provider`: the events of providers. The body is kept as it came, since its octets are what is signed. */
import type { App, Site } from './site.ts'

/** Octets; a batch of a thousand events has some 500 KB. */
const MAX_BODY = 2 * 1024 * 1024

const STATUS_CODES = { taken: 200, unconfigured: 404, refused: 401, unreadable: 400 } as const

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
    hooks.post<{ Params: { provider: string } }>('/webhooks/:provider', async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const outcome =
        (await webhooks?.receive(request.params.provider, { headers: request.headers, body })) ?? 'unconfigured'
      return reply.code(STATUS_CODES[outcome]).send({ status: outcome })
    })
  })
}
