/** Whether the relay lets us in: over TLS, with a certificate that can be verified, and with our login. */
import type { SmtpOutcome } from '../sending/smtp-outcome.ts'
import type { SmtpServer } from '../sending/smtp-url.ts'
import { daysLeft, goodUntil } from './certificate.ts'
import { type Finding, fault, fine, warning } from './check.ts'

/** How far a conversation came that was opened and left without a message. */
export type RelayTrial =
  | { failed: Exclude<SmtpOutcome, { kind: 'sent' }> }
  /** `certificateUntil` is `null` where there is none, or nobody verified it. */
  | { failed: null; secure: boolean; certificateUntil: Date | null }

const MENDS = {
  connect:
    'SMTP_URL: correct host and port, and let this machine connect there; providers of machines often block port 25',
  greeting: 'SMTP_URL: correct host and port; for TLS from the first byte (port 465) write smtps://',
  tls: 'let the relay have a certificate for the host in SMTP_URL from an authority that is trusted, and offer STARTTLS; or name another relay',
  auth: 'SMTP_URL: correct user and password; in them write @ as %40, : as %3A, / as %2F',
}

export const judgeRelay = (server: SmtpServer, loopback: boolean, trial: RelayTrial, now: Date): Finding => {
  const place = `${server.host}:${server.port}`
  if (trial.failed !== null) {
    const { failed } = trial
    const stage = 'stage' in failed ? failed.stage : 'greeting'
    const said = failed.kind === 'refused' ? failed.reply : failed.reason
    const mend = stage in MENDS ? MENDS[stage as keyof typeof MENDS] : MENDS.greeting
    return fault(`${place} fails at ${stage}: ${said}`, 'no mail leaves', mend)
  }
  const login = server.login === null ? 'no login is set' : 'the login is taken'
  if (!trial.secure)
    return loopback
      ? fine(`${place} on this machine, without TLS; ${login}`)
      : fault(
          `${place} without TLS; ${login}`,
          'addresses, links and password go over the network for all to read',
          'SMTP_URL: leave out ?requireTLS=false; or name a relay that offers TLS',
        )
  if (trial.certificateUntil === null)
    return loopback
      ? fine(`${place} on this machine, TLS; ${login}`)
      : warning(
          `${place}, TLS with a certificate that is not verified; ${login}`,
          'whoever stands between us and the relay can read along',
          'SMTP_URL: leave out ?allowInvalidCertificate=true, once the relay has a certificate that can be verified',
        )
  const left = daysLeft(trial.certificateUntil, now)
  const found = `${place}, TLS, ${goodUntil(trial.certificateUntil)}; ${login}`
  return left === null
    ? fine(found)
    : warning(found, `the certificate ends in ${left} days; then no mail leaves`, 'let the relay renew its certificate')
}
