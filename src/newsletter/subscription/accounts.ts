/** What the pages behind account links can do; each letter they owe is sent at once. */
import {
  type Account,
  type AccountData,
  type Ended,
  eraseAccount,
  readAccount,
  renewLinks,
  requestAccountLink,
  takeData,
} from './account-link.ts'
import type { ErasurePorts } from './personal-data.ts'
import { consentOrigin, type Origin } from './subscription.ts'

/** `null` always means: that link is unknown, altered, of another purpose or dead; `ended`: it was used, or is too old. */
export interface Accounts {
  /** Mails an account link to the owner of a preferences link, if they may have one now; `false`: a dead link. */
  requestLink(preferencesToken: string): Promise<boolean>
  read(token: string): Promise<Account | Ended | null>
  renewLinks(token: string): Promise<'renewed' | Ended | null>
  /** Everything that is held of the link's owner. */
  takeData(token: string): Promise<AccountData | Ended | null>
  /** Erases all of it, for good. */
  erase(token: string, origin: Origin): Promise<'erased' | Ended | null>
}

export interface AccountPorts extends ErasurePorts {
  /** Wakes the mailers; a failure costs a minute at most. */
  wake: (queueName: 'letters') => Promise<void>
}

export const createAccounts = ({ wake, ...ports }: AccountPorts): Accounts => ({
  async requestLink(preferencesToken) {
    const known = await requestAccountLink(ports, preferencesToken)
    if (known) await wake('letters')
    return known
  },
  read: (token) => readAccount(ports, token),
  async renewLinks(token) {
    const outcome = await renewLinks(ports, token)
    if (outcome === 'renewed') await wake('letters')
    return outcome
  },
  takeData: (token) => takeData(ports, token),
  erase: (token, origin) => eraseAccount(ports, token, consentOrigin(origin)),
})
