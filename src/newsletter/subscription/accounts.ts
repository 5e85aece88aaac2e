/** What the pages behind account links can do; each letter they owe is sent at once. */
import { type Account, type Ended, readAccount, renewLinks, requestAccountLink } from './account-link.ts'
import type { LinkPorts } from './token-owner.ts'

/** `null` always means: that link is unknown, altered, of another purpose or dead; `ended`: it was used, or is too old. */
export interface Accounts {
  /** Mails an account link to the owner of a preferences link, if they may have one now; `false`: a dead link. */
  requestLink(preferencesToken: string): Promise<boolean>
  read(token: string): Promise<Account | Ended | null>
  renewLinks(token: string): Promise<'renewed' | Ended | null>
}

export interface AccountPorts extends LinkPorts {
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
})
