/** The mailbox's page: a list of messages, and one of them in several views. Looking changes nothing. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Liquid } from 'liquidjs'
import type { MailFolder } from './mail-folder.ts'
import { readEmail } from './message.ts'
import { findMessage, type MessageRequest, PAGE_LENGTH, wholeNumber } from './requests.ts'

/** Characters of a raw message that the page shows; the rest is in the download. */
const RAW_SHOWN = 200_000

const VIEWS = ['html', 'text', 'headers', 'raw'] as const
type View = (typeof VIEWS)[number]

/** A mail may have its own style and nothing else: no script, no remote picture, no form. */
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

/** The page's routes. `templatesFolder` holds `mailbox.liquid`, `mailbox.css` and `site.css`. */
export const registerMailboxPage = async (
  app: FastifyInstance,
  folder: MailFolder,
  templatesFolder: string,
): Promise<void> => {
  const liquid = new Liquid({ outputEscape: 'escape', strictVariables: true, ownPropertyOnly: true })
  const template = liquid.parse(await readFile(path.join(templatesFolder, 'mailbox.liquid'), 'utf8'))

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

  app.get<Pick<MessageRequest, 'Querystring'>>('/', (request, reply) => page(reply, null, request.query))
  app.get<MessageRequest>('/messages/:id', (request, reply) => {
    const id = findMessage(folder, request.params.id)
    return id === null ? reply.callNotFound() : page(reply, id, request.query)
  })
  app.get<MessageRequest>('/messages/:id/html', async (request, reply) => {
    const id = findMessage(folder, request.params.id)
    if (id === null) return reply.callNotFound()
    const { html } = await readEmail(await folder.read(id))
    reply.header('content-security-policy', MAIL_POLICY).header('referrer-policy', 'no-referrer')
    // After the doctype, or the browser would lay out the mail in quirks mode.
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
        // The page is readable without its style.
        if (error.code === 'ENOENT') return ''
        throw error
      })
      return reply.type('text/css; charset=utf-8').send(styles)
    })
  }
}
