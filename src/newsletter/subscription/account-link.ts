/**
 * What a reader does by an account link: a fresh link to their inbox that works once, for a quarter of an hour. It reaches
 * what the links of digests do not, since these are forwarded: the address in clear, changing it, renewing the links, and
 * the data.
 */
import { MINUTE } from '../../core/calendar.ts'
import type { ConsentOrigin } from '../../core/subscriber/consent.ts'
import { isSubscribed, type SubscriberState } from '../../core/subscriber/preferences.ts'
import { provesToken, readTokenId } from '../../core/token.ts'
import type { Database } from '../../store/database.ts'
import { countLetters, readLetter } from '../../store/outbox/mail-records.ts'
import { renewWaitingLetter, storeLetter, useLetter } from '../../store/outbox/outbox.ts'
import { raiseEpoch, readSubscriber } from '../../store/subscribers.ts'
import { type ErasurePorts, erase, exportPersonalData, type PersonalData } from './personal-data.ts'
import { type AddressedSubscriber, findTokenOwner, type LinkPorts, readAddressed } from './token-owner.ts'

/** An account link works for this long after it was asked for, milliseconds. */
export const ACCOUNT_WITHIN = 15 * MINUTE

/** Account letters in a day and in 30 days: whoever has a forwarded digest can ask for them. */
const MOST_A_DAY = 3
const MOST_A_MONTH = 10

/** The link was ours, and was used or has expired. */
export type Ended = 'ended'

export interface Account {
  email: string
  state: SubscriberState
  /** Whether digests are sent, so that there is an address to change. */
  subscribed: boolean
}

/**
 * Owes the owner of a preferences link a letter with an account link, unless they had as many as they may; one that waits
 * counts as asked for now. `false`: the preferences link is unknown or dead.
 */
export const requestAccountLink = ({ db, keys, now }: LinkPorts, preferencesToken: string): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'preferences', preferencesToken, true)
    if (owner === null) return false
    if (await renewWaitingLetter(trx, owner.id, 'account', now())) return true
    const { day, month } = await countLetters(trx, owner.id, 'account')
    if (day < MOST_A_DAY && month < MOST_A_MONTH)
      await storeLetter(trx, { subscriberId: owner.id, kind: 'account', digestId: null, requestedAt: now() })
    return true
  })

/** What an account link shows; it may be opened again and again until it is used. `null`: unknown or dead. */
export const readAccount = async ({ db, ...ports }: LinkPorts, token: string): Promise<Account | Ended | null> => {
  const found = await findAccount(db, ports, token)
  if (found === null || found === 'ended') return found
  const { email, state } = found.owner
  return { email, state, subscribed: isSubscribed(state) }
}

/** Uses an account link up for one act on its locked owner. */
export const useAccountLink = <T>(
  { db, ...ports }: LinkPorts,
  token: string,
  act: (trx: Database, owner: AddressedSubscriber) => Promise<T>,
): Promise<T | Ended | null> =>
  db.transaction().execute(async (trx) => {
    const found = await findAccount(trx, ports, token, true)
    if (found === null || found === 'ended') return found
    return (await useLetter(trx, found.letterId, ports.now())) ? act(trx, found.owner) : 'ended'
  })

/**
 * Renews the links: those to settings, to digests in the browser and to the account that were sent before do not work any
 * more, and a letter with new ones is owed. Those that stop mail go on working.
 */
export const renewLinks = (ports: LinkPorts, token: string): Promise<'renewed' | Ended | null> =>
  useAccountLink<'renewed'>(ports, token, async (trx, owner) => {
    await raiseEpoch(trx, owner.id)
    await storeLetter(trx, { subscriberId: owner.id, kind: 'links', digestId: null, requestedAt: ports.now() })
    return 'renewed'
  })

/** What is held of a reader; `before` is what is held of the address that they had before they changed it. */
export type AccountData = PersonalData & { before: AccountData | null }

const readData = async (ports: LinkPorts, [id, ...before]: readonly string[]): Promise<AccountData | null> => {
  const data = id === undefined ? null : await exportPersonalData(ports, { id })
  return data && { ...data, before: await readData(ports, before) }
}

/** A subscriber, and those that they were before they changed their address, the newest first. */
const withFormer = async (db: Database, owner: AddressedSubscriber): Promise<string[]> => {
  const ids = [owner.id]
  for (let from = owner.moved_from; from !== null && !ids.includes(from); ) {
    ids.push(from)
    from = (await readSubscriber(db, { id: from }))?.moved_from ?? null
  }
  return ids
}

/** Uses an account link up for everything that is held of its owner. */
export const takeData = (ports: LinkPorts, token: string): Promise<AccountData | Ended | null> =>
  useAccountLink(ports, token, async (trx, owner) => {
    const data = await readData({ ...ports, db: trx }, await withFormer(trx, owner))
    if (data === null) throw new Error('nothing is held of a subscriber')
    return data
  })

/**
 * Erases the owner of an account link, with the addresses that they had before. The letter of the link goes with the rest,
 * so it need not be used up first, and can be pressed again after an outage.
 */
export const eraseAccount = async (
  ports: ErasurePorts,
  token: string,
  origin: ConsentOrigin,
): Promise<'erased' | Ended | null> => {
  const found = await findAccount(ports.db, ports, token)
  if (found === null || found === 'ended') return found
  // The owner last, so that the link works until all is done.
  for (const id of (await withFormer(ports.db, found.owner)).reverse()) await erase(ports, { id }, origin)
  return 'erased'
}

/** The letters that hold such a link. */
const HOLD_ACCOUNT_LINKS: readonly string[] = ['account', 'links']

const findAccount = async (
  trx: Database,
  { keys, now }: Omit<LinkPorts, 'db'>,
  token: string,
  lock = false,
): Promise<{ owner: AddressedSubscriber; letterId: string } | Ended | null> => {
  const id = readTokenId(token)
  if (id === null) return null
  const letter = await readLetter(trx, id)
  if (letter === undefined || !HOLD_ACCOUNT_LINKS.includes(letter.kind)) return null
  const owner = await readAddressed(trx, letter.subscriber_id, lock)
  if (owner === null || !provesToken(keys, 'account', token, owner.epoch)) return null
  const expired = now().getTime() - letter.requested_at.getTime() > ACCOUNT_WITHIN
  return expired || letter.used_at !== null ? 'ended' : { owner, letterId: id }
}
