/** The role `mailer`: sends what is owed, letters beside digests. */
import { bitsOf, createSigner } from '../../src/adapters/smtp/dkim.ts'
import { compileMessage } from '../../src/adapters/smtp/message.ts'
import { openSmtp } from '../../src/adapters/smtp/smtp.ts'
import { createMailTemplates } from '../../src/adapters/templates/mail-templates.ts'
import { readSmtpUrl } from '../../src/core/sending/smtp-url.ts'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { createComposer } from '../../src/newsletter/sending/mail.ts'
import { createRoutes } from '../../src/newsletter/sending/routes.ts'
import { answerSignUps } from '../../src/newsletter/subscription/sign-up.ts'
import { MAIL_STREAMS, type MailStream } from '../../src/store/database.ts'
import { requeueExpired } from '../../src/store/outbox/leases.ts'
import { withdrawSample } from '../../src/store/outbox/outbox.ts'
import type { RoleContext } from './context.ts'

/** Letters are few and one waits for each; digests are many, and each lane has a group of them claimed. */
export const SENDING = { letters: { lanes: 1, connections: 2 }, deliveries: { lanes: 4, connections: 4 } }
const connectionsOf = ({ lanes, connections }: { lanes: number; connections: number }) => lanes * connections
/** Gmail and Yahoo recommend so many; fewer, down to 1024, are verified as well. */
const GOOD_DKIM_BITS = 2048

/** Answers the bells of both ledgers. Closing lets what has begun go through, and puts back the rest. */
export const openMailer = async ({ config, runtime, db, queue, wake }: RoleContext) => {
  const { keys, now, log, smtpUrl } = runtime
  const { onUnknown } = config
  const templates = await createMailTemplates({ baseUrl: config.baseUrl, postalAddress: config.postalAddress })
  const signers = {
    digests: config.dkim === null ? null : createSigner(config.dkim),
    letters: config.lettersDkim === null ? null : createSigner(config.lettersDkim),
  }
  if (config.dkim !== null && bitsOf(config.dkim.privateKey) < GOOD_DKIM_BITS)
    log.warn({ bits: bitsOf(config.dkim.privateKey) }, `a DKIM key of ${GOOD_DKIM_BITS} bits is recommended`)
  const compose = createComposer({
    db,
    keys,
    baseUrl: config.baseUrl,
    mailFrom: config.mailFrom,
    lettersFrom: config.lettersFrom,
    bounceDomain: config.bounceDomain,
    renderDigest: templates.renderDigest,
    renderLetter: templates.renderLetter,
    // Where both have one address they have one domain, too.
    compileMessage: (shared, gaps) =>
      compileMessage(shared, gaps, signers[shared.from.address === config.lettersFrom.address ? 'letters' : 'digests']),
  })
  // Letters have connections of their own: a sign-up does not wait behind a run of digests.
  const smtp = {
    letters: openSmtp({ url: smtpUrl, connections: connectionsOf(SENDING.letters) }),
    deliveries: openSmtp({ url: smtpUrl, connections: connectionsOf(SENDING.deliveries) }),
  }
  const { host, port } = readSmtpUrl(smtpUrl)
  const routes = createRoutes({ db, log, relay: `${host}:${port}` })
  if (config.smtpUrl !== null) await withdrawSample(db, now())
  if (runtime.alone)
    for (const stream of MAIL_STREAMS) {
      const mails = await requeueExpired(db, stream, { all: true, onUnknown })
      if (mails > 0)
        log.warn({ stream, mails, onUnknown }, 'the last run ended while sending: nobody knows whether these were sent')
    }
  let stopping = false
  const send = async (stream: MailStream): Promise<void> => {
    const ports = {
      db,
      log,
      compose,
      send: smtp[stream].send,
      routes,
      monotonic: () => performance.now(),
      random: Math.random,
      wake: () => wake(stream),
    }
    await drain(ports, stream, { ...SENDING[stream], stopping: () => stopping, onUnknown })
  }
  await queue.process('letters', async () => {
    await answerSignUps({ db, keys })
    await send('letters')
  })
  await queue.process('deliveries', () => send('deliveries'))
  return {
    close: async () => {
      stopping = true
      await Promise.all([smtp.letters.close(), smtp.deliveries.close()])
    },
  }
}
