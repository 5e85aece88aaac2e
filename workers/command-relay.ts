/** Where a command sends a mail of its own: to the relay of the settings, else into the embedded mailbox. */
import { readFile } from 'node:fs/promises'
import { smtpUrlFile } from '../src/adapters/mailbox/mailbox.ts'
import type { Config } from './config/config.ts'
import { mailboxFolder } from './forget-mails.ts'

/** Beside a running service its mailbox; without one a mailbox of the command's own, on the same folder. */
export const openCommandRelay = async (
  config: Config,
  { serviceRuns, now }: { serviceRuns: boolean; now: () => Date },
): Promise<{ url: string } & AsyncDisposable> => {
  const nothing = async () => undefined
  if (config.smtpUrl !== null) return { url: config.smtpUrl, [Symbol.asyncDispose]: nothing }
  const folder = mailboxFolder(config)
  const running = serviceRuns ? await readFile(smtpUrlFile(folder), 'utf8').catch(() => null) : null
  if (running !== null) return { url: running, [Symbol.asyncDispose]: nothing }
  const { openMailbox } = await import('../src/adapters/mailbox/mailbox.ts')
  const mailbox = await openMailbox({ httpPort: 0, folder, now })
  return { url: mailbox.smtpUrl, [Symbol.asyncDispose]: () => mailbox.close() }
}
