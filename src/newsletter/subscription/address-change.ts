/**
 * Changing the address: the new one confirms, then the subscription moves there, and the old one is told and can undo it. Each
 * address stays a subscriber of its own, so that no link which one of them was sent reaches the other.
 */
import { DEFAULT_NAME } from '../../core/branding/service-name.ts'
import { DAY } from '../../core/calendar.ts'
import { addressHash, addressHashes } from '../../core/subscriber/address-hash.ts'
import { type ConsentOrigin, confirmedWording } from '../../core/subscriber/consent.ts'
import { nextDue } from '../../core/subscriber/due.ts'
import { mailboxKey } from '../../core/subscriber/mailbox.ts'
import { maskAddress } from '../../core/subscriber/masked-address.ts'
import { isSubscribed, type Preferences } from '../../core/subscriber/preferences.ts'
import { keyedHash, provesToken, readTokenId } from '../../core/token.ts'
import { storeConsent } from '../../store/consent.ts'
import type { Database } from '../../store/database.ts'
import { forgetMoves, moveSubscription } from '../../store/moved-subscriptions.ts'
import { readLetter } from '../../store/outbox/mail-records.ts'
import { endLetters, storeLetter, useLetter } from '../../store/outbox/outbox.ts'
import { forgetLetterLimits } from '../../store/sign-ups.ts'
import { activate, preferencesOf, raiseEpoch, readSubscriber, type Subscriber } from '../../store/subscribers.ts'
import { forgetErased } from '../../store/suppressions.ts'
import type { Ended } from './account-link.ts'
import { CONFIRM_WITHIN } from './confirmation.ts'
import { LIMITS_UNTIL_CONFIRMED } from './sign-up.ts'
import { type AddressedSubscriber, type LinkPorts, readAddressed, readMoving } from './token-owner.ts'

/** A change of address can be undone this long, milliseconds. */
const UNDO_WITHIN = 7 * DAY

/** Where a subscription moves, as the link in the letter to the new address shows it. */
export interface AddressChange {
  /** The new address, masked. */
  email: string
  preferences: Preferences
  /** Whether the link was used, and the subscription is there. */
  confirmed: boolean
}

/** `null`: the link is unknown or dead. */
export const readAddressChange = async ({ db, ...ports }: LinkPorts, token: string): Promise<AddressChange | null> => {
  const found = await findAddressChange(db, ports, token)
  return found === null ? null : addressChangeOf(found)
}

/** Moves the subscription to the new address, and owes the old one a letter. A second press changes nothing. */
export const confirmAddressChange = (
  { db, ...ports }: LinkPorts,
  token: string,
  origin: ConsentOrigin,
): Promise<AddressChange | null> =>
  db.transaction().execute(async (trx) => {
    const found = await findAddressChange(trx, ports, token, true)
    if (found === null || found.from === null) return found && addressChangeOf(found)
    const { from, to, letter } = found
    const at = ports.now()
    await useLetter(trx, letter.id, at)
    await moveSubscription(trx, from, to.id, at)
    await storeLetter(trx, { subscriberId: from.id, kind: 'address-changed', digestId: null, requestedAt: at })
    await recordMove(trx, ports, { from, to }, { origin, letter, at })
    await forgetLetterLimits(trx, keyedHash(ports.keys, mailboxKey(to.email)), LIMITS_UNTIL_CONFIRMED)
    return { ...addressChangeOf(found), confirmed: true }
  })

/** The record of consent: the new address has asked for the mail, and the old one gets no more. */
const recordMove = async (
  trx: Database,
  { keys, serviceName = DEFAULT_NAME }: Pick<LinkPorts, 'keys' | 'serviceName'>,
  { from, to }: { from: AddressedSubscriber; to: AddressedSubscriber },
  { origin, letter, at }: { origin: ConsentOrigin; letter: FoundChange['letter']; at: Date },
): Promise<void> => {
  await storeConsent(trx, {
    at,
    event: 'confirmed',
    subscriberId: to.id,
    addressHash: addressHash(keys, to.email),
    origin,
    wording: confirmedWording(serviceName),
    preferences: preferencesOf(from),
    letterId: letter.id,
    requestedAt: letter.requestedAt,
  })
  await storeConsent(trx, {
    at,
    event: 'unsubscribed',
    subscriberId: from.id,
    addressHash: addressHash(keys, from.email),
    origin: { source: 'address change', form: origin.form, client: null },
  })
  await forgetErased(trx, addressHashes(keys, to.email))
}

interface FoundChange {
  /** Whose subscription moves; `null` once it has. */
  from: AddressedSubscriber | null
  to: AddressedSubscriber
  letter: { id: string; requestedAt: Date }
}

const addressChangeOf = ({ from, to }: FoundChange): AddressChange => ({
  email: maskAddress(to.email),
  preferences: preferencesOf(from ?? to),
  confirmed: from === null,
})

/**
 * What the link in the letter to a new address names while it works: for seven days, until the one who moves renews their
 * links, and while the new address has not subscribed in another way. The older subscriber is locked first.
 */
const findAddressChange = async (
  trx: Database,
  { keys, now }: Omit<LinkPorts, 'db'>,
  token: string,
  lock = false,
): Promise<FoundChange | null> => {
  const id = readTokenId(token)
  if (id === null || !provesToken(keys, 'address', token)) return null
  const asked = await readLetter(trx, id)
  if (asked === undefined || asked.kind !== 'new-address' || asked.moves === null) return null
  const from = await readMoving(trx, asked.moves, lock)
  const to = await readAddressed(trx, asked.subscriber_id, lock)
  const letter = await readLetter(trx, id)
  if (to === null || letter === undefined) return null
  const sent = { id, requestedAt: letter.requested_at }
  if (letter.used_at !== null)
    return isSubscribed(to.state) && to.moved_from === asked.moves.subscriberId
      ? { from: null, to, letter: sent }
      : null
  const inTime = now().getTime() - letter.requested_at.getTime() <= CONFIRM_WITHIN
  return from !== null && to.state === 'pending' && inTime ? { from, to, letter: sent } : null
}

/** What the link in the letter to the old address shows: that address, masked. */
export const readAddressUndo = async (
  { db, ...ports }: LinkPorts,
  token: string,
): Promise<{ email: string } | Ended | null> => {
  const found = await findAddressUndo(db, ports, token)
  return found === null || found === 'ended' ? found : { email: maskAddress(found.owner.email) }
}

/**
 * Brings a subscription back to the address that it had, from wherever it is now, and ends what was sent of later changes. If
 * it has been stopped meanwhile, it begins again here with what it had.
 */
export const undoAddressChange = (
  { db, ...ports }: LinkPorts,
  token: string,
  origin: ConsentOrigin,
): Promise<{ email: string } | Ended | null> =>
  db.transaction().execute(async (trx) => {
    const found = await findAddressUndo(trx, ports, token, true)
    if (found === null || found === 'ended') return found
    const at = ports.now()
    const { owner, letterId } = found
    if (!(await useLetter(trx, letterId, at))) return 'ended'
    const later = await followMoves(trx, owner)
    const end = later.at(-1)
    const laterIds = later.map(({ id }) => id)
    await endLetters(trx, [owner.id, ...laterIds], 'address-changed', at)
    if (end !== undefined && isSubscribed(end.state)) await moveSubscription(trx, end, owner.id, at)
    else await beginAgain(trx, owner, at)
    await forgetMoves(trx, laterIds, owner)
    // Whoever changed the address had a link of this reader's.
    await raiseEpoch(trx, owner.id)
    await storeConsent(trx, {
      at,
      event: 'confirmed',
      subscriberId: owner.id,
      addressHash: addressHash(ports.keys, owner.email),
      origin,
    })
    return { email: maskAddress(owner.email) }
  })

const beginAgain = async (trx: Database, owner: Subscriber, at: Date): Promise<void> => {
  const due = nextDue(preferencesOf(owner), at, { date: owner.last_local_date, at: owner.last_due_at })
  await activate(trx, owner.id, at, due)
}

/** Those to whom a subscription moved, one after the other, locked. */
const followMoves = async (trx: Database, from: Subscriber): Promise<Subscriber[]> => {
  const moved: Subscriber[] = []
  const seen = new Set([from.id])
  for (let next = from.moved_to; next !== null && !seen.has(next); ) {
    seen.add(next)
    const subscriber = await readSubscriber(trx, { id: next }, true)
    if (subscriber === undefined) return moved
    moved.push(subscriber)
    next = subscriber.moved_to
  }
  return moved
}

/** `ended`: undone, too old, or the address has a subscription again. */
const findAddressUndo = async (
  trx: Database,
  { keys, now }: Omit<LinkPorts, 'db'>,
  token: string,
  lock = false,
): Promise<{ owner: AddressedSubscriber; letterId: string } | Ended | null> => {
  const id = readTokenId(token)
  if (id === null || !provesToken(keys, 'undo', token)) return null
  const letter = await readLetter(trx, id)
  if (letter === undefined || letter.kind !== 'address-changed') return null
  const owner = await readAddressed(trx, letter.subscriber_id, lock)
  if (owner === null) return null
  const inTime = now().getTime() - letter.requested_at.getTime() <= UNDO_WITHIN
  const hasLeft = owner.state === 'unsubscribed' || owner.state === 'pending'
  return inTime && hasLeft && letter.used_at === null ? { owner, letterId: id } : 'ended'
}
