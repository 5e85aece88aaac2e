/** Reads Amazon SES's notifications and events on a message: JSON, mailed by SNS or sent to a webhook. */
import { type BounceClass, classifyRefusal } from './bounce-class.ts'
import { asRecord } from './json.ts'

export interface SesNotice {
  kind: 'bounce' | 'complaint' | 'delay' | 'none'
  class: BounceClass | null
  code: string | null
  recipient: string | null
  diagnostic: string | null
  feedback: string | null
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** The class of SES's types of bounces, where no status says more. */
const BY_TYPE: Record<string, BounceClass> = { Permanent: 'hard', Transient: 'soft', Undetermined: 'soft' }
/** Subtypes with another class than their type. */
const BY_SUBTYPE: Record<string, BounceClass> = {
  MailboxFull: 'soft',
  MessageTooLarge: 'ours',
  ContentRejected: 'ours',
  AttachmentRejected: 'ours',
  CustomTimeoutExceeded: 'soft',
}

/** Reads an event (`eventType`) or notification (`notificationType`); other types are of kind `none`. `null` where it is neither. */
export const readSesEvent = (event: unknown): SesNotice | null => {
  const body = asRecord(event)
  const type = text(body.notificationType) ?? text(body.eventType)
  if (type === null || !('mail' in body || 'bounce' in body || 'complaint' in body)) return null
  const mail = asRecord(body.mail)
  const destination = text(list(mail.destination)[0])
  const nothing: SesNotice = {
    kind: 'none',
    class: null,
    code: null,
    recipient: destination,
    diagnostic: null,
    feedback: null,
  }
  switch (type) {
    case 'Bounce': {
      const bounce = asRecord(body.bounce)
      const one = asRecord(list(bounce.bouncedRecipients)[0])
      const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(text(one.status) ?? '')?.[0] ?? null
      const diagnostic = text(one.diagnosticCode)
      const words = (diagnostic ?? '').replace(/^[a-z0-9-]{1,40}\s*;/i, '')
      const refusal = classifyRefusal(status, words)
      const stated = BY_SUBTYPE[text(bounce.bounceSubType) ?? ''] ?? BY_TYPE[text(bounce.bounceType) ?? ''] ?? 'soft'
      // Out-of-office replies come as Transient or Undetermined: never more than soft, whatever they say.
      const passing = text(bounce.bounceType) !== 'Permanent'
      const found = status === null && words.trim() === '' ? stated : refusal.class
      return {
        kind: 'bounce',
        class: passing && found === 'hard' ? 'soft' : found,
        code: refusal.code,
        recipient: text(one.emailAddress) ?? destination,
        diagnostic,
        feedback: null,
      }
    }
    case 'Complaint': {
      const complaint = asRecord(body.complaint)
      const feedback = text(complaint.complaintFeedbackType) ?? 'abuse'
      const one = asRecord(list(complaint.complainedRecipients)[0])
      const recipient = text(one.emailAddress) ?? destination
      return feedback === 'not-spam' ? nothing : { ...nothing, kind: 'complaint', recipient, feedback }
    }
    case 'DeliveryDelay':
      return { ...nothing, kind: 'delay', class: 'soft' }
    default:
      return nothing
  }
}

/** Reads the same from a text that begins with JSON; `null` where it does not. */
export const readSesNotice = (words: string): SesNotice | null => {
  const start = words.trimStart()
  if (!start.startsWith('{') || !/"(?:notificationType|eventType|Type)"/.test(start)) return null
  // SNS appends how to unsubscribe from the topic.
  const end = start.indexOf('\n--')
  // Mailed JSON has line breaks within its strings, some marked with `!`.
  const json = (end < 0 ? start : start.slice(0, end)).replace(/!?\r?\n ?/g, '')
  try {
    const parsed: unknown = JSON.parse(json)
    const inner = text(asRecord(parsed).Message)
    return readSesEvent(inner === null ? parsed : JSON.parse(inner))
  } catch {
    // Not JSON after all: the caller reads it as text.
    return null
  }
}
