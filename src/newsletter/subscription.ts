/** Subscribing, confirming, changing, pausing and leaving: what a person can do by the site and the links in their mail. */

import { DAY, localDateAt } from '../core/calendar.ts'
import { mailboxKey } from '../core/subscriber/address.ts'
import { firstDueAfterPause, nextDue } from '../core/subscriber/due.ts'
import type { Frequency, Preferences, SubscriberState } from '../core/subscriber/preferences.ts'
import { deriveToken, type Keys, keyedHash, provesToken, readTokenId } from '../core/token.ts'
import type { Database } from '../store/database.ts'
import { readLetter } from '../store/mail-records.ts'
import { storeLetter } from '../store/outbox.ts'
import { allowLetter, forgetLetterLimits, type SignUp, storeSignUp, takeSignUp } from '../store/sign-ups.ts'
import {
  activate,
  pointToWelcome,
  preferencesOf,
  readSubscriber,
  type Subscriber,
  stopMail,
  storePause,
  storePreferences,
  upsertPending,
} from '../store/subscribers.ts'
import { readSuppression, suppress, unsuppress } from '../store/suppressions.ts'
import { composeWelcome } from './digest.ts'

/** What a preferences link shows. */
export interface OwnPreferences {
  email: string
  state: SubscriberState
  preferences: Preferences
  /** The first local date with mail again, `YYYY-MM-DD`; `null` unless paused. */
  pausedUntil: string | null
  /** When the next digest is due; `null` unless active or paused. */
  nextDigestAt: Date | null
  /** For the link from the preferences page to the unsubscribe page: it can only reduce mail, so it may go there. */
  unsubscribeToken: string
}

/** The acts behind the pages. `null` always means: that link is unknown, altered, of another purpose or dead. */
export interface Subscriptions {
  /** Takes a sign-up down and answers at once, whatever is known of the address; what follows comes by mail. */
  requestSubscription(email: string, preferences: Preferences): Promise<void>
  /** Takes down that somebody lost their mail; fresh links go to the address if it is ours to write to. */
  requestLinks(email: string): Promise<void>
  readConfirmation(token: string): Promise<{ email: string; preferences: Preferences; confirmed: boolean } | null>
  confirm(token: string): Promise<'confirmed' | 'already' | null>
  readPreferences(token: string): Promise<OwnPreferences | null>
  /** Saves what was chosen; an unsubscribed person's preferences cannot be changed (they subscribe again). */
  changePreferences(token: string, preferences: Preferences): Promise<OwnPreferences | null>
  /** No digest before `until` (local date, after today, at most a year ahead); `null` as `until` ends the pause. */
  pause(token: string, until: string | null): Promise<OwnPreferences | null>
  readUnsubscription(token: string): Promise<{ email: string; state: SubscriberState; frequency: Frequency } | null>
  /** Stops all digests at once; again and again gives the same answer. */
  unsubscribe(token: string): Promise<'unsubscribed' | null>
  /** Whose confirmation's second link this is: it takes an address out of all mail. */
  readRefusal(token: string): Promise<{ email: string } | null>
  /** No mail of any kind to the address again, whoever enters it, until an operator undoes it. */
  refuse(token: string): Promise<{ email: string } | null>
  /** Less instead of nothing, with the power of the unsubscribe link: it can only reduce mail. */
  reduce(
    token: string,
    to: { frequency: 'weekly' } | { pauseUntil: string },
  ): Promise<'reduced' | 'not-subscribed' | null>
  /** The subscriber's local date now, by which pages offer dates to pause until. */
  localToday(timeZone: string): string
}

export interface SubscriptionPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** Wakes the mailers; truth is in the database, so a failure here is logged by its owner and costs a minute at most. */
  wake: (queueName: 'letters') => Promise<void>
}

/** A confirmation is good for this long after it was asked for. */
export const CONFIRM_WITHIN = 7 * DAY
/** Confirmations to one mailbox until it confirms. */
const MOST_CONFIRMATIONS = 3
const NO_LIMIT = 2_147_483_647

const lastOf = (subscriber: Subscriber) => ({ date: subscriber.last_local_date, at: subscriber.last_due_at })

const isSubscribed = (subscriber: Subscriber): boolean => subscriber.state === 'active' || subscriber.state === 'paused'

export const createSubscriptions = ({ db, keys, now, wake }: SubscriptionPorts): Subscriptions => {
  /** The subscriber whom a token of this purpose names; preferences links die with the epoch, those that stop mail never. */
  const ownerOf = async (
    trx: Database,
    purpose: 'preferences' | 'unsubscribe' | 'never',
    token: string,
    lock = false,
  ) => {
    const id = readTokenId(token)
    if (id === null) return null
    const subscriber = await readSubscriber(trx, { id }, lock)
    if (subscriber === undefined || subscriber.email === null) return null
    const epoch = purpose === 'preferences' ? subscriber.epoch : 0
    return provesToken(keys, purpose, token, epoch) ? { ...subscriber, email: subscriber.email } : null
  }

  /** The subscriber whom a confirmation's token names, while it is good: seven days, and never to subscribe again. */
  const confirmerOf = async (trx: Database, token: string, lock = false) => {
    const id = readTokenId(token)
    if (id === null || !provesToken(keys, 'confirm', token)) return null
    const letter = await readLetter(trx, id)
    if (letter === undefined || letter.kind !== 'confirmation') return null
    const subscriber = await readSubscriber(trx, { id: letter.subscriber_id }, lock)
    if (subscriber === undefined || subscriber.email === null) return null
    const owner = { ...subscriber, email: subscriber.email }
    const confirmed = subscriber.confirmed_at !== null && subscriber.confirmed_at >= letter.requested_at
    if (confirmed) return isSubscribed(subscriber) ? { subscriber: owner, confirmed } : null
    const inTime = now().getTime() - letter.requested_at.getTime() <= CONFIRM_WITHIN
    return subscriber.state === 'pending' && inTime ? { subscriber: owner, confirmed } : null
  }

  const shown = (subscriber: Subscriber & { email: string }): OwnPreferences => ({
    email: subscriber.email,
    state: subscriber.state,
    preferences: preferencesOf(subscriber),
    pausedUntil: subscriber.paused_until,
    nextDigestAt: subscriber.next_due_at,
    unsubscribeToken: deriveToken(keys, 'unsubscribe', subscriber.id),
  })

  const dueUnder = (subscriber: Subscriber, preferences: Preferences, pausedUntil: string | null) =>
    pausedUntil === null
      ? nextDue(preferences, now(), lastOf(subscriber))
      : firstDueAfterPause(preferences, pausedUntil, now(), lastOf(subscriber))

  const setPause = async (trx: Database, subscriber: Subscriber, until: string | null) => {
    const due = dueUnder(subscriber, preferencesOf(subscriber), until)
    await storePause(trx, subscriber.id, until, due)
  }

  const setPreferences = async (trx: Database, subscriber: Subscriber, preferences: Preferences) => {
    const due = isSubscribed(subscriber) ? dueUnder(subscriber, preferences, subscriber.paused_until) : null
    await storePreferences(trx, subscriber.id, preferences, due)
  }

  const reread = async (trx: Database, id: string): Promise<OwnPreferences | null> => {
    const subscriber = await readSubscriber(trx, { id })
    return subscriber === undefined || subscriber.email === null
      ? null
      : shown({ ...subscriber, email: subscriber.email })
  }

  return {
    async requestSubscription(email, preferences) {
      await storeSignUp(db, { kind: 'subscribe', email, preferences, requestedAt: now() })
      await wake('letters')
    },

    async requestLinks(email) {
      await storeSignUp(db, { kind: 'links', email, preferences: null, requestedAt: now() })
      await wake('letters')
    },

    async readConfirmation(token) {
      const found = await confirmerOf(db, token)
      if (found === null) return null
      const { subscriber, confirmed } = found
      return { email: subscriber.email, preferences: preferencesOf(subscriber), confirmed }
    },

    async confirm(token) {
      const outcome = await db.transaction().execute(async (trx) => {
        const found = await confirmerOf(trx, token, true)
        if (found === null) return null
        if (found.confirmed) return 'already' as const
        const { subscriber } = found
        const at = now()
        await activate(
          trx,
          subscriber.id,
          at,
          nextDue(preferencesOf(subscriber), at, { date: subscriber.last_local_date, at }),
        )
        const welcome = await composeWelcome(trx, subscriber, at)
        await pointToWelcome(trx, subscriber.id, welcome, at)
        await storeLetter(trx, {
          subscriberId: subscriber.id,
          kind: 'welcome',
          digestId: welcome.digestId,
          requestedAt: at,
        })
        await forgetLetterLimits(trx, keyedHash(keys, mailboxKey(subscriber.email)))
        // Nothing else is on the list of somebody who could confirm: see `answerSignUp`.
        await unsuppress(trx, subscriber.email, { whom: 'reader', why: 'subscribed and confirmed again' })
        return 'confirmed' as const
      })
      if (outcome === 'confirmed') await wake('letters')
      return outcome
    },

    async readPreferences(token) {
      const owner = await ownerOf(db, 'preferences', token)
      return owner === null ? null : shown(owner)
    },

    changePreferences: (token, preferences) =>
      db.transaction().execute(async (trx) => {
        const owner = await ownerOf(trx, 'preferences', token, true)
        if (owner === null) return null
        if (isSubscribed(owner)) await setPreferences(trx, owner, preferences)
        return reread(trx, owner.id)
      }),

    pause: (token, until) =>
      db.transaction().execute(async (trx) => {
        const owner = await ownerOf(trx, 'preferences', token, true)
        if (owner === null) return null
        if (isSubscribed(owner)) await setPause(trx, owner, until)
        return reread(trx, owner.id)
      }),

    async readUnsubscription(token) {
      const owner = await ownerOf(db, 'unsubscribe', token)
      return owner === null ? null : { email: owner.email, state: owner.state, frequency: owner.frequency }
    },

    unsubscribe: (token) =>
      db.transaction().execute(async (trx) => {
        const owner = await ownerOf(trx, 'unsubscribe', token, true)
        if (owner === null) return null
        // A confirmation that is under way is called off too: whoever presses this wants no mail.
        if (isSubscribed(owner) || owner.state === 'pending') await stopMail(trx, owner.id, 'unsubscribed')
        return 'unsubscribed' as const
      }),

    async readRefusal(token) {
      const owner = await ownerOf(db, 'never', token)
      return owner === null ? null : { email: owner.email }
    },

    refuse: (token) =>
      db.transaction().execute(async (trx) => {
        const owner = await ownerOf(trx, 'never', token, true)
        if (owner === null) return null
        await suppress(trx, owner.id, {
          class: 'reader',
          reason: 'asked never to be mailed again',
          code: null,
          diagnostic: null,
          source: 'reader',
        })
        return { email: owner.email }
      }),

    reduce: (token, to) =>
      db.transaction().execute(async (trx) => {
        const owner = await ownerOf(trx, 'unsubscribe', token, true)
        if (owner === null) return null
        if (!isSubscribed(owner)) return 'not-subscribed' as const
        if ('frequency' in to) {
          await setPreferences(trx, owner, { ...preferencesOf(owner), frequency: 'weekly' })
        } else if (owner.paused_until === null || owner.paused_until < to.pauseUntil) {
          // A pause that ends sooner than the present one would bring more mail, not less.
          await setPause(trx, owner, to.pauseUntil)
        }
        return 'reduced' as const
      }),

    localToday: (timeZone) => localDateAt(now(), timeZone),
  }
}

/**
 * Works off what people asked for on the site: decides per address whether a letter goes, and which. Returns how many
 * were worked off. Each stands in a transaction of its own: one that fails is there again, and the others go on.
 */
export const workOffSignUps = async ({ db, keys }: Pick<SubscriptionPorts, 'db' | 'keys'>): Promise<number> => {
  for (let done = 0; ; done++) {
    const more = await db.transaction().execute(async (trx) => {
      const signUp = await takeSignUp(trx)
      if (signUp === null) return false
      await answerSignUp(trx, keys, signUp)
      return true
    })
    if (!more) return done
  }
}

const answerSignUp = async (trx: Database, keys: Keys, signUp: SignUp): Promise<void> => {
  const mailbox = keyedHash(keys, mailboxKey(signUp.email))
  const write = async (subscriberId: string, kind: 'confirmation' | 'links' | 'already-subscribed', most: number) => {
    if (!(await allowLetter(trx, mailbox, kind, most))) return
    await storeLetter(trx, { subscriberId, kind, digestId: null, requestedAt: signUp.requestedAt })
  }
  const suppressed = await readSuppression(trx, signUp.email)
  if (suppressed !== undefined) {
    // Whoever complained may come back by their own wish; whoever types in their address cannot have them mailed for it.
    if (suppressed.class !== 'complaint' || signUp.preferences === null) return
    if (!(await allowLetter(trx, mailbox, 'after a complaint', MOST_CONFIRMATIONS, 30))) return
    const complained = await readSubscriber(trx, { email: signUp.email }, true)
    if (complained?.state === 'suppressed') await stopMail(trx, complained.id, 'unsubscribed')
  }
  const known = await readSubscriber(trx, { email: signUp.email }, true)
  if (signUp.preferences === null) {
    // Links are for those who are or were here; somebody still pending gets the confirmation they have lost.
    if (known === undefined) return
    if (known.state === 'pending') await write(known.id, 'confirmation', MOST_CONFIRMATIONS)
    else if (known.state !== 'suppressed') await write(known.id, 'links', NO_LIMIT)
    return
  }
  if (known !== undefined && isSubscribed(known)) return write(known.id, 'already-subscribed', NO_LIMIT)
  const subscriber = await upsertPending(trx, signUp.email, signUp.preferences, signUp.requestedAt)
  if (subscriber.state === 'pending') await write(subscriber.id, 'confirmation', MOST_CONFIRMATIONS)
}
