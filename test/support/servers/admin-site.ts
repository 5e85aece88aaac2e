/** The admin site on loopback with a database of its own, and operators' browsers without a screen. */

import { openQueue, type Queue } from '../../../src/adapters/queue/queue.ts'
import type { QueueName } from '../../../src/adapters/queue/queue-names.ts'
import type { OperatorRole } from '../../../src/core/operator.ts'
import { buildAdminApp } from '../../../src/http/admin/app.ts'
import type { App } from '../../../src/http/site.ts'
import { addOperator } from '../../../src/newsletter/operators.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { readConfig } from '../../../workers/config/config.ts'
import { adminOptions } from '../../../workers/roles/admin.ts'
import { openTestDatabase } from '../databases/postgres.ts'
import { KEYS } from '../fixtures/newsletter.ts'

export const ADMIN_TOKEN = 'admin-token-of-a-test'.padEnd(43, '0')

export type AdminTestSite = Awaited<ReturnType<typeof openAdminSite>>

/**
 * Opens it, with a database of its own or that of a newsletter; `clock` is where the service's clock stands until `setClock`.
 */
export const openAdminSite = async (
  options: { clock?: string; settings?: Record<string, string>; db?: Database; redisUrl?: string } = {},
) => {
  await using opened = new AsyncDisposableStack()
  const { db, databaseUrl } =
    options.db === undefined ? await openOwnDatabase(opened) : { db: options.db, databaseUrl: '' }
  let clock = new Date(options.clock ?? '2026-04-15T09:00:00Z')
  const now = () => clock
  const log: string[] = []
  const say = (level: string) => (facts: object, event: string) => {
    log.push(JSON.stringify({ level, event, ...facts }))
  }
  const config = readConfig({ ADMIN_TOKEN, ...options.settings })
  const wakes: string[] = []
  const context = {
    config,
    db,
    keys: KEYS,
    now,
    log: { info: say('info'), warn: say('warn'), error: say('error') },
    wake: async (name: string) => {
      wakes.push(name)
    },
    queue: openQueueLater(databaseUrl, options.redisUrl ?? null, opened),
  }
  let monotonic = 0
  const app = buildAdminApp({ ...adminOptions(context, '127.0.0.1'), monotonic: () => monotonic })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const url = `http://localhost:${port}`
  const rest = opened.move()
  return {
    app,
    db,
    url,
    port,
    log,
    /** The queues that were woken. */
    wakes,
    context,
    setClock(at: string) {
      clock = new Date(at)
    },
    /** Lets the budget of each client fill up again. */
    passMinutes(minutes: number) {
      monotonic += minutes * 60_000
    },
    /** A browser in which somebody with this role is signed in. */
    async signInAs(role: OperatorRole): Promise<Browser> {
      const added = await addOperator(
        { db, now },
        { byWhom: 'test', via: 'command' },
        { name: `Operator ${role} ${++operators}`, role },
      )
      if ('problem' in added) throw new Error(added.problem)
      const browser = createBrowser(app, port)
      await browser.signIn(added.token)
      return Object.assign(browser, { token: added.token, name: added.operator.name })
    },
    /** A browser in which nobody is signed in. */
    browser: () => createBrowser(app, port),
    async [Symbol.asyncDispose]() {
      await app.close()
      await rest.disposeAsync()
    },
  }
}

let operators = 0

/** The queue in a database, or on a Redis, which is opened when it is first asked for. */
const openQueueLater = (databaseUrl: string, redisUrl: string | null, opened: AsyncDisposableStack) => {
  let queue: Promise<Queue> | null = null
  const open = (): Promise<Queue> => {
    const keyPrefix = 'paper-round-admin'
    queue ??= openQueue({ databaseUrl, redisUrl, keyPrefix, workers: 0, onError: () => undefined })
    return queue
  }
  opened.defer(async () => {
    if (queue !== null) await (await queue).close({ graceMs: 1_000 })
  })
  return {
    readStates: async () => (await open()).readStates(),
    openBoard: async () => (await open()).openBoard(),
    wake: async (name: QueueName) => (await open()).wake(name),
  }
}

const openOwnDatabase = async (opened: AsyncDisposableStack): Promise<{ db: Database; databaseUrl: string }> => {
  const database = opened.use(await openTestDatabase())
  const db = openDatabase(database.url, { connections: 6, name: 'test', onError: () => undefined })
  opened.defer(() => db.destroy())
  return { db, databaseUrl: database.url }
}

export interface Answer {
  status: number
  location: string | null
  headers: Record<string, string | string[] | number | undefined>
  text: string
}

const withoutEmpty = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''))

/** What a browser does: keeps the cookie, sends forms as same-origin, and finds the session's field in the pages it gets. */
const createBrowser = (app: App, port: number) => {
  let cookie = ''
  let csrf = ''
  const ask = async (
    method: 'GET' | 'POST',
    path: string,
    body: string | null,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const answer = await app.inject({
      method,
      url: path,
      // One that is empty is not sent.
      headers: withoutEmpty({
        host: `localhost:${port}`,
        accept: 'text/html',
        ...(cookie === '' ? {} : { cookie }),
        ...(method === 'GET'
          ? {}
          : { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }),
        ...headers,
      }),
      ...(body === null ? {} : { payload: body }),
    })
    const set = answer.headers['set-cookie']
    if (typeof set === 'string') cookie = /^[^=]+=;/.test(set) ? '' : (set.split(';')[0] ?? '')
    csrf = /name="csrf" value="([^"]+)"/.exec(answer.body)?.[1] ?? csrf
    return {
      status: answer.statusCode,
      location: (answer.headers.location as string) ?? null,
      headers: answer.headers,
      text: answer.body,
    }
  }
  return {
    token: '',
    name: '',
    ask,
    get: (path: string, headers?: Record<string, string>) => ask('GET', path, null, headers),
    /** Sends a form with the field of the session, as the page that has it does. */
    post: (path: string, fields: Record<string, string> = {}, headers?: Record<string, string>) =>
      ask('POST', path, new URLSearchParams({ csrf, ...fields }).toString(), headers),
    /** Sends a form and asks for the page that it leads to. */
    async press(path: string, fields: Record<string, string> = {}) {
      const sent = await this.post(path, fields)
      return sent.location === null ? sent : this.get(sent.location)
    },
    async signIn(token: string) {
      const answer = await ask('POST', '/admin/sign-in', new URLSearchParams({ token }).toString())
      if (answer.status === 303) await ask('GET', answer.location ?? '/admin', null)
      return answer
    },
    cookie: () => cookie,
    setCookie(value: string) {
      cookie = value
    },
    csrf: () => csrf,
  }
}
export type Browser = ReturnType<typeof createBrowser>
