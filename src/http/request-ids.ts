/** The id of a request: in its line of the log, and in its answer, so that somebody who has the one finds the other. */
import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './site.ts'

const HEADER = 'x-request-id'
/** Shorter than a token, and without what an address is made of: it stands in the log as it came. */
const USABLE = /^[\w.-]{8,40}$/

/** For Fastify's options: it reads no header by itself, for anybody can write one. */
export const REQUEST_ID_OPTIONS = { requestIdHeader: false, genReqId: () => randomUUID() } as const

/** Names the request in its answer. */
export const answerRequestId = (request: FastifyRequest, reply: FastifyReply): void => {
  reply.header(HEADER, request.id)
}

/** Takes the id that a trusted proxy gave a request which it forwarded, and names it in each answer. */
export const identifyRequests = (app: App): void => {
  app.addHook('onRequest', async (request, reply) => {
    const given = request.headers[HEADER]
    // Of a client that is no trusted proxy the chain has its own address alone.
    const isForwarded = (request.ips?.length ?? 0) > 1
    if (isForwarded && typeof given === 'string' && USABLE.test(given)) request.id = given
    answerRequestId(request, reply)
  })
}
