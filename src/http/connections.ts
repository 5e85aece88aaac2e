/** What a connection may cost: slow and silent clients are cut off, so that they keep no place from others. */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

export interface ConnectionLimits {
  /** Milliseconds for the head of a request, and for all of it. */
  headersMs: number
  requestMs: number
  /** Milliseconds without an octet either way: a client that opens a connection and asks nothing, or reads no answer. */
  idleMs: number
  /** Milliseconds that a connection is kept for the next request: longer than proxies keep theirs, or one closes what the other uses. */
  keptMs: number
  /** Connections at once; one too many is closed at once. */
  connections: number
}

/** A form on a bad mobile line takes a few seconds; two thousand connections take some 60 MB. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  headersMs: 10_000,
  requestMs: 20_000,
  idleMs: 30_000,
  keptMs: 72_000,
  connections: 2_000,
}

/** How much later than its limit a request may end, milliseconds: Node looks at all of them now and then. */
const CHECK_EVERY = 1_000

/** Fastify's options for these limits. Node's own limit on the head of a request, 16 KiB, stands. */
export const connectionOptions = (
  { headersMs, requestMs, idleMs, keptMs }: ConnectionLimits,
  headers: Record<string, string>,
) => ({
  http: {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(CHECK_EVERY, headersMs),
  },
  requestTimeout: requestMs,
  connectionTimeout: idleMs,
  keepAliveTimeout: keptMs,
  clientErrorHandler: (error: Error & { code?: string }, socket: Socket) => refuseClient(error, socket, headers),
})

const REFUSALS: Record<string, { status: number; detail: string }> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request did not arrive in time.' },
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The headers of a request may have 16 kilobytes.' },
}
const MALFORMED = { status: 400, detail: 'That is not a request of HTTP/1.1.' }

/** Answers what never became a request, by a problem (RFC 9457), and closes the connection. */
const refuseClient = (error: Error & { code?: string }, socket: Socket, headers: Record<string, string>): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) {
    const { status, detail } = REFUSALS[error.code ?? ''] ?? MALFORMED
    const title = STATUS_CODES[status] ?? ''
    const body = JSON.stringify({ type: 'about:blank', title, status, detail })
    const all = {
      ...headers,
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    socket.write(`HTTP/1.1 ${status} ${title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  }
  socket.destroy()
}
