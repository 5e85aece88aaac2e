/** Whether BASE_URL leads to this service, safely, and an unsubscribe button at a mail provider works there. */
import { daysLeft, goodUntil } from './certificate.ts'
import { type Finding, fault, fine, warning } from './check.ts'

export type SiteAnswer =
  | { failed: string }
  | {
      failed: null
      status: number
      headers: Record<string, string | string[] | undefined>
      body: string
      /** `null` over plain http. */
      certificateUntil: Date | null
    }

export const judgeSite = (baseUrl: string, answer: SiteAnswer, now: Date): Finding => {
  const asked = `${baseUrl}/healthz`
  if (answer.failed !== null)
    return fault(
      `${asked}: ${answer.failed}`,
      'no link in any mail can be opened, and nobody can unsubscribe',
      `let ${new URL(baseUrl).host} lead to the service, with a certificate for this name, or correct BASE_URL`,
    )
  if (answer.status !== 200 || answer.body.replace(/\s/g, '') !== '{"status":"ok"}')
    return fault(
      `${asked} answers ${answer.status}${answer.status === 200 ? ', and not as this service does' : ''}`,
      'what answers there is not this service, so links in mails lead elsewhere',
      'let the proxy pass everything below BASE_URL on to the service (role api, HOST and PORT), or correct BASE_URL',
    )
  if (answer.certificateUntil === null)
    return fault(
      `${asked} answers, over http`,
      'links with their tokens go over the network for all to read, and mail providers show no unsubscribe button',
      `BASE_URL=https://${new URL(baseUrl).host}, with a certificate at the proxy`,
    )
  const found = `${asked} answers; ${goodUntil(answer.certificateUntil)}`
  const left = daysLeft(answer.certificateUntil, now)
  return left === null
    ? fine(found)
    : warning(found, `the certificate ends in ${left} days; then no link can be opened`, 'renew it')
}

/**
 * Judges the answer to a one-click POST (RFC 8058) with a token that is nobody's. It must reach the service, which
 * answers 404 with its own page; a redirect, a cookie or a wall of the proxy's would make a provider's button fail.
 */
export const judgeOneClick = (answer: SiteAnswer): Finding => {
  const mend =
    'let the proxy pass POST /unsubscribe/… on as it is: no redirect, no login, no challenge, no check of Origin, Referer or cookies'
  if (answer.failed !== null) return fault(answer.failed, 'unsubscribe buttons of mail providers fail', mend)
  const { status, headers, body } = answer
  const cookie = headers['set-cookie'] === undefined ? '' : ', with a cookie'
  const found = `a POST with a token of nobody's is answered ${status}${cookie}`
  if (status >= 300 && status <= 399)
    return fault(`${found}, to ${String(headers.location)}`, 'providers take a redirect for a failure (RFC 8058)', mend)
  if (cookie !== '') return fault(found, 'the answer to a one-click request sets no cookie (RFC 8058)', mend)
  return status === 404 && body.includes('Paper Round')
    ? fine(found)
    : fault(found, 'the request does not reach the service, which would answer 404 with its page', mend)
}
