/** Traces of a real service at a collector on this machine: what they tell, and that they tell nothing of anybody. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { openSite } from '../support/browser/http-client.ts'
import { openTestDatabase } from '../support/databases/postgres.ts'
import { openTestFolder } from '../support/fixtures/folder.ts'
import { writeDays } from '../support/fixtures/papers.ts'
import { faultsOf } from '../support/fixtures/settings.ts'
import { requireNamelessLog } from '../support/log-check.ts'
import { startProgram } from '../support/processes/program.ts'
import { findFreePort } from '../support/servers/free-port.ts'
import { openSmtpSink } from '../support/servers/smtp-sink.ts'

interface Span {
  name: string
  traceId: string
  attributes: { key: string; value: Record<string, unknown> }[]
  events?: unknown[]
  status: { code?: number; message?: string }
}

/** A collector that keeps what it is sent. */
const openCollector = async () => {
  const bodies: string[] = []
  const asked: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${request.headers['x-tenant']}`)
      bodies.push(body)
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    bodies,
    spans: (): Span[] =>
      bodies.flatMap((body) =>
        (JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(
          ({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const ADA = 'ada.lovelace@example.org'

test('a sign-up is seen from the request to the mail server, and no address, token, path, text or client is', async () => {
  await using database = await openTestDatabase()
  await using folder = await openTestFolder()
  await using sink = await openSmtpSink()
  await using collector = await openCollector()
  await writeDays(folder.path, ['2026-04-13', '2026-04-14'])
  const port = await findFreePort()
  const program = startProgram('main', ['api', 'mailer'], {
    DATABASE_URL: database.url,
    DATA_DIR: folder.path,
    PORT: String(port),
    BASE_URL: `http://localhost:${port}`,
    SMTP_URL: `${sink.url}?requireTLS=false`,
    MAIL_FROM: 'Paper Round <round@example.net>',
    DOMAIN_LOOKUPS: 'off',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=papers',
    LOG_LEVEL: 'warn',
  })
  await program.said('is ready')
  const url = `http://localhost:${port}`
  const site = openSite(url)
  await site.post('/subscribe', { email: ADA, topics: 'robotics' })
  const [confirmation] = await sink.waitFor(1, 30_000)
  const token = /\/confirm\/([\w-]{43})/.exec((confirmation?.raw ?? '').replace(/=\r\n/g, ''))?.[1] ?? ''
  expect(token).toHaveLength(43)
  expect((await site.post(`/confirm/${token}`)).status).toBe(200)
  // What ends in errors and nowhere, with an address in it.
  for (const path of [`/nowhere/${ADA}`, `/search?q=${ADA}`, `/confirm/${token}?email=${ADA}`, '/%zz'])
    await site.get(path)
  // A statement that the database refuses with the value in its message.
  await site.post('/subscribe', { email: ADA, topics: 'robotics', timezone: '\u0000' })
  expect(await program.end('SIGTERM')).toMatchObject({ code: 0 })

  expect(new Set(collector.asked)).toEqual(new Set(['POST /v1/traces papers']))
  const spans = collector.spans()
  const names = spans.map(({ name }) => name)
  for (const name of ['request', 'mail', 'smtp', 'postgres insert', 'postgres select'])
    expect(names, `a span ${name}`).toContain(name)
  expect(
    names.some((name) => /letters/.test(name)),
    names.join(),
  ).toBe(true)
  const mail = spans.find(({ name }) => name === 'mail')
  const facts = Object.fromEntries((mail?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]))
  expect(facts).toEqual({
    'mail.stream': 'letters',
    'mail.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'mail.outcome': 'sent',
  })
  // It is the id of the Message-ID, by which `mails show` finds it.
  expect(confirmation?.raw).toContain(`<${facts['mail.id']}@`)
  const { traceId } = mail ?? { traceId: '' }
  expect(spans.filter((span) => span.traceId === traceId).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['mail', 'smtp']),
  )
  const routes = spans.flatMap(({ attributes }) => attributes.filter(({ key }) => key === 'http.route'))
  expect(routes.map(({ value }) => value.stringValue)).toContain('/confirm/:token')

  const all = collector.bodies.join('\n')
  for (const secret of [ADA, 'lovelace', token, 'nowhere', 'insert into', '127.0.0.1', folder.path])
    expect(all).not.toContain(secret)
  requireNamelessLog(collector.bodies)
  expect(spans.every(({ events = [], status }) => events.length === 0 && status.message === undefined)).toBe(true)
})

test('a collector that is away costs no request and no mail, and is told in the log', async () => {
  await using database = await openTestDatabase()
  await using folder = await openTestFolder()
  const port = await findFreePort()
  await using program = startProgram('main', ['api'], {
    DATABASE_URL: database.url,
    DATA_DIR: folder.path,
    PORT: String(port),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await findFreePort()}`,
    LOG_LEVEL: 'warn',
  })
  await program.said('is ready')
  expect((await fetch(`http://127.0.0.1:${port}/topics`)).status).toBe(200)
  expect(await program.said('traces could not be sent')).toContain('they are dropped')
  expect((await fetch(`http://127.0.0.1:${port}/topics`)).status).toBe(200)
  expect(await program.end('SIGTERM')).toMatchObject({ code: 0 })
})

test('settings of traces that are wrong are named, without what may be a secret', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
  expect(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toEqual([
    'OTEL_EXPORTER_OTLP_ENDPOINT: is not a URL; write it as http://collector:4318',
  ])
  expect(faultsOf({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a secret' })).toEqual([
    'OTEL_EXPORTER_OTLP_HEADERS: is not a list of name=value, by comma',
  ])
  expect(faultsOf({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: '2' })).toEqual([
    'OTEL_TRACES_SAMPLER_ARG: is a share from 0 to 1, such as 0.01',
  ])
  expect(faultsOf({ OTEL_TRACES_SAMPLER_ARG: '0.5' })).toEqual([
    'OTEL_TRACES_SAMPLER_ARG: does nothing without OTEL_EXPORTER_OTLP_ENDPOINT',
  ])
  expect(
    faultsOf({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x', OTEL_SERVICE_NAME: 'papers' }),
  ).toEqual([])
})
