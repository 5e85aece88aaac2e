/** What providers tell by webhook, proved, told apart from what was told before, and acted on like mail that came back. */
import type { ProviderEvent, ReadWebhook, WebhookRequest } from '../core/bounces/provider-event.ts'
import type { ReturnedMail } from '../core/bounces/verp.ts'
import type { Keys } from '../core/token.ts'
import { isKnownEvent, readNewestMailTo, readSentMail, storeEvent } from '../store/feedback.ts'
import { type FeedbackPorts, readMark, takeReport } from './bounces.ts'

export interface Webhooks {
  /** `unconfigured`: there is no such provider. Resolves when what follows is stored. */
  receive(provider: string, request: WebhookRequest): Promise<'taken' | 'unconfigured' | 'refused' | 'unreadable'>
}

export interface WebhookPorts extends FeedbackPorts {
  keys: Keys
  now: () => Date
  /** Of the envelope senders; `null` where they are not used. */
  bounceDomain: string | null
  /** Of our Message-IDs. */
  mailDomain: string
  readers: ReadonlyMap<string, ReadWebhook>
}

const MOST_ID = 500
const MESSAGE_ID = /^<?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@([^<>\s]{1,255})>?$/i

export const createWebhooks = (ports: WebhookPorts): Webhooks => {
  const { db, keys, now, bounceDomain, mailDomain, readers } = ports

  /** Providers are believed once they are proved, so a Message-ID or even the address will do. */
  const findMail = async ({ marks, recipient, at }: ProviderEvent): Promise<ReturnedMail | null> => {
    const named = bounceDomain === null ? null : readMark(keys, marks, bounceDomain)
    if (named !== null) return named
    for (const mark of marks) {
      const [, id, domain] = MESSAGE_ID.exec(mark) ?? []
      if (id === undefined || domain?.toLowerCase() !== mailDomain.toLowerCase()) continue
      for (const stream of ['deliveries', 'letters'] as const)
        if ((await readSentMail(db, { stream, id })) !== null) return { stream, id }
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
        const id = event.id.slice(0, MOST_ID)
        if (event.report.kind === 'none' || (await isKnownEvent(db, provider, id))) continue
        const mail = await findMail(event)
        if (mail !== null) await takeReport(ports, mail, event.report, provider, event.at)
        // Last: an event that could not be taken comes again.
        await storeEvent(db, provider, id)
      }
      return 'taken'
    },
  }
}
