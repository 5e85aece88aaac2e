/** Slow, silent and broken clients, by raw sockets: each is cut off by the server, and costs nobody else anything. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { openTestSite, type TestSite } from '../support/servers/recording-site.ts'

/** Milliseconds, so short that no test waits long for the server; each is about one of the limits, whatever the machine does. */
const SHORT_REQUESTS = { headersMs: 150, requestMs: 300 }
const SHORT_SILENCE = { idleMs: 300, keptMs: 300 }
const HEAD = 'POST /subscribe HTTP/1.1\r\nhost: round.example.org\r\ncontent-type: application/json\r\n'

/** A connection that sends this. `ended`: all that was answered, once the server has closed it. */
const open = async (site: TestSite, text = ''): Promise<{ socket: Socket; ended: Promise<string> }> => {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (data: string) => {
    answer += data
  })
  // A connection that is reset is closed all the same, for which `once` would reject.
  socket.on('error', () => undefined)
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(answer)))
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return { socket, ended }
}

/** Sends something again and again until the server has had enough. */
const drip = ({ socket }: { socket: Socket }, text: string) => {
  const timer = setInterval(() => socket.write(text), 20)
  socket.on('close', () => clearInterval(timer))
}

const problemOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

const SLOW = [
  ['its headers', HEAD, 'x: y\r\n'],
  ['its body', `${HEAD}content-length: 60000\r\n\r\n{"email":"`, 'a'],
  ['its chunks', `${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\na\r\n'],
] as const

test.each(SLOW)('a client that sends %s octet by octet is cut off', async (_, begun, more) => {
  await using site = await openTestSite({ connections: SHORT_REQUESTS })
  const slow = await open(site, begun)
  drip(slow, more)
  await slow.ended
  expect(site.changes).toEqual([])
})

// Not while it sends: what it is told may be lost then, as the connection is reset.
test.each(SLOW)('a client that stops within %s is told so', async (_, begun) => {
  await using site = await openTestSite({ connections: SHORT_REQUESTS })
  const answer = await (await open(site, begun)).ended
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
  expect(answer).toContain('content-type: application/problem+json')
  expect(answer).toContain("content-security-policy: default-src 'none'")
  expect(problemOf(answer)).toMatchObject({ status: 408, title: 'Request Timeout' })
  expect(site.changes).toEqual([])
})

test.each([
  ['says nothing at all', ''],
  ['says nothing more', 'GET /check-inbox HTTP/1.1\r\n'],
  ['asks once and stays', 'GET /check-inbox HTTP/1.1\r\nhost: round.example.org\r\n\r\n'],
])('a client that %s is cut off', async (_, text) => {
  await using site = await openTestSite({ connections: SHORT_SILENCE })
  await (await open(site, text)).ended
})

test('a client that never reads its answers is cut off, and others are served meanwhile', async () => {
  await using site = await openTestSite({ connections: SHORT_SILENCE })
  const asked = 'GET /about HTTP/1.1\r\nhost: round.example.org\r\n\r\n'
  // More than the buffers of both sides hold, so that the server waits for the client.
  const deaf = await open(site, asked.repeat(400))
  deaf.socket.pause()
  const [connection] = await once(site.app.server, 'request').then(([request]) => [request.socket as Socket])
  expect((await fetch(`${site.url}/check-inbox`)).status).toBe(200)
  if (connection?.destroyed === false) await once(connection, 'close')
  deaf.socket.destroy()
})

test('more connections than are allowed are closed at once, and there is room again when one ends', async () => {
  await using site = await openTestSite({ connections: { connections: 3 } })
  const held = await Promise.all(Array.from({ length: 3 }, () => open(site)))
  // The server accepts them after the client has them.
  const count = () => new Promise((resolve) => site.app.server.getConnections((_, open) => resolve(open)))
  await expect.poll(count).toBe(3)
  expect(await (await open(site, 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n')).ended).toBe('')
  held[0]?.socket.destroy()
  await expect.poll(count).toBe(2)
  const answer = await (await open(site, 'GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).ended
  expect(answer).toMatch(/^HTTP\/1\.1 200/)
  for (const { socket } of held) socket.destroy()
})

test.each([
  ['no HTTP', 'EHLO mail.example.org\r\n\r\n', 400],
  ['two lengths', `${HEAD}content-length: 4\r\ncontent-length: 5\r\n\r\n{}{}`, 400],
  ['a length and chunks', `${HEAD}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['a chunk without a size', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n\r\n`, 400],
  ['a line end in a header', `GET / HTTP/1.1\r\nhost: a\r\nx: a\nb: c\r\n\r\n`, 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['headers beyond 16 kilobytes', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
  ['an address beyond 16 kilobytes', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nhost: a\r\n\r\n`, 431],
])('a request with %s is refused without a word of how we work', async (_, text, status) => {
  await using site = await openTestSite()
  const answer = await (await open(site, text)).ended
  // A head that is too long may be cut off while it is sent, and the answer lost with the connection.
  if (status !== 431 || answer !== '') expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(answer).not.toMatch(/node|fastify|llhttp|HPE_|Parse Error|\.js\b|^ +at /im)
  expect(site.changes).toEqual([])
})

test('a request hidden in the body of another is none', async () => {
  await using site = await openTestSite()
  const hidden = 'POST /links HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'
  const text = `GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`
  const answer = await (await open(site, text)).ended
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(site.changes).toEqual([])
})
