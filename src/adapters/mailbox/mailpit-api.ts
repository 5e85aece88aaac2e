/** The part of Mailpit's API that tests need (https://mailpit.axllent.org/docs/api-v1/). `Read` is always false. */
import type { FastifyInstance } from 'fastify'
import type { MailFolder } from './mail-folder.ts'
import { envelopeOf, readEmail } from './message.ts'
import { findMessage, type MessageRequest, PAGE_LENGTH, wholeNumber } from './requests.ts'

export const registerMailpitApi = (app: FastifyInstance, folder: MailFolder): void => {
  app.get<{ Querystring: { start?: string; limit?: string } }>('/api/v1/messages', async (request) => {
    const start = wholeNumber(request.query.start, 0)
    const messages = await folder.list(start, wholeNumber(request.query.limit, PAGE_LENGTH))
    const total = folder.ids().length
    const counts = { total, unread: total, count: messages.length, messages_count: total, messages_unread: total }
    return { ...counts, start, tags: [], messages }
  })
  app.get<MessageRequest>('/api/v1/message/:id', async (request, reply) => {
    const id = findMessage(folder, request.params.id)
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
  app.get<MessageRequest>('/api/v1/message/:id/raw', async (request, reply) => {
    const id = findMessage(folder, request.params.id)
    if (id === null) return reply.callNotFound()
    return reply.type('text/plain; charset=utf-8').send(await folder.read(id))
  })
  app.delete('/api/v1/messages', async (request, reply) => {
    const ids = readIds(request.body)
    if (ids === null) return reply.code(400).type('text/plain').send('The body is not {"IDs": ["…"]}.\n')
    await folder.remove(ids.length === 0 ? [...folder.ids()] : ids)
    return reply.type('text/plain').send('ok')
  })
}

/** The ids to delete; an empty list means all. `null` for another body. */
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
