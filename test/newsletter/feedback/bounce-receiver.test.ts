import { createConnection } from 'node:net'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openBounceListener } from '../../../src/adapters/bounces/bounce-listener.ts'
import { readReturnedMail } from '../../../src/adapters/bounces/returned-mail.ts'
import { deriveReturnPath } from '../../../src/core/bounces/verp.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { createBounceReceiver } from '../../../src/newsletter/feedback/bounce-receiver.ts'
import { KEYS } from '../../support/fixtures/newsletter.ts'
import { openSent, stateOf } from '../../support/fixtures/sent-edition.ts'
import { handOver as handOverFrom } from '../../support/servers/handed-over-mail.ts'

const DOMAIN = 'bounces.example.org'

/** From the null sender, as reports come. */
const handOver = (port: number, recipient: string, message: string | Buffer) =>
  handOverFrom(port, '', recipient, message)

const report = (status: string) =>
  `From: MAILER-DAEMON@example.com\r\nSubject: failure\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=e\r\n\r\n--e\r\n\r\nno\r\n--e\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; forwarded@elsewhere.example\r\nAction: failed\r\nStatus: ${status}\r\n--e--\r\n`

const openReceiver = async (sent: Awaited<ReturnType<typeof openSent>>) => {
  const passedOn: string[] = []
  const receiver = createBounceReceiver({
    ...sent.ports,
    keys: KEYS,
    now: () => new Date(),
    domain: DOMAIN,
    readMail: readReturnedMail,
    passOn: async (raw, recipient) => {
      if (passedOn.length === 2) throw new Error('the relay is away')
      passedOn.push(`${recipient}: ${Buffer.from(raw).toString()}`)
    },
  })
  const errors: unknown[] = []
  const listener = await openBounceListener({
    host: '127.0.0.1',
    port: 0,
    name: DOMAIN,
    ...receiver,
    onError: (error) => errors.push(error),
  })
  return { ...listener, errors, passedOn, [Symbol.asyncDispose]: () => listener.close() }
}

test('a report by mail suppresses its reader before it is accepted, forwarded or not', async () => {
  await using sent = await openSent(2)
  await using receiver = await openReceiver(sent)
  const path = deriveReturnPath(KEYS, sent.mail(0), DOMAIN)
  expect(await handOver(receiver.port, path.toUpperCase(), report('5.1.1'))).toBe(250)
  expect(await stateOf(sent.db, sent.reader(0))).toBe('suppressed')
  expect(await handOver(receiver.port, path, report('5.1.1'))).toBe(250)
  expect(await sent.db.selectFrom('suppressions').select('email').execute()).toHaveLength(1)
})

test('strangers, forged tokens and large messages are refused, and nothing is changed', async () => {
  await using sent = await openSent(1)
  await using receiver = await openReceiver(sent)
  const path = deriveReturnPath(KEYS, sent.mail(0), DOMAIN)
  const forged = deriveReturnPath([Buffer.alloc(32, 1)], sent.mail(0), DOMAIN)
  for (const recipient of [
    forged,
    `webmaster@${DOMAIN}`,
    'postmaster@example.net',
    path.replace(DOMAIN, 'example.net'),
    path.slice(1),
  ])
    expect(await handOver(receiver.port, recipient, report('5.1.1'))).toBe(550)
  expect(await handOver(receiver.port, path, Buffer.alloc(1024 * 1024 + 1000, 'a line of sixteen\r\n'))).toBe(552)
  expect(await stateOf(sent.db, sent.reader(0))).toBe('active')
  expect(receiver.errors).toEqual([])
})

test('mail to postmaster and abuse reaches the operator, and is refused for now where it cannot', async () => {
  await using sent = await openSent(1)
  await using receiver = await openReceiver(sent)
  const words = 'From: ada@example.com\r\nSubject: Your mail\r\n\r\nPlease look at your DNS.\r\n'
  expect(await handOver(receiver.port, `Postmaster@${DOMAIN.toUpperCase()}`, words)).toBe(250)
  expect(await handOver(receiver.port, `abuse@${DOMAIN}`, words)).toBe(250)
  expect(receiver.passedOn).toEqual([`Postmaster@${DOMAIN.toUpperCase()}: ${words}`, `abuse@${DOMAIN}: ${words}`])
  expect(await handOver(receiver.port, `postmaster@${DOMAIN}`, words)).toBe(451)
  // RFC 5321 4.5.1: without a domain, too.
  const bare = createConnection(receiver.port, '127.0.0.1').setEncoding('utf8')
  let said = ''
  bare.on('data', (text) => {
    said += text
  })
  await new Promise((resolve) => bare.once('data', resolve))
  bare.write('EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nQUIT\r\n')
  await new Promise((resolve) => bare.once('close', resolve))
  expect(said.trim().split('\r\n').slice(-2)).toEqual([expect.stringMatching(/^250 /), expect.stringMatching(/^221 /)])
})

test('while the database fails no report is accepted, and the listener goes on', async () => {
  await using sent = await openSent(1)
  await using receiver = await openReceiver(sent)
  const path = deriveReturnPath(KEYS, sent.mail(0), DOMAIN)
  await sql`alter table mail_feedback rename to away`.execute(sent.db)
  expect(await handOver(receiver.port, path, report('5.1.1'))).toBe(451)
  await sql`alter table away rename to mail_feedback`.execute(sent.db)
  const rude = createConnection(receiver.port, '127.0.0.1')
  await new Promise((resolve) => rude.once('data', resolve))
  rude.destroy()
  expect(await handOver(receiver.port, path, report('5.1.1'))).toBe(250)
  expect(await stateOf(sent.db, sent.reader(0))).toBe('suppressed')
})

test('a complaint is matched by the envelope sender or the link in the message that it returns', async () => {
  await using sent = await openSent(3)
  await using receiver = await openReceiver(sent)
  const about = (inside: string) =>
    `From: fbl@example.net\r\nSubject: report\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=e\r\n\r\n--e\r\n\r\nabuse\r\n--e\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--e\r\nContent-Type: message/rfc822\r\n\r\n${inside}\r\nSubject: x\r\n\r\nbody\r\n--e--\r\n`
  const to = `complaints@${DOMAIN}`
  const path = deriveReturnPath(KEYS, sent.mail(0), DOMAIN)
  const link = `https://round.example.org/unsubscribe/${deriveToken(KEYS, 'unsubscribe', sent.reader(1))}`
  const other = `https://round.example.org/unsubscribe/${deriveToken([Buffer.alloc(32, 1)], 'unsubscribe', sent.reader(2))}`
  for (const inside of [`Return-Path: <${path}>`, `List-Unsubscribe: <${link}>`, `List-Unsubscribe: <${other}>`])
    expect(await handOver(receiver.port, to, about(inside))).toBe(250)
  expect(await handOver(receiver.port, to, report('5.1.1'))).toBe(250)
  const states = await Promise.all([0, 1, 2].map((n) => stateOf(sent.db, sent.reader(n))))
  expect(states).toEqual(['suppressed', 'suppressed', 'active'])
})
