/** `/admin/queue`: how the queue stands, waking it, and the board of its jobs. */
import { Type } from 'typebox'
import { QUEUES, type QueueReport } from '../../newsletter/administration/queue.ts'
import type { App } from '../site.ts'
import { type AdminSite, actorOf, field, form, requireRole, sendBack, showAdmin, textOf } from './site.ts'
import { count, momentOf } from './words.ts'

const PATH = '/admin/queue'
const BOARD = `${PATH}/board`

/** For the board alone: its program runs, asks this site for what it shows, and sets styles as it runs. */
const BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const WORK: Record<string, string> = {
  tick: 'publishes what is due, and checks everything',
  refresh: 'reads the sources',
  letters: 'sends confirmations and other letters',
  deliveries: 'sends digests',
}

/** A time in the greatest unit that fits: `3 minutes`. */
export const spanInWords = (seconds: number): string => {
  const units = [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
  ] as const
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1, 'second']
  const number = Math.floor(seconds / size)
  return `${count(number)} ${unit}${number === 1 ? '' : 's'}`
}

const queueView = (queue: QueueReport) => ({
  name: queue.name,
  work: WORK[queue.name] ?? '',
  waiting: count(queue.waiting),
  active: count(queue.active),
  delayed: count(queue.delayed),
  failed: count(queue.failed),
  isPaused: queue.isPaused,
  lag: queue.lagMs === null ? '–' : spanInWords(queue.lagMs / 1000),
  every: queue.schedule === null ? 'when there is work' : `every ${spanInWords(queue.schedule.everyMs / 1000)}`,
  next: momentOf(queue.schedule?.next ?? null),
})

const waits = (pending: number, oldest: number | null): string =>
  `${count(pending)}${oldest === null ? '' : `, the oldest ready for ${spanInWords(oldest)}`}`

export const queueRoutes = (app: App, site: AdminSite): void => {
  app.get(PATH, { config: requireRole('look') }, async (request, reply) => {
    const { queues, error, backlog } = await site.queue.read()
    return showAdmin(request, reply, site, 'queue', {
      error,
      queues: queues?.map(queueView) ?? [],
      failures:
        queues?.flatMap(({ name, lastFailed }) =>
          lastFailed.map(({ at, attempts, reason }) => ({ name, at: momentOf(at), attempts, reason })),
        ) ?? [],
      letters: waits(backlog.letters.pending, backlog.letters.oldest),
      deliveries: waits(backlog.deliveries.pending, backlog.deliveries.oldest),
      tick: backlog.sinceTick === null ? 'not yet' : `${spanInWords(backlog.sinceTick)} ago`,
      board: BOARD,
    })
  })

  app.post(
    `${PATH}/wake`,
    { config: requireRole('act'), schema: { body: form({ queue: field('The name of a queue') }) } },
    async (request, reply) => {
      const name = QUEUES.find((one) => one === textOf(request.body.queue))
      if (name === undefined)
        return sendBack(request, reply, site, PATH, 'Nothing has changed: there is no such queue.')
      await site.queue.wake(actorOf(request), name)
      return sendBack(request, reply, site, PATH, `The queue ${name} is woken.`)
    },
  )

  boardRoutes(app, site)
}

/** bull-board's own page and what belongs to it. All of it is reading. */
const boardRoutes = (app: App, site: AdminSite): void => {
  const Rest = Type.Record(Type.String(), Type.String())
  const config = requireRole('look')

  app.get(BOARD, { config }, async (_, reply) => {
    const board = await site.queue.board()
    return reply
      .header('content-security-policy', BOARD_POLICY)
      .type('text/html; charset=utf-8')
      .send(board.page(`${BOARD}/`))
  })

  app.get(`${BOARD}/*`, { config, schema: { params: Rest } }, async (request, reply) => {
    const board = await site.queue.board()
    const path = request.params['*'] ?? ''
    reply.header('content-security-policy', BOARD_POLICY)
    if (path.startsWith('static/')) {
      const file = await board.readFile(path.slice('static/'.length))
      if (file === null) return reply.callNotFound()
      // Their names change with what is in them.
      return reply.header('cache-control', 'private, max-age=3600').type(file.type).send(file.content)
    }
    if (path.startsWith('api/')) {
      const answer = await board.read(path.slice('api/'.length), request.query as Record<string, unknown>)
      if (answer === null) return reply.callNotFound()
      return reply.code(answer.status).send(answer.body)
    }
    // Its program has an address for each queue and job.
    return reply.type('text/html; charset=utf-8').send(board.page(`${BOARD}/`))
  })
}
