/** What a reader does by the links that stop mail: unsubscribe, get less, or opt out of all mail. */
import { addressHash } from '../../core/subscriber/address-hash.ts'
import type { ConsentOrigin } from '../../core/subscriber/consent.ts'
import {
  type DigestSize,
  type Frequency,
  isSubscribed,
  type Preferences,
  type SubscriberState,
} from '../../core/subscriber/preferences.ts'
import { storeConsent } from '../../store/consent.ts'
import { preferencesOf, stopMail } from '../../store/subscribers.ts'
import { suppress } from '../../store/suppressions.ts'
import { applyPause, applyPreferences } from './preferences.ts'
import { findTokenOwner, type LinkPorts } from './token-owner.ts'

/** What the page of an unsubscribe link shows. */
export interface OfferedStop {
  email: string
  state: SubscriberState
  frequency: Frequency
  /** The most papers of a digest; `null` for as many as are usual. */
  papers: DigestSize | null
}

/** `null`, here and below: the link is unknown or dead. */
export const readUnsubscription = async ({ db, keys }: LinkPorts, token: string): Promise<OfferedStop | null> => {
  const owner = await findTokenOwner(db, keys, 'unsubscribe', token)
  if (owner === null) return null
  const { email, state, frequency, digest_papers: papers } = owner
  return { email, state, frequency, papers }
}

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
      await stopMail(trx, owner.id, 'unsubscribed')
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

/** Weekly instead of daily, or a pause, by the unsubscribe link: it can only reduce mail. */
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
      const preferences: Preferences = { ...present, frequency: 'weekly' }
      await applyPreferences(trx, owner, preferences, now())
      return { preferences, pausedUntil: paused }
    }
    // A pause that ends sooner than the present one would bring more mail, not less.
    if (paused !== null && paused >= to.pauseUntil) return { preferences: present, pausedUntil: paused }
    await applyPause(trx, owner, to.pauseUntil, now())
    return { preferences: present, pausedUntil: to.pauseUntil }
  })

/** Whose confirmation's second link this is: it takes an address out of all mail. */
export const readOptOut = async ({ db, keys }: LinkPorts, token: string): Promise<{ email: string } | null> => {
  const owner = await findTokenOwner(db, keys, 'never', token)
  return owner === null ? null : { email: owner.email }
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
    return { email: owner.email }
  })
