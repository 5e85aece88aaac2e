/** The role `bounces`: receives bounces and complaints by SMTP. */
import { openBounceListener } from '../../src/adapters/bounces/bounce-listener.ts'
import { readReturnedMail } from '../../src/adapters/bounces/returned-mail.ts'
import { describeError } from '../../src/core/redact.ts'
import { createBounceReceiver } from '../../src/newsletter/feedback/bounce-receiver.ts'
import { createEditionCheck } from '../../src/newsletter/feedback/edition-alarm.ts'
import type { Config } from '../config/config.ts'
import type { RoleContext } from './context.ts'

/** Starts the receiver for mail under `domain`; rejects when the port is in use. */
export const openBounces = (
  { db, keys, log }: RoleContext,
  address: NonNullable<Config['bounces']>,
  domain: string,
): Promise<{ port: number; close(): Promise<void> }> => {
  const checkEditions = createEditionCheck({ db, log }, () => performance.now())
  const receiver = createBounceReceiver({ db, keys, log, checkEditions, domain, readMail: readReturnedMail })
  return openBounceListener({
    ...address,
    name: domain,
    accepts: receiver.accepts,
    receive: receiver.receive,
    onError: (error) => log.error({ error: describeError(error) }, 'the feedback in a message could not be stored'),
  })
}
