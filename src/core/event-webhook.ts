/**
 * Event webhooks: what programs of the operator's are told of, in which form, and when they are told again.
 *
 * The form and the times are those of Standard Webhooks
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 */
import { createHmac } from 'node:crypto'
import { DAY, HOUR, MINUTE, SECOND } from './calendar.ts'
import type { Keys } from './token.ts'

/** What one can be told of, and what each means. */
export const WEBHOOK_EVENTS = {
  'subscriber.confirmed': 'somebody confirmed their subscription, or is subscribed again',
  'subscriber.left':
    'a subscriber gets no more email: they unsubscribed, complained, were erased, or their address does not take it',
  'email.bounced': 'an email came back, or was refused for good',
  'email.complained': 'a reader reported an email as spam',
  'edition.published': 'an edition has all its digests, which are being sent',
} as const
export type WebhookEvent = keyof typeof WEBHOOK_EVENTS

/** What a message tells of: an event, nothing, or to a group's own receiver the list of its week. */
export type MessageType = WebhookEvent | 'webhook.test' | 'group.list'

export const isWebhookEvent = (text: string): text is WebhookEvent => Object.hasOwn(WEBHOOK_EVENTS, text)

/** Milliseconds from one attempt to the next, as the specification advises; after the last of them a message is given up. */
const RETRY_AFTER = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]

/**
 * Milliseconds after which a message is tried again when `attempts` failed; `null`: never. `asked`: the milliseconds for which
 * the receiver asked, which are kept where they are longer, up to a day.
 */
export const retryAfter = (attempts: number, asked: number | null): number | null => {
  const wait = RETRY_AFTER[attempts - 1]
  return wait === undefined ? null : Math.max(wait, Math.min(asked ?? 0, DAY))
}

const LONGEST_REST = 5 * MINUTE

/** How long a receiver is left alone after so many failures in a row, milliseconds; then one message is tried. */
export const restAfter = (failures: number): number =>
  Math.min(5 * SECOND * 2 ** Math.max(0, failures - 1), LONGEST_REST)

/** A receiver that has taken nothing for so long is told of nothing any more. */
export const DISABLE_AFTER = 5 * DAY

/** For so long after a secret was replaced messages are signed with both. */
export const FORMER_SECRET_FOR = DAY

/** 32 octets: the bounds of the specification are 24 and 64. */
const keyOf = (key: Buffer, endpointId: string, epoch: number): Buffer =>
  createHmac('sha256', key).update(`webhook\0${endpointId}\0${epoch}`).digest()

/** The secret of a receiver, as libraries take it. It is derived, so that a copy of the database signs nothing. */
export const secretOf = ([newest]: Keys, { id, secret_epoch }: { id: string; secret_epoch: number }): string =>
  `whsec_${keyOf(newest, id, secret_epoch).toString('base64')}`

/** What messages to a receiver are signed with: its secret under each key of the service, and the former one while it counts. */
export const signingKeys = (
  keys: Keys,
  { id, secret_epoch, former_secret_until }: { id: string; secret_epoch: number; former_secret_until: Date | null },
  now: Date,
): Buffer[] => {
  const both = former_secret_until !== null && former_secret_until > now && secret_epoch > 0
  return keys.flatMap((key) => [keyOf(key, id, secret_epoch), ...(both ? [keyOf(key, id, secret_epoch - 1)] : [])])
}

const LONGEST_URL = 2000

/** The URL of a receiver, or why it is none. */
export const readWebhookUrl = (typed: string): { url: URL } | { problem: string } => {
  const text = typed.trim()
  if (text === '' || text.length > LONGEST_URL || !URL.canParse(text))
    return { problem: 'Write the address of a receiver, such as https://hooks.example.org/paper-round.' }
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return { problem: 'It must begin with https:// or http://.' }
  if (url.username !== '' || url.password !== '')
    return { problem: 'Leave out the user and password: messages are signed, which proves where they come from.' }
  if (url.hash !== '') return { problem: 'Leave out the part after #.' }
  return { url }
}

/** The events that were chosen, without doubles, or what is wrong with them. */
export const readWebhookEvents = (chosen: readonly string[]): { events: WebhookEvent[] } | { problem: string } => {
  const unknown = chosen.filter((event) => !isWebhookEvent(event))
  const known = Object.keys(WEBHOOK_EVENTS).join(', ')
  if (unknown.length > 0) return { problem: `There is no event ${unknown.join(', ')}. Events: ${known}.` }
  const events = [...new Set(chosen.filter(isWebhookEvent))]
  return events.length === 0 ? { problem: `Choose at least one event of: ${known}.` } : { events }
}
