/** What the pages behind account links can do; each letter they owe is sent at once. */
import type { Challenge } from '../../core/subscriber/proof-of-work.ts'
import {
  type Account,
  type AccountData,
  type Ended,
  eraseAccount,
  readAccount,
  renewLinks,
  requestAccountLink,
  takeData,
  useAccountLink,
} from './account-link.ts'
import {
  type AddressChange,
  confirmAddressChange,
  readAddressChange,
  readAddressUndo,
  undoAddressChange,
} from './address-change.ts'
import { consentOrigin, type Origin, type SubscriptionPorts, takeRequest } from './subscription.ts'

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
  /**
   * Asks for the subscription to go to another address, whatever is known of that: what follows comes to it by mail, under
   * the limits of sign-ups. `held`: as for those.
   */
  changeAddress(token: string, email: string, origin: Origin): Promise<{ held: Challenge | null } | Ended | null>
  readAddressChange(token: string): Promise<AddressChange | null>
  confirmAddressChange(token: string, origin: Origin): Promise<AddressChange | null>
  readAddressUndo(token: string): Promise<{ email: string } | Ended | null>
  undoAddressChange(token: string, origin: Origin): Promise<{ email: string } | Ended | null>
}

export const createAccounts = ({ wake, ...ports }: SubscriptionPorts): Accounts => ({
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
  async changeAddress(token, email, origin) {
    const outcome = await useAccountLink(ports, token, async (trx, { id, epoch }) => {
      const moves = { subscriberId: id, epoch }
      return {
        held: await takeRequest({ ...ports, db: trx }, { kind: 'move', email, preferences: null, moves }, origin),
      }
    })
    if (outcome !== null && outcome !== 'ended' && outcome.held === null) await wake('letters')
    return outcome
  },
  readAddressChange: (token) => readAddressChange(ports, token),
  async confirmAddressChange(token, origin) {
    const changed = await confirmAddressChange(ports, token, consentOrigin(origin))
    if (changed !== null) await wake('letters')
    return changed
  },
  readAddressUndo: (token) => readAddressUndo(ports, token),
  undoAddressChange: (token, origin) => undoAddressChange(ports, token, consentOrigin(origin)),
})
