/** The role `mailer`: sends the outbox, letters beside deliveries. */
import type { Metrics } from '../../src/adapters/metrics.ts'
import { bitsOf } from '../../src/adapters/smtp/dkim.ts'
import { openSmtp } from '../../src/adapters/smtp/smtp.ts'
import type { Tracing } from '../../src/adapters/tracing/tracing.ts'
import type { SmtpOutcome } from '../../src/core/sending/smtp-outcome.ts'
import { readSmtpUrl } from '../../src/core/sending/smtp-url.ts'
import type { AttemptPorts } from '../../src/newsletter/sending/attempt.ts'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { applyRelaySettings } from '../../src/newsletter/sending/limits.ts'
import { createComposer } from '../../src/newsletter/sending/mail.ts'
import { createRoutes } from '../../src/newsletter/sending/routes.ts'
import { answerSignUps } from '../../src/newsletter/subscription/sign-up.ts'
import { MAIL_STREAMS, type MailStream, queueOf } from '../../src/store/database.ts'
import { requeueExpired } from '../../src/store/outbox/leases.ts'
import { withdrawSample } from '../../src/store/outbox/outbox.ts'
import type { AttemptResult } from '../../src/store/outbox/outcomes.ts'
import { openComposePorts } from '../compose-ports.ts'
import { DEFAULT_CONNECTIONS } from '../config/senders.ts'
import type { RoleContext } from './context.ts'

/**
 * How many mails of each queue are in flight at a time over so many connections. Letters are few, and a person waits for
 * each; deliveries are many, and each lane claims a group of them, as of announcements after them. Where there is one connection they share it.
 */
export const planSending = (connections: number) => {
  const letters = Math.min(2, Math.max(1, Math.floor(connections / 2)))
  const deliveries = Math.max(1, connections - letters)
  const lanes = Math.min(2, deliveries)
  return {
    letters: { lanes: 1, connections: letters },
    deliveries: { lanes, connections: Math.floor(deliveries / lanes) },
  }
}
export const SENDING = planSending(DEFAULT_CONNECTIONS)
/** The key size that Gmail and Yahoo recommend; they verify smaller keys too, down to 1024 bits. */
const RECOMMENDED_DKIM_BITS = 2048

/** Handles the queues of both streams. Closing lets the mails that have begun go through, and requeues the others. */
export const openMailer = async (context: RoleContext) => {
  const { config, db, queue, keys, now, log, wake, smtpUrl } = context
  const { metrics } = context.operations
  const traced = traceMails(context.tracing)
  const { onUnknown } = config
  const { dkim } = config
  const bits = dkim === null ? RECOMMENDED_DKIM_BITS : bitsOf(dkim.privateKey)
  if (bits < RECOMMENDED_DKIM_BITS)
    log.warn({ bits }, `the DKIM key is short; a key of ${RECOMMENDED_DKIM_BITS} bits is recommended`)
  const compose = createComposer(await openComposePorts(context))
  // The relay counts connections, whatever they carry.
  const smtp = openSmtp({ url: smtpUrl, connections: config.smtpConnections, authority: config.smtpAuthority })
  const sending = planSending(config.smtpConnections)
  const { host, port } = readSmtpUrl(smtpUrl)
  const relay = `${host}:${port}`
  await applyRelaySettings(db, relay, config.relayCaps)
  const routes = createRoutes({ db, log, relay, now, wake })
  if (config.smtpUrl !== null) await withdrawSample(db, now())
  if (context.alone)
    for (const stream of MAIL_STREAMS) {
      const mails = await requeueExpired(db, stream, { all: true, onUnknown })
      if (mails > 0)
        log.warn(
          { stream, mails, onUnknown },
          'the last run ended while it sent these mails; it is unknown whether the server has them',
        )
    }
  let stopping = false
  const timers = {
    letters: createWakeTimer(() => wake('letters')),
    deliveries: createWakeTimer(() => wake('deliveries')),
  }
  /** Resolves to how many were sent. */
  const send = (stream: MailStream): Promise<number> => {
    const queueName = queueOf(stream)
    const ports = {
      db,
      log,
      compose,
      // A sign-up does not wait behind a run of digests.
      send: (envelope: Parameters<typeof smtp.send>[0], mayBegin: Parameters<typeof smtp.send>[1]) =>
        traced.send(() => smtp.send(envelope, mayBegin, stream === 'letters' ? 'first' : 'last')),
      routes,
      monotonic: () => performance.now(),
      random: Math.random,
      ...traced.ports,
      onAttempt: countIn(metrics),
      wake: () => wake(queueName),
      wakeIn: timers[queueName].wakeIn,
    }
    return drain(ports, stream, { ...sending[queueName], stopping: () => stopping, onUnknown })
  }
  await queue.process('letters', async () => {
    // Letters that wait do not depend on the sign-ups, nor on what keeps these from being answered.
    const [answered] = await Promise.allSettled([
      answerSignUps({ db, keys, log, limits: config.signUpLimits, wakeAgain: () => wake('letters') }),
    ])
    await send('letters')
    if (answered.status === 'rejected') throw answered.reason
  })
  await queue.process('deliveries', async () => {
    // An announcement gives way to digests that fall due meanwhile, and goes on after them.
    do await send('deliveries')
    while (!stopping && (await send('announcement_mails')) > 0)
  })
  return {
    close: async () => {
      stopping = true
      for (const timer of Object.values(timers)) timer.stop()
      await smtp.close()
    },
  }
}

/** Traces attempts and conversations; where nothing is traced, what does neither and costs nothing. */
const traceMails = (
  tracing: Tracing | null,
): { ports: Pick<AttemptPorts, 'trace'>; send: (work: () => Promise<SmtpOutcome>) => Promise<SmtpOutcome> } => {
  if (tracing === null) return { ports: {}, send: (work) => work() }
  return {
    ports: {
      trace: (stream, { id, editionId }, work) =>
        tracing.mail({ 'mail.stream': stream, 'mail.id': id, 'mail.edition': editionId }, work, outcomeOf),
    },
    send: (work) => tracing.conversation({}, work, ({ kind }) => kind),
  }
}

/** What came of an attempt: nobody knows of a mail that is sent again whether the server has it. */
const outcomeOf = ({ state, resend }: AttemptResult): string => (resend ? 'unknown' : state)

/** Counts attempts by what came of them; what was only put back was none. */
const countIn =
  (metrics: Metrics): NonNullable<AttemptPorts['onAttempt']> =>
  (stream, { kind, waitedMs }, result) => {
    const outcome = outcomeOf(result)
    if (outcome === 'queued') return
    const isConfirmation = kind === 'confirmation' && outcome === 'sent'
    metrics.countMail({ stream, outcome, ...(isConfirmation ? { confirmedAfter: waitedMs / 1000 } : {}) })
  }

/** Timers end by another clock than the database's: rather a little late than for nothing. */
const TIMER_SLACK = 100

/** Wakes at the earliest time that it was asked for. */
const createWakeTimer = (wake: () => Promise<void>) => {
  let timer: NodeJS.Timeout | undefined
  let at = Number.POSITIVE_INFINITY
  const stop = () => {
    clearTimeout(timer)
    at = Number.POSITIVE_INFINITY
  }
  return {
    wakeIn: (ms: number) => {
      const asked = performance.now() + ms + TIMER_SLACK
      if (asked >= at) return
      stop()
      at = asked
      timer = setTimeout(() => {
        stop()
        void wake()
      }, ms + TIMER_SLACK)
    },
    stop,
  }
}
