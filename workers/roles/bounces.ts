/** The role `bounces`: receives bounces and complaints by SMTP. */
import { openBounceListener } from '../../src/adapters/bounces/bounce-listener.ts'
import { readReturnedMail } from '../../src/adapters/bounces/returned-mail.ts'
import { createPassOn } from '../../src/adapters/smtp/passed-on-mail.ts'
import { openSmtp } from '../../src/adapters/smtp/smtp.ts'
import { describeError } from '../../src/core/redact.ts'
import { createBounceReceiver } from '../../src/newsletter/feedback/bounce-receiver.ts'
import { createEditionCheck } from '../../src/newsletter/feedback/edition-alarm.ts'
import type { Config } from '../config/config.ts'
import type { RoleContext } from './context.ts'

/** Starts the receiver for mail under `domain`; rejects when the port is in use. */
export const openBounces = async (
  { config, db, keys, now, log, smtpUrl }: RoleContext,
  address: NonNullable<Config['bounces']>,
  domain: string,
): Promise<{ port: number; close(): Promise<void> }> => {
  const checkEditions = createEditionCheck({ db, log }, () => performance.now())
  // No connection is open before somebody writes to `postmaster`.
  const smtp = openSmtp({ url: smtpUrl, connections: 1, authority: config.smtpAuthority })
  // Without OPERATOR_EMAIL the sender: its address must receive mail in any case.
  const passOn = createPassOn({
    send: smtp.send,
    from: config.lettersFrom,
    to: config.operatorEmail ?? config.mailFrom.address,
    now,
  })
  const receiver = createBounceReceiver({
    db,
    keys,
    now,
    log,
    checkEditions,
    domain,
    readMail: readReturnedMail,
    passOn,
  })
  const listener = await openBounceListener({
    ...address,
    name: domain,
    accepts: receiver.accepts,
    receive: receiver.receive,
    onError: (error) =>
      log.error(
        { error: describeError(error) },
        'a message to the bounce receiver could not be taken, and must come again',
      ),
  })
  return {
    port: listener.port,
    async close() {
      await listener.close()
      await smtp.close()
    },
  }
}
