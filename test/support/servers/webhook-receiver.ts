/** A receiver of webhooks on loopback, which verifies what it gets as a library of Standard Webhooks does. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

export interface ReceivedWebhook {
  headers: IncomingHttpHeaders
  body: string
  id: string
}

export interface ReceiverAnswer {
  status: number
  headers?: Record<string, string>
}

/** Opens it; `answer` is asked at each message, the first is 1. By default it answers 204. */
export const openWebhookReceiver = async (
  answer: (message: ReceivedWebhook, count: number) => ReceiverAnswer | Promise<ReceiverAnswer> = () => ({
    status: 204,
  }),
) => {
  const received: ReceivedWebhook[] = []
  let arrived = (): void => undefined
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const { headers } = request
    const message = { headers, body: Buffer.concat(parts).toString(), id: String(headers['webhook-id']) }
    received.push(message)
    const { status, headers: more = {} } = await answer(message, received.length)
    response.writeHead(status, more).end('thanks')
    arrived()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    /** Resolves once `count` messages were received and answered. */
    async until(count: number): Promise<void> {
      while (received.length < count)
        await new Promise<void>((resolve) => {
          arrived = resolve
        })
    },
    /** What a message says, where its signature is right by this secret; throws where it is not. */
    verify: (secret: string, { headers, body }: ReceivedWebhook) =>
      new Webhook(secret).verify(body, headers as Record<string, string>) as {
        type: string
        timestamp: string
        data: Record<string, unknown>
      },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
