/** Opens a session with the relay as for mail, login included, and closes it without a message. */
import { SECOND } from '../../core/calendar.ts'
import type { RelayVisit } from '../../core/checkup/relay.ts'
import type { SmtpServer } from '../../core/sending/smtp-url.ts'
import { openSession } from '../smtp/session.ts'
import type { Patience } from '../smtp/watch.ts'

/** An operator waits for the result, so these are shorter than for mail. */
const TIMEOUTS: Patience = { connect: 5 * SECOND, greeting: 5 * SECOND, command: 5 * SECOND, message: 5 * SECOND }

/**
 * Never rejects for what a server does. `withinMs`: milliseconds for the whole session. `authority`: certificates in PEM that
 * may vouch for the server's, beside those of public authorities.
 */
export const visitRelay = async (
  server: SmtpServer,
  { withinMs, authority }: { withinMs: number; authority: string | null },
): Promise<RelayVisit> => {
  let certificateUntil: Date | null = null
  const opened = await openSession(server, {
    patience: TIMEOUTS,
    authority,
    signal: AbortSignal.timeout(withinMs),
    onCertificate: ({ valid_to }) => {
      certificateUntil = new Date(valid_to)
    },
  })
  if ('failed' in opened) return { failed: opened.failed }
  const { secure } = opened.session
  await opened.session.quit()
  return { failed: null, secure, certificateUntil }
}
