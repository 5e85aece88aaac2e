/** Confirming a subscription by the link of a confirmation: it makes the subscriber active and owes them a welcome. */
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
import { type NewDigest, storeDigests } from '../../store/digests.ts'
import { storeOnlyGroups } from '../../store/groups.ts'
import { readLetter } from '../../store/outbox/mail-records.ts'
import { storeLetter } from '../../store/outbox/outbox.ts'
import { forgetLetterLimits } from '../../store/sign-ups.ts'
import { activate, pointToWelcome, preferencesOf, storePreferences, withPreferences } from '../../store/subscribers.ts'
import { forgetErased, unsuppress } from '../../store/suppressions.ts'
import { tellInWelcome } from '../../store/told-changes.ts'
import { joinGroup } from '../group-invitations.ts'
import type { CandidateCache } from '../publishing/candidate-cache.ts'
import { composeWelcome, isSameWelcome } from '../publishing/welcome.ts'
import { LIMITS_UNTIL_CONFIRMED } from './sign-up.ts'
import { type AddressedSubscriber, type LinkPorts, readAddressed } from './token-owner.ts'

/** A confirmation link works for this long after it was asked for, milliseconds. */
export const CONFIRM_WITHIN = 7 * DAY

/** `null`: the link confirms nothing (any more). `confirmed`: it has been used, and the subscription stands. */
export const readConfirmation = async (
  { db, ...ports }: LinkPorts,
  token: string,
): Promise<{ email: string; preferences: Preferences; confirmed: boolean } | null> => {
  const found = await findConfirmation(db, ports, token)
  if (found === null) return null
  const { subscriber, confirmed } = found
  return { email: maskAddress(subscriber.email), preferences: preferencesOf(subscriber), confirmed }
}

/**
 * Of a confirmation's link that is too old, or whose subscription ended: `email`, masked, while its request is
 * stored and can be made again, else `null`. `null` as a whole for every other link, and for one that is still good.
 */
export const readExpiredConfirmation = async (
  ports: LinkPorts,
  token: string,
): Promise<{ email: string | null } | null> => {
  const { db, keys } = ports
  if (!provesToken(keys, 'confirm', token) || (await findConfirmation(db, ports, token)) !== null) return null
  const request = await findExpiredRequest(ports, token)
  return { email: request === null ? null : maskAddress(request.email) }
}

/** What to ask for again by a confirmation's link that is too old; `null` once the request is forgotten, or answered. */
export const findExpiredRequest = async (
  ports: LinkPorts,
  token: string,
): Promise<{ email: string; preferences: Preferences; groupId: string | null } | null> => {
  const named = await findNamed(ports.db, ports.keys, token)
  if (named === null || named.subscriber.state !== 'pending' || isInTime(named.letter, ports.now())) return null
  const { letter, subscriber } = named
  const { preferences, group_id: groupId } = letter
  return { email: subscriber.email, preferences: preferences ?? preferencesOf(subscriber), groupId }
}

export interface ConfirmationPorts extends LinkPorts {
  candidates: Pick<CandidateCache, 'welcome'>
}

/** What of the preferences can be set while confirming. */
export type ConfirmedTime = Pick<Preferences, 'hour' | 'timeZone'>

/**
 * `already`: the link was used before, and nothing is changed. `null`: the link is unknown or dead. The welcome is composed
 * beforehand, so that the transaction only stores; it is composed anew there for a reader who changed something meanwhile.
 * `origin`: for the record of consent; `time`: instead of what was asked with the confirmation.
 */
export const confirm = async (
  { db, candidates, ...ports }: ConfirmationPorts,
  token: string,
  origin: ConsentOrigin,
  time: ConfirmedTime | null = null,
): Promise<'confirmed' | 'already' | null> => {
  const atTime = (found: FoundConfirmation): AddressedSubscriber =>
    time === null
      ? found.subscriber
      : withPreferences(found.subscriber, { ...preferencesOf(found.subscriber), ...time })
  const before = await findConfirmation(db, ports, token)
  if (before === null) return null
  if (before.confirmed) return 'already'
  const pool = await candidates.welcome()
  const at = ports.now()
  const composed = await composeWelcome(db, pool, atTime(before), at)
  return db.transaction().execute(async (trx) => {
    const found = await findConfirmation(trx, ports, token, true)
    if (found === null) return null
    if (found.confirmed) return 'already'
    const subscriber = atTime(found)
    const welcome = isSameWelcome(atTime(before), subscriber)
      ? composed
      : await composeWelcome(trx, pool, subscriber, at)
    await storeConfirmed(trx, subscriber, welcome, at)
    if (found.letter.groupId !== null) await joinAsNewcomer(trx, subscriber.id, found.letter.groupId, at)
    await storeConsent(trx, {
      at,
      event: 'confirmed',
      subscriberId: subscriber.id,
      addressHash: addressHash(ports.keys, subscriber.email),
      origin,
      wording: confirmedWording(ports.serviceName ?? DEFAULT_NAME),
      preferences: preferencesOf(subscriber),
      letterId: found.letter.id,
      requestedAt: found.letter.requestedAt,
    })
    // Whoever was erased and came back may be mailed again.
    await forgetErased(trx, addressHashes(ports.keys, subscriber.email))
    await forgetLetterLimits(trx, keyedHash(ports.keys, mailboxKey(subscriber.email)), LIMITS_UNTIL_CONFIRMED)
    return 'confirmed'
  })
}

/** Makes a locked subscriber active and owes them their welcome. */
const storeConfirmed = async (
  trx: Database,
  subscriber: AddressedSubscriber,
  welcome: NewDigest,
  at: Date,
): Promise<void> => {
  const due = nextDue(preferencesOf(subscriber), at, { date: subscriber.last_local_date, at })
  await activate(trx, subscriber.id, at, due)
  await storePreferences(trx, subscriber.id, preferencesOf(subscriber), due)
  const [stored] = await storeDigests(trx, [welcome])
  if (stored === undefined) throw new Error('a welcome was not stored')
  await pointToWelcome(trx, subscriber.id, { digestId: stored.id, cutoff: welcome.cutoff }, at)
  const letter = { subscriberId: subscriber.id, kind: 'welcome', digestId: stored.id, requestedAt: at } as const
  await tellInWelcome(trx, await storeLetter(trx, letter))
  // An address that could confirm has no other suppression than a complaint's: see `answerSignUps`.
  await unsuppress(trx, subscriber.email, { whom: 'reader', why: 'subscribed and confirmed again' })
}

/** They get what the group brings, and by their own topics nothing besides; where it is gone or full, these are what they get. */
const joinAsNewcomer = async (trx: Database, id: string, groupId: string, at: Date): Promise<void> => {
  if ((await joinGroup(trx, id, groupId, at)) === 'joined') await storeOnlyGroups(trx, id, true)
}

interface FoundConfirmation {
  subscriber: AddressedSubscriber
  confirmed: boolean
  letter: { id: string; requestedAt: Date; groupId: string | null }
}

/**
 * The subscriber whom a confirmation's token names while the link works: seven days, and never to subscribe again. Before
 * it was used, with the preferences that the confirmation was asked with, which may not be stored yet.
 */
const findConfirmation = async (
  trx: Database,
  { keys, now }: Omit<LinkPorts, 'db'>,
  token: string,
  lock = false,
): Promise<FoundConfirmation | null> => {
  const named = await findNamed(trx, keys, token, lock)
  if (named === null) return null
  const { letter, subscriber } = named
  const sent = { id: letter.id, requestedAt: letter.requested_at, groupId: letter.group_id }
  const confirmed = subscriber.confirmed_at !== null && subscriber.confirmed_at >= letter.requested_at
  if (confirmed) return isSubscribed(subscriber.state) ? { subscriber, confirmed, letter: sent } : null
  if (subscriber.state !== 'pending' || !isInTime(letter, now())) return null
  const { preferences } = letter
  const asked = preferences === null ? subscriber : withPreferences(subscriber, preferences)
  return { subscriber: asked, confirmed, letter: sent }
}

type Letter = NonNullable<Awaited<ReturnType<typeof readLetter>>>

const isInTime = (letter: Letter, now: Date): boolean => now.getTime() - letter.requested_at.getTime() <= CONFIRM_WITHIN

/** The confirmation that a token proves, and its subscriber, whatever became of both. */
const findNamed = async (
  trx: Database,
  keys: LinkPorts['keys'],
  token: string,
  lock = false,
): Promise<{ letter: Letter; subscriber: AddressedSubscriber } | null> => {
  const id = readTokenId(token)
  if (id === null || !provesToken(keys, 'confirm', token)) return null
  const letter = await readLetter(trx, id)
  if (letter === undefined || letter.kind !== 'confirmation') return null
  const subscriber = await readAddressed(trx, letter.subscriber_id, lock)
  return subscriber === null ? null : { letter, subscriber }
}
