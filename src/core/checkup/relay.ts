/** Checks that the relay accepts a session of ours: over TLS, with a valid certificate, and with our login. */
import { ADVICE } from '../sending/advice.ts'
import type { ThrottleCause } from '../sending/pace.ts'
import { causeOf, type OutcomeCause, type SmtpOutcome } from '../sending/smtp-outcome.ts'
import type { SmtpServer } from '../sending/smtp-url.ts'
import { daysLeft, goodUntil } from './certificate.ts'
import { type Finding, fault, fine, warning } from './check.ts'

/** The outcome of a session that was opened and closed without a message. */
export type RelayVisit =
  | { failed: Exclude<SmtpOutcome, { kind: 'sent' }> }
  /** `certificateUntil` is `null` where there is no certificate or it was not verified. */
  | { failed: null; secure: boolean; certificateUntil: Date | null }

/** What mailers know of a relay: why it is sent less or nothing, and what it said. */
export interface ThrottledRelay {
  cause: ThrottleCause
  reason: string
  since: Date
}

const MENDS = {
  connect:
    'SMTP_URL: correct host and port, and allow this machine to connect there; hosting providers often block port 25',
  greeting: 'SMTP_URL: correct host and port; for TLS from the first byte (port 465) write smtps://',
  tls: 'give the relay a certificate for the host in SMTP_URL from a trusted authority, and STARTTLS; or name another relay',
  auth: 'SMTP_URL: correct user and password; in them write @ as %40, : as %3A, / as %2F',
}

/** OpenSSL's words for a certificate that no authority known here vouches for; not those for another name, or an end. */
const UNKNOWN_AUTHORITY = /self-signed certificate|unable to (?:get|verify)|unknown ca/i
const MEND_AUTHORITY =
  'SMTP_CA_FILE: the file (PEM) of the authority that signed the certificate of the relay, or of that certificate itself'

/** Where the server said what is the matter, its host, port and login are right. */
const LIMITS: ReadonlySet<OutcomeCause> = new Set(['quota', 'account', 'rate', 'connections'])

export const checkRelay = (
  server: SmtpServer,
  loopback: boolean,
  visit: RelayVisit,
  throttled: ThrottledRelay | null,
  now: Date,
): Finding => {
  const place = `${server.host}:${server.port}`
  if (visit.failed !== null) {
    const { failed } = visit
    const stage = 'stage' in failed ? failed.stage : 'greeting'
    const said = failed.kind === 'refused' ? failed.reply : failed.reason
    const cause = causeOf(failed)
    if (LIMITS.has(cause) && cause !== 'none' && cause !== 'recipient')
      return fault(`${place} answers at ${stage}: ${said}`, 'mail waits', `SMTP_URL is right: ${ADVICE[cause]}`)
    if (stage === 'tls' && UNKNOWN_AUTHORITY.test(said))
      return fault(`${place} fails at ${stage}: ${said}`, 'no mail leaves', MEND_AUTHORITY)
    const mend = stage in MENDS ? MENDS[stage as keyof typeof MENDS] : MENDS.greeting
    return fault(`${place} fails at ${stage}: ${said}`, 'no mail leaves', mend)
  }
  if (throttled !== null)
    return warning(
      `${place} answers, but takes less or nothing since ${throttled.since.toISOString()}: ${throttled.reason}`,
      'mail waits until it does',
      ADVICE[throttled.cause],
    )
  const login = server.login === null ? 'no login is set' : 'the login is accepted'
  if (!visit.secure)
    return loopback
      ? fine(`${place} on this machine, without TLS; ${login}`)
      : fault(
          `${place} without TLS; ${login}`,
          'addresses, links and password cross the network unencrypted',
          'SMTP_URL: leave out ?requireTLS=false; or name a relay that offers TLS',
        )
  if (visit.certificateUntil === null)
    return loopback
      ? fine(`${place} on this machine, TLS; ${login}`)
      : warning(
          `${place}, TLS with a certificate that is not verified; ${login}`,
          'anyone between us and the relay can read the mail',
          'SMTP_URL: leave out ?allowInvalidCertificate=true, once the relay has a certificate that can be verified',
        )
  const left = daysLeft(visit.certificateUntil, now)
  const found = `${place}, TLS, ${goodUntil(visit.certificateUntil)}; ${login}`
  return left === null
    ? fine(found)
    : warning(found, `the certificate ends in ${left} days; then no mail leaves`, 'renew the certificate of the relay')
}
