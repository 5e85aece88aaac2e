/** Sources are reached on the public internet alone, whatever their names lead to. */
import { createServer } from 'node:http'
import { type AddressInfo, connect, type LookupFunction } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createPublicLookup } from '../../src/adapters/public-network.ts'
import { getFromSource } from '../../src/adapters/sources/source-request.ts'

/** Counts what reaches this machine. */
let reached = 0
const server = createServer((_, response) => response.end('secret'))
server.on('connection', () => reached++)
let port = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  reached = 0
})

/** A name that resolves to these addresses, and to others at each lookup. */
const leadingTo = (...answers: string[][]): LookupFunction => {
  let asked = 0
  return (_name, _options, callback) => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? []
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
}
const look = (lookup: LookupFunction, all: boolean): Promise<unknown> =>
  new Promise((resolve) => {
    createPublicLookup(lookup)('source.example', { all }, (error, address, family) => {
      resolve(error === null ? { address, family } : error.code)
    })
  })

test.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '100.64.0.1', '::1', 'fd00::1', '::ffff:127.0.0.1'])(
  'a name that resolves to %s is refused',
  async (address) => {
    for (const all of [true, false]) expect(await look(leadingTo([address]), all)).toBe('ENOTPUBLIC')
  },
)

test('of several addresses those that are not public are left out', async () => {
  const mixed = leadingTo(['127.0.0.1', '1.1.1.1', 'fd00::1'])
  expect(await look(mixed, true)).toEqual({ address: [{ address: '1.1.1.1', family: 4 }], family: undefined })
  expect(await look(mixed, false)).toEqual({ address: '1.1.1.1', family: 4 })
})

test('a name that leads elsewhere the second time is looked at the second time', async () => {
  const rebinding = leadingTo(['1.1.1.1'], ['127.0.0.1'])
  expect(await look(rebinding, false)).toMatchObject({ address: '1.1.1.1' })
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    connect({ host: 'source.example', port, lookup: createPublicLookup(rebinding) }).once('error', resolve)
  })
  expect(error.code).toBe('ENOTPUBLIC')
  expect(reached).toBe(0)
})

const ask = (host: string, more = {}) =>
  getFromSource(new URL(`http://${host}:${port}/`), {
    contact: 'https://round.example.org',
    accept: '*/*',
    withPermit: (request) => request(),
    timeout: 5_000,
    ...more,
  })

test.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', 'localhost'])(
  'a source at %s is never connected to',
  async (host) => {
    await expect(ask(host)).rejects.toThrow(/^its name resolves to an address that is not public$/)
    expect(reached).toBe(0)
  },
)

test('a server that was named on purpose is reached wherever it is', async () => {
  expect(await ask('127.0.0.1', { anyNetwork: true })).toMatchObject({ status: 200, body: 'secret' })
  expect(reached).toBe(1)
})
