/**
 * Postmark's webhook: it signs nothing, so the webhook's URL has a user and a password
 * (https://postmarkapp.com/developer/webhooks/bounce-webhook).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { BounceClass } from '../../core/bounces/bounce-class.ts'
import { readEnhancedCodes } from '../../core/bounces/bounce-class.ts'
import { asInstant, asText, isRecord, parseJson } from '../../core/bounces/json.ts'
import { NO_REPORT, type ProviderEvent, type ReadWebhook } from '../../core/bounces/provider-event.ts'

/** The class of its types of bounces; other types (auto-responders, challenges) are ignored. */
const CLASSES: Record<string, BounceClass> = {
  HardBounce: 'hard',
  BadEmailAddress: 'hard',
  SoftBounce: 'soft',
  Transient: 'soft',
  DnsError: 'soft',
  Unknown: 'soft',
  Blocked: 'ours',
  SpamNotification: 'ours',
  VirusNotification: 'ours',
  DMARCPolicy: 'ours',
  SMTPApiError: 'ours',
}

const MARKS = /b-[a-z2-7]{40}@[a-z0-9.-]{1,255}|<[0-9a-f-]{36}@[a-z0-9.-]{1,255}>/gi

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const eventOf = (body: Record<string, unknown>): ProviderEvent[] => {
  const id = asText(body.ID)
  if (id === null) return []
  const diagnostic = asText(body.Details) ?? asText(body.Description)
  const event = (report: ProviderEvent['report']): ProviderEvent[] => [
    {
      id: `${asText(body.RecordType)}/${id}`,
      report,
      recipient: asText(body.Email),
      // Where the event contains the returned message, its envelope sender or its Message-ID identifies the mail.
      marks: (asText(body.Content) ?? '').slice(0, 100_000).match(MARKS) ?? [],
      at: asInstant(body.BouncedAt),
    },
  ]
  switch (body.RecordType) {
    case 'Bounce': {
      const type = asText(body.Type) ?? ''
      const of = Object.hasOwn(CLASSES, type) ? CLASSES[type] : undefined
      if (of === undefined) return []
      const code = readEnhancedCodes(diagnostic ?? '')[0] ?? null
      return event({ ...NO_REPORT, kind: 'bounce', class: of, code, diagnostic })
    }
    case 'SpamComplaint':
      return event({ ...NO_REPORT, kind: 'complaint', feedback: 'abuse' })
    default:
      return []
  }
}

/** `credentials`: `user:password`, as in the URL of the webhook. */
export const createPostmarkReader = (credentials: string): ReadWebhook => {
  const expected = digest(`Basic ${Buffer.from(credentials).toString('base64')}`)
  return async ({ headers, body }) => {
    const given = headers.authorization
    if (typeof given !== 'string' || !timingSafeEqual(digest(given), expected)) return 'refused'
    const parsed = parseJson(body.toString('utf8'))
    const all = Array.isArray(parsed) ? parsed : [parsed]
    return all.every(isRecord) ? { events: all.flatMap(eventOf) } : 'unreadable'
  }
}
