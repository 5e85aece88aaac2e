/**
 * Postmark: it signs nothing, so its webhook is set up with a user and a password in the address
 * (https://postmarkapp.com/developer/webhooks/bounce-webhook).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { BounceClass } from '../../core/bounces/bounce-class.ts'
import { readEnhancedCodes } from '../../core/bounces/bounce-class.ts'
import {
  instantOf,
  isRecord,
  NO_REPORT,
  type ProviderEvent,
  parseJson,
  type ReadWebhook,
  textOf,
} from '../../core/bounces/provider-event.ts'

/** Its types of bounces; those that are not here (auto-responders, challenges) are none. */
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

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const eventOf = (body: Record<string, unknown>): ProviderEvent[] => {
  const id = textOf(body.ID)
  if (id === null) return []
  const diagnostic = textOf(body.Details) ?? textOf(body.Description)
  const event = (report: ProviderEvent['report']): ProviderEvent[] => [
    {
      id: `${textOf(body.RecordType)}/${id}`,
      report,
      recipient: textOf(body.Email),
      // Where the message that came back is part of the event, ours are known by what stands in it.
      marks: (textOf(body.Content) ?? '').slice(0, 100_000).match(/b-[a-z2-7]{40}@[a-z0-9.-]{1,255}/gi) ?? [],
      at: instantOf(body.BouncedAt),
    },
  ]
  switch (body.RecordType) {
    case 'Bounce': {
      const type = textOf(body.Type) ?? ''
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

/** `credentials` is `user:password`, as it stands in the address of the webhook. */
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
