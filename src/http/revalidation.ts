/** Answers that a client keeps and asks for again: 304 where it has what there is (RFC 9110, 13). */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PUBLIC } from './guard.ts'
import type { App } from './site.ts'

const sameTag = (header: string, etag: string): boolean =>
  header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)

const isSince = (header: string | undefined, modified: Date): boolean => {
  const since = header === undefined ? Number.NaN : Date.parse(header)
  // HTTP dates have whole seconds.
  return Math.floor(modified.getTime() / 1000) * 1000 <= since
}

const etagOf = (body: string | Buffer): string =>
  `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`

/** Sends a body with its ETag and, where it is known, its date; the client's ETag counts before its date. */
export const sendRevalidated = (
  request: FastifyRequest,
  reply: FastifyReply,
  body: string | Buffer,
  modified: Date | null = null,
): FastifyReply => {
  const etag = etagOf(body)
  reply.header('etag', etag)
  if (modified !== null) reply.header('last-modified', modified.toUTCString())
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers
  const isFresh = tags === undefined ? modified !== null && isSince(since, modified) : sameTag(tags, etag)
  return isFresh ? reply.code(304).send() : reply.send(body)
}

/** The stamp of a page's form differs each time; an earlier one is as good (`core/subscriber/form-stamp`). */
const STAMP = /(?<=name="shown" value=")[^"]*/g

const KEPT: unknown[] = [PUBLIC, 'no-cache']

/** Gives every page that may be kept and asked for again an ETag, and answers 304 to whoever has it. */
export const revalidatePages = (app: App): void => {
  app.addHook('onSend', async (request, reply, payload) => {
    const reads = request.method === 'GET' || request.method === 'HEAD'
    const isOpen = KEPT.includes(reply.getHeader('cache-control')) && !reply.hasHeader('etag')
    if (!reads || !isOpen || reply.statusCode !== 200 || typeof payload !== 'string') return payload
    const etag = etagOf(payload.replace(STAMP, ''))
    // Weak: of one content two answers differ in their stamps.
    reply.header('etag', `W/${etag}`)
    const tags = request.headers['if-none-match']
    if (tags === undefined || !sameTag(tags, etag)) return payload
    reply.code(304).removeHeader('content-type')
    return ''
  })
}
