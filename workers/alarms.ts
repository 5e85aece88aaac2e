/** Wires alarms: every process looks for them, and tells the operator by email and by webhook where these are set. */
import { createAlarmWebhook } from '../src/adapters/alarm-webhook.ts'
import { createSigner } from '../src/adapters/smtp/dkim.ts'
import { compileMessage } from '../src/adapters/smtp/message.ts'
import { openSmtp } from '../src/adapters/smtp/smtp.ts'
import { type AlarmNotice, noticeText } from '../src/core/alarms.ts'
import { SECOND } from '../src/core/calendar.ts'
import { describeError } from '../src/core/redact.ts'
import { AUTOMATIC_MAIL_HEADERS } from '../src/core/sending/list-headers.ts'
import { describeOutcome } from '../src/core/sending/smtp-outcome.ts'
import { type AlarmPorts, createAlarmCheck, type Notify } from '../src/newsletter/alarms.ts'
import type { Config } from './config/config.ts'

const CHECK_INTERVAL = 30 * SECOND

/** The channels that are set, and what closes their connections. Nothing is connected before there is an alarm. */
export const openAlarmChannels = (
  config: Config,
  smtpUrl: string,
): { channels: AlarmPorts['channels']; close: () => Promise<void> } => {
  const { operatorEmail, alarmWebhook } = config
  const smtp =
    operatorEmail === null ? null : openSmtp({ url: smtpUrl, connections: 1, authority: config.smtpAuthority })
  return {
    channels: {
      ...(smtp === null || operatorEmail === null
        ? {}
        : { email: createOperatorMail(config, operatorEmail, smtp.send) }),
      // What is signed is the machine's time: a receiver compares it with its own.
      ...(alarmWebhook === null ? {} : { webhook: createAlarmWebhook({ ...alarmWebhook, now: () => new Date() }) }),
    },
    close: async () => smtp?.close(),
  }
}

/**
 * An email to the operator goes to the relay at once and by itself: the outbox may be what stands still. The Message-ID is
 * the same for each attempt.
 */
const createOperatorMail =
  ({ baseUrl, lettersFrom, lettersDkim }: Config, to: string, send: ReturnType<typeof openSmtp>['send']): Notify =>
  async (notice: AlarmNotice) => {
    const { subject, text } = noticeText(notice, baseUrl)
    const signer = lettersDkim === null ? null : createSigner(lettersDkim)
    const template = await compileMessage(
      { from: lettersFrom, subject, headers: AUTOMATIC_MAIL_HEADERS, text },
      [],
      signer,
    )
    const domain = lettersFrom.address.slice(lettersFrom.address.lastIndexOf('@') + 1)
    const message = await template.render({
      to,
      messageId: `alarm-${notice.id}-${notice.event}@${domain}`,
      date: (notice.event === 'cleared' ? notice.clearedAt : null) ?? notice.raisedAt,
      values: {},
    })
    const outcome = await send({ from: lettersFrom.address, to, message, plain: true })
    if (outcome.kind !== 'sent') throw new Error(describeOutcome(outcome))
  }

/** Looks for alarms every half minute, until it is closed. */
export const watchAlarms = (config: Config, ports: Omit<AlarmPorts, 'channels'> & { smtpUrl: string }) => {
  const { channels, close } = openAlarmChannels(config, ports.smtpUrl)
  const check = createAlarmCheck({ ...ports, channels })
  let checking: Promise<void> | null = null
  const timer = setInterval(() => {
    checking ??= check()
      .catch((error) => ports.log.warn({ error: describeError(error) }, 'alarms could not be looked for'))
      .finally(() => {
        checking = null
      })
  }, CHECK_INTERVAL)
  return {
    async close() {
      clearInterval(timer)
      await close()
      await checking
    },
  }
}
