/** What a mail provider tells of our mails by webhook, whichever provider it is. */
import type { BounceReading } from './bounce-mail.ts'

/** A request as it came: whatever is proved is proved over these bytes. */
export interface WebhookRequest {
  /** By lower-case name. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Buffer
}

export interface ProviderEvent {
  /** The provider's own, by which a repetition is known. */
  id: string
  report: Pick<BounceReading, 'kind' | 'class' | 'code' | 'diagnostic' | 'feedback'>
  recipient: string | null
  /** Envelope senders and Message-IDs that tell which of our mails it is. */
  marks: string[]
  at: Date | null
}

/** `refused`: not proved to come from the provider. `unreadable`: it does, but makes no sense. */
export type WebhookReading = { events: ProviderEvent[] } | 'refused' | 'unreadable'

/** Proves and reads a request at an instant. Rejects only when the provider's own servers cannot be asked. */
export type ReadWebhook = (request: WebhookRequest, now: Date) => Promise<WebhookReading>

/** Events older or newer than this by their signed time are somebody's recording (milliseconds). */
export const REPLAY_WINDOW = 5 * 60_000

export const NO_REPORT: ProviderEvent['report'] = {
  kind: 'none',
  class: null,
  code: null,
  diagnostic: null,
  feedback: null,
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const recordOf = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {})

/** Text as it is, numbers in digits, nothing else. */
export const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : null

/** An instant from a text or from Unix seconds; `null` from anything else. */
export const instantOf = (value: unknown): Date | null => {
  const instant = new Date(typeof value === 'number' ? value * 1000 : typeof value === 'string' ? value : Number.NaN)
  return Number.isNaN(instant.getTime()) ? null : instant
}

/** JSON, or `undefined` for what is none. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Whoever sends something else is told so by the caller.
    return undefined
  }
}
