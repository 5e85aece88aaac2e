/** A conversation with the relay that is opened as for mail, login and all, and left without a message. */

import { SECOND } from '../../core/calendar.ts'
import type { RelayTrial } from '../../core/checkup/relay.ts'
import type { SmtpServer } from '../../core/sending/smtp-url.ts'
import { openSession } from '../smtp/session.ts'
import type { Patience } from '../smtp/watch.ts'

/** Somebody waits for the answer: less than what mail is given. */
const PATIENCE: Patience = { connect: 5 * SECOND, greeting: 5 * SECOND, command: 5 * SECOND, message: 5 * SECOND }

/** Never throws for what a server does. `withinMs` is for all of it together. */
export const tryRelay = async (server: SmtpServer, { withinMs }: { withinMs: number }): Promise<RelayTrial> => {
  let certificateUntil: Date | null = null
  const opened = await openSession(server, {
    patience: PATIENCE,
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
