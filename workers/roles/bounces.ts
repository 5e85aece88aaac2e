/** The role `bounces`: takes mail that comes back. */
import { openBounceListener } from '../../src/adapters/bounces/bounce-listener.ts'
import { readReturnedMail } from '../../src/adapters/bounces/returned-mail.ts'
import { describeFault } from '../../src/core/redact.ts'
import { createDoor, createWatch } from '../../src/newsletter/bounces.ts'
import type { Config } from '../config.ts'
import type { Stage } from './context.ts'

/** Listens; rejects where the port is taken. */
export const openBounces = (
  { ground: { keys, log }, db }: Stage,
  where: NonNullable<Config['bounces']>,
  domain: string,
): Promise<{ port: number; close(): Promise<void> }> => {
  const watch = createWatch({ db, log }, () => performance.now())
  const door = createDoor({ db, keys, log, watch, domain, readMail: readReturnedMail })
  return openBounceListener({
    ...where,
    name: domain,
    accepts: door.accepts,
    receive: door.receive,
    onError: (error) => log.error({ trouble: describeFault(error) }, 'a message that came back could not be taken'),
  })
}
