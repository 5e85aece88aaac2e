/** Personal data: everything that is held of a subscriber, as one object, and its erasure. */
import { DEFAULT_NAME } from '../../core/branding/service-name.ts'
import { papersOf, subjectOf } from '../../core/digest/headline.ts'
import type { Actor } from '../../core/operator.ts'
import { addressHash, addressHashes } from '../../core/subscriber/address-hash.ts'
import type { ConsentOrigin } from '../../core/subscriber/consent.ts'
import type { Preferences, SubscriberState } from '../../core/subscriber/preferences.ts'
import type { Direction } from '../../core/taste/taste.ts'
import { recordAct } from '../../store/audit.ts'
import { type ConsentRecord, forgetConsentDetails, readConsent, storeConsent } from '../../store/consent.ts'
import type { Database, SuppressionClass } from '../../store/database.ts'
import { readDigest } from '../../store/digests.ts'
import { readMembershipsOf } from '../../store/groups.ts'
import { readLegacyLinks } from '../../store/legacy-links.ts'
import {
  deletePersonalDigests,
  deleteSignUps,
  eraseSubscriber,
  hashSuppression,
  readAnnouncementsTo,
  readDeliveriesOf,
  readFeedbackTo,
  readLettersOf,
  readSignUpsOf,
} from '../../store/personal-data.ts'
import { readSavedOf } from '../../store/saved-papers.ts'
import { preferencesOf, readSubscriber, type Subscriber } from '../../store/subscribers.ts'
import { readErased, readSuppression, readSuppressionLog } from '../../store/suppressions.ts'
import { readProposals, type StoredProposal } from '../../store/taste-proposals.ts'
import { readPressesOf, readTaste, type StoredTaste } from '../../store/tastes.ts'
import { readVotesOf } from '../../store/votes.ts'
import { readIssue } from '../publishing/issue.ts'
import type { LinkPorts } from './token-owner.ts'

/** A subscriber by their id, or whatever is held of an address in any letter case. */
export type Whom = { id: string } | { email: string }

/** A digest to the subscriber, and what became of it. */
interface ExportedDigest {
  /** The local date, `YYYY-MM-DD`. */
  date: string
  /** `null` where the digest is not kept any more; so are its papers. */
  subject: string | null
  papers: { id: string; title: string }[]
  state: string
  reason: string | null
  sentAt: Date | null
  /** What the mail server said. */
  reply: string | null
}

/** Everything that is held of a subscriber. Instants become ISO texts in JSON. */
export interface PersonalData {
  exportedAt: Date
  /** `null` where nobody subscribes with the address. */
  subscriber: {
    id: string
    email: string | null
    state: SubscriberState
    preferences: Preferences
    wantsAnnouncements: boolean
    requestedAt: Date
    confirmedAt: Date | null
    leftAt: Date | null
    pausedUntil: string | null
    nextDigestAt: Date | null
  } | null
  consent: ConsentRecord[]
  digests: ExportedDigest[]
  letters: {
    kind: string
    subject: string | null
    requestedAt: Date
    state: string
    sentAt: Date | null
    reply: string | null
    preferences: Preferences | null
  }[]
  announcements: Awaited<ReturnType<typeof readAnnouncementsTo>>
  /** The papers that they voted for. */
  votes: { id: string; title: string; at: Date }[]
  /** Their reading list. */
  saved: Awaited<ReturnType<typeof readSavedOf>>
  /** The papers that they asked for more or less like. */
  likes: { id: string; title: string; direction: Direction; at: Date }[]
  /** What was learnt from that; `null` where nothing was. */
  taste: StoredTaste | null
  /** What was proposed to them from it, and what they answered. */
  proposals: StoredProposal[]
  /** The groups that they are in. */
  groups: Awaited<ReturnType<typeof readMembershipsOf>>
  /** Bounces and complaints. */
  feedback: Awaited<ReturnType<typeof readFeedbackTo>>
  /** Why the address is not mailed; `null` when it may be. An erased address is on the list under a keyed hash alone. */
  suppression: { class: SuppressionClass | 'erased'; reason: string; since: Date } | null
  suppressionChanges: Awaited<ReturnType<typeof readSuppressionLog>>
  /** When unsubscribe links of a former system were imported; of them only hashes are kept. */
  legacyLinks: { at: Date }[]
  /** Sign-ups that are not answered yet. */
  requests: {
    kind: string
    email: string
    preferences: Preferences | null
    requestedAt: Date
    origin: ConsentOrigin | null
  }[]
}

/** Everything that is held of a subscriber or an address; `null` where nothing is. */
export const exportPersonalData = async (
  { db, keys, now, serviceName = DEFAULT_NAME }: LinkPorts,
  whom: Whom,
): Promise<PersonalData | null> => {
  const describe = (digestId: number | null) => describeDigest(db, digestId, serviceName)
  const subscriber = await readSubscriber(db, whom)
  const email = subscriber?.email ?? ('email' in whom ? whom.email : null)
  const id = subscriber?.id ?? null
  const hashes = email === null ? [] : addressHashes(keys, email)
  const data: PersonalData = {
    exportedAt: now(),
    subscriber: subscriber === undefined ? null : exportedSubscriber(subscriber),
    consent: await readConsent(db, { subscriberId: id, hashes }),
    digests: id === null ? [] : await exportDigests(db, id, describe),
    letters: id === null ? [] : await exportLetters(db, id, describe),
    announcements: id === null ? [] : await readAnnouncementsTo(db, id),
    votes: id === null ? [] : await readVotesOf(db, id),
    saved: id === null ? [] : await readSavedOf(db, id),
    likes: id === null ? [] : await readPressesOf(db, id),
    taste: id === null ? null : await readTaste(db, id),
    proposals: id === null ? [] : await readProposals(db, id),
    groups: id === null ? [] : await readMembershipsOf(db, id),
    feedback: id === null ? [] : await readFeedbackTo(db, id),
    suppression: email === null ? null : await exportSuppression(db, email, hashes),
    suppressionChanges: email === null ? [] : await readSuppressionLog(db, email),
    legacyLinks: id === null ? [] : await readLegacyLinks(db, id),
    requests: email === null ? [] : await exportRequests(db, email),
  }
  const { suppression, consent, requests } = data
  const isNothing = subscriber === undefined && suppression === null && consent.length + requests.length === 0
  return isNothing ? null : data
}

const exportedSubscriber = (subscriber: Subscriber): PersonalData['subscriber'] => ({
  id: subscriber.id,
  email: subscriber.email,
  state: subscriber.state,
  preferences: preferencesOf(subscriber),
  wantsAnnouncements: subscriber.announcements,
  requestedAt: subscriber.requested_at,
  confirmedAt: subscriber.confirmed_at,
  leftAt: subscriber.left_at,
  pausedUntil: subscriber.paused_until,
  nextDigestAt: subscriber.next_due_at,
})

/** The subject and papers of a digest; nothing where it, or a text of it, is not kept any more. */
const describeDigest = async (
  db: Database,
  id: number | null,
  serviceName: string,
): Promise<Pick<ExportedDigest, 'subject' | 'papers'>> => {
  const digest = id === null ? undefined : await readDigest(db, id)
  if (digest === undefined) return { subject: null, papers: [] }
  const issue = await readIssue(db, digest)
  return { subject: subjectOf(issue, serviceName), papers: papersOf(issue).map(({ id, title }) => ({ id, title })) }
}

type DescribeDigest = (id: number | null) => ReturnType<typeof describeDigest>

const exportDigests = async (
  db: Database,
  subscriberId: string,
  describe: DescribeDigest,
): Promise<ExportedDigest[]> => {
  const digests: ExportedDigest[] = []
  for (const one of await readDeliveriesOf(db, subscriberId))
    digests.push({
      date: one.local_date,
      ...(await describe(one.digest_id)),
      state: one.state,
      reason: one.reason,
      sentAt: one.sent_at,
      reply: one.said,
    })
  return digests
}

const exportLetters = async (
  db: Database,
  subscriberId: string,
  describe: DescribeDigest,
): Promise<PersonalData['letters']> => {
  const letters: PersonalData['letters'] = []
  for (const one of await readLettersOf(db, subscriberId))
    letters.push({
      kind: one.kind,
      subject: (await describe(one.digest_id)).subject,
      requestedAt: one.requested_at,
      state: one.state,
      sentAt: one.sent_at,
      reply: one.said,
      preferences: one.preferences,
    })
  return letters
}

const exportSuppression = async (
  db: Database,
  email: string,
  hashes: readonly Buffer[],
): Promise<PersonalData['suppression']> => {
  const plain = await readSuppression(db, email)
  if (plain !== undefined) return { class: plain.class, reason: plain.reason, since: plain.created_at }
  const erased = await readErased(db, hashes)
  if (erased === undefined) return null
  return { class: erased.class, reason: 'erased; only a keyed hash is kept', since: erased.erased_at }
}

const exportRequests = async (db: Database, email: string): Promise<PersonalData['requests']> =>
  (await readSignUpsOf(db, email)).map(({ requested_at, ...request }) => ({ ...request, requestedAt: requested_at }))

export interface ErasurePorts extends LinkPorts {
  /**
   * Deletes mails to an address that this machine keeps, as the embedded mailbox does; left out where it keeps none.
   * `underWay`: one more may arrive within seconds.
   */
  forgetMails?: ((email: string, underWay: boolean) => Promise<unknown>) | undefined
}

/**
 * Erases a subscriber, or an address that nobody subscribes with and that is suppressed: no mail to it begins more than two
 * seconds after this has resolved, and of the address only a keyed hash is kept. They can come back by subscribing and
 * confirming again. Recorded as done by `actor`, an operator, where one does it. `origin` goes into the record of consent, which loses what is personal. `null` where there is nobody.
 */
export const erase = async (
  { db, keys, now, forgetMails }: ErasurePorts,
  whom: Whom,
  origin: ConsentOrigin,
  actor: Actor | null = null,
): Promise<'erased' | null> => {
  const done = await db.transaction().execute(async (trx) => {
    const subscriber = await readSubscriber(trx, whom, true)
    const email = subscriber?.email ?? ('email' in whom ? whom.email : null)
    if (email === null) return null
    const at = now()
    const isKnown = subscriber !== undefined || (await readSuppression(trx, email)) !== undefined
    const requests = await readSignUpsOf(trx, email)
    if (!isKnown && requests.length === 0) return null
    const hash = addressHash(keys, email)
    if (actor !== null) {
      const subject = subscriber === undefined ? null : `subscriber:${subscriber.id}`
      await recordAct(trx, { ...actor, action: 'subscriber.erased', subject })
    }
    await hashSuppression(trx, email, hash, at)
    if (subscriber === undefined) {
      await deleteSignUps(trx, email)
      return { email, id: null, digestIds: [], underWay: false }
    }
    const { id } = subscriber
    const mails = [...(await readDeliveriesOf(trx, id)), ...(await readLettersOf(trx, id))]
    const digestIds = [...new Set(mails.flatMap(({ digest_id }) => digest_id ?? []))]
    await eraseSubscriber(trx, id, email, at)
    await forgetConsentDetails(trx, id)
    // The record says that they were erased, and not from where.
    await storeConsent(trx, {
      at,
      event: 'erased',
      subscriberId: id,
      addressHash: hash,
      origin: { ...origin, client: null },
    })
    const all = [...mails, ...(await readAnnouncementsTo(trx, id))]
    return { email, id, digestIds, underWay: all.some(({ state }) => state === 'sending') }
  })
  if (done === null) return null
  // Afterwards: it takes a look at the deliveries of whole days, for which nobody should wait with a lock.
  if (done.id !== null) await deletePersonalDigests(db, done.digestIds)
  await forgetMails?.(done.email, done.underWay)
  return 'erased'
}
