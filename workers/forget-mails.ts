/** The folder of the embedded mailbox, and the deletion of what it keeps for somebody who is erased. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { deleteMailTo } from '../src/adapters/mailbox/mail-folder.ts'
import { SECOND } from '../src/core/calendar.ts'
import type { ErasurePorts } from '../src/newsletter/subscription/personal-data.ts'
import type { Config } from './config/config.ts'

/** A mail that was claimed before begins within two seconds or not at all (`newsletter/sending/delivery`). */
const LAST_MAIL_IN = 3 * SECOND

export const mailboxFolder = ({ dataDir }: Pick<Config, 'dataDir'>): string => join(dataDir, 'mailbox')

/** Returns what deletes all mail to an address from the embedded mailbox, and that which was under way as well. */
export const createForgetMails =
  (config: Pick<Config, 'dataDir'>): NonNullable<ErasurePorts['forgetMails']> =>
  async (email, underWay) => {
    await deleteMailTo(mailboxFolder(config), email)
    if (!underWay) return
    await delay(LAST_MAIL_IN)
    await deleteMailTo(mailboxFolder(config), email)
  }
