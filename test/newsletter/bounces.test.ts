import { createConnection } from 'node:net'
import { sql } from 'kysely'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { expect, test } from 'vitest'
import { openBounceListener } from '../../src/adapters/bounces/bounce-listener.ts'
import { readReturnedMail } from '../../src/adapters/bounces/returned-mail.ts'
import type { BounceClass } from '../../src/core/bounces/bounce-class.ts'
import { deriveReturnPath } from '../../src/core/bounces/verp.ts'
import { HOUR } from '../../src/core/calendar.ts'
import { deriveToken } from '../../src/core/token.ts'
import {
  createReceiver,
  createRefusalAlert,
  createWatch,
  type Report,
  stopFailing,
  takeReport,
  watchEditions,
} from '../../src/newsletter/bounces.ts'
import { createLedger } from '../../src/newsletter/ledger.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { createSubscriptions, workOffSignUps } from '../../src/newsletter/subscription.ts'
import { addSuppression, removeSuppression } from '../../src/newsletter/suppressions.ts'
import type { Database } from '../../src/store/database.ts'
import { claim } from '../../src/store/deliveries.ts'
import { readSubscriber } from '../../src/store/subscribers.ts'
import { readSuppression, readSuppressionLog } from '../../src/store/suppressions.ts'
import { KEYS, LONDON_DAILY, openNewsletter, QUIET, SILENT } from '../support/fixtures/newsletter.ts'
import { openSent, stateOf } from '../support/fixtures/sent-edition.ts'

const DOMAIN = 'bounces.example.org'
const NOW = new Date('2026-04-16T08:00:00Z')

const bounce = (of: BounceClass, code = '5.1.1'): Report => ({
  kind: 'bounce',
  class: of,
  code,
  diagnostic: `550 ${code} <reader1@example.com> said no`,
  feedback: null,
})
const complaint = (feedback = 'abuse'): Report => ({ ...bounce('hard'), kind: 'complaint', class: null, feedback })

test('a hard bounce ends mail at once, and keeps why, without an address', async () => {
  await using sent = await openSent(2)
  const { db, ports, mail, reader } = sent
  expect(await takeReport(ports, mail(0), bounce('hard'), 'mail')).toBe('suppressed')
  expect(await stateOf(db, reader(0))).toBe('suppressed')
  expect(await stateOf(db, reader(1))).toBe('active')
  const row = await readSuppression(db, 'reader1@example.com')
  expect(row).toMatchObject({ class: 'hard', code: '5.1.1', source: 'mail', state_before: 'active' })
  expect(`${row?.diagnostic} ${row?.reason}`).not.toContain('@')
})

test('a repeated report changes nothing, not even after an operator undid the first', async () => {
  await using sent = await openSent(1)
  const { db, ports, mail, reader } = sent
  await takeReport(ports, mail(0), bounce('hard'), 'mail')
  expect(await takeReport(ports, mail(0), bounce('hard'), 'mail')).toBe('known')
  const by = { whom: 'ada', why: 'they wrote to us' }
  expect(await removeSuppression(db, NOW, 'Reader1@example.com', by)).toEqual({
    email: 'reader1@example.com',
    state: 'active',
  })
  expect(await takeReport(ports, mail(0), bounce('hard'), 'mail')).toBe('known')
  expect(await readSubscriber(db, { id: reader(0) })).toMatchObject({ state: 'active', next_due_at: expect.any(Date) })
  const log = await readSuppressionLog(db, 'reader1@example.com')
  expect(log.map(({ change, by_whom }) => [change, by_whom])).toEqual([
    ['added', 'mail'],
    ['removed', 'ada'],
  ])
})

test('in whatever order the reports about a mail come, the worst counts', async () => {
  await using sent = await openSent(2)
  const { db, ports, mail, reader } = sent
  for (const of of ['soft', 'hard', 'soft'] as const) await takeReport(ports, mail(0), bounce(of), 'mail')
  for (const of of ['hard', 'soft', 'soft'] as const) await takeReport(ports, mail(1), bounce(of), 'mail')
  for (const n of [0, 1]) expect(await stateOf(db, reader(n))).toBe('suppressed')
  expect(await db.selectFrom('mail_feedback').select('class').execute()).toEqual([{ class: 'hard' }, { class: 'hard' }])
})

test('a hundred refusals of us take nobody off', async () => {
  await using sent = await openSent(100)
  const { db, ports, mail } = sent
  const told: string[] = []
  const log = { ...SILENT, warn: (_: object, event: string) => void told.push(event) }
  for (let n = 0; n < 100; n++) await takeReport({ ...ports, log }, mail(n), bounce('ours', '5.7.1'), 'mail')
  expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([])
  expect(told).toHaveLength(100)
  await sql`update editions set cutoff = now()`.execute(db)
  expect(await createLedger(db).readFigures(NOW)).toMatchObject({ returns: { ours: 100, hard: 0, complaint: 0 } })

  // One destination's opinion is its own; that of three is told once an hour, and closes nothing.
  const errors: object[] = []
  let monotonic = 0
  const alert = createRefusalAlert(
    { db, log: { ...SILENT, error: (facts: object) => void errors.push(facts) } },
    () => monotonic,
  )
  expect(await alert()).toBe(false)
  await sql`update subscribers set email = replace(email, 'example.com', 'd' || length(email) || '.example')`.execute(
    db,
  )
  expect([await alert(), await alert()]).toEqual([true, false])
  expect(errors).toEqual([{ mails: 100, destinations: expect.arrayContaining(['d19.example', 'd20.example']) }])
  monotonic += HOUR
  expect(await alert()).toBe(true)
  expect(await db.selectFrom('throttled_routes').selectAll().execute()).toEqual([])
})

test('editions are looked at once in ten seconds, however many reports come', async () => {
  await using sent = await openSent(20)
  const { db, mail, edition } = sent
  let monotonic = 0
  const watch = createWatch({ db, log: SILENT }, () => monotonic)
  const isPaused = async () =>
    (await db.selectFrom('editions').select('paused_at').where('id', '=', edition).executeTakeFirst())?.paused_at !==
    null
  for (let n = 0; n < 12; n++) await takeReport({ db, log: SILENT, watch }, mail(n), bounce('hard'), 'mail')
  expect(await isPaused()).toBe(false)
  monotonic += 10_000
  await watch()
  expect(await isPaused()).toBe(true)
})

test.each([
  ['an auto-reply', { ...bounce('hard'), kind: 'auto-reply', class: null } as Report],
  ['a delay', { ...bounce('soft'), kind: 'delay' } as Report],
  ['a report of a failed authentication', complaint('auth-failure')],
])('%s changes nothing', async (_, report) => {
  await using sent = await openSent(1)
  expect(await takeReport(sent.ports, sent.mail(0), report, 'mail')).toBe('nothing')
  expect(await stateOf(sent.db, sent.reader(0))).toBe('active')
})

test('what cannot come back changes nothing: unknown, not sent, older than 30 days, or from the future', async () => {
  await using sent = await openSent(4)
  const { db, ports, mail } = sent
  await sql`update deliveries set state = 'queued', sent_at = null where id = ${mail(1).id}`.execute(db)
  await sql`update deliveries set sent_at = now() - interval '31 days' where id = ${mail(2).id}`.execute(db)
  const foreign = [
    { ...mail(0), id: '00005000-0000-4000-8000-000000000000' },
    { ...mail(0), id: 'ffffffff-ffff-4fff-bfff-ffffffffffff' },
    { ...mail(0), stream: 'letters' as const },
    mail(1),
    mail(2),
  ]
  for (const one of foreign) expect(await takeReport(ports, one, bounce('hard'), 'mail')).toBe('foreign')
  const later = new Date(Date.now() + 3 * 86_400_000)
  expect(await takeReport(ports, mail(3), bounce('hard'), 'mail', later)).toBe('foreign')
  expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([])
})

/** Earlier digests of the first reader, so many days ago each. */
const giveHistory = async (db: Database, subscriberId: string, edition: number, daysAgo: number[], state = 'sent') => {
  const ids: string[] = []
  for (const ago of daysAgo) {
    const { rows } = await sql<{ day: string }>`select (current_date - ${ago}::int)::text as day`.execute(db)
    const day = rows[0]?.day ?? ''
    await maintain(db, { now: new Date(), keepDays: 10_000, months: [day.slice(0, 7)] })
    const made = await sql<{ id: string }>`
      insert into deliveries (local_date, id, subscriber_id, edition_id, digest_id, state, sent_at, attempted_at, code, enhanced, said)
      select ${day}::date, (lpad(to_hex(${day}::date - date '1970-01-01'), 8, '0')
          || substr(replace(gen_random_uuid()::text, '-', ''), 9))::uuid, ${subscriberId}, ${edition}, d.id, ${state},
        case when ${state} = 'sent' then now() - ${ago} * interval '1 day' end, now() - ${ago} * interval '1 day',
        452, '4.2.2', 'mailbox full'
      from digests d limit 1 returning id`.execute(db)
    ids.push(made.rows[0]?.id ?? '')
  }
  return ids
}

test('soft bounces end mail when three digests in a row failed over a week, and an arrival makes all good', async () => {
  await using sent = await openSent(2)
  const { db, ports, reader, edition } = sent
  await sql`delete from deliveries`.execute(db)
  const soft = bounce('soft', '5.2.2')
  const ids = await giveHistory(db, reader(0), edition, [21, 14, 7])
  const outcomes: string[] = []
  for (const id of ids) outcomes.push(await takeReport(ports, { stream: 'deliveries', id }, soft, 'mail'))
  expect(outcomes).toEqual(['recorded', 'recorded', 'suppressed'])
  expect(await readSuppression(db, 'reader1@example.com')).toMatchObject({ class: 'soft' })

  const [first, , third, fourth] = await giveHistory(db, reader(1), edition, [28, 21, 14, 7])
  for (const id of [first, third, fourth])
    expect(await takeReport(ports, { stream: 'deliveries', id: id ?? '' }, soft, 'mail')).toBe('recorded')
  expect(await stateOf(db, reader(1))).toBe('active')
})

test('so do digests that a server refused for a week', async () => {
  await using sent = await openSent(1)
  const { db, ports, reader, edition } = sent
  await sql`delete from deliveries`.execute(db)
  await sql`update editions set cutoff = now()`.execute(db)
  await giveHistory(db, reader(0), edition, [14, 7], 'failed')
  expect(await stopFailing(ports)).toBe(0)
  await giveHistory(db, reader(0), edition, [0], 'failed')
  expect(await stopFailing(ports)).toBe(1)
  expect(await stateOf(db, reader(0))).toBe('suppressed')
})

test('a complaint ends mail at once, and only the reader lifts that: by subscribing and confirming again', async () => {
  await using sent = await openSent(1)
  const { db, ports, mail, reader } = sent
  const email = 'reader1@example.com'
  expect(await takeReport(ports, mail(0), complaint(), 'feedback loop')).toBe('suppressed')
  expect(await stateOf(db, reader(0))).toBe('suppressed')

  const desk = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: QUIET })
  const ask = async () => {
    await desk.requestSubscription(email, LONDON_DAILY)
    await workOffSignUps({ db, keys: KEYS })
  }
  await ask()
  await ask()
  const letters = await db.selectFrom('letters').select(['id', 'kind']).execute()
  expect(letters.map(({ kind }) => kind)).toEqual(['confirmation'])
  expect(await claim(db, 'letters', 10)).toHaveLength(1)
  expect(await readSuppression(db, email)).toBeDefined()
  expect(await desk.confirm(deriveToken(KEYS, 'confirm', letters[0]?.id ?? ''))).toBe('confirmed')
  expect(await readSuppression(db, email)).toBeUndefined()
  expect(await stateOf(db, reader(0))).toBe('active')
  // The old complaint is known: told again it does not take them off.
  expect(await takeReport(ports, mail(0), complaint(), 'feedback loop')).toBe('known')
  expect(await stateOf(db, reader(0))).toBe('active')
})

test('an operator who undoes a complaint makes nobody a reader again', async () => {
  await using sent = await openSent(1)
  const { db, ports, mail } = sent
  await takeReport(ports, mail(0), complaint(), 'feedback loop')
  const by = { whom: 'ada', why: 'a mistake' }
  expect(await removeSuppression(db, NOW, 'reader1@example.com', by)).toMatchObject({ state: 'unsubscribed' })
})

test('an operator adds an address that nobody subscribed with, once', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const by = { whom: 'ada', why: 'asked by letter' }
  expect(await addSuppression(db, 'Nobody@Example.org', by)).toEqual({ email: 'nobody@example.org', added: true })
  expect(await addSuppression(db, 'nobody@example.org', by)).toMatchObject({ added: false })
  expect(await addSuppression(db, 'no address', by)).toHaveProperty('problem')
  expect(await removeSuppression(db, NOW, 'nobody@example.org', by)).toEqual({
    email: 'nobody@example.org',
    state: null,
  })
  expect(await removeSuppression(db, NOW, 'nobody@example.org', by)).toBeNull()
})

test('an edition of which too much comes back stops, once', async () => {
  await using sent = await openSent(300)
  const { db, ports, mail, edition } = sent
  await sql`update deliveries set state = 'queued', sent_at = null
    where id in (select id from deliveries where id <> all(${Array.from({ length: 12 }, (_, n) => mail(n).id)}::uuid[]) limit 100)`.execute(
    db,
  )
  for (let n = 0; n < 9; n++) await takeReport(ports, mail(n), bounce('hard'), 'mail')
  expect(await claim(db, 'deliveries', 1)).toHaveLength(1)
  await takeReport(ports, mail(9), bounce('hard'), 'mail')
  expect(await claim(db, 'deliveries', 1)).toEqual([])
  const paused = await db.selectFrom('editions').select(['paused_by', 'paused_why']).executeTakeFirstOrThrow()
  expect(paused).toMatchObject({ paused_by: 'alarm', paused_why: expect.stringContaining('10 of 200') })
  await sql`update editions set paused_at = null, paused_by = null, paused_why = null where id = ${edition}`.execute(db)
  await takeReport(ports, mail(10), bounce('hard'), 'mail')
  expect(await watchEditions(ports)).toBe(0)
  expect(await claim(db, 'deliveries', 1)).toHaveLength(1)
})

/** Hands a message over as a server would; resolves to the refusal's code, or 250. */
const handOver = async (port: number, recipient: string, message: string | Buffer): Promise<number> => {
  const connection = new SMTPConnection({ host: '127.0.0.1', port, ignoreTLS: true })
  try {
    return await new Promise<number>((resolve, reject) => {
      connection.once('error', (error: Error & { responseCode?: number }) => resolve(error.responseCode ?? -1))
      connection.connect((failed) => {
        if (failed) return reject(failed)
        // The types do not know that false is the null sender.
        connection.send({ from: false as unknown as string, to: recipient }, message, (error) =>
          resolve(error === null ? 250 : ((error as { responseCode?: number }).responseCode ?? -1)),
        )
      })
    })
  } finally {
    connection.close()
  }
}

const report = (status: string) =>
  `From: MAILER-DAEMON@example.com\r\nSubject: failure\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=e\r\n\r\n--e\r\n\r\nno\r\n--e\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; forwarded@elsewhere.example\r\nAction: failed\r\nStatus: ${status}\r\n--e--\r\n`

const openReceiver = async (sent: Awaited<ReturnType<typeof openSent>>) => {
  const receiver = createReceiver({ ...sent.ports, keys: KEYS, domain: DOMAIN, readMail: readReturnedMail })
  const troubles: unknown[] = []
  const listener = await openBounceListener({
    host: '127.0.0.1',
    port: 0,
    name: DOMAIN,
    ...receiver,
    onError: (error) => troubles.push(error),
  })
  return { ...listener, troubles, [Symbol.asyncDispose]: () => listener.close() }
}

test('a report by mail takes its reader off before it is answered, forwarded or not', async () => {
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
  for (const recipient of [forged, `postmaster@${DOMAIN}`, path.replace(DOMAIN, 'example.net'), path.slice(1)])
    expect(await handOver(receiver.port, recipient, report('5.1.1'))).toBe(550)
  expect(await handOver(receiver.port, path, Buffer.alloc(1024 * 1024 + 1000, 'a line of sixteen\r\n'))).toBe(552)
  expect(await stateOf(sent.db, sent.reader(0))).toBe('active')
  expect(receiver.troubles).toEqual([])
})

test('while the database is away nothing is taken, and the listener lives on', async () => {
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

test('a complaint is known by the envelope sender or the link in the message that it returns', async () => {
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
