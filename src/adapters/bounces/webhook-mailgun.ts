/**
 * Mailgun: HMAC-SHA256 over a time and a token that stand in the body, each token good for one event
 * (https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { classifyRefusal } from '../../core/bounces/bounce-class.ts'
import {
  instantOf,
  NO_REPORT,
  type ProviderEvent,
  parseJson,
  REPLAY_WINDOW,
  type ReadWebhook,
  recordOf,
  textOf,
} from '../../core/bounces/provider-event.ts'

const reportOf = (data: Record<string, unknown>): ProviderEvent['report'] => {
  switch (data.event) {
    case 'failed': {
      // What failed for now is tried again there.
      if (data.severity !== 'permanent') return NO_REPORT
      const status = recordOf(data['delivery-status'])
      const said = textOf(status.message) ?? textOf(status.description) ?? ''
      const judged = classifyRefusal(textOf(status['enhanced-code']), `${textOf(status.code) ?? ''} ${said}`.trim())
      // Refused by Mailgun's own list: nobody has asked the reader's server.
      const own = (textOf(data.reason) ?? '').startsWith('suppress-')
      const of = own && judged.class === 'hard' ? 'soft' : judged.class
      return { ...NO_REPORT, kind: 'bounce', class: of, code: judged.code, diagnostic: said || null }
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
    const parsed = recordOf(parseJson(body.toString('utf8')))
    const signature = recordOf(parsed.signature)
    const timestamp = textOf(signature.timestamp) ?? ''
    const token = textOf(signature.token) ?? ''
    const expected = createHmac('sha256', signingKey).update(`${timestamp}${token}`).digest()
    const given = Buffer.from(textOf(signature.signature) ?? '', 'hex')
    if (token === '' || given.length !== expected.length || !timingSafeEqual(given, expected)) return 'refused'
    // Also where it is no number at all.
    if (!(Math.abs(now.getTime() - Number(timestamp) * 1000) <= REPLAY_WINDOW)) return 'refused'
    const data = recordOf(parsed['event-data'])
    const report = reportOf(data)
    if (report.kind === 'none') return { events: [] }
    const messageId = textOf(recordOf(recordOf(data.message).headers)['message-id'])
    const marks = [textOf(recordOf(data.envelope).sender), messageId === null ? null : `<${messageId}>`]
    return {
      events: [
        {
          // The body is not part of what is signed: a token that comes again with another body is nothing new.
          id: token,
          report,
          recipient: textOf(data.recipient),
          marks: marks.filter((mark) => mark !== null),
          at: instantOf(data.timestamp),
        },
      ],
    }
  }
