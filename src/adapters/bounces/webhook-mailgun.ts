/**
 * Mailgun's webhook: HMAC-SHA256 over a time and a token in the body; each token is valid for one event
 * (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { classifyRefusal } from '../../core/bounces/bounce-class.ts'
import { asInstant, asRecord, asText, parseJson } from '../../core/bounces/json.ts'
import { NO_REPORT, type ProviderEvent, REPLAY_WINDOW, type ReadWebhook } from '../../core/bounces/provider-event.ts'

const reportOf = (data: Record<string, unknown>): ProviderEvent['report'] => {
  switch (data.event) {
    case 'failed': {
      // Mailgun retries temporary failures itself.
      if (data.severity !== 'permanent') return NO_REPORT
      const status = asRecord(data['delivery-status'])
      const said = asText(status.message) ?? asText(status.description) ?? ''
      const refusal = classifyRefusal(asText(status['enhanced-code']), `${asText(status.code) ?? ''} ${said}`.trim())
      // Refused by Mailgun's own suppression list: the reader's server was not contacted.
      const own = (asText(data.reason) ?? '').startsWith('suppress-')
      const of = own && refusal.class === 'hard' ? 'soft' : refusal.class
      return { ...NO_REPORT, kind: 'bounce', class: of, code: refusal.code, diagnostic: said || null }
    }
    case 'complained':
      return { ...NO_REPORT, kind: 'complaint', feedback: 'abuse' }
    default:
      return NO_REPORT
  }
}

export const createMailgunReader =
  (signingKey: string): ReadWebhook =>
  async ({ body }, now) => {
    const parsed = asRecord(parseJson(body.toString('utf8')))
    const signature = asRecord(parsed.signature)
    const timestamp = asText(signature.timestamp) ?? ''
    const token = asText(signature.token) ?? ''
    const expected = createHmac('sha256', signingKey).update(`${timestamp}${token}`).digest()
    const given = Buffer.from(asText(signature.signature) ?? '', 'hex')
    if (token === '' || given.length !== expected.length || !timingSafeEqual(given, expected)) return 'refused'
    // Written so that NaN is refused too.
    if (!(Math.abs(now.getTime() - Number(timestamp) * 1000) <= REPLAY_WINDOW)) return 'refused'
    const data = asRecord(parsed['event-data'])
    const report = reportOf(data)
    if (report.kind === 'none') return { events: [] }
    const messageId = asText(asRecord(asRecord(data.message).headers)['message-id'])
    const marks = [asText(asRecord(data.envelope).sender), messageId === null ? null : `<${messageId}>`]
    return {
      events: [
        {
          // The signature does not cover the body: a known token with another body counts as a repetition.
          id: token,
          report,
          recipient: asText(data.recipient),
          marks: marks.filter((mark) => mark !== null),
          at: asInstant(data.timestamp),
        },
      ],
    }
  }
