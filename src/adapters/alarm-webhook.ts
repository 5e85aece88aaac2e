/** Tells a URL of the operator's of alarms. */
import type { AlarmNotice } from '../core/alarms.ts'
import { postWebhook } from './standard-webhook.ts'

/** Returns what posts a notice, and rejects unless the receiver answers 2xx. `now`: the machine's time, which is signed. */
export const createAlarmWebhook =
  ({ url, key, now }: { url: string; key: Buffer; now: () => Date }) =>
  async (notice: AlarmNotice): Promise<void> => {
    const { id, event, kind, subject, title, detail, advice, raisedAt, clearedAt } = notice
    const body = JSON.stringify({
      type: `alarm.${event}`,
      timestamp: now().toISOString(),
      data: { id, kind, subject, title, detail, advice, raisedAt, clearedAt },
    })
    // Named by whoever runs the machine, often a host of their own network.
    const { error, status } = await postWebhook(
      { url, messageId: `alarm_${id}_${event}`, keys: [key], body, anyNetwork: true },
      now,
    )
    if (error !== null) throw new Error(status === null ? error : `the webhook answered ${status}`)
  }
