/**
 * SendGrid: ECDSA on P-256 over a time and the body, many events in one request
 * (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
 */
import { createPublicKey, createVerify } from 'node:crypto'
import { classifyRefusal } from '../../core/bounces/bounce-class.ts'
import {
  instantOf,
  isRecord,
  NO_REPORT,
  type ProviderEvent,
  parseJson,
  REPLAY_WINDOW,
  type ReadWebhook,
  textOf,
} from '../../core/bounces/provider-event.ts'

const SIGNATURE = 'x-twilio-email-event-webhook-signature'
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp'

const reportOf = (event: Record<string, unknown>): ProviderEvent['report'] => {
  switch (event.event) {
    case 'bounce': {
      const reason = textOf(event.reason)
      const judged = classifyRefusal(textOf(event.status), reason ?? '')
      // What it calls blocked is no verdict on the address.
      const of = event.type === 'blocked' && judged.class === 'hard' ? 'soft' : judged.class
      return { ...NO_REPORT, kind: 'bounce', class: of, code: judged.code, diagnostic: reason }
    }
    case 'spamreport':
      return { ...NO_REPORT, kind: 'complaint', feedback: 'abuse' }
    default:
      return NO_REPORT
  }
}

const eventOf = (event: Record<string, unknown>): ProviderEvent[] => {
  const id = textOf(event.sg_event_id)
  const report = reportOf(event)
  if (id === null || report.kind === 'none') return []
  const messageId = textOf(event['smtp-id'])
  const marks = messageId === null ? [] : [messageId]
  return [{ id, report, recipient: textOf(event.email), marks, at: instantOf(event.timestamp) }]
}

/** The key as SendGrid shows it: base64 of its DER. Throws for what is none. */
export const createSendgridReader = (publicKey: string): ReadWebhook => {
  const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  if (key.asymmetricKeyType !== 'ec') throw new Error('not a public key for ECDSA')
  return async ({ headers, body }, now) => {
    const signature = headers[SIGNATURE]
    const timestamp = headers[TIMESTAMP]
    if (typeof signature !== 'string' || typeof timestamp !== 'string') return 'refused'
    const verify = createVerify('sha256').update(timestamp).update(body)
    if (!verify.verify(key, signature, 'base64')) return 'refused'
    if (!(Math.abs(now.getTime() - Number(timestamp) * 1000) <= REPLAY_WINDOW)) return 'refused'
    const parsed = parseJson(body.toString('utf8'))
    return Array.isArray(parsed) && parsed.every(isRecord) ? { events: parsed.flatMap(eventOf) } : 'unreadable'
  }
}
