/** Answers that a client keeps and asks for again: 304 where it has what there is (RFC 9110, 13). */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PUBLIC } from './guard.ts'
import type { App } from './site.ts'

const withoutWeak = (etag: string): string => etag.replace(/^W\//, '')

const sameTag = (header: string, etag: string): boolean =>
  header.split(',').some((one) => one.trim() === '*' || withoutWeak(one.trim()) === withoutWeak(etag))

const isSince = (header: string | undefined, modified: string): boolean => {
  const since = header === undefined ? Number.NaN : Date.parse(header)
  return Date.parse(modified) <= since
}

const etagOf = (body: string | Buffer): string =>
  `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`

/** Whether the client has what is to be sent, by the ETag and the date of the answer; its ETag counts before its date. */
const isUnchanged = (request: FastifyRequest, reply: FastifyReply): boolean => {
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers
  const etag = reply.getHeader('etag')
  const modified = reply.getHeader('last-modified')
  if (tags !== undefined) return etag !== undefined && sameTag(tags, String(etag))
  return modified !== undefined && isSince(since, String(modified))
}

/** Sends a body with its ETag and, where it is known, its date. */
export const sendRevalidated = (
  reply: FastifyReply,
  body: string | Buffer,
  modified: Date | null = null,
): FastifyReply => {
  reply.header('etag', etagOf(body))
  // HTTP dates have whole seconds.
  if (modified !== null) reply.header('last-modified', modified.toUTCString())
  return reply.send(body)
}

/** The stamp of a page's form differs each time; an earlier one is as good (`core/subscriber/form-stamp`). */
export const STAMP = /(?<=name="shown" value=")[^"]*/g

const KEPT: unknown[] = [PUBLIC, 'no-cache']

/** Gives a page that may be kept and asked for again an ETag, unless it has one. */
export const tagPage = (reply: FastifyReply, page: string): void => {
  if (!KEPT.includes(reply.getHeader('cache-control')) || reply.hasHeader('etag')) return
  // Weak: of one content two answers differ in their stamps.
  reply.header('etag', `W/${etagOf(page.replace(STAMP, ''))}`)
}

/** Gives every page that may be kept and asked for again an ETag, and answers 304 to whoever has what is to be sent. */
export const revalidatePages = (app: App): void => {
  app.addHook('onSend', async (request, reply, payload) => {
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (!reads || reply.statusCode !== 200) return payload
    if (typeof payload === 'string') tagPage(reply, payload)
    if (!isUnchanged(request, reply)) return payload
    reply.code(304).removeHeader('content-type')
    return ''
  })
}
