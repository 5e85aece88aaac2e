/** Checks that BASE_URL leads to this service over TLS, and that a mail provider's unsubscribe button works there. */
import { daysLeft, goodUntil } from './certificate.ts'
import { type Finding, fault, fine, warning } from './check.ts'

/** A response of the site; `failed` is a clause for the operator where there was none. */
export type SiteResponse =
  | { failed: string }
  | {
      failed: null
      status: number
      headers: Record<string, string | string[] | undefined>
      body: string
      /** `null` over plain http. */
      certificateUntil: Date | null
    }

export const checkSite = (baseUrl: string, response: SiteResponse, now: Date): Finding => {
  const asked = `${baseUrl}/healthz`
  if (response.failed !== null)
    return fault(
      `${asked}: ${response.failed}`,
      'no link in any mail can be opened, and nobody can unsubscribe',
      `point ${new URL(baseUrl).host} to the service, with a certificate for this name, or correct BASE_URL`,
    )
  if (response.status !== 200 || response.body.replace(/\s/g, '') !== '{"status":"ok"}')
    return fault(
      `${asked} answers ${response.status}${response.status === 200 ? ', and not as this service does' : ''}`,
      'another service answers there, so links in mails do not work',
      'make the proxy forward everything below BASE_URL to the service (role api, HOST and PORT), or correct BASE_URL',
    )
  if (response.certificateUntil === null)
    return fault(
      `${asked} answers, over http`,
      'links with their tokens cross the network unencrypted, and mail providers show no unsubscribe button',
      `BASE_URL=https://${new URL(baseUrl).host}, with a certificate at the proxy`,
    )
  const found = `${asked} answers; ${goodUntil(response.certificateUntil)}`
  const left = daysLeft(response.certificateUntil, now)
  return left === null
    ? fine(found)
    : warning(found, `the certificate ends in ${left} days; then no link can be opened`, 'renew it')
}

/** What the page of a dead link says, whatever the service is called. */
const DEAD_LINK = 'This link no longer works'

/**
 * Whether a one-click POST (RFC 8058) with an unknown token reaches the service, which answers 404 with its own page. A
 * redirect, a cookie or a challenge of the proxy would make a provider's button fail.
 */
export const checkOneClick = (response: SiteResponse): Finding => {
  const mend =
    'make the proxy forward POST /unsubscribe/… unchanged: no redirect, no login, no challenge, no check of Origin, Referer or cookies'
  if (response.failed !== null) return fault(response.failed, 'unsubscribe buttons of mail providers fail', mend)
  const { status, headers, body } = response
  const cookie = headers['set-cookie'] === undefined ? '' : ', with a cookie'
  const found = `a POST with an unknown token is answered ${status}${cookie}`
  if (status >= 300 && status <= 399)
    return fault(`${found}, to ${String(headers.location)}`, 'providers treat a redirect as a failure (RFC 8058)', mend)
  if (cookie !== '') return fault(found, 'the response to a one-click request must set no cookie (RFC 8058)', mend)
  return status === 404 && body.includes(DEAD_LINK)
    ? fine(found)
    : fault(found, 'the request does not reach the service, which would answer 404 with its page', mend)
}
