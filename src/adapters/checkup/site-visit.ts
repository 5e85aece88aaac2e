/** Requests our own site at its public address, as others do, and reads its certificate. */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { TLSSocket } from 'node:tls'
import type { SiteResponse } from '../../core/checkup/site.ts'

/** Octets of a response body that are read; a longer one is a failure. */
const MAX_BODY = 100_000

/** Makes one request within `withinMs` milliseconds. Follows no redirect and never rejects: `failed` says what went wrong. */
export const visitSite = (
  url: string,
  { method, withinMs }: { method: 'GET' | 'POST'; withinMs: number },
): Promise<SiteResponse> =>
  new Promise((resolve) => {
    const body = method === 'POST' ? 'List-Unsubscribe=One-Click' : ''
    const headers =
      method === 'POST'
        ? { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }
        : {}
    const signal = AbortSignal.timeout(withinMs)
    const fail = (error: Error & { code?: string }) =>
      resolve({
        failed: signal.aborted
          ? `no response within ${withinMs / 1000} s`
          : error.message || error.code || 'no response',
      })
    const request = url.startsWith('https:') ? requestHttps : requestHttp
    request(url, { method, headers, signal, agent: false }, (response) => {
      // Read now: a socket that is closed has no certificate any more.
      const { socket } = response
      const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate() : null
      let text = ''
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          if (text.length < MAX_BODY) text += chunk
          else response.destroy(new Error('the response is too long'))
        })
        .once('error', fail)
        .once('end', () =>
          resolve({
            failed: null,
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            certificateUntil: certificate === null ? null : new Date(certificate.valid_to),
          }),
        )
    })
      .once('error', fail)
      .end(body)
  })
