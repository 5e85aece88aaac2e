/**
 * SendGrid's webhook: ECDSA on P-256 over a time and the body, many events in one request
 * (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
 */
import { createPublicKey, createVerify } from 'node:crypto'
import { classifyRefusal } from '../../core/bounces/bounce-class.ts'
import { asInstant, asText, isRecord, parseJson } from '../../core/bounces/json.ts'
import { NO_REPORT, type ProviderEvent, REPLAY_WINDOW, type ReadWebhook } from '../../core/bounces/provider-event.ts'

const SIGNATURE = 'x-twilio-email-event-webhook-signature'
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp'

const reportOf = (event: Record<string, unknown>): ProviderEvent['report'] => {
  switch (event.event) {
    case 'bounce': {
      const reason = asText(event.reason)
      const refusal = classifyRefusal(asText(event.status), reason ?? '')
      // `blocked` says nothing about the address.
      const of = event.type === 'blocked' && refusal.class === 'hard' ? 'soft' : refusal.class
      return { ...NO_REPORT, kind: 'bounce', class: of, code: refusal.code, diagnostic: reason }
    }
    case 'spamreport':
      return { ...NO_REPORT, kind: 'complaint', feedback: 'abuse' }
    default:
      return NO_REPORT
  }
}

const eventOf = (event: Record<string, unknown>): ProviderEvent[] => {
  const id = asText(event.sg_event_id)
  const report = reportOf(event)
  if (id === null || report.kind === 'none') return []
  const messageId = asText(event['smtp-id'])
  const marks = messageId === null ? [] : [messageId]
  return [{ id, report, recipient: asText(event.email), marks, at: asInstant(event.timestamp) }]
}

/** `publicKey`: base64 of its DER, as SendGrid shows it. Throws where it is no key for ECDSA. */
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
