/** The role `mailer`: sends what is owed, letters beside digests. */
import { bitsOf, createSigner } from '../../src/adapters/smtp/dkim.ts'
import { createMold } from '../../src/adapters/smtp/message.ts'
import { openSmtp } from '../../src/adapters/smtp/smtp.ts'
import { createMailTemplates } from '../../src/adapters/templates/mail-templates.ts'
import { readSmtpUrl } from '../../src/core/sending/smtp-url.ts'
import { drain } from '../../src/newsletter/delivery.ts'
import { createComposer } from '../../src/newsletter/mail.ts'
import { createWays } from '../../src/newsletter/routes.ts'
import { workOffSignUps } from '../../src/newsletter/subscription.ts'
import { keepSampleOffTheWire, type Ledger, requeueExpired } from '../../src/store/deliveries.ts'
import type { Stage } from './context.ts'

/** Letters are few and one waits for each; digests are many, and each lane has a group of them claimed. */
export const SENDING = { letters: { lanes: 1, connections: 2 }, deliveries: { lanes: 4, connections: 4 } }
const connectionsOf = ({ lanes, connections }: { lanes: number; connections: number }) => lanes * connections
/** Gmail and Yahoo recommend so many; fewer, down to 1024, are verified as well. */
const GOOD_DKIM_BITS = 2048

/** Answers the bells of both ledgers. Closing lets what has begun go through, and puts back the rest. */
export const openMailer = async ({ config, ground, db, queue, ring }: Stage) => {
  const { keys, now, log, smtpUrl } = ground
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
    createMold: (shared, gaps) =>
      createMold(shared, gaps, signers[shared.from.address === config.lettersFrom.address ? 'letters' : 'digests']),
  })
  // Letters have connections of their own: a sign-up does not wait behind a run of digests.
  const smtp = {
    letters: openSmtp({ url: smtpUrl, connections: connectionsOf(SENDING.letters) }),
    deliveries: openSmtp({ url: smtpUrl, connections: connectionsOf(SENDING.deliveries) }),
  }
  const { host, port } = readSmtpUrl(smtpUrl)
  const ways = createWays({ db, log, relay: `${host}:${port}` })
  if (config.smtpUrl !== null) await keepSampleOffTheWire(db, now())
  if (ground.alone)
    for (const ledger of ['letters', 'deliveries'] as const) {
      const mails = await requeueExpired(db, ledger, { all: true, onUnknown })
      if (mails > 0)
        log.warn({ ledger, mails, onUnknown }, 'the last run ended while sending: nobody knows whether these were sent')
    }
  let stopping = false
  const send = async (ledger: Ledger): Promise<void> => {
    const ports = {
      db,
      log,
      compose,
      send: smtp[ledger].send,
      ways,
      steady: () => performance.now(),
      random: Math.random,
      ring: () => ring(ledger),
    }
    await drain(ports, ledger, { ...SENDING[ledger], stopping: () => stopping, onUnknown })
  }
  await queue.answer('letters', async () => {
    await workOffSignUps({ db, keys })
    await send('letters')
  })
  await queue.answer('deliveries', () => send('deliveries'))
  return {
    close: async () => {
      stopping = true
      await Promise.all([smtp.letters.close(), smtp.deliveries.close()])
    },
  }
}
