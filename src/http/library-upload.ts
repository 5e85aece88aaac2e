/** How a library arrives: as a file or as text of a form, or as the body of a program's request. */
import multipart from '@fastify/multipart'
import type { FastifyError, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { MOST_OCTETS } from '../core/library/library.ts'
import { handleError, sendErrorPage } from './errors.ts'
import { sent } from './form.ts'
import { BUDGET } from './request-budgets.ts'
import type { App, Site } from './site.ts'

/** Types that reference managers and servers give their exports; all are told apart by content. */
export const LIBRARY_TYPES = [
  'text/plain',
  'text/csv',
  'application/octet-stream',
  'application/rdf+xml',
  'application/x-bibtex',
  'text/x-bibtex',
  'application/x-research-info-systems',
  'application/vnd.citationstyles.csl+json',
]

/** What is posted. A file is octets; text that was pasted, or that JSON holds, is a string. */
export const LibraryBody = Type.Object(
  {
    library: sent({ type: 'string' }, 'BibTeX, RIS, CSL JSON, Zotero’s CSV, or arXiv ids, one a line'),
    file: sent({ type: 'string', format: 'binary' }, 'The same as a file'),
  },
  { additionalProperties: false },
)

/** Libraries that are received or read at the same time: each may have 20 MB. */
const MOST_AT_ONCE = 4
const RETRY_AFTER = 10

const TOO_LARGE = {
  status: 413,
  heading: 'That library is too large',
  sentence: `A library may have ${MOST_OCTETS / 1024 / 1024} megabytes. Export a part of it, or leave out notes and abstracts.`,
}
const BUSY = {
  status: 503,
  heading: 'Please try again in a moment',
  sentence: 'Several libraries are being read at the moment. Yours was not read.',
}
const IS_TOO_LARGE = new Set([
  'FST_ERR_CTP_BODY_TOO_LARGE',
  'FST_REQ_FILE_TOO_LARGE',
  'FST_PARTS_LIMIT',
  'FST_FILES_LIMIT',
])

/** What a route needs that takes libraries. */
export const TAKES_LIBRARY = { config: { perMinute: BUDGET.suggestion }, bodyLimit: MOST_OCTETS }

/** Lets the routes of a plugin take libraries, a few at the same time; what is refused was not read. */
export const takeLibraries = async (scope: App, site: Pick<Site, 'pages' | 'log'>): Promise<void> => {
  await scope.register(multipart, {
    attachFieldsToBody: 'keyValues',
    limits: { files: 1, fields: 4, fileSize: MOST_OCTETS, fieldSize: MOST_OCTETS },
  })
  scope.removeContentTypeParser('text/plain')
  scope.addContentTypeParser(LIBRARY_TYPES, { parseAs: 'buffer' }, async (_: unknown, library: Buffer) => ({ library }))
  const underWay = new WeakSet<FastifyRequest>()
  let count = 0
  const leave = (request: FastifyRequest): void => {
    if (underWay.delete(request)) count--
  }
  scope.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'POST') return
    if (Number(request.headers['content-length'] ?? 0) > MOST_OCTETS + 10_000)
      return sendErrorPage(request, reply.header('connection', 'close'), site, TOO_LARGE)
    if (count >= MOST_AT_ONCE) return sendErrorPage(request, reply.header('retry-after', RETRY_AFTER), site, BUSY)
    underWay.add(request)
    count++
  })
  scope.addHook('onResponse', async (request) => leave(request))
  scope.addHook('onRequestAbort', async (request) => leave(request))
  scope.setErrorHandler((error: FastifyError, request, reply) =>
    IS_TOO_LARGE.has(error.code)
      ? sendErrorPage(request, reply, site, TOO_LARGE)
      : handleError(error, request, reply, site),
  )
}

/** The octets that were sent, of the file or else of the text; `null` where there is nothing in them. */
export const octetsOf = ({ library, file }: { library?: unknown; file?: unknown }): Uint8Array | null => {
  const [given] = [file, library].flatMap((one) => {
    if (typeof one === 'string') return one.trim() === '' ? [] : [Buffer.from(one, 'utf8')]
    return Buffer.isBuffer(one) && one.length > 0 ? [one] : []
  })
  return given ?? null
}
