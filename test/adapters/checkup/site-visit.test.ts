/** A request to a site as others make it, over http and https. */
import { createServer as createHttp, type RequestListener } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { expect, test } from 'vitest'
import { visitSite } from '../../../src/adapters/checkup/site-visit.ts'
import { createCertificate } from '../../support/servers/certificate.ts'

const serve = async (listener: RequestListener, certificate?: { key: string; cert: string }) => {
  const server = certificate === undefined ? createHttp(listener) : createHttps(certificate, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
const within = 5_000

test('brings the answer, without following a redirect, and says until when the certificate is good', async () => {
  const certificate = createCertificate(['127.0.0.1'], { days: 30 })
  const before = getCACertificates('default')
  setDefaultCACertificates([certificate.cert])
  try {
    await using site = await serve((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => response.writeHead(302, { location: '/' }).end(`${request.method} ${body}`))
    }, certificate)
    const answer = await visitSite(site.url, { method: 'POST', withinMs: within })
    expect(answer).toMatchObject({ failed: null, status: 302, body: 'POST List-Unsubscribe=One-Click' })
    const until = answer.failed === null ? answer.certificateUntil : null
    expect(until?.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000)
  } finally {
    setDefaultCACertificates(before)
  }
})

test('over http there is no certificate', async () => {
  await using site = await serve((_, response) => response.end('ok'))
  expect(await visitSite(site.url, { method: 'GET', withinMs: within })).toMatchObject({
    status: 200,
    body: 'ok',
    certificateUntil: null,
  })
})

test('an untrusted certificate, silence, an endless response and no server at all are reported', async () => {
  await using foreign = await serve((_, response) => response.end('ok'), createCertificate(['127.0.0.1']))
  expect(await visitSite(foreign.url, { method: 'GET', withinMs: within })).toEqual({
    failed: expect.stringMatching(/self-signed/),
  })
  await using silent = await serve(() => undefined)
  expect(await visitSite(silent.url, { method: 'GET', withinMs: 50 })).toEqual({ failed: 'no response within 0.05 s' })
  await using endless = await serve((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    }
    response.on('drain', more)
    more()
  })
  expect(await visitSite(endless.url, { method: 'GET', withinMs: within })).toEqual({
    failed: 'the response is too long',
  })
  expect(await visitSite('http://127.0.0.1:1', { method: 'GET', withinMs: within })).toEqual({
    failed: expect.stringContaining('ECONNREFUSED'),
  })
})
