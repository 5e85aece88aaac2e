/**
 * Event webhooks: an operator names receivers, and every event that one is told of is delivered to it at least once.
 *
 * A message is stored in the transaction of what it tells of, so that none is lost and none tells of what was undone. It is
 * tried again for three days, with the same id, so that a receiver knows what it had. Order is not promised.
 */

import { MINUTE } from '../core/calendar.ts'
import {
  DISABLE_AFTER,
  FORMER_SECRET_FOR,
  readWebhookEvents,
  readWebhookUrl,
  restAfter,
  retryAfter,
  secretOf,
  signingKeys,
} from '../core/event-webhook.ts'
import type { Log } from '../core/log.ts'
import type { Actor } from '../core/operator.ts'
import type { Keys } from '../core/token.ts'
import { isUuid } from '../core/uuid.ts'
import { recordAct } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import {
  type ClaimedMessage,
  claimMessages,
  countEndpoints,
  deleteEndpoint,
  disableEndpoint,
  type EndpointRow,
  enableEndpoint,
  insertEndpoint,
  type MessageRow,
  readDueEndpoints,
  readEndpoints,
  readMessages,
  renewSecret,
  restEndpoint,
  sendFailedAgain,
  sendMessageAgain,
  storeAttempt,
  storeTestMessage,
  type WebhookEndpoint,
} from '../store/event-webhooks.ts'
import { readHold } from '../store/service-hold.ts'

export type { EndpointRow, MessageRow }

/** Posts a message and says what the receiver answered; never rejects. `signal` ends the post. */
export type PostWebhook = (
  post: { url: string; messageId: string; keys: readonly Buffer[]; body: string; anyNetwork: boolean },
  signal: AbortSignal,
) => Promise<{ status: number | null; error: string | null; milliseconds: number; retryAfter: number | null }>

export interface WebhookSenderPorts {
  db: Database
  keys: Keys
  log: Log
  /** The machine's time: what is signed is compared with a receiver's own. */
  machineTime: () => Date
  post: PostWebhook
  /** Aborted, nothing more is sent; what is on its way is sent again once its lease has ended. */
  signal: AbortSignal
}

/** Messages of one receiver that are on their way at a time. */
const AT_A_TIME = 5
/** Longer than a post may take. */
const LEASE = MINUTE
/** RFC 9110, 15.5.11: the receiver says that it will never be there again. */
const GONE = 410

/**
 * Returns what delivers every message that is due, and resolves when none is any more. Every process may call it, again
 * while it runs: a receiver that is slow holds up no other.
 */
export const createWebhookSender = (ports: WebhookSenderPorts): (() => Promise<void>) => {
  const busy = new Set<string>()
  return async () => {
    const { db } = ports
    if ((await readHold(db)) !== null) return
    const due = (await readDueEndpoints(db)).filter(({ id }) => !busy.has(id))
    await Promise.all(
      due.map(async (endpoint) => {
        busy.add(endpoint.id)
        try {
          await deliverAll(ports, endpoint)
        } finally {
          busy.delete(endpoint.id)
        }
      }),
    )
  }
}

const deliverAll = async (ports: WebhookSenderPorts, endpoint: WebhookEndpoint): Promise<void> => {
  while (!ports.signal.aborted) {
    const claimed = await claimMessages(ports.db, endpoint.id, { most: AT_A_TIME, leaseMs: LEASE })
    if (claimed.length === 0) return
    await Promise.all(claimed.map((message) => deliver(ports, endpoint, message)))
  }
}

const deliver = async (
  { db, keys, log, machineTime, post, signal }: WebhookSenderPorts,
  endpoint: WebhookEndpoint,
  message: ClaimedMessage,
): Promise<void> => {
  const { id, url, any_network: anyNetwork } = endpoint
  const body = bodyOf(endpoint, message)
  const signed = { messageId: message.id, keys: signingKeys(keys, endpoint, machineTime()), body }
  const answer = await post({ url, anyNetwork, ...signed }, signal)
  if (signal.aborted && answer.error !== null) return
  const retryMs = answer.error === null ? null : retryAfter(message.attempt, answer.retryAfter)
  const stands = await storeAttempt(db, id, message, answer, retryMs)
  if (answer.error === null || stands === null) return
  const facts = {
    webhook: id,
    message: message.id,
    event: message.event,
    attempt: message.attempt,
    error: answer.error,
  }
  log.warn(
    facts,
    retryMs === null ? 'a webhook message was given up' : 'a webhook message was not taken; it is tried again',
  )
  const why =
    answer.status === GONE
      ? 'it answered 410: it is gone'
      : stands.failingForMs >= DISABLE_AFTER
        ? `it has taken nothing for five days: ${answer.error}`
        : null
  if (why === null) return restEndpoint(db, id, restAfter(stands.failures))
  if ((await disableEndpoint(db, id, why)) !== undefined)
    log.error({ webhook: id, why }, 'a webhook is told of nothing any more; to go on: webhooks enable')
}

/** The body of a message. Of a subscriber it has what holds when it is sent; of one who was erased, the id alone. */
const bodyOf = (
  { with_addresses: withAddresses, group_id: groupId }: WebhookEndpoint,
  { event, at, subscriberId, email, topics, frequency, data }: ClaimedMessage,
): string => {
  if (groupId !== null) return groupBodyOf(event, at, data)
  const subscriber =
    subscriberId === null
      ? {}
      : { subscriber: { id: subscriberId, ...(withAddresses ? { email } : {}), topics, frequency } }
  return JSON.stringify({ type: event, timestamp: at.toISOString(), data: { ...subscriber, ...data } })
}

/** To a group's channel: with the text beside the rest, where the incoming webhooks of chats look for it. */
const groupBodyOf = (type: string, at: Date, { text, ...data }: Record<string, unknown>): string =>
  JSON.stringify({ type, timestamp: at.toISOString(), text, data })

export interface EventWebhookPorts {
  db: Database
  keys: Keys
  now: () => Date
  /** Whether a host is an address that is not of the public internet. */
  isPrivateLiteral: (hostname: string) => boolean
}

/** Why nothing was done, as a sentence. */
export interface WebhookProblem {
  problem: string
}

export interface TypedEndpoint {
  url: string
  events: readonly string[]
  withAddresses: boolean
  anyNetwork: boolean
}

/** A receiver and the secret with which it verifies messages. */
export interface WithSecret {
  endpoint: WebhookEndpoint
  secret: string
}

/** Each is asked at each event, and shown on one page. */
const MOST_ENDPOINTS = 20
const NO_ENDPOINT: WebhookProblem = { problem: 'There is no such webhook; see webhooks list.' }

/** What operators do with receivers. Each act is on record with who did it. */
export interface EventWebhooks {
  list(): Promise<EndpointRow[]>
  /** A receiver and its newest messages that happened before an instant; `null` where there is none with this id. */
  read(
    id: string,
    page: { before: Date | null; most: number },
  ): Promise<{ endpoint: EndpointRow; messages: MessageRow[] } | null>
  add(by: Actor, typed: TypedEndpoint): Promise<WithSecret | WebhookProblem>
  /** The secret of a receiver, which is on record as seen. */
  showSecret(by: Actor, id: string): Promise<WithSecret | WebhookProblem>
  /** Another secret; for a day messages are signed with both. */
  renewSecret(by: Actor, id: string): Promise<WithSecret | WebhookProblem>
  remove(by: Actor, id: string): Promise<WebhookEndpoint | WebhookProblem>
  disable(by: Actor, id: string): Promise<WebhookEndpoint | WebhookProblem>
  enable(by: Actor, id: string): Promise<WebhookEndpoint | WebhookProblem>
  /** Owes the receiver a message that tells of nothing. */
  test(by: Actor, id: string): Promise<WebhookEndpoint | WebhookProblem>
  /** Owes the receiver a message once more, or each that was given up; returns how many. */
  sendAgain(by: Actor, id: string, message: string | 'failed'): Promise<number | WebhookProblem>
}

export const createEventWebhooks = ({ db, keys, now, isPrivateLiteral }: EventWebhookPorts): EventWebhooks => {
  const record = (trx: Database, by: Actor, action: string, endpoint: WebhookEndpoint, detail = {}) =>
    recordAct(
      trx,
      { ...by, action, subject: `webhook:${endpoint.id}`, detail: { host: hostOf(endpoint), ...detail } },
      now(),
    )

  /** Does something to a receiver and puts it on record, in one transaction. */
  const act = async (
    by: Actor,
    action: string,
    id: string,
    change: (trx: Database) => Promise<WebhookEndpoint | undefined>,
    otherwise: WebhookProblem = NO_ENDPOINT,
  ): Promise<WebhookEndpoint | WebhookProblem> => {
    if (!isUuid(id)) return NO_ENDPOINT
    return db.transaction().execute(async (trx) => {
      const endpoint = await change(trx)
      if (endpoint === undefined) return (await readEndpoints(trx, id)).length === 0 ? NO_ENDPOINT : otherwise
      await record(trx, by, action, endpoint)
      return endpoint
    })
  }
  const withSecret = (endpoint: WebhookEndpoint | WebhookProblem): WithSecret | WebhookProblem =>
    'problem' in endpoint ? endpoint : { endpoint, secret: secretOf(keys, endpoint) }
  const find = async (trx: Database, id: string): Promise<WebhookEndpoint | undefined> =>
    (await readEndpoints(trx, id))[0]

  return {
    list: () => readEndpoints(db),

    async read(id, page) {
      const endpoint = isUuid(id) ? (await readEndpoints(db, id))[0] : undefined
      return endpoint === undefined ? null : { endpoint, messages: await readMessages(db, id, page) }
    },

    async add(by, typed) {
      const url = readWebhookUrl(typed.url)
      if ('problem' in url) return url
      const chosen = readWebhookEvents(typed.events)
      if ('problem' in chosen) return chosen
      const { withAddresses, anyNetwork } = typed
      if (!anyNetwork && isPrivateLiteral(url.url.hostname))
        return {
          problem: 'This address is not of the public internet. Where that is meant: webhooks add --any-network.',
        }
      if (withAddresses && !anyNetwork && url.url.protocol !== 'https:')
        return { problem: 'Addresses of readers are sent by https:// only.' }
      return db.transaction().execute(async (trx) => {
        if ((await countEndpoints(trx)) >= MOST_ENDPOINTS)
          return { problem: `There are ${MOST_ENDPOINTS} webhooks, which is the most; remove one.` }
        const endpoint = await insertEndpoint(trx, {
          url: url.url.href,
          events: chosen.events,
          with_addresses: withAddresses,
          any_network: anyNetwork,
          added_at: now(),
          added_by: by.byWhom,
        })
        await record(trx, by, 'webhook.added', endpoint, { events: chosen.events, withAddresses })
        return { endpoint, secret: secretOf(keys, endpoint) }
      })
    },

    showSecret: async (by, id) => withSecret(await act(by, 'webhook.secret-shown', id, (trx) => find(trx, id))),
    renewSecret: async (by, id) =>
      withSecret(await act(by, 'webhook.secret-renewed', id, (trx) => renewSecret(trx, id, FORMER_SECRET_FOR))),
    remove: (by, id) => act(by, 'webhook.removed', id, (trx) => deleteEndpoint(trx, id)),
    disable: (by, id) =>
      act(by, 'webhook.disabled', id, (trx) => disableEndpoint(trx, id, `${by.byWhom} disabled it`), {
        problem: 'It is disabled already.',
      }),
    enable: (by, id) =>
      act(by, 'webhook.enabled', id, (trx) => enableEndpoint(trx, id), { problem: 'It is enabled already.' }),
    test: (by, id) =>
      act(
        by,
        'webhook.tested',
        id,
        async (trx) => {
          const endpoint = await find(trx, id)
          if (endpoint === undefined || endpoint.disabled_at !== null) return undefined
          await storeTestMessage(trx, id)
          return endpoint
        },
        { problem: 'It is disabled; enable it first.' },
      ),

    async sendAgain(by, id, message) {
      if (!isUuid(id) || (message !== 'failed' && !isUuid(message))) return NO_ENDPOINT
      return db.transaction().execute(async (trx) => {
        const endpoint = await find(trx, id)
        if (endpoint === undefined) return NO_ENDPOINT
        if (endpoint.disabled_at !== null) return { problem: 'It is disabled; enable it first.' }
        const count =
          message === 'failed' ? await sendFailedAgain(trx, id) : Number(await sendMessageAgain(trx, id, message))
        if (count === 0)
          return { problem: message === 'failed' ? 'No message was given up.' : 'There is no such message.' }
        await record(trx, by, 'webhook.sent-again', endpoint, { count })
        return count
      })
    },
  }
}

const hostOf = ({ url }: WebhookEndpoint): string => new URL(url).host
