/** Wires event webhooks: the scheduler delivers their messages. */
import { postWebhook } from '../src/adapters/standard-webhook.ts'
import { SECOND } from '../src/core/calendar.ts'
import { describeError } from '../src/core/redact.ts'
import { createWebhookSender, type WebhookSenderPorts } from '../src/newsletter/event-webhooks.ts'

/** How soon a receiver is told of what happened, at the latest. */
const INTERVAL = 5 * SECOND

/** Delivers messages every few seconds until it is closed; those of a slow receiver hold up no others. */
export const watchWebhooks = ({ db, keys, log }: Pick<WebhookSenderPorts, 'db' | 'keys' | 'log'>) => {
  const stop = new AbortController()
  // What is signed is the machine's time: a receiver compares it with its own.
  const machineTime = () => new Date()
  const send = createWebhookSender({
    db,
    keys,
    log,
    machineTime,
    post: (message, signal) => postWebhook(message, machineTime, signal),
    signal: stop.signal,
  })
  const running = new Set<Promise<void>>()
  const timer = setInterval(() => {
    const sending: Promise<void> = send()
      .catch((error) =>
        log.warn({ error: describeError(error) }, 'webhook messages could not be sent; it is tried again in a moment'),
      )
      .finally(() => running.delete(sending))
    running.add(sending)
  }, INTERVAL)
  return {
    async close() {
      clearInterval(timer)
      stop.abort()
      await Promise.all(running)
    },
  }
}
