/** A source on this machine: a web server that answers as the test says, and keeps what it was asked. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void

export interface SourceServer extends AsyncDisposable {
  baseUrl: string
  /** What was asked, in order, with the time by a steady clock in milliseconds. */
  requests: { url: URL; headers: IncomingMessage['headers']; at: number }[]
  /** The most requests that were under way at once. */
  most: number
  answer: Answer
  /** Answers everything from now on with this. */
  answerWith(status: number, body: string, headers?: Record<string, string>): void
}

export const openSourceServer = async (): Promise<SourceServer> => {
  let open = 0
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://source.test')
    source.requests.push({ url, headers: request.headers, at: performance.now() })
    open += 1
    source.most = Math.max(source.most, open)
    response.on('close', () => {
      open -= 1
    })
    source.answer(request, response, url)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const source: SourceServer = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    most: 0,
    answer: (_, response) => void response.writeHead(500).end(),
    answerWith(status, body, headers = {}) {
      source.answer = (_, response) => void response.writeHead(status, headers).end(body)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return source
}
