/**
 * The mailbox as a browser and as a test see it: a page, and the part of Mailpit's API that tests need, so that Mailpit
 * can stand in its place (https://mailpit.axllent.org/docs/api-v1/). Looking changes nothing: `Read` is always false.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { Liquid } from 'liquidjs'
import { envelopeOf, type MailFolder, readEmail } from './mail-folder.ts'

const FOLDER = path.join(import.meta.dirname, '../../../templates/pages')
const PAGE_LENGTH = 50
/** A browser shows no more of a raw message; the rest is in the download. */
const RAW_SHOWN = 200_000

const VIEWS = ['html', 'text', 'headers', 'raw'] as const
type View = (typeof VIEWS)[number]

const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
/** A mail may bring its own style and nothing else: no script, no picture from elsewhere, no form. */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; " +
  'sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation'

const time = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
})

/** Only a browser on this machine that names this machine: a page elsewhere whose name was bent to 127.0.0.1 may not read. */
const isLocal = (request: FastifyRequest): boolean =>
  ['127.0.0.1', 'localhost', '[::1]'].includes(URL.parse(`http://${request.headers.host}`)?.hostname ?? '')

const comesFromHere = (request: FastifyRequest): boolean => {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  return origin === undefined || URL.parse(origin)?.host === request.headers.host
}

const wholeNumber = (text: string | undefined, otherwise: number): number =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : otherwise

/** What the page shows of one message. */
const messageView = async (folder: MailFolder, id: string, wanted: string | undefined) => {
  const bytes = await folder.read(id)
  const email = await readEmail(bytes)
  const header = (name: string): string => email.headers.find(({ key }) => key === name)?.value ?? ''
  const source = bytes.toString('utf8')
  const parts = [email.text === undefined ? '' : 'text', email.html === undefined ? '' : 'HTML'].filter(Boolean)
  const unsubscribe = /<(https?:[^>]+)>/.exec(header('list-unsubscribe'))?.[1] ?? ''
  const fallback: View = email.html === undefined ? 'text' : 'html'
  const view = VIEWS.find((name) => name === wanted) ?? fallback
  return {
    id,
    subject: email.subject ?? '',
    from: header('from'),
    to: header('to'),
    date: header('date'),
    unsubscribe,
    oneClick: header('list-unsubscribe-post') !== '',
    size: `${Math.ceil(bytes.length / 1024)} KB`,
    parts: parts.join(' and '),
    view,
    hasHtml: email.html !== undefined,
    text: email.text ?? '',
    headers: source.slice(0, RAW_SHOWN).split(/\r?\n\r?\n/, 1)[0],
    raw: source.slice(0, RAW_SHOWN),
    cut: source.length > RAW_SHOWN,
  }
}

/** The site, not yet listening. `templatesFolder` holds `mailbox.liquid`, `mailbox.css` and `site.css`. */
export const buildMailboxSite = async (folder: MailFolder, templatesFolder: string = FOLDER) => {
  const app = Fastify({ logger: false, forceCloseConnections: true, bodyLimit: 1024 * 1024 })
  const liquid = new Liquid({ outputEscape: 'escape', strictVariables: true, ownPropertyOnly: true })
  const template = liquid.parse(await readFile(path.join(templatesFolder, 'mailbox.liquid'), 'utf8'))

  // Mailpit reads a body whatever it is called, and takes none at all for everything.
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
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('There is no such message.\n'))

  const page = async (reply: FastifyReply, id: string | null, query: { view?: string; start?: string }) => {
    const start = wholeNumber(query.start, 0)
    const total = folder.ids().length
    const chosen = id ?? folder.ids().at(-1 - start) ?? null
    const view = {
      total,
      start,
      older: start + PAGE_LENGTH < total ? start + PAGE_LENGTH : null,
      newer: start > 0 ? Math.max(start - PAGE_LENGTH, 0) : null,
      messages: (await folder.list(start, PAGE_LENGTH)).map((summary) => ({
        id: summary.ID,
        to: summary.To.map(({ Address }) => Address).join(', '),
        subject: summary.Subject,
        created: summary.Created,
        time: time.format(new Date(summary.Created)),
        current: summary.ID === chosen,
      })),
      message: chosen === null ? null : await messageView(folder, chosen, query.view),
    }
    return reply.type('text/html; charset=utf-8').send(liquid.renderSync(template, view))
  }

  type Id = { Params: { id: string }; Querystring: { view?: string; start?: string } }
  const byId = (id: string): string | null => {
    const found = id === 'latest' ? folder.ids().at(-1) : id
    return found !== undefined && folder.has(found) ? found : null
  }

  app.get<Pick<Id, 'Querystring'>>('/', (request, reply) => page(reply, null, request.query))
  app.get<Id>('/messages/:id', (request, reply) => {
    const id = byId(request.params.id)
    return id === null ? reply.callNotFound() : page(reply, id, request.query)
  })
  app.get<Id>('/messages/:id/html', async (request, reply) => {
    const id = byId(request.params.id)
    if (id === null) return reply.callNotFound()
    const { html } = await readEmail(await folder.read(id))
    reply.header('content-security-policy', MAIL_POLICY).header('referrer-policy', 'no-referrer')
    // Behind the doctype, or the browser would draw the mail by the rules of 1998.
    const opened = (html ?? '').replace(/^\s*(<!doctype[^>]*>)?/i, '$1<base target="_blank">')
    return reply.type('text/html; charset=utf-8').send(opened)
  })
  app.post('/delete', async (_request, reply) => {
    await folder.remove([...folder.ids()])
    return reply.redirect('/', 303)
  })
  for (const name of ['site.css', 'mailbox.css']) {
    app.get(`/${name}`, async (_request, reply) => {
      const styles = await readFile(path.join(templatesFolder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
        // The page is a sensible document without its style.
        if (error.code === 'ENOENT') return ''
        throw error
      })
      return reply.type('text/css; charset=utf-8').send(styles)
    })
  }

  app.get<{ Querystring: { start?: string; limit?: string } }>('/api/v1/messages', async (request) => {
    const start = wholeNumber(request.query.start, 0)
    const messages = await folder.list(start, wholeNumber(request.query.limit, PAGE_LENGTH))
    const total = folder.ids().length
    const counts = { total, unread: total, count: messages.length, messages_count: total, messages_unread: total }
    return { ...counts, start, tags: [], messages }
  })
  app.get<Id>('/api/v1/message/:id', async (request, reply) => {
    const id = byId(request.params.id)
    if (id === null) return reply.callNotFound()
    const [bytes, { Created }] = await Promise.all([folder.read(id), folder.summary(id)])
    const email = await readEmail(bytes)
    const header = (name: string): string => email.headers.find(({ key }) => key === name)?.value ?? ''
    const sent = new Date(email.date ?? Number.NaN)
    return {
      ID: id,
      ...envelopeOf(email),
      ReturnPath: email.returnPath ?? '',
      Date: Number.isNaN(sent.getTime()) ? Created : sent.toISOString(),
      ListUnsubscribe: {
        Header: header('list-unsubscribe'),
        Links: [...header('list-unsubscribe').matchAll(/<([^>]+)>/g)].map((match) => match[1]),
        Errors: '',
        HeaderPost: header('list-unsubscribe-post'),
      },
      Tags: [],
      Text: email.text ?? '',
      HTML: email.html ?? '',
      Size: bytes.length,
      Inline: [],
      Attachments: email.attachments.map((part) => ({ FileName: part.filename ?? '', ContentType: part.mimeType })),
    }
  })
  app.get<Id>('/api/v1/message/:id/raw', async (request, reply) => {
    const id = byId(request.params.id)
    if (id === null) return reply.callNotFound()
    return reply.type('text/plain; charset=utf-8').send(await folder.read(id))
  })
  app.delete('/api/v1/messages', async (request, reply) => {
    const ids = readIds(request.body)
    if (ids === null) return reply.code(400).type('text/plain').send('The body is not {"IDs": ["…"]}.\n')
    await folder.remove(ids.length === 0 ? [...folder.ids()] : ids)
    return reply.type('text/plain').send('ok')
  })
  return app
}

/** The ids to delete; none of them means all. `null` for a body that says neither. */
const readIds = (body: unknown): string[] | null => {
  if (typeof body !== 'string' || body.trim() === '') return []
  try {
    const ids: unknown = (JSON.parse(body) as { IDs?: unknown } | null)?.IDs ?? []
    return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
