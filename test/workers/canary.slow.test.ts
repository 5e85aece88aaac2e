/**
 * Canaries: addresses, tokens and client addresses that are made up for one run pass through everything that the service
 * does, well and badly, at its most talkative log level; afterwards none is in a log, the queue, a metric, an alarm or an
 * error page.
 */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { dumpQueue } from '../faults/queue-contents.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { hasRedis, NEEDS_REDIS, openTestRedis } from '../support/databases/redis.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { announcedIn } from '../support/processes/announced.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { handOver } from '../support/servers/handed-over-mail.ts'
import { openSmtpSink, type SinkMessage } from '../support/servers/smtp-sink.ts'
import { openTcpProxy } from '../support/servers/tcp-proxy.ts'

const BOUNCE_DOMAIN = 'bounces.example.net'
const ADMIN_TOKEN = 'a'.repeat(64)
const TOPICS = ['diffusion-lm', 'robotics']
const CLIENT = '203.0.113.77'
const CLIENT_6 = '2001:db8:cafe:77::99'

/** Readers, and how the mail server refuses their digests; `name` is the canary of their address. `busy` closes its domain. */
const REFUSALS: Record<string, (name: string, email: string, token: string) => string | null> = {
  taken: () => null,
  unknown: (_, email) => `550 5.1.1 <${email}>: Recipient address rejected: User unknown`,
  named: (name) => `550 5.1.1 The user ${name} is unknown here`,
  encoded: (name) =>
    `450 4.2.0 ${name}=40uni.example.org greylisted, see https://x.example/?who=${name}%40uni.example.org`,
  spoken: (name) => `451 4.3.0 Mail for ${name} (at) uni.example.org cannot be stored now`,
  link: (name, _, token) => `554 5.7.1 Your link ${token} to ${name} is on a block list`,
  quota: (name) => `452 4.2.2 Mailbox of "${name}" is full`,
  garbled: (name) => `${name} is no reply`,
  policy: (name, email) => `550 5.7.1 ${email}, ${name}: sender refused by policy`,
  busy: (name, email, token) => `421 4.7.0 Too many messages for ${name}, <${email}> /view/${token}; slow down`,
}
const KINDS = Object.keys(REFUSALS)

/** A message without the soft line breaks of quoted-printable. */
const unfolded = ({ raw }: SinkMessage): string => raw.replace(/=\r?\n/g, '').replaceAll('=3D', '=')

const linkIn = (message: SinkMessage, purpose: string): string =>
  new RegExp(`/${purpose}/([A-Za-z0-9_-]{43})`).exec(unfolded(message))?.[1] ?? ''

/** What went to an address. */
const sentTo = (messages: readonly SinkMessage[], email: string) =>
  messages.filter(({ to }) => to.toLowerCase() === email.toLowerCase())

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 60_000; !(await holds()); await delay(25))
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
}

/** Octets as they are; resolves to what came back. */
const sendRaw = (port: number, octets: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(octets))
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text
    })
    socket.on('error', () => undefined).on('close', () => resolve(answer))
    socket.setTimeout(5_000, () => socket.destroy())
  })

/** Everything that must not have a canary in it, by a name that says where it was found. */
type Told = Map<string, string>

const openService = async (queue: 'postgres' | 'redis') => {
  await using opened = new AsyncDisposableStack()
  const folder = opened.use(await openTestFolder(0o711))
  const database = opened.use(await openTestDatabase())
  const redis = queue === 'redis' ? opened.use(await openTestRedis()) : null
  const throughProxy = async (url: string) => {
    const direct = new URL(url)
    const proxy = opened.use(await openTcpProxy(Number(direct.port)))
    direct.hostname = '127.0.0.1'
    direct.port = String(proxy.port)
    return { proxy, url: direct.href }
  }
  const postgres = await throughProxy(database.url)
  const queueServer = redis === null ? null : await throughProxy(redis.url)
  const refusing = new Map<string, string>()
  const relay = { refuses: false }
  const sink = opened.use(
    await openSmtpSink({
      fault: ({ stage, from, to }) => {
        // The relay itself, and what it says of the sender that names the mail.
        if (stage === 'mail' && relay.refuses)
          return { reply: `550 5.1.0 <${from}>, ${from.split('@')[0]}: sender refused` }
        const reply = refusing.get(to.toLowerCase())
        if (reply === undefined) return undefined
        return stage === (reply.startsWith('554') ? 'dot' : 'rcpt') ? { reply } : undefined
      },
    }),
  )
  await writeDays(join(folder.path, 'papers'), ['2026-04-10', '2026-04-13', '2026-04-14'], TOPICS)
  const bouncesPort = await findFreePort()
  const settings = {
    DATABASE_URL: postgres.url,
    ...(queueServer === null ? {} : { REDIS_URL: queueServer.url }),
    DATA_DIR: folder.path,
    PORT: '0',
    SMTP_URL: sink.url,
    MAIL_FROM: 'Paper Round <round@example.net>',
    BOUNCE_DOMAIN,
    BOUNCES_PORT: String(bouncesPort),
    WEBHOOK_POSTMARK_LOGIN: 'hook:hook-password-long',
    ADMIN_TOKEN,
    ADMIN_PORT: '0',
    TRUST_PROXY: '127.0.0.0/8',
    PAPER_SOURCES: `file:${join(folder.path, 'papers')}`,
    SIGN_UPS_PER_HOUR: 'client=1000,domain=1000,all=10000',
    CLOCK: '2026-04-14T05:00:00Z',
    LOG_LEVEL: 'debug',
  }
  const service = opened.use(startProgram('main', [], settings))
  const { site } = announcedIn(await service.said('is ready'))
  await service.said('papers refreshed')
  const direct = openDatabase(database.url, { connections: 2, name: 'test', onError: () => undefined })
  opened.defer(() => direct.destroy())
  const running = opened.move()
  return {
    site,
    port: Number(new URL(site).port),
    service,
    sink,
    refusing,
    relay,
    settings,
    bouncesPort,
    folder: folder.path,
    postgres: postgres.proxy,
    queueServer: queueServer?.proxy ?? null,
    dump: () => dumpQueue({ db: direct, redisUrl: redis?.url ?? null }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
type Running = Awaited<ReturnType<typeof openService>>

interface Reader {
  name: string
  email: string
}

const createReaders = (run: string): Record<string, Reader> =>
  Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      { name: `${kind}.${run}`, email: `${kind}.${run}@${kind === 'busy' ? 'busy' : 'uni'}.example.org` },
    ]),
  )

/** A request as it comes through the proxy in front of the site; the answer is kept where it is an error. */
const createBrowser =
  ({ site }: Running, told: Told) =>
  async (path: string, init: RequestInit = {}) => {
    const headers = { 'x-forwarded-for': path.length % 2 === 0 ? CLIENT : CLIENT_6, ...init.headers }
    const response = await fetch(site + path, { redirect: 'manual', ...init, headers })
    const body = await response.text()
    // A form that is shown again holds what was typed into it.
    if (response.status >= 400 && !body.includes('name="email"'))
      told.set(`the answer ${response.status} to ${init.method ?? 'GET'} ${path}`, body)
    return { status: response.status, body }
  }
type Browse = ReturnType<typeof createBrowser>

const formOf = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
const jsonOf = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } })

/** Signs everybody up, in several ways, and confirms. */
const signUpAll = async ({ sink }: Running, browse: Browse, readers: Record<string, Reader>): Promise<void> => {
  const choice = { topics: 'robotics', frequency: 'daily', timezone: 'UTC' }
  let number = 0
  for (const { email } of Object.values(readers)) {
    const fields = { email: number === 1 ? email.toUpperCase() : email, ...choice }
    const asked = number++ % 2 === 0 ? formOf(fields) : jsonOf(JSON.stringify({ ...fields, topics: [choice.topics] }))
    expect((await browse('/subscribe', asked)).status).toBeLessThan(400)
  }
  for (const { email } of Object.values(readers)) {
    await until(`the confirmation to ${email}`, () => sentTo(sink.messages, email).length > 0)
    const token = linkIn(sentTo(sink.messages, email)[0] as SinkMessage, 'confirm')
    expect((await browse(`/confirm/${token}`)).status).toBe(200)
    expect((await browse(`/confirm/${token}`, { method: 'POST' })).status).toBe(200)
    await until(`the welcome to ${email}`, () => sentTo(sink.messages, email).length > 1)
  }
}

/** Requests that go wrong in every way that there is, with canaries wherever they can be. */
const askWrongly = async (
  { port }: Running,
  browse: Browse,
  { name, email }: Reader,
  tokens: string[],
): Promise<void> => {
  const [token = ''] = tokens
  await browse('/subscribe', jsonOf(`{"email": "${email}", "broken`))
  await browse('/subscribe', jsonOf(JSON.stringify({ email, [email]: token })))
  await browse('/subscribe', jsonOf(JSON.stringify([email])))
  await browse('/subscribe', formOf({ email: `${name} at nowhere`, topics: 'robotics' }))
  await browse('/subscribe', { method: 'POST', body: email, headers: { 'content-type': `text/${name}` } })
  await browse('/subscribe', formOf({ email, topics: 'x'.repeat(70_000) }))
  await browse('/subscribe', {
    ...formOf({ email }),
    headers: { 'sec-fetch-site': 'cross-site', origin: `https://${name}.example` },
  })
  await browse(`/preview?email=${email}`)
  await browse('/links', formOf({ email }))
  for (const path of [`/confirm/${token}`, `/preferences/${token}`, `/digests/${token}`, `/never/${token}`])
    await browse(path)
  await browse(`/preferences/${token}`, { method: 'DELETE' })
  await browse(`/nowhere/${email}/${token}?email=${email}`)
  await browse(`/confirm/${token}${'x'.repeat(3_000)}`)
  await browse(`/confirm/%E0%A4%A${token}`)
  await browse(`/papers/${name}`)
  await browse('/api/v1/editions', { headers: { authorization: `Bearer ${token}` } })
  await browse('/webhooks/postmark', jsonOf(JSON.stringify({ Email: email })))
  const hook = { authorization: `Basic ${Buffer.from('hook:hook-password-long').toString('base64')}` }
  for (const body of [
    `{"RecordType":"Bounce","ID":"${name}","Email":"${email}"`,
    JSON.stringify({
      RecordType: 'Bounce',
      ID: 1,
      Type: 'HardBounce',
      Email: email,
      Details: `5.1.1 ${email} ${name} unknown`,
    }),
  ])
    await browse('/webhooks/postmark', {
      method: 'POST',
      body,
      headers: { ...hook, 'content-type': 'application/json' },
    })
  await browse('/about', {
    headers: { 'x-forwarded-for': `${CLIENT}, ${name}`, referer: `http://localhost/confirm/${token}` },
  })
  await sendRaw(port, `GET /confirm/${token} HTTP/1.1\r\nhost: x\r\nx-long: ${email}${'y'.repeat(40_000)}\r\n\r\n`)
  await sendRaw(port, `GET /confirm/${token} ${email}\r\n\r\n`)
  await sendRaw(
    port,
    `POST /subscribe HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\ncontent-type: application/json\r\n\r\n${email}`,
  )
}

const report = (path: string, { name, email }: Reader) =>
  [
    `From: MAILER-DAEMON@uni.example.org\r\nTo: ${path}\r\nSubject: ${email} failed\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=e\r\n`,
    `--e\r\n\r\n${name} is not here, nor ${email}\r\n--e\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n`,
    `Final-Recipient: rfc822; ${email}\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 ${name} ${email} unknown\r\n--e--\r\n`,
  ].join('\r\n')

/** Bounces that can be read, that are forged, and that are nothing. */
const bounce = async ({ bouncesPort, sink }: Running, reader: Reader): Promise<void> => {
  const path = sentTo(sink.messages, reader.email).at(-1)?.from ?? ''
  expect(path).toContain(BOUNCE_DOMAIN)
  await handOver(bouncesPort, '', path, `Subject: ${reader.email}\r\n\r\nnothing ${reader.name}\r\n`)
  await handOver(bouncesPort, reader.email, `${reader.name}@${BOUNCE_DOMAIN}`, 'x\r\n')
  await handOver(bouncesPort, reader.email, `complaints@${BOUNCE_DOMAIN}`, report(path, reader))
  expect(await handOver(bouncesPort, '', path, report(path, reader))).toBe(250)
}

/** Publishes the digests of the morning, which the mail server refuses in many ways. */
const publish = async (running: Running, readers: Record<string, Reader>): Promise<void> => {
  const { sink, refusing, settings } = running
  for (const [kind, { name, email }] of Object.entries(readers)) {
    const token = linkIn(sentTo(sink.messages, email).at(-1) as SinkMessage, 'unsubscribe')
    const reply = REFUSALS[kind]?.(name, email, token) ?? null
    if (reply !== null) refusing.set(email, reply)
  }
  const words = ['editions', 'publish', '--at', '2026-04-15T08:00:00Z', '--yes']
  const published = await runProgram('admin', words, settings)
  expect(published).toMatchObject({ code: 0 })
  const taken = readers.taken?.email ?? ''
  await until('the digest', () => sentTo(sink.messages, taken).length > 2)
  const tried = (email: string) =>
    sink.commands.filter((line) => line.toLowerCase().includes(`rcpt to:<${email}`)).length
  for (const { email } of Object.values(readers)) await until(`a try for ${email}`, () => tried(email) > 2)
}

/** The relay refuses the sender, so that all sending stops, and alarms are raised. */
const refuseSender = async ({ relay, service }: Running, browse: Browse, { email }: Reader): Promise<void> => {
  relay.refuses = true
  await browse('/links', formOf({ email }))
  await service.said('sending stops', 150_000)
}

/** The database, and the queue, go away while requests and mail are under way, and come back. */
const outage = async ({ postgres, queueServer, service }: Running, browse: Browse, reader: Reader, token: string) => {
  for (const proxy of [postgres, queueServer]) {
    if (proxy === null) continue
    proxy.refuse(true)
    proxy.cut()
    await Promise.all([
      browse(`/preferences/${token}`),
      browse(`/unsubscribe/${token}`, { method: 'POST' }),
      browse('/links', formOf({ email: reader.email })),
      browse('/subscribe', formOf({ email: reader.email, topics: 'robotics', frequency: 'daily' })),
    ])
    await until('an error to be logged', () => /"level":(?:40|50)/.test(service.stderr()))
    proxy.refuse(false)
  }
  await until('the database to be back', async () => (await browse('/readyz')).status === 200)
}

const filesOf = async (folder: string): Promise<[string, string][]> => {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Promise.all(files.map(async (file): Promise<[string, string]> => [file, await readFile(file, 'latin1')]))
}

/** Where each canary was found, with what stands around it. */
const findCanaries = (told: Told, canaries: readonly string[]): string[] =>
  [...told].flatMap(([where, text]) =>
    canaries.flatMap((canary) => {
      const at = text.toLowerCase().indexOf(canary.toLowerCase())
      return at < 0 ? [] : [`${where}: …${text.slice(Math.max(0, at - 200), at + 100)}…`]
    }),
  )

describe.each([
  ['postgres', true, ''],
  ['redis', hasRedis, NEEDS_REDIS],
] as const)('with the queue on %s', (queue, possible, why) => {
  test.runIf(possible)(
    `no address, token or client is in a log line, the queue, a metric or an error page${why}`,
    { timeout: 300_000 },
    async () => {
      const run = `cnry${randomBytes(6).toString('hex')}`
      const told: Told = new Map()
      await using running = await openService(queue)
      const { service, sink } = running
      const browse = createBrowser(running, told)
      const readers = createReaders(run)
      const { taken, unknown } = readers as Record<'taken' | 'unknown', Reader>

      await signUpAll(running, browse, readers)
      told.set('the queue after the sign-ups', await running.dump())
      await publish(running, readers)
      told.set('the queue after the digests', await running.dump())
      await bounce(running, taken)
      const all = sink.messages.map(unfolded)
      const tokens = [...new Set(all.flatMap((raw) => raw.match(/(?<=\/)[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g) ?? []))]
      const inAddresses = [...new Set(all.flatMap((raw) => raw.match(/\b[ub]-[a-z2-7]{40,52}(?=@)/g) ?? []))]
      expect(tokens.length).toBeGreaterThan(2 * KINDS.length)
      expect(inAddresses.length).toBeGreaterThanOrEqual(KINDS.length)

      await askWrongly(running, browse, unknown, tokens)
      const preferences = linkIn(sentTo(sink.messages, unknown.email).at(-1) as SinkMessage, 'preferences')
      await outage(running, browse, unknown, preferences)
      const leave = linkIn(sentTo(sink.messages, unknown.email).at(-1) as SinkMessage, 'unsubscribe')
      expect((await browse(`/unsubscribe/${leave}`, { method: 'POST' })).status).toBe(200)
      const mailto = inAddresses.find((local) => local.startsWith('u-')) ?? ''
      await handOver(running.bouncesPort, taken.email, `${mailto}@${BOUNCE_DOMAIN}`, 'x\r\n')
      const { stdout } = await runProgram('admin', ['subscribers', 'erase', unknown.email], running.settings)
      expect(stdout).toContain('Erased')

      await refuseSender(running, browse, readers.spoken as Reader)
      const alarms = await runProgram('admin', ['--json', 'alarms', 'list'], running.settings)
      told.set('the alarms', alarms.stdout)
      const operator = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } }
      for (const path of ['/metrics', '/api/v1/editions', '/healthz', '/readyz'])
        told.set(path, (await browse(path, operator)).body)
      told.set('the queue at the end', await running.dump())
      const { code, stdout: said, stderr } = await service.end('SIGTERM')
      expect(code).toBe(0)
      for (const [n, line] of `${said}${stderr}`.split('\n').entries()) told.set(`line ${n + 1} of the log`, line)
      for (const [file, text] of await filesOf(running.folder)) told.set(file, text)

      const returnPaths = [...new Set(sink.commands.flatMap((line) => line.match(/b-[a-z2-7]{40}/g) ?? []))]
      expect(returnPaths.length).toBeGreaterThan(2 * KINDS.length)
      const canaries = [run, CLIENT, CLIENT_6, '2001:db8:cafe', ...tokens, ...inAddresses, ...returnPaths]
      expect(findCanaries(told, canaries)).toEqual([])
      // What could not be told is no proof: there was a log, a queue, and error pages.
      expect(said.length + stderr.length).toBeGreaterThan(10_000)
      // A dozen, and what the outage makes of up to four more: a request under way may be answered before it.
      expect([...told.keys()].filter((where) => where.startsWith('the answer ')).length).toBeGreaterThanOrEqual(12)
    },
  )
})
