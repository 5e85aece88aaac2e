/** The wiring of the service, top to bottom: what each role opens, how the floors are joined, and how it all closes. */
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { openBounceListener } from '../src/adapters/bounce-listener.ts'
import { bitsOf, createSigner } from '../src/adapters/dkim.ts'
import { createMailTemplates } from '../src/adapters/mail-templates.ts'
import { createMold } from '../src/adapters/message.ts'
import { createMetrics } from '../src/adapters/metrics.ts'
import { createPages } from '../src/adapters/pages.ts'
import { fetchPinnedText } from '../src/adapters/pinned-fetch.ts'
import { type Bell, openQueue, type Queue } from '../src/adapters/queue.ts'
import { readReturnedMail } from '../src/adapters/returned-mail.ts'
import { samplePapers } from '../src/adapters/sample-papers.ts'
import { openSmtp } from '../src/adapters/smtp.ts'
import { createMailgunReader } from '../src/adapters/webhook-mailgun.ts'
import { createPostmarkReader } from '../src/adapters/webhook-postmark.ts'
import { createSendgridReader } from '../src/adapters/webhook-sendgrid.ts'
import { createSesReader } from '../src/adapters/webhook-ses.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../src/core/calendar.ts'
import type { Log } from '../src/core/log.ts'
import type { ReadWebhook } from '../src/core/provider-event.ts'
import { describeFault } from '../src/core/scrub.ts'
import { readSmtpUrl } from '../src/core/smtp-url.ts'
import type { Keys } from '../src/core/token.ts'
import { buildApp } from '../src/http/app.ts'
import { buildHealthApp } from '../src/http/health.ts'
import { createArchive } from '../src/newsletter/archive.ts'
import { createDoor, stopFailing, watchEditions } from '../src/newsletter/bounces.ts'
import { drain, type MailerPorts } from '../src/newsletter/delivery.ts'
import { clockTrouble, tick } from '../src/newsletter/edition.ts'
import { fillWithSample, refreshPapers } from '../src/newsletter/intake.ts'
import { createLedger } from '../src/newsletter/ledger.ts'
import { createComposer } from '../src/newsletter/mail.ts'
import { maintain } from '../src/newsletter/maintenance.ts'
import { createPreviews } from '../src/newsletter/preview.ts'
import { createSubscriptions, workOffSignUps } from '../src/newsletter/subscription.ts'
import { createWays } from '../src/newsletter/ways.ts'
import { createWebhooks } from '../src/newsletter/webhooks.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import { keepSampleOffTheWire, requeueExpired } from '../src/store/deliveries.ts'
import { readLastTick } from '../src/store/digests.ts'
import { answers, holdsAnyPapers } from '../src/store/papers.ts'
import { wereTried } from '../src/store/refreshes.ts'
import { type Config, UnusableClock } from './config.ts'
import { openSources } from './sources.ts'

export const ROLES = ['api', 'scheduler', 'mailer', 'maintain', 'bounces'] as const
export type Role = (typeof ROLES)[number]

/** What the service stands on: found by `main`, or made by a test. */
export interface Ground {
  databaseUrl: string
  keys: Keys
  smtpUrl: string
  /** The page of the embedded mailbox; `null` when mail leaves this machine. */
  mailboxUrl: string | null
  now: () => Date
  log: Log
  /** True when this process alone works on the database, so that leases of its predecessor are nobody's. */
  alone: boolean
}

export interface Service {
  /** Where the site listens; `null` without the role `api`. */
  url: string | null
  /** Where mail that came back is taken; `null` where it is not. */
  bouncesPort: number | null
  close(): Promise<void>
}

/** Letters are few and one waits for each; digests are many, and each lane has a group of them claimed. */
export const SENDING = { letters: { lanes: 1, connections: 2 }, deliveries: { lanes: 4, connections: 4 } }
const connectionsOf = ({ lanes, connections }: { lanes: number; connections: number }) => lanes * connections
/** Gmail and Yahoo recommend so many; fewer, down to 1024, are verified as well. */
const GOOD_DKIM_BITS = 2048
/** Work under way at a stop has this long to end; Docker's own patience is 10 seconds. */
const GRACE = 6 * SECOND
/** A start shows what the sources have if they answer within this time, and the sample otherwise. */
const PATIENCE_AT_START = 2 * SECOND
/** The first edition after a start waits so long for the sources at most. */
const PATIENCE_FOR_SOURCES = MINUTE
const REFRESH_EVERY = HOUR
const MAINTAIN_EVERY = DAY

/** Whoever waits for an answer of ours does not wait longer than this for the queue. */
const PATIENCE_TO_RING = SECOND / 10

/** A scheduler that was not woken for so long has lost its queue, or hangs in an edition. */
const LONGEST_SILENCE = 5 * MINUTE

/** Starts the roles; when the promise resolves everything of theirs is ready. */
export const startService = async (config: Config, ground: Ground, roles: ReadonlySet<Role>): Promise<Service> => {
  const { databaseUrl, keys, now, log } = ground
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    // What was opened last leans on what was opened first. One that fails must not keep the others open.
    for (const closer of closers.splice(0).reverse())
      await closer().catch((error) => log.error({ trouble: describeFault(error) }, 'could not be closed'))
  }
  try {
    const db = openDatabase(databaseUrl, {
      connections: 10,
      name: `paper-round ${[...roles].join('+')}`,
      onError: (error) => log.warn({ trouble: error.message }, 'a database connection broke'),
    })
    closers.push(() => db.destroy())
    if (roles.has('scheduler')) {
      const trouble = await clockTrouble(db, now())
      if (trouble !== null) throw new UnusableClock(trouble)
    }

    if (roles.has('maintain')) {
      // Before anything is published: an edition needs its month.
      const keep = () => keepMonths(db, now(), config.keepDeliveries, log)
      await keep()
      const timer = setInterval(() => {
        keep().catch((error) => log.error({ trouble: describeFault(error) }, 'maintenance failed'))
      }, MAINTAIN_EVERY)
      closers.push(async () => clearInterval(timer))
    }

    const bells = (roles.has('scheduler') ? 2 : 0) + (roles.has('mailer') ? 2 : 0)
    const queue = await openQueue({
      databaseUrl,
      redisUrl: config.redisUrl,
      workers: bells,
      onError: (where, error) => log.error({ where, trouble: describeFault(error) }, 'the queue had trouble'),
      onNotice: (notice) => log.warn({}, notice),
    })
    closers.push(() => queue.close({ graceMs: GRACE }))
    // A bell that cannot be rung loses nothing: the sweep of the next tick finds what waits.
    const ring = async (bell: Bell) => {
      const rung = queue
        .ring(bell)
        .catch((error) => log.warn({ bell, trouble: describeFault(error) }, 'a bell could not be rung'))
      await Promise.race([rung, delay(PATIENCE_TO_RING, undefined, { ref: false })])
    }

    // First of all, so that a port in use ends the start before anything has been published or sent.
    const ready = createReadiness({ db, queue, roles, now })
    const editions = createLedger(db)
    const metrics = createMetrics(() => editions.readFigures(now()))
    if (config.healthPort !== null) {
      const health = buildHealthApp({ ready, log, metrics })
      closers.push(() => health.close())
      await health.listen({ host: config.host, port: config.healthPort })
    }
    let url: string | null = null
    let bouncesPort: number | null = null
    if (roles.has('api')) {
      const app = buildApp({
        subscriptions: createSubscriptions({
          db,
          keys,
          now,
          // What was asked for is in the database by then: nobody waits for the queue to get an answer.
          ring: async (bell) => {
            void ring(bell)
          },
        }),
        archive: createArchive({ db, keys, now }),
        previews: createPreviews({ db, now }),
        webhooks: createWebhooks({
          db,
          keys,
          now,
          log,
          bounceDomain: config.bounceDomain,
          mailDomain: config.mailFrom.address.split('@')[1] ?? 'localhost',
          readers: openWebhookReaders(config),
        }),
        pages: createPages({ mailboxUrl: ground.mailboxUrl }),
        baseUrl: config.baseUrl,
        trustProxy: config.trustProxy,
        log,
        ready,
        editions,
        metrics,
        adminToken: config.adminToken,
      })
      closers.push(async () => {
        await app.close()
      })
      await app.listen({ host: config.host, port: config.port })
      const { port } = app.server.address() as AddressInfo
      url = `http://${config.host === '0.0.0.0' || config.host === '127.0.0.1' ? 'localhost' : config.host}:${port}`
    }
    if (roles.has('bounces') && config.bounces !== null && config.bounceDomain !== null) {
      const door = createDoor({ db, keys, log, domain: config.bounceDomain, readMail: readReturnedMail })
      const listener = await openBounceListener({
        ...config.bounces,
        name: config.bounceDomain,
        accepts: door.accepts,
        receive: door.receive,
        onError: (error) => log.error({ trouble: describeFault(error) }, 'a message that came back could not be taken'),
      })
      closers.push(listener.close)
      bouncesPort = listener.port
    }
    if (roles.has('mailer')) {
      let stopping = false
      closers.push(async () => {
        stopping = true
      })
      const mailer = await openMailer(config, ground, db, ring)
      closers.splice(-1, 0, mailer.close)
      const options = (ledger: 'letters' | 'deliveries') => ({
        ...SENDING[ledger],
        stopping: () => stopping,
        onUnknown: config.onUnknown,
      })
      await queue.answer('letters', async () => {
        await workOffSignUps({ db, keys })
        await drain(mailer.ports('letters'), 'letters', options('letters'))
      })
      await queue.answer('deliveries', async () => {
        await drain(mailer.ports('deliveries'), 'deliveries', options('deliveries'))
      })
    }

    if (roles.has('scheduler')) {
      const stop = new AbortController()
      const ports = { db, now, log, signal: stop.signal }
      const restarted = (await readLastTick(db)) !== null
      // A source may let us wait for longer than a stop may take.
      closers.push(async () => stop.abort())
      await queue.answer('refresh', async () => {
        await refreshPapers(ports, openSources(config))
      })
      const papersRead = untilPapersAreRead(config, ports, () => stop.signal.aborted)
      await queue.answer('tick', async () => {
        // What fell due while the service was away is published with the papers of that time, not with those it knew.
        await papersRead
        await tick({ db, log, ring, onUnknown: config.onUnknown }, now())
        await watchEditions({ db, log })
        await stopFailing({ db, log })
      })
      await queue.every('refresh', REFRESH_EVERY)
      await queue.every('tick', MINUTE)
      // The first time both ring at once by themselves. After a restart their next ring may be an hour and a minute away,
      // while the settings may name other sources, and mail of the run before waits.
      if (restarted) for (const bell of ['refresh', 'tick', 'letters', 'deliveries'] as const) await ring(bell)
      await settleSample(config, ports, papersRead)
    }
    return { url, bouncesPort, close }
  } catch (error) {
    await close()
    throw error
  }
}

const keepMonths = async (db: Database, now: Date, keepDays: number, log: Log): Promise<void> => {
  const done = await maintain(db, { now, keepDays })
  if (done === null) return
  if (done.created.length + done.dropped.length > 0) log.info({ ...done }, 'months of deliveries were made or dropped')
  if (done.kept.length > 0) log.warn({ kept: done.kept }, 'old months stay: mail of theirs is not settled')
}

/** Those of the providers that were set up. */
const openWebhookReaders = ({ webhooks }: Config): Map<string, ReadWebhook> => {
  const readers = new Map<string, ReadWebhook>()
  const { ses, postmark, mailgun, sendgrid } = webhooks
  if (ses !== null) readers.set('ses', createSesReader({ topicArn: ses, fetchText: fetchPinnedText }))
  if (postmark !== null) readers.set('postmark', createPostmarkReader(postmark))
  if (mailgun !== null) readers.set('mailgun', createMailgunReader(mailgun))
  if (sendgrid !== null) readers.set('sendgrid', createSendgridReader(sendgrid))
  return readers
}

interface Needs {
  db: Database
  queue: Pick<Queue, 'answers'>
  roles: ReadonlySet<Role>
  now: () => Date
}

/** What must hold for the roles to do their work; rejects with what does not. */
const createReadiness = ({ db, queue, roles, now }: Needs): (() => Promise<void>) => {
  const begun = now().getTime()
  return async () => {
    await answers(db)
    // The site does without: what its bells would have said is found by the next tick.
    if (roles.has('scheduler') || roles.has('mailer')) await queue.answers()
    if (!roles.has('scheduler')) return
    const last = await readLastTick(db)
    const silence = now().getTime() - Math.max(begun, last?.getTime() ?? 0)
    if (silence > LONGEST_SILENCE) throw new Error(`no tick for ${Math.floor(silence / MINUTE)} minutes`)
  }
}

const openMailer = async (config: Config, ground: Ground, db: Database, ring: (bell: Bell) => Promise<unknown>) => {
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
  return {
    ports: (ledger: 'letters' | 'deliveries'): MailerPorts => ({
      db,
      log,
      compose,
      send: smtp[ledger].send,
      ways,
      steady: () => performance.now(),
      random: Math.random,
      ring: () => ring(ledger),
    }),
    close: async () => {
      await Promise.all([smtp.letters.close(), smtp.deliveries.close()])
    },
  }
}

interface Intake {
  db: Database
  now: () => Date
  log: Log
}

/** Resolves once every source was tried since now, in vain or not, or once nobody should wait for them any longer. */
const untilPapersAreRead = async (config: Config, { db, now, log }: Intake, stopping: () => boolean): Promise<void> => {
  const begun = now()
  const labels = openSources(config).map((source) => source.label)
  const until = performance.now() + PATIENCE_FOR_SOURCES
  try {
    while (!stopping() && performance.now() < until && !(await wereTried(db, labels, begun)))
      await new Promise((resume) => setTimeout(resume, SECOND / 20))
  } catch (error) {
    log.warn({ trouble: describeFault(error) }, 'it could not be seen whether the sources were read')
  }
}

/** Waits a moment for the first papers; when none come and no mail leaves this machine, the sample fills in. */
const settleSample = async (config: Config, ports: Intake, papersRead: Promise<void>): Promise<void> => {
  if (await holdsAnyPapers(ports.db)) return
  await Promise.race([papersRead, new Promise((resume) => setTimeout(resume, PATIENCE_AT_START))])
  if (config.smtpUrl === null && !config.production) await fillWithSample(ports, samplePapers())
}
