/**
 * Tells a URL of the operator's of alarms, signed as Standard Webhooks have it
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), which libraries verify.
 */
import { createHmac } from 'node:crypto'
import type { AlarmNotice } from '../core/alarms.ts'
import { SECOND } from '../core/calendar.ts'

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

/** Returns what posts a notice, and rejects unless the receiver answers 2xx. `now`: the machine's time, which is signed. */
export const createAlarmWebhook =
  ({ url, key, now }: { url: string; key: Buffer; now: () => Date }) =>
  async (notice: AlarmNotice): Promise<void> => {
    const { id, event, kind, subject, title, detail, advice, raisedAt, clearedAt } = notice
    const at = now()
    const body = JSON.stringify({
      type: `alarm.${event}`,
      timestamp: at.toISOString(),
      data: { id, kind, subject, title, detail, advice, raisedAt, clearedAt },
    })
    // The same for each attempt, so that a receiver that had it before knows it.
    const messageId = `alarm_${id}_${event}`
    const seconds = Math.floor(at.getTime() / SECOND)
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
      headers: {
        'content-type': 'application/json',
        'webhook-id': messageId,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signWebhook(key, messageId, seconds, body),
      },
      body,
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`the webhook answered ${response.status}`)
  }
