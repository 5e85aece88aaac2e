/** The events on our mails that providers send by webhook, in one form for all providers. */
import type { BounceReading } from './bounce-mail.ts'

/** A request as received: signatures are verified over these bytes. */
export interface WebhookRequest {
  /** By lower-case name. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Buffer
}

export interface ProviderEvent {
  /** The provider's own, by which a repetition is recognised. */
  id: string
  report: Pick<BounceReading, 'kind' | 'class' | 'code' | 'diagnostic' | 'feedback'>
  recipient: string | null
  /** Envelope senders and Message-IDs that identify the mail. */
  marks: string[]
  at: Date | null
}

/** `refused`: not proved to come from the provider. `unreadable`: it does, but cannot be read. */
export type WebhookReading = { events: ProviderEvent[] } | 'refused' | 'unreadable'

/** Verifies and reads a request at an instant. Rejects only where the provider's own servers cannot be reached. */
export type ReadWebhook = (request: WebhookRequest, now: Date) => Promise<WebhookReading>

/** Milliseconds between the signed time of an event and now, beyond which it is regarded as replayed. */
export const REPLAY_WINDOW = 5 * 60_000

export const NO_REPORT: ProviderEvent['report'] = {
  kind: 'none',
  class: null,
  code: null,
  diagnostic: null,
  feedback: null,
}
