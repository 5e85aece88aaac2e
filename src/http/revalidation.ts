/** Answers that a client keeps and asks for again: 304 where it has what there is (RFC 9110, 13). */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

const sameTag = (header: string, etag: string): boolean =>
  header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)

const isSince = (header: string | undefined, modified: Date): boolean => {
  const since = header === undefined ? Number.NaN : Date.parse(header)
  // HTTP dates have whole seconds.
  return Math.floor(modified.getTime() / 1000) * 1000 <= since
}

/** Sends a body with its ETag and, where it is known, its date; the client's ETag counts before its date. */
export const sendRevalidated = (
  request: FastifyRequest,
  reply: FastifyReply,
  body: string,
  modified: Date | null = null,
): FastifyReply => {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  reply.header('etag', etag)
  if (modified !== null) reply.header('last-modified', modified.toUTCString())
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers
  const isFresh = tags === undefined ? modified !== null && isSince(since, modified) : sameTag(tags, etag)
  return isFresh ? reply.code(304).send() : reply.send(body)
}
