/**
 * bull-board, which shows every job of the queues, on Postgres as on Redis: its page, its files, and what its page asks for.
 *
 * Nothing can be changed by it: only what it reads is answered. A paused queue would stop the mail without a word, and there
 * is nothing in a job worth keeping, so what an operator may want is to wake a queue, which is ours to do. Its own page would
 * load a font from elsewhere and begins with styles that our policy refuses; ours loads the same program without them. That is
 * why none of its adapters for web servers is used, which would bring a template engine and a file server besides.
 */
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import type { AppControllerRoute, BullBoardQueues, IServerAdapter } from '@bull-board/api/typings/app'
import type { Queue as BullQueue } from 'bullmq'

export interface QueueBoard {
  /** The page; `basePath` is where it, its files and what it asks for are, with a slash at its end. */
  page(basePath: string): string
  /** A file by its path under `static/`; `null` where there is none. */
  readFile(path: string): Promise<{ type: string; content: Buffer } | null>
  /** The answer to what the page asks for, by the path under `api/`; `null` where it may ask no such thing. */
  read(path: string, query: Readonly<Record<string, unknown>>): Promise<{ status: number; body: unknown } | null>
}

const UI = path.dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'))
const DIST = path.join(UI, 'dist')
const STATIC = path.join(DIST, 'static')

const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

const UI_CONFIG = {
  boardTitle: 'Queues',
  hideDocsLink: true,
  locale: { lng: 'en-GB' },
  miscLinks: [{ text: 'Back to the admin pages', url: '/admin/queue' }],
  favIcon: { default: 'static/images/logo.svg', alternative: 'static/favicon-32x32.png' },
}

/** What bull-board hands to a web server. */
interface Served {
  queues: BullBoardQueues
  routes: AppControllerRoute[]
  onError: (error: Error) => { status?: number; body: unknown }
}

const serve = (jobQueues: readonly BullQueue[]): Served => {
  const served: Served = { queues: new Map(), routes: [], onError: () => ({ status: 500, body: {} }) }
  const server: IServerAdapter = {
    setQueues: (queues) => {
      served.queues = queues
      return server
    },
    setApiRoutes: (routes) => {
      served.routes = routes
      return server
    },
    setErrorHandler: (handler) => {
      served.onError = handler as Served['onError']
      return server
    },
    setViewsPath: () => server,
    setStaticPath: () => server,
    setEntryRoute: () => server,
    setUIConfig: () => server,
  }
  createBullBoard({
    queues: jobQueues.map((jobQueue) => new BullMQAdapter(jobQueue, { readOnlyMode: true })),
    serverAdapter: server,
    options: { uiBasePath: UI, uiConfig: UI_CONFIG },
  })
  return served
}

type Params = Record<string, string>

/** The pattern of a route, `/api/queues/:queueName/:jobId`, matched with a path; `null` where it is another. */
const match = (pattern: string, asked: string): Params | null => {
  const [wanted, given] = [pattern.split('/').slice(1), asked.split('/')]
  if (wanted.length !== given.length) return null
  const params: Params = {}
  for (const [n, part] of wanted.entries()) {
    const value = given[n] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = value
    else if (part !== value) return null
  }
  return params
}

/** `jobQueuesNow`: the queues, as they are connected now. */
export const openQueueBoard = async (jobQueuesNow: () => readonly BullQueue[]): Promise<QueueBoard> => {
  const index = await readFile(path.join(DIST, 'index.ejs'), 'utf8')
  const own = (pattern: RegExp) => [...index.matchAll(pattern)].map(([, href = '']) => href)
  const styles = own(/<link href="(static\/[\w./-]+\.css)"/g)
  const scripts = own(/<script defer src="(static\/[\w./-]+\.js)"/g)
  if (styles.length === 0 || scripts.length === 0) throw new Error('bull-board has another page than the one known')
  const names = (await readdir(STATIC, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(STATIC, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
  const files = new Set(names)
  const config = JSON.stringify(UI_CONFIG).replaceAll('<', '\\u003c')
  return {
    page: (basePath) =>
      [
        `<!doctype html>\n<html lang="en" dir="ltr">\n<head>\n<meta charset="utf-8">`,
        `<meta name="viewport" content="width=device-width, initial-scale=1">\n<base href="${basePath}">`,
        `<title>${UI_CONFIG.boardTitle}</title>\n<link rel="icon" href="${UI_CONFIG.favIcon.default}">`,
        ...styles.map((href) => `<link rel="stylesheet" href="${href}">`),
        `</head>\n<body>\n<script id="__UI_CONFIG__" type="application/json">${config}</script>\n<div id="root"></div>`,
        '<noscript>The board needs scripts. The page before it shows the queues without.</noscript>',
        ...scripts.map((src) => `<script defer src="${src}"></script>`),
        '</body>\n</html>\n',
      ].join('\n'),
    async readFile(name) {
      // By a list of what there is: no path leads anywhere else.
      if (!files.has(name)) return null
      const type = TYPES[path.extname(name)] ?? 'application/octet-stream'
      return { type, content: await readFile(path.join(STATIC, name)) }
    },
    async read(asked, query) {
      const { queues, routes, onError } = serve(jobQueuesNow())
      for (const { method, route, handler } of routes) {
        if (![method].flat().includes('get')) continue
        const params = [route].flat().reduce<Params | null>((found, one) => found ?? match(one, `api/${asked}`), null)
        if (params === null) continue
        try {
          const request = { queues, uiConfig: UI_CONFIG, params, query, body: {}, headers: {} }
          const { status = 200, body } = await handler(request as Parameters<typeof handler>[0])
          return { status, body }
        } catch (error) {
          const { status = 500, body } = onError(error as Error)
          return { status, body }
        }
      }
      return null
    },
  }
}
