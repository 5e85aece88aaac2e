/** What operators read of subscribers, and do for them; each change is on record, and so is each export. */

import type { DigestIssue } from '../../core/digest/digest.ts'
import type { Actor } from '../../core/operator.ts'
import { readAddress } from '../../core/subscriber/address.ts'
import { addressHash, addressHashes } from '../../core/subscriber/address-hash.ts'
import type { ConsentOrigin } from '../../core/subscriber/consent.ts'
import type { ListedSubscriber } from '../../core/subscriber/listed-subscriber.ts'
import { isSubscribed, type SubscriberState } from '../../core/subscriber/preferences.ts'
import { isUuid } from '../../core/uuid.ts'
import { recordAct } from '../../store/audit.ts'
import { storeConsent } from '../../store/consent.ts'
import type { Database, LetterKind, SuppressionClass } from '../../store/database.ts'
import { readDigest } from '../../store/digests.ts'
import { countLetters, readMailRecord, readNewestLetter } from '../../store/outbox/mail-records.ts'
import { renewWaitingLetter, storeLetter } from '../../store/outbox/outbox.ts'
import { countStates, EVERYBODY, listSubscribers, type SubscriberFilter } from '../../store/subscriber-list.ts'
import { preferencesOf, readSubscriber, stopMail, storeBeforeReduction } from '../../store/subscribers.ts'
import { readErased } from '../../store/suppressions.ts'
import { readMail } from '../account.ts'
import { readIssue } from '../publishing/issue.ts'
import { type ErasurePorts, erase, exportPersonalData, type PersonalData } from '../subscription/personal-data.ts'
import { readAddressed } from '../subscription/token-owner.ts'
import { pageOf } from './page.ts'
import { readSubscriberDetails, type SubscriberDetails } from './subscriber-history.ts'

export type { ListedSubscriber } from '../../core/subscriber/listed-subscriber.ts'
export type { HistoryEntry, SubscriberDetails } from './subscriber-history.ts'

export interface SubscriberPorts extends ErasurePorts {
  wake: (queueName: 'letters') => Promise<void>
}

/** What to search for: all of it holds. */
export interface SubscriberSearch {
  /** An address, a part of one, an id, or a Message-ID. */
  text: string | null
  state: SubscriberState | null
  topic: string | null
}

export interface SubscriberPage {
  rows: ListedSubscriber[]
  /** The id behind which others follow; `null` on the last page. */
  more: string | null
  states: Partial<Record<SubscriberState, number>>
  /** What is left of the address that was searched for, where it was erased. */
  erased: { class: SuppressionClass | 'erased'; at: Date } | null
}

/** Why nothing was done. */
export type Refused = 'no such subscriber' | 'too many' | 'not now' | 'another address'

/** A mail and what came back of it; `issue` is what was sent, of a digest or a welcome that is kept. */
export interface MailDetails {
  mail: NonNullable<Awaited<ReturnType<typeof readMail>>>
  issue: DigestIssue | null
}

export interface SubscriberAdministration {
  list(search: SubscriberSearch, after: string | null): Promise<SubscriberPage>
  /** `page` of the time line counts from 1; `null` where there is no such subscriber. */
  read(id: string, page: number): Promise<SubscriberDetails | null>
  /** A mail to a subscriber; `null`: it is none of theirs. */
  readMail(id: string, mail: string): Promise<MailDetails | null>
  /**
   * Owes them fresh links, or the confirmation again where they have not confirmed. `not now`: no such letter may go to
   * them; `too many`: they had as many in a day as they may.
   */
  sendLinks(actor: Actor, id: string): Promise<LetterKind | Refused>
  /** Stops their digests, as their own link does: they may subscribe again. */
  unsubscribe(actor: Actor, id: string): Promise<'unsubscribed' | Refused>
  /** All that is held of them. */
  exportData(actor: Actor, id: string): Promise<PersonalData | Refused>
  /** Erases them for good, where `typed` is their address. */
  erase(actor: Actor, id: string, typed: string): Promise<'erased' | Refused>
}

const A_PAGE = 50
/** Letters of a kind in a day that an operator can send somebody: whoever does not get three gets no fourth. */
const MOST_A_DAY = 3

/** For the record of consent. */
const BY_OPERATOR: ConsentOrigin = { source: 'operator', form: null, client: null }

export const createSubscriberAdministration = (ports: SubscriberPorts): SubscriberAdministration => ({
  async list(search, after) {
    const { db, keys } = ports
    const { rows, more } = pageOf(await find(db, search, after), A_PAGE)
    const erased = search.text?.includes('@') ? await readErased(db, addressHashes(keys, search.text)) : undefined
    return {
      rows,
      more: more?.id ?? null,
      states: await countStates(db),
      erased: erased === undefined ? null : { class: erased.class, at: erased.erased_at },
    }
  },
  read: (id, page) => readSubscriberDetails(ports, id, page),
  async readMail(id, mailId) {
    const { db } = ports
    const mail = await readMail(db, mailId)
    if (mail === null || mail.subscriber !== id) return null
    const digest = mail.digest === null ? undefined : await readDigest(db, mail.digest)
    return { mail, issue: digest === undefined ? null : await readIssue(db, digest) }
  },
  sendLinks: (actor, id) => sendLinks(ports, actor, id),
  unsubscribe: (actor, id) => unsubscribe(ports, actor, id),
  exportData: (actor, id) =>
    ports.db.transaction().execute(async (trx) => {
      const data = await exportPersonalData({ ...ports, db: trx }, { id })
      if (data === null) return 'no such subscriber'
      await recordAct(trx, { ...actor, action: 'subscriber.exported', subject: `subscriber:${id}` })
      return data
    }),
  async erase(actor, id, typed) {
    const subscriber = await readSubscriber(ports.db, { id })
    if (subscriber === undefined || subscriber.email === null) return 'no such subscriber'
    if (subscriber.email.toLowerCase() !== typed.toLowerCase()) return 'another address'
    const erased = await erase(ports, { id }, BY_OPERATOR, actor)
    return erased ?? 'no such subscriber'
  },
})

/** One more than a page of those who are like that. */
const find = async (
  db: Database,
  { text, state, topic }: SubscriberSearch,
  after: string | null,
): Promise<ListedSubscriber[]> => {
  const filter: SubscriberFilter = {
    ...EVERYBODY,
    states: state === null ? null : [state],
    topics: topic === null ? null : [topic],
    text,
  }
  // A whole address, an id and a Message-ID are each found by an index.
  const id = text === null ? null : /^<?([0-9a-f-]{36})(?:@[^\s<>]*)?>?$/i.exec(text)?.[1]
  if (id != null && isUuid(id)) {
    const subscriber = (await readMailRecord(db, id))?.subscriber ?? id
    return listSubscribers(db, { ...filter, text: null, id: subscriber }, A_PAGE + 1)
  }
  const address = text === null ? null : readAddress(text)
  if (address !== null && 'address' in address)
    return listSubscribers(db, { ...filter, text: null, email: address.address }, A_PAGE + 1)
  return listSubscribers(db, filter, A_PAGE + 1, after)
}

/** The letter that brings somebody their links again; `null` where none may. */
const letterFor = (state: SubscriberState): 'confirmation' | 'links' | null => {
  if (state === 'pending') return 'confirmation'
  return isSubscribed(state) || state === 'unsubscribed' ? 'links' : null
}

const sendLinks = async (
  { db, keys, now, wake }: SubscriberPorts,
  actor: Actor,
  id: string,
): Promise<LetterKind | Refused> => {
  const sent = await db.transaction().execute(async (trx): Promise<LetterKind | Refused> => {
    const owner = await readAddressed(trx, id, true)
    if (owner === null) return 'no such subscriber'
    const kind = letterFor(owner.state)
    if (kind === null) return 'not now'
    const at = now()
    if (!(await renewWaitingLetter(trx, id, kind, at))) {
      if ((await countLetters(trx, id, kind)).day >= MOST_A_DAY) return 'too many'
      // What they asked for last is what its link confirms.
      const preferences =
        kind === 'confirmation'
          ? ((await readNewestLetter(trx, id, 'confirmation'))?.preferences ?? preferencesOf(owner))
          : null
      const letterId = await storeLetter(trx, { subscriberId: id, kind, digestId: null, requestedAt: at, preferences })
      if (preferences !== null)
        await storeConsent(trx, {
          ...{ at, event: 'requested', subscriberId: id, addressHash: addressHash(keys, owner.email) },
          ...{ origin: BY_OPERATOR, preferences, letterId, requestedAt: at },
        })
    }
    await recordAct(trx, { ...actor, action: 'subscriber.links-sent', subject: `subscriber:${id}`, detail: { kind } })
    return kind
  })
  if (sent === 'links' || sent === 'confirmation') await wake('letters')
  return sent
}

const unsubscribe = ({ db, keys, now }: SubscriberPorts, actor: Actor, id: string): Promise<'unsubscribed' | Refused> =>
  db.transaction().execute(async (trx) => {
    const owner = await readAddressed(trx, id, true)
    if (owner === null) return 'no such subscriber'
    if (!isSubscribed(owner.state) && owner.state !== 'pending') return 'not now'
    await stopMail(trx, id, 'unsubscribed')
    // Only what a reader's own link did can be undone by it.
    await storeBeforeReduction(trx, id, null)
    await storeConsent(trx, {
      ...{ at: now(), event: 'unsubscribed', subscriberId: id },
      ...{ addressHash: addressHash(keys, owner.email), origin: BY_OPERATOR },
    })
    await recordAct(trx, { ...actor, action: 'subscriber.unsubscribed', subject: `subscriber:${id}` })
    return 'unsubscribed'
  })
