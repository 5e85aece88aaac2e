/** The site of the mailbox: a page for a browser, and Mailpit's API, so that Mailpit can take its place in tests. */
import path from 'node:path'
import Fastify, { type FastifyRequest } from 'fastify'
import type { MailFolder } from './mail-folder.ts'
import { registerMailboxPage } from './mailbox-page.ts'
import { registerMailpitApi } from './mailpit-api.ts'

const FOLDER = path.join(import.meta.dirname, '../../../templates/pages')

const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
/** Whether a request names this machine: a page elsewhere whose name resolves to 127.0.0.1 must not read mail (DNS rebinding). */
const isLocal = (request: FastifyRequest): boolean =>
  ['127.0.0.1', 'localhost', '[::1]'].includes(URL.parse(`http://${request.headers.host}`)?.hostname ?? '')

/** Whether a request comes from a page of this site, or from no page. */
const comesFromHere = (request: FastifyRequest): boolean => {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  return origin === undefined || URL.parse(origin)?.host === request.headers.host
}

/** The site, not yet listening. `templatesFolder` holds `mailbox.liquid`, `mailbox.css` and `site.css`. */
export const buildMailboxSite = async (folder: MailFolder, templatesFolder: string = FOLDER) => {
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 1024 * 1024 })

  // As Mailpit: a body of any content type is read, and none at all stands for all messages.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'same-origin')
    reply.header('cache-control', 'no-store').header('content-security-policy', PAGE_POLICY)
    const changes = request.method !== 'GET' && request.method !== 'HEAD'
    if (!isLocal(request) || (changes && !comesFromHere(request))) {
      return reply.code(403).type('text/plain').send('The mailbox answers only on this machine.\n')
    }
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('Message not found.\n'))

  await registerMailboxPage(app, folder, templatesFolder)
  registerMailpitApi(app, folder)
  return app
}
