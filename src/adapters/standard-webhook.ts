/**
 * Posts messages to a receiver, signed as Standard Webhooks have it
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), which libraries verify.
 */
import { createHmac } from 'node:crypto'
import { SECOND } from '../core/calendar.ts'
import { describeError } from '../core/redact.ts'
import { fetchFromNetwork, isPrivateLiteral, NOT_PUBLIC } from './public-network.ts'

const TIMEOUT = 15 * SECOND
const SECRET_PREFIX = 'whsec_'
/** Octets of a key: the bounds of the specification. */
const KEY_LENGTH = { least: 24, most: 64 }

/** The key of a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`. Throws an error that says what would be right. */
export const readWebhookSecret = (text: string): Buffer => {
  const encoded = text.startsWith(SECRET_PREFIX) ? text.slice(SECRET_PREFIX.length) : ''
  const key = Buffer.from(encoded, 'base64')
  if (key.length < KEY_LENGTH.least || key.length > KEY_LENGTH.most || key.toString('base64') !== encoded)
    throw new Error('write it as whsec_ and 24 to 64 octets in base64, such as: echo whsec_$(openssl rand -base64 32)')
  return key
}

/** The signature of a message, as its header has it. `seconds`: when it is sent, since 1970. */
export const signWebhook = (key: Buffer, messageId: string, seconds: number, body: string): string =>
  `v1,${createHmac('sha256', key).update(`${messageId}.${seconds}.${body}`).digest('base64')}`

export interface WebhookPost {
  url: string
  /** The same for each attempt, so that a receiver that had it before knows it. */
  messageId: string
  /** One signature each: a receiver accepts any that its secret makes. */
  keys: readonly Buffer[]
  body: string
  /** Whether the receiver may be at an address that is not of the public internet. */
  anyNetwork: boolean
}

/** What a receiver answered; `error` is `null` for 2xx, else says why it does not count as delivered. */
export interface WebhookAnswer {
  status: number | null
  error: string | null
  milliseconds: number
  /** For how many milliseconds it asks to be left alone (RFC 9110, Retry-After); `null` where it does not say. */
  retryAfter: number | null
}

/**
 * Posts a message; never rejects. `now`: the machine's time, which is signed. Redirects are not followed. `signal` ends the
 * post, and then there was no answer.
 */
export const postWebhook = async (
  { url, messageId, keys, body, anyNetwork }: WebhookPost,
  now: () => Date,
  signal?: AbortSignal,
): Promise<WebhookAnswer> => {
  const target = new URL(url)
  const begun = performance.now()
  const at = now()
  const seconds = Math.floor(at.getTime() / SECOND)
  const answered = (status: number | null, error: string | null, retryAfter: number | null = null): WebhookAnswer => ({
    status,
    error,
    milliseconds: Math.round(performance.now() - begun),
    retryAfter,
  })
  if (!anyNetwork && isPrivateLiteral(target.hostname)) return answered(null, NO_PUBLIC_ADDRESS)
  try {
    const response = await fetchFromNetwork(
      target,
      {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT), ...(signal === undefined ? [] : [signal])]),
        headers: {
          'content-type': 'application/json',
          'webhook-id': messageId,
          'webhook-timestamp': String(seconds),
          'webhook-signature': keys.map((key) => signWebhook(key, messageId, seconds, body)).join(' '),
        },
        body,
      },
      { anyNetwork },
    )
    await response.body?.cancel()
    const { status } = response
    return answered(status, errorOf(status), readRetryAfter(response.headers.get('retry-after'), at))
  } catch (error) {
    return answered(null, failureOf(error))
  }
}

const NO_PUBLIC_ADDRESS = 'it is at no address of the public internet'

const errorOf = (status: number): string | null => {
  if (status >= 200 && status < 300) return null
  return status >= 300 && status < 400 ? `it answered ${status}: redirects are not followed` : `it answered ${status}`
}

const failureOf = (error: unknown): string => {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `it did not answer within ${TIMEOUT / SECOND} seconds`
  // What undici throws says no more than “fetch failed”; its cause says why.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const { code, message } = describeError(cause)
  return code === NOT_PUBLIC ? NO_PUBLIC_ADDRESS : `it cannot be reached: ${code ?? message}`
}

const readRetryAfter = (header: string | null, now: Date): number | null => {
  if (header === null) return null
  const ms = /^\d+$/.test(header) ? Number(header) * SECOND : Date.parse(header) - now.getTime()
  return Number.isFinite(ms) && ms > 0 ? ms : null
}
