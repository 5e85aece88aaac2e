/** Subscribing, confirming, changing, pausing and leaving: what a person can do by the site and the links in their mail. */
import { localDateAt } from '../../core/calendar.ts'
import { clientAddress, clientNetwork } from '../../core/client-network.ts'
import type { ConsentOrigin } from '../../core/subscriber/consent.ts'
import { isHasty, stampForm } from '../../core/subscriber/form-stamp.ts'
import { maskAddress } from '../../core/subscriber/masked-address.ts'
import type { Preferences } from '../../core/subscriber/preferences.ts'
import { type Challenge, createWork, readProof } from '../../core/subscriber/proof-of-work.ts'
import { openSealedAddress, type SealedAddress, sealAddress } from '../../core/subscriber/sealed-address.ts'
import { clientScope, type SignUpLimits, STANDARD_LIMITS, signUpScopes } from '../../core/subscriber/sign-up-limits.ts'
import { type NewSignUp, releaseSignUp, storeSignUp } from '../../store/sign-ups.ts'
import { type CandidateCache, createCandidateCache } from '../publishing/candidate-cache.ts'
import { type AnnouncementStop, changeAnnouncements, readAnnouncementStop, stopAnnouncements } from './announcements.ts'
import {
  type ConfirmedTime,
  confirm,
  findExpiredRequest,
  readConfirmation,
  readExpiredConfirmation,
} from './confirmation.ts'
import { findLegacyLink } from './legacy-link.ts'
import type { ErasurePorts } from './personal-data.ts'
import {
  changePause,
  changePreferences,
  findNextDigest,
  followTopic,
  type OwnPreferences,
  readOwnPreferences,
} from './preferences.ts'
import {
  type OfferedStop,
  optOut,
  type ReducedMail,
  readOptOut,
  readUnsubscription,
  reduceMail,
  undoReduced,
  unsubscribe,
} from './unsubscription.ts'

/** Where a sign-up comes from. */
export interface Origin {
  /** The client's address. */
  ip: string
  /** The stamp of the form that was sent, if it had one. */
  stamp?: string | undefined
  /** The route of the form or link, and what sent it, for the record of consent. */
  form?: string | null | undefined
  source?: string | undefined
}

/** A proxy may hand over what is no address, such as `unknown`. */
export const consentOrigin = ({ ip, form = null, source = 'form' }: Origin): ConsentOrigin => ({
  source,
  form,
  client: clientAddress(ip),
})

/** Where something came from that tells nothing of it, as in tests of what is behind the pages. */
const UNKNOWN_ORIGIN: ConsentOrigin = { source: 'unknown', form: null, client: null }

/** The use cases behind the pages. `null` always means: that link is unknown, altered, of another purpose or dead. */
export interface Subscriptions {
  /**
   * Stores a sign-up and answers at once, whatever is known of the address; what follows comes by mail. `null`: it is
   * answered next. Otherwise it is held, for as much comes of its client, for its domain or in all, and the challenge's
   * solution releases it.
   */
  requestSubscription(email: string, preferences: Preferences, origin?: Origin): Promise<Challenge | null>
  /** Stores that somebody lost their mail; fresh links go to the address if it may be mailed. Returns the same. */
  requestLinks(email: string, origin?: Origin): Promise<Challenge | null>
  /** Stores that somebody wants to vote for a paper that is shown; a link to do so goes to the address if it is subscribed. Returns the same. */
  requestVoteLink(email: string, paperId: string, origin?: Origin): Promise<Challenge | null>
  /**
   * Stores that somebody wants to join a group: who has no subscription confirms these preferences and joins by that, and who has
   * one gets a link to join. Returns the same.
   */
  requestMembership(
    email: string,
    group: { groupId: string; preferences: Preferences },
    origin?: Origin,
  ): Promise<Challenge | null>
  /** Releases the held sign-up for which a solved challenge proves work; `false` where it proves none, or has before. */
  proveWork(proof: string): Promise<boolean>
  /** The stamp of a form that is shown now. */
  stampForm(): string
  /** An address for the page that follows a form, which nobody else can read or make up, and this service can for an hour. */
  sealAddress(address: SealedAddress): string
  openAddress(sealed: string): SealedAddress | null
  readConfirmation(token: string): Promise<{ email: string; preferences: Preferences; confirmed: boolean } | null>
  /** `time`: instead of the one that was asked for. */
  confirm(token: string, origin?: Origin, time?: ConfirmedTime | null): Promise<'confirmed' | 'already' | null>
  /**
   * A confirmation's link that is ours and no longer good. `email`, masked, where `requestAgain` can send another; `null`
   * where the address has to be entered again.
   */
  readExpiredConfirmation(token: string): Promise<{ email: string | null } | null>
  /** Stores the request of a confirmation's link that is too old anew, with the same choices; as `requestSubscription`. */
  requestAgain(token: string, origin?: Origin): Promise<{ email: string; held: Challenge | null } | null>
  readPreferences(token: string): Promise<OwnPreferences | null>
  /** Stores new preferences; those of somebody who has left cannot be changed (they subscribe again). */
  changePreferences(
    token: string,
    preferences: Preferences,
    seen?: string | null,
  ): Promise<OwnPreferences | 'stale' | null>
  /** When the next digest would be due by other preferences. */
  findNextDigest(token: string, preferences: Preferences): Promise<Date | null>
  /** Adds a topic (its slug) to what they follow, or takes it away again; nothing of somebody who has left. */
  followTopic(token: string, topic: string, follow: boolean): Promise<OwnPreferences | null>
  /** No digest before `until` (local date, after today, at most a year ahead); `null` as `until` ends the pause. */
  pause(token: string, until: string | null): Promise<OwnPreferences | null>
  readUnsubscription(token: string): Promise<OfferedStop | null>
  /** Our own unsubscribe token of whoever had this link of a former system. */
  findLegacyLink(token: string): Promise<string | null>
  /** Stops all digests at once; again and again gives the same answer. */
  unsubscribe(token: string, origin?: Origin): Promise<'unsubscribed' | null>
  /** Stops announcements and keeps digests; again and again gives the same answer. */
  stopAnnouncements(token: string): Promise<AnnouncementStop | null>
  readAnnouncementStop(token: string): Promise<AnnouncementStop | null>
  /** Turns announcements on or off, by the preferences link. */
  changeAnnouncements(token: string, wants: boolean): Promise<OwnPreferences | null>
  /** Whose confirmation's second link this is: it takes an address out of all mail. */
  readOptOut(token: string): Promise<{ email: string } | null>
  /** No mail of any kind to the address again, whoever enters it, until an operator lifts it. */
  optOut(token: string): Promise<{ email: string } | null>
  /** Less instead of nothing, by the unsubscribe link: it can only reduce mail. */
  reduce(
    token: string,
    to: { frequency: 'weekly' } | { pauseUntil: string },
  ): Promise<ReducedMail | 'not-subscribed' | null>
  /** Undoes what the unsubscribe link did last, within the hour. */
  undoReduced(token: string, origin?: Origin): Promise<ReducedMail | 'too-late' | null>
  /** The local date now in a zone, by which pages offer dates to pause until. */
  localToday(timeZone: string): string
}

export interface SubscriptionPorts extends ErasurePorts {
  /** Rejects while there is too little space for more requests; left out where that cannot be known. */
  requireSpace?: () => Promise<void>
  /** Wakes the mailers; what waits is in the database, so the owner logs a failure, which costs a minute at most. */
  wake: (queueName: 'letters') => Promise<void>
  /** What welcomes are chosen from, shared with previews. */
  candidates?: CandidateCache
  limits?: SignUpLimits
}

export const createSubscriptions = ({ wake, ...ports }: SubscriptionPorts): Subscriptions => {
  const { db, keys, now, candidates = createCandidateCache(ports) } = ports
  return {
    async requestSubscription(email, preferences, origin) {
      const challenge = await takeRequest(ports, { kind: 'subscribe', email, preferences }, origin)
      if (challenge === null) await wake('letters')
      return challenge
    },
    async requestLinks(email, origin) {
      const challenge = await takeRequest(ports, { kind: 'links', email, preferences: null }, origin)
      if (challenge === null) await wake('letters')
      return challenge
    },
    async requestVoteLink(email, paperId, origin) {
      const challenge = await takeRequest(ports, { kind: 'vote', email, preferences: null, paperId }, origin)
      if (challenge === null) await wake('letters')
      return challenge
    },
    async requestMembership(email, { groupId, preferences }, origin) {
      const challenge = await takeRequest(ports, { kind: 'subscribe', email, preferences, groupId }, origin)
      if (challenge === null) await wake('letters')
      return challenge
    },
    async proveWork(proof) {
      const ticket = await readProof(keys, proof)
      const released = ticket !== null && (await releaseSignUp(db, ticket))
      if (released) await wake('letters')
      return released
    },
    stampForm: () => stampForm(keys, now()),
    sealAddress: (address) => sealAddress(keys, address, now()),
    openAddress: (sealed) => openSealedAddress(keys, sealed, now()),
    readConfirmation: (token) => readConfirmation(ports, token),
    async confirm(token, origin, time) {
      const from = origin === undefined ? UNKNOWN_ORIGIN : consentOrigin(origin)
      const outcome = await confirm({ ...ports, candidates }, token, from, time)
      if (outcome === 'confirmed') await wake('letters')
      return outcome
    },
    readExpiredConfirmation: (token) => readExpiredConfirmation(ports, token),
    async requestAgain(token, origin) {
      const request = await findExpiredRequest(ports, token)
      if (request === null) return null
      const held = await takeRequest(ports, { kind: 'subscribe', ...request }, origin)
      if (held === null) await wake('letters')
      return { email: maskAddress(request.email), held }
    },
    readPreferences: (token) => readOwnPreferences(ports, token),
    changePreferences: (token, preferences, seen) => changePreferences(ports, token, preferences, seen),
    findNextDigest: (token, preferences) => findNextDigest(ports, token, preferences),
    followTopic: (token, topic, follow) => followTopic(ports, token, topic, follow),
    pause: (token, until) => changePause(ports, token, until),
    readUnsubscription: (token) => readUnsubscription(ports, token),
    unsubscribe: (token, origin) =>
      unsubscribe(ports, token, origin === undefined ? UNKNOWN_ORIGIN : consentOrigin(origin)),
    findLegacyLink: (token) => findLegacyLink(ports, token),
    stopAnnouncements: (token) => stopAnnouncements(ports, token),
    readAnnouncementStop: (token) => readAnnouncementStop(ports, token),
    changeAnnouncements: (token, wants) => changeAnnouncements(ports, token, wants),
    readOptOut: (token) => readOptOut(ports, token),
    optOut: (token) => optOut(ports, token),
    reduce: (token, to) => reduceMail(ports, token, to),
    undoReduced: (token, origin) =>
      undoReduced(ports, token, origin === undefined ? UNKNOWN_ORIGIN : consentOrigin(origin)),
    localToday: (timeZone) => localDateAt(now(), timeZone),
  }
}

/**
 * Stores what was asked for, by one statement that reads nothing of the address: neither the answer nor its time tells
 * what is known of it. Returns the challenge for a sign-up that is held.
 */
export const takeRequest = async (
  { db, keys, now, limits = STANDARD_LIMITS, requireSpace }: Omit<SubscriptionPorts, 'wake'>,
  request: Pick<NewSignUp, 'kind' | 'email' | 'preferences' | 'moves' | 'paperId' | 'groupId'>,
  origin?: Origin,
): Promise<Challenge | null> => {
  await requireSpace?.()
  const client = origin === undefined ? null : clientScope(keys, clientNetwork(origin.ip))
  const requestedAt = now()
  const suspicious = origin?.stamp !== undefined && isHasty(keys, origin.stamp, requestedAt)
  const scopes = signUpScopes(keys, limits, { email: request.email, client })
  const ticket = await storeSignUp(
    db,
    { ...request, requestedAt, client, suspicious, origin: origin === undefined ? null : consentOrigin(origin) },
    scopes,
  )
  return ticket === null ? null : createWork(keys, ticket)
}
