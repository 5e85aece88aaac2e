/** Takes the events of mail providers by webhook: verifies them, drops repetitions, and records their feedback. */
import type { ProviderEvent, ReadWebhook, WebhookRequest } from '../../core/bounces/provider-event.ts'
import type { MailReference } from '../../core/bounces/verp.ts'
import type { Keys } from '../../core/token.ts'
import { MAIL_STREAMS } from '../../store/database.ts'
import { isKnownEvent, readNewestMailTo, readSentMail, storeProviderEvent } from '../../store/feedback.ts'
import { findMarkedMail } from './bounce-receiver.ts'
import { type FeedbackPorts, recordFeedback } from './feedback.ts'

export interface Webhooks {
  /**
   * Resolves when the feedback is stored. `unconfigured`: there is no such provider. `refused`: the request is not proved to
   * be the provider's. `unreadable`: it is, but has no events. Rejects where the database or the provider's own servers
   * fail: the provider must then send it again.
   */
  receive(provider: string, request: WebhookRequest): Promise<'taken' | 'unconfigured' | 'refused' | 'unreadable'>
}

export interface WebhookPorts extends FeedbackPorts {
  keys: Keys
  now: () => Date
  /** Of the envelope senders; `null` where they are not used. */
  bounceDomain: string | null
  readers: ReadonlyMap<string, ReadWebhook>
}

/** Characters of an event's id that are kept. */
const MAX_ID = 500
/**
 * Our Message-IDs: the mail's id at the domain of its sender. The domain is not compared, since it may be that of MAIL_FROM,
 * of LETTERS_FROM, or of a former one; the id alone tells whether the mail is ours.
 */
const MESSAGE_ID = /^<?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@[^<>\s]{1,255}>?$/i

export const createWebhooks = (ports: WebhookPorts): Webhooks => {
  const { db, keys, now, bounceDomain, readers } = ports

  /** The mail of an event. Its provider is verified, so a Message-ID or even the address is enough. */
  const findMail = async ({ marks, recipient, at }: ProviderEvent): Promise<MailReference | null> => {
    const marked = bounceDomain === null ? null : findMarkedMail(keys, marks, bounceDomain)
    if (marked !== null) return marked
    for (const mark of marks) {
      const id = MESSAGE_ID.exec(mark)?.[1]
      if (id === undefined) continue
      for (const stream of MAIL_STREAMS) if ((await readSentMail(db, { stream, id })) !== null) return { stream, id }
    }
    return recipient === null ? null : readNewestMailTo(db, recipient, at)
  }

  return {
    async receive(provider, request) {
      const read = readers.get(provider)
      if (read === undefined) return 'unconfigured'
      const reading = await read(request, now())
      if (typeof reading === 'string') return reading
      for (const event of reading.events) {
        const id = event.id.slice(0, MAX_ID)
        if (event.report.kind === 'none' || (await isKnownEvent(db, provider, id))) continue
        const mail = await findMail(event)
        if (mail !== null) await recordFeedback(ports, mail, event.report, provider, event.at)
        // Last: an event whose feedback could not be stored must come again.
        await storeProviderEvent(db, provider, id)
      }
      return 'taken'
    },
  }
}
