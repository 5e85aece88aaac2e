/**
 * A process that sends what is owed, by one of four programs, and measures what that takes:
 *
 *     node test/support/processes/delivery-process.ts ours|dkim|naive|mjml-each DATABASE_URL SMTP_URL [LIMIT] [PADDING]
 *
 * `ours` is the mailer as it runs in production, and `dkim` the same with RSA-2048 signatures; the mails of both are longer
 * by so many octets of padding. `naive` is a program written
 * with some care: the digest's MJML compiled once, as many connections as ours in nodemailer's pool, each message composed
 * by nodemailer, a claim and an update for each. `mjml-each` is the simplest program: a loop that for one subscriber after
 * the other claims, compiles the MJML, composes, opens a connection, sends, and updates. Prints `ready` on a line, begins
 * when something is written to its standard input, and prints one line of JSON: {"sent","seconds","cpu_ms","rss_mb"}.
 */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createTransport } from 'nodemailer'
import { createSigner } from '../../../src/adapters/smtp/dkim.ts'
import { compileMessage } from '../../../src/adapters/smtp/message.ts'
import { openSmtp } from '../../../src/adapters/smtp/smtp.ts'
import { createMailTemplates } from '../../../src/adapters/templates/mail-templates.ts'
import { readSmtpUrl } from '../../../src/core/sending/smtp-url.ts'
import { deriveToken, TOKEN_PLACEHOLDERS } from '../../../src/core/token.ts'
import { readIssue } from '../../../src/newsletter/publishing/issue.ts'
import { drain } from '../../../src/newsletter/sending/delivery.ts'
import { createComposer } from '../../../src/newsletter/sending/mail.ts'
import { createRoutes } from '../../../src/newsletter/sending/routes.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { readDigest } from '../../../src/store/digests.ts'
import { SENDING } from '../../../workers/roles/mailer.ts'
import { BENCH_KEYS, BENCH_SETTINGS } from '../fixtures/owed-edition.ts'
import { padMessages } from '../fixtures/padded-message.ts'

const [program = '', databaseUrl = '', smtpUrl = '', limit = 'Infinity', padding = '0'] = process.argv.slice(2)
const db = openDatabase(databaseUrl, { connections: 10, name: 'bench', onError: (error) => console.error(error) })
const templates = await createMailTemplates(BENCH_SETTINGS)
const { lanes, connections } = SENDING.deliveries

const signer =
  program === 'dkim'
    ? createSigner({
        domain: 'example.org',
        selector: 'bench',
        privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
      })
    : null

const sendOurs = async (): Promise<number> => {
  const smtp = openSmtp({ url: smtpUrl, connections: lanes * connections })
  const compilePadded = padMessages(compileMessage, Number(padding))
  const compileSigned: typeof compileMessage = (shared, placeholders) => compilePadded(shared, placeholders, signer)
  const compose = createComposer({
    db,
    keys: BENCH_KEYS,
    ...BENCH_SETTINGS,
    ...templates,
    compileMessage: compileSigned,
  })
  const wake = async () => undefined
  const log = { info: () => undefined, warn: console.error, error: console.error }
  const routes = createRoutes({ db, log, relay: 'bench', now: () => new Date() })
  const ports = {
    db,
    log,
    compose,
    send: smtp.send,
    routes,
    monotonic: () => performance.now(),
    random: Math.random,
    wake,
  }
  const sent = await drain(ports, 'deliveries', { lanes, connections, stopping: () => false })
  await smtp.close()
  return sent
}

/** Sends each mail by itself: claimed, rendered, composed by nodemailer, sent, and recorded. */
const sendEach = async (compileEach: boolean): Promise<number> => {
  const { host, port } = readSmtpUrl(smtpUrl)
  const concurrency = compileEach ? 1 : lanes * connections
  const server = { host, port, ignoreTLS: true }
  const pool = compileEach
    ? createTransport(server)
    : createTransport({ ...server, pool: true, maxConnections: concurrency, maxMessages: Number.POSITIVE_INFINITY })
  const source = await readFile(new URL('../../../templates/emails/announcement.mjml', import.meta.url), 'utf8')
  const head = await readFile(new URL('../../../templates/emails/head.mjml', import.meta.url), 'utf8')
  const mjml2html = compileEach ? (await import('mjml')).default : null
  const rendered = new Map<number, ReturnType<typeof templates.renderDigest>>()
  let left = Number(limit)
  let sent = 0
  const work = async (): Promise<void> => {
    for (;;) {
      if (left-- <= 0) return
      const mail = await db
        .updateTable('deliveries')
        .set({ state: 'sending', lease_until: new Date(Date.now() + 60_000) })
        .where('id', '=', (eb) =>
          eb.selectFrom('deliveries').select('id').where('state', '=', 'queued').limit(1).forUpdate().skipLocked(),
        )
        .returningAll()
        .executeTakeFirst()
      if (mail === undefined) return
      const reader = await db
        .selectFrom('subscribers')
        .selectAll()
        .where('id', '=', mail.subscriber_id)
        .where('state', '=', 'active')
        .executeTakeFirstOrThrow()
      let digest = rendered.get(mail.digest_id)
      if (digest === undefined) {
        const stored = await readDigest(db, mail.digest_id)
        if (stored === undefined) throw new Error('no digest')
        digest = templates.renderDigest(await readIssue(db, stored))
        rendered.set(mail.digest_id, digest)
      }
      if (mjml2html !== null)
        await mjml2html(source.replace('<mj-head />', head), { fonts: {}, validationLevel: 'skip' })
      const unsubscribe = deriveToken(BENCH_KEYS, 'unsubscribe', reader.id)
      const withTokens = (text: string) =>
        text
          .replaceAll(TOKEN_PLACEHOLDERS.unsubscribe, unsubscribe)
          .replaceAll(TOKEN_PLACEHOLDERS.preferences, deriveToken(BENCH_KEYS, 'preferences', reader.id, reader.epoch))
          .replaceAll(TOKEN_PLACEHOLDERS.view, deriveToken(BENCH_KEYS, 'view', mail.id, reader.epoch))
      await pool.sendMail({
        from: BENCH_SETTINGS.mailFrom,
        to: reader.email ?? '',
        subject: digest.subject,
        messageId: `<${mail.id}@example.org>`,
        headers: { 'List-Unsubscribe': `<${BENCH_SETTINGS.baseUrl}/unsubscribe/${unsubscribe}>` },
        text: withTokens(digest.text),
        html: withTokens(digest.html),
      })
      await db
        .updateTable('deliveries')
        .set({ state: 'sent', lease_until: null, sent_at: new Date() })
        .where('local_date', '=', mail.local_date)
        .where('id', '=', mail.id)
        .execute()
      sent++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  pool.close()
  return sent
}

console.log('ready')
await once(process.stdin, 'data')
const begun = performance.now()
const cpuBefore = process.cpuUsage()
let rss = 0
const sampling = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss())
}, 200)
const sent = await (program === 'ours' || program === 'dkim' ? sendOurs() : sendEach(program === 'mjml-each'))
clearInterval(sampling)
const cpu = process.cpuUsage(cpuBefore)
console.log(
  JSON.stringify({
    sent,
    seconds: (performance.now() - begun) / 1000,
    cpu_ms: (cpu.user + cpu.system) / 1000,
    rss_mb: Math.round(Math.max(rss, process.memoryUsage.rss()) / 1e6),
  }),
)
await db.destroy()
process.exit()
