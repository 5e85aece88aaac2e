/** What a reader does by the links that stop mail: unsubscribe, get less, or opt out of all mail. */
import { HOUR } from '../../core/calendar.ts'
import { addressHash } from '../../core/subscriber/address-hash.ts'
import type { ConsentOrigin } from '../../core/subscriber/consent.ts'
import { maskAddress } from '../../core/subscriber/masked-address.ts'
import {
  type DigestSize,
  type Frequency,
  isSubscribed,
  type Preferences,
  type SubscriberState,
} from '../../core/subscriber/preferences.ts'
import { storeConsent } from '../../store/consent.ts'
import type { BeforeReduction } from '../../store/database.ts'
import {
  preferencesOf,
  type Subscriber,
  stopMail,
  storeBeforeReduction,
  undoReduction,
} from '../../store/subscribers.ts'
import { suppress } from '../../store/suppressions.ts'
import { applyPause, applyPreferences, dueBy } from './preferences.ts'
import { type AddressedSubscriber, findTokenOwner, type LinkPorts } from './token-owner.ts'

/**
 * What a press of the unsubscribe link did can be undone this long, milliseconds: by whoever sees that it was a mistake, and
 * not by a stranger with an old digest.
 */
const UNDO_WITHIN = HOUR

/** What the page of an unsubscribe link shows. */
export interface OfferedStop {
  email: string
  state: SubscriberState
  frequency: Frequency
  /** Whether what stands out comes at once, between weekly digests. */
  atOnce: boolean
  /** The most papers of a digest; `null` for as many as are usual. */
  papers: DigestSize | null
  /** Whether what the link did last can be undone. */
  undoable: boolean
}

/** `null`, here and below: the link is unknown or dead. Addresses are masked: it may have been forwarded. */
export const readUnsubscription = async ({ db, keys, now }: LinkPorts, token: string): Promise<OfferedStop | null> => {
  const owner = await findTokenOwner(db, keys, 'unsubscribe', token)
  if (owner === null) return null
  const { state, frequency, digest_papers: papers } = owner
  const atOnce = frequency === 'weekly' && owner.at_once
  const undoable = reductionOf(owner, now()) !== null
  return { email: maskAddress(owner.email), state, frequency, atOnce, papers, undoable }
}

/** What the last press took away, if that can still be undone. */
const reductionOf = ({ state, before_reduction: before }: AddressedSubscriber, now: Date): BeforeReduction | null => {
  if (before === null || (state !== 'unsubscribed' && !isSubscribed(state))) return null
  return now.getTime() - Date.parse(before.at) <= UNDO_WITHIN ? before : null
}

const beforeReduction = ({ state, frequency, at_once, paused_until }: Subscriber, now: Date): BeforeReduction => ({
  at: now.toISOString(),
  state: state === 'paused' ? 'paused' : 'active',
  frequency,
  atOnce: at_once,
  pausedUntil: paused_until,
})

/** Stops all digests at once; a second time it gives the same answer and changes nothing. `origin`: for the record. */
export const unsubscribe = (
  { db, keys, now }: LinkPorts,
  token: string,
  origin: ConsentOrigin,
): Promise<'unsubscribed' | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'unsubscribe', token, true)
    if (owner === null) return null
    // A confirmation that is under way is called off too: a reader who presses this wants no mail.
    if (isSubscribed(owner.state) || owner.state === 'pending') {
      const before = owner.state === 'pending' ? null : beforeReduction(owner, now())
      await stopMail(trx, owner.id, 'unsubscribed')
      await storeBeforeReduction(trx, owner.id, before)
      await storeConsent(trx, {
        at: now(),
        event: 'unsubscribed',
        subscriberId: owner.id,
        addressHash: addressHash(keys, owner.email),
        // From where somebody leaves is nobody's business.
        origin: { ...origin, client: null },
      })
    }
    return 'unsubscribed'
  })

/** When digests come after a reader has asked for fewer. */
export interface ReducedMail {
  preferences: Preferences
  /** The first local date with mail again, `YYYY-MM-DD`; `null` unless paused. */
  pausedUntil: string | null
}

/** Weekly instead of daily, or without what comes at once; or a pause, by the unsubscribe link: it can only reduce mail. */
export const reduceMail = (
  { db, keys, now }: LinkPorts,
  token: string,
  to: { frequency: 'weekly' } | { pauseUntil: string },
): Promise<ReducedMail | 'not-subscribed' | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'unsubscribe', token, true)
    if (owner === null) return null
    if (!isSubscribed(owner.state)) return 'not-subscribed'
    const [present, paused] = [preferencesOf(owner), owner.paused_until]
    if ('frequency' in to) {
      const preferences: Preferences = { ...present, frequency: 'weekly', atOnce: false }
      if (present.frequency !== 'weekly' || present.atOnce) {
        await applyPreferences(trx, owner, preferences, now())
        await storeBeforeReduction(trx, owner.id, beforeReduction(owner, now()))
      }
      return { preferences, pausedUntil: paused }
    }
    // A pause that ends sooner than the present one would bring more mail, not less.
    if (paused !== null && paused >= to.pauseUntil) return { preferences: present, pausedUntil: paused }
    await applyPause(trx, owner, to.pauseUntil, now())
    await storeBeforeReduction(trx, owner.id, beforeReduction(owner, now()))
    return { preferences: present, pausedUntil: to.pauseUntil }
  })

/**
 * Undoes what the unsubscribe link did last: digests come as they came before, of the same topics. `too-late`: nothing was
 * taken away, or too long ago. `origin`: for the record, where somebody is subscribed again.
 */
export const undoReduced = (
  { db, keys, now }: LinkPorts,
  token: string,
  origin: ConsentOrigin,
): Promise<ReducedMail | 'too-late' | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'unsubscribe', token, true)
    if (owner === null) return null
    const at = now()
    const before = reductionOf(owner, at)
    if (before === null) return 'too-late'
    const { state, pausedUntil, frequency, atOnce = owner.at_once } = before
    const preferences: Preferences = { ...preferencesOf(owner), frequency, atOnce }
    await undoReduction(
      trx,
      owner.id,
      { state, pausedUntil, frequency, atOnce },
      dueBy(preferences, owner, pausedUntil, at),
    )
    if (owner.state === 'unsubscribed')
      await storeConsent(trx, {
        at,
        event: 'confirmed',
        subscriberId: owner.id,
        addressHash: addressHash(keys, owner.email),
        origin,
      })
    return { preferences, pausedUntil }
  })

/** Whose confirmation's second link this is: it takes an address out of all mail. */
export const readOptOut = async ({ db, keys }: LinkPorts, token: string): Promise<{ email: string } | null> => {
  const owner = await findTokenOwner(db, keys, 'never', token)
  return owner === null ? null : { email: maskAddress(owner.email) }
}

/** From now on no mail of any kind goes to the address, whoever enters it, until an operator lifts the suppression. */
export const optOut = ({ db, keys }: LinkPorts, token: string): Promise<{ email: string } | null> =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'never', token, true)
    if (owner === null) return null
    await suppress(trx, owner.id, {
      class: 'reader',
      reason: 'asked never to be mailed again',
      code: null,
      diagnostic: null,
      source: 'reader',
    })
    return { email: maskAddress(owner.email) }
  })
