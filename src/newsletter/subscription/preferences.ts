/** What a reader does by the preferences link: see their preferences, change them, and pause. */
import { localDateAt } from '../../core/calendar.ts'
import { interestsOf } from '../../core/digest/interests.ts'
import { type ChangedSetting, changedSettings } from '../../core/subscriber/change-by-link.ts'
import { firstDueAfterPause, nextDue } from '../../core/subscriber/due.ts'
import { maskAddress } from '../../core/subscriber/masked-address.ts'
import { isSubscribed, type Preferences, type SubscriberState } from '../../core/subscriber/preferences.ts'
import { revisionOf } from '../../core/subscriber/revision.ts'
import { servedZone } from '../../core/subscriber/time-zone.ts'
import { tryProposal } from '../../core/taste/proposal.ts'
import { deriveToken, type Keys } from '../../core/token.ts'
import type { Database } from '../../store/database.ts'
import { storeOnlyGroups } from '../../store/groups.ts'
import {
  preferencesOf,
  type Subscriber,
  storeBeforeReduction,
  storePause,
  storePreferences,
} from '../../store/subscribers.ts'
import { readProposal, withdrawProposal } from '../../store/taste-proposals.ts'
import { noteChangeByLink } from '../../store/told-changes.ts'
import { type AddressedSubscriber, findTokenOwner, type LinkPorts, readAddressed } from './token-owner.ts'

/** What a preferences link shows. */
export interface OwnPreferences {
  /** Masked: the link may have been forwarded. */
  email: string
  state: SubscriberState
  preferences: Preferences
  /** The first local date with mail again, `YYYY-MM-DD`; `null` unless paused. */
  pausedUntil: string | null
  /** When the next digest is due; `null` unless active or paused. */
  nextDigestAt: Date | null
  /** Whether they get announcements, too. */
  announcements: boolean
  /** Of the preferences, for `changePreferences`. */
  revision: string
  /** For the link from the preferences page to the unsubscribe page: it can only reduce mail, so it may go there. */
  unsubscribeToken: string
  /** Of their own feed: it shows their digests and changes nothing. */
  feedToken: string
}

/** `null`: the link is unknown or dead. */
export const readOwnPreferences = async ({ db, keys }: LinkPorts, token: string): Promise<OwnPreferences | null> => {
  const owner = await findTokenOwner(db, keys, 'preferences', token)
  return owner === null ? null : ownPreferencesOf(owner, keys)
}

/**
 * Stores new preferences of a subscriber; those of one who has left stay as they are. `seen`: the revision that was changed;
 * where others are stored meanwhile, nothing is, and the answer is `stale`. `null`: unknown or dead link.
 */
export const changePreferences = async (
  ports: LinkPorts,
  token: string,
  preferences: Preferences,
  seen: string | null = null,
): Promise<OwnPreferences | 'stale' | null> => {
  let stale = false
  const changed = await changeOwn(ports, token, async (trx, owner) => {
    const stored = revisionOf(preferencesOf(owner))
    // What is stored already overwrites nothing: Save was pressed twice.
    stale = seen !== null && seen !== stored && revisionOf(preferences) !== stored
    if (!stale) await applyPreferences(trx, owner, preferences, ports.now())
  })
  return stale ? 'stale' : changed
}

/** When the next digest would be due by other preferences; `null` where none is, or for an unknown or dead link. */
export const findNextDigest = async (
  { db, keys, now }: LinkPorts,
  token: string,
  preferences: Preferences,
): Promise<Date | null> => {
  const owner = await findTokenOwner(db, keys, 'preferences', token)
  if (owner === null || !isSubscribed(owner.state)) return null
  return dueBy(preferences, owner, owner.paused_until, now()).at
}

/** Adds a topic to what a subscriber follows, or takes it away again, unless nothing else would be left. */
export const followTopic = (
  ports: LinkPorts,
  token: string,
  topic: string,
  follow: boolean,
): Promise<OwnPreferences | null> =>
  changeOwn(ports, token, async (trx, owner) => {
    const present = preferencesOf(owner)
    const others = present.topics.filter((slug) => slug !== topic)
    const preferences = { ...present, topics: follow ? [...others, topic].sort() : others }
    if (interestsOf(preferences).length > 0) await applyPreferences(trx, owner, preferences, ports.now())
  })

/** Pauses to the local date `until`, or ends the pause with `null`, under the same rules. */
export const changePause = (ports: LinkPorts, token: string, until: string | null): Promise<OwnPreferences | null> =>
  changeOwn(ports, token, (trx, owner) => applyPause(trx, owner, until, ports.now()))

const changeOwn = (
  { db, keys }: LinkPorts,
  token: string,
  change: (trx: Database, owner: Subscriber) => Promise<void>,
) =>
  db.transaction().execute(async (trx) => {
    const owner = await findTokenOwner(trx, keys, 'preferences', token, true)
    if (owner === null) return null
    if (isSubscribed(owner.state)) {
      await change(trx, owner)
      await storeBeforeReduction(trx, owner.id, null)
    }
    const changed = await readAddressed(trx, owner.id)
    return changed === null ? null : ownPreferencesOf(changed, keys)
  })

/** Stores the preferences of a locked subscriber, and when they are due by these. */
export const applyPreferences = async (
  trx: Database,
  subscriber: Subscriber,
  preferences: Preferences,
  now: Date,
): Promise<void> => {
  const due = isSubscribed(subscriber.state) ? dueBy(preferences, subscriber, subscriber.paused_until, now) : null
  await storePreferences(trx, subscriber.id, preferences, due)
  await dropStaleProposal(trx, subscriber, preferences)
  // Who chooses what to follow wants papers of it, and not of their groups alone.
  if (!followsTheSame(preferencesOf(subscriber), preferences)) await storeOnlyGroups(trx, subscriber.id, false)
  await noteChange(trx, subscriber, changedSettings(preferencesOf(subscriber), preferences), now)
}

const followsTheSame = (one: Preferences, other: Preferences): boolean =>
  interestsOf(one).sort().join('\n') === interestsOf(other).sort().join('\n')

/** Stores the pause of a locked subscriber, or its end with `null`, and when they are due then. */
export const applyPause = async (
  trx: Database,
  subscriber: Subscriber,
  until: string | null,
  now: Date,
): Promise<void> => {
  await storePause(trx, subscriber.id, until, dueBy(preferencesOf(subscriber), subscriber, until, now))
  await noteChange(trx, subscriber, subscriber.paused_until === until ? [] : ['pause'], now)
}

/** Has the next digest propose nothing that has been chosen meanwhile, or can be chosen no more. */
const dropStaleProposal = async (
  trx: Database,
  { id, proposal_id }: Subscriber,
  preferences: Preferences,
): Promise<void> => {
  const waiting = proposal_id === null ? null : await readProposal(trx, id, proposal_id)
  if (waiting !== null && tryProposal(waiting, preferences).state !== 'open') await withdrawProposal(trx, id)
}

/** Has the next digest tell its owner of a change: the link that made it may have been forwarded. */
const noteChange = async (
  trx: Database,
  { id, time_zone }: Subscriber,
  what: readonly ChangedSetting[],
  now: Date,
): Promise<void> => {
  if (what.length > 0) await noteChangeByLink(trx, id, localDateAt(now, servedZone(time_zone)), what)
}

/** When a subscriber is next due by their preferences, from the end of a pause on where there is one. */
export const dueBy = (preferences: Preferences, subscriber: Subscriber, pausedUntil: string | null, now: Date) => {
  const last = { date: subscriber.last_local_date, at: subscriber.last_due_at }
  return pausedUntil === null
    ? nextDue(preferences, now, last)
    : firstDueAfterPause(preferences, pausedUntil, now, last)
}

const ownPreferencesOf = (subscriber: AddressedSubscriber, keys: Keys): OwnPreferences => ({
  email: maskAddress(subscriber.email),
  state: subscriber.state,
  preferences: preferencesOf(subscriber),
  pausedUntil: subscriber.paused_until,
  nextDigestAt: subscriber.next_due_at,
  announcements: subscriber.announcements,
  revision: revisionOf(preferencesOf(subscriber)),
  unsubscribeToken: deriveToken(keys, 'unsubscribe', subscriber.id),
  feedToken: deriveToken(keys, 'feed', subscriber.id, subscriber.epoch),
})
