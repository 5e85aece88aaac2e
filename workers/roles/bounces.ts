/** The role `bounces`: receives bounces and complaints. */
import { openBounceListener } from '../../src/adapters/bounces/bounce-listener.ts'
import { readReturnedMail } from '../../src/adapters/bounces/returned-mail.ts'
import { describeError } from '../../src/core/redact.ts'
import { createBounceReceiver } from '../../src/newsletter/feedback/bounce-receiver.ts'
import { createEditionCheck } from '../../src/newsletter/feedback/edition-alarm.ts'
import type { Config } from '../config/config.ts'
import type { RoleContext } from './context.ts'

/** Listens; rejects where the port is taken. */
export const openBounces = (
  { runtime: { keys, log }, db }: RoleContext,
  where: NonNullable<Config['bounces']>,
  domain: string,
): Promise<{ port: number; close(): Promise<void> }> => {
  const checkEditions = createEditionCheck({ db, log }, () => performance.now())
  const receiver = createBounceReceiver({ db, keys, log, checkEditions, domain, readMail: readReturnedMail })
  return openBounceListener({
    ...where,
    name: domain,
    accepts: receiver.accepts,
    receive: receiver.receive,
    onError: (error) => log.error({ error: describeError(error) }, 'the feedback in a message could not be stored'),
  })
}
