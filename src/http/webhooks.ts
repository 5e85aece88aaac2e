/** `POST /webhooks/:provider`: what providers tell of our mails. The body is kept as it came, for that is what is signed. */
import type { App, Site } from './site.ts'

/** A batch of a thousand events is some 500 KB. */
const MOST = 2 * 1024 * 1024

const ANSWERS = { taken: 200, unconfigured: 404, refused: 401, unreadable: 400 } as const

export const webhookRoutes = (app: App, { webhooks }: Pick<Site, 'webhooks'>): void => {
  app.register(async (hooks) => {
    hooks.removeAllContentTypeParsers()
    hooks.addContentTypeParser('*', { bodyLimit: MOST, parseAs: 'buffer' }, async (_: unknown, body: Buffer) => body)
    hooks.addHook('onRequest', async (request) => {
      // SNS says that its JSON is plain text; an empty or malformed type would be refused before the parser is asked.
      request.headers['content-type'] = 'application/octet-stream'
    })
    hooks.post<{ Params: { provider: string } }>('/webhooks/:provider', async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const outcome =
        (await webhooks?.receive(request.params.provider, { headers: request.headers, body })) ?? 'unconfigured'
      return reply.code(ANSWERS[outcome]).send({ status: outcome })
    })
  })
}
