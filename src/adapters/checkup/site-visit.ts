/** A request to our own site as others make it, by its public address, with a look at its certificate. */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { TLSSocket } from 'node:tls'
import type { SiteAnswer } from '../../core/checkup/site.ts'

/** As much of an answer as is looked at, octets. */
const MOST_BODY = 100_000

/** Follows no redirect. Whatever goes wrong on the way is in the answer. */
export const visitSite = (
  url: string,
  { method, withinMs }: { method: 'GET' | 'POST'; withinMs: number },
): Promise<SiteAnswer> =>
  new Promise((resolve) => {
    const body = method === 'POST' ? 'List-Unsubscribe=One-Click' : ''
    const headers =
      method === 'POST'
        ? { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }
        : {}
    const signal = AbortSignal.timeout(withinMs)
    const fail = (error: Error & { code?: string }) =>
      resolve({
        failed: signal.aborted ? `no answer within ${withinMs / 1000} s` : error.message || error.code || 'no answer',
      })
    const request = url.startsWith('https:') ? requestHttps : requestHttp
    request(url, { method, headers, signal, agent: false }, (response) => {
      // Read before the end: a socket that is closed knows no certificate any more.
      const { socket } = response
      const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate() : null
      let text = ''
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => {
          if (text.length < MOST_BODY) text += chunk
          else response.destroy(new Error('the answer does not end'))
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
