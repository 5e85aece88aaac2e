/** What an operator sees of editions and does with them: the equation, missed deliveries, resending, pausing, release. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { readMailDay } from '../../src/newsletter/account.ts'
import {
  type MissedDelivery,
  pauseEdition,
  resendMissed,
  resumeEdition,
  streamMissed,
  UnusableEdition,
} from '../../src/newsletter/edition-control.ts'
import { listEditions, readEditionAccount } from '../../src/newsletter/editions.ts'
import { readFigures } from '../../src/newsletter/figures.ts'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { reconcile } from '../../src/newsletter/sending/reconciler.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { claim } from '../../src/store/outbox/claims.ts'
import { requeueExpired } from '../../src/store/outbox/leases.ts'
import { record } from '../../src/store/outbox/outcomes.ts'
import { stopMail } from '../../src/store/subscribers.ts'
import { eraseFrom, KEYS, SILENT, wakeNobody } from '../support/fixtures/newsletter.ts'
import { DUE, OPTIONS, openSendingNewsletter } from '../support/fixtures/sending-newsletter.ts'

type SendingNewsletter = Awaited<ReturnType<typeof openSendingNewsletter>>

const HOLD = { ...OPTIONS, onUnknown: 'hold' as const }

/** The one edition there is. */
const editionOf = async ({ db }: SendingNewsletter) =>
  (await db.selectFrom('editions').select('id').executeTakeFirstOrThrow()).id

/** Reconciles, and returns what was logged as an error. */
const reconcileIn = async ({ db }: SendingNewsletter, onUnknown?: 'hold' | 'resend') => {
  const errors: object[] = []
  const log = { ...SILENT, error: (facts: object) => errors.push(facts) }
  await reconcile({ db, log, wake: wakeNobody, ...(onUnknown === undefined ? {} : { onUnknown }) })
  return errors
}

const letTimePass = ({ db }: SendingNewsletter) =>
  db
    .updateTable('deliveries')
    .set({ next_attempt_at: new Date(0) })
    .execute()

const missedOf = async (newsletter: SendingNewsletter, id: number, reason: string | null = null) => {
  const rows: MissedDelivery[] = []
  await streamMissed(newsletter.db, id, { states: ['failed', 'skipped', 'unknown'], reason }, async (some) => {
    rows.push(...some)
  })
  return rows.sort((a, b) => (a.email ?? '').localeCompare(b.email ?? ''))
}

const messageIds = ({ sink }: SendingNewsletter, to: string) =>
  sink.messages.filter((one) => one.to === to).map((one) => /Message-ID: (.*)/.exec(one.raw)?.[1])

test('an edition with every state adds up, by state and reason, and is complete only when nothing is pending', async () => {
  await using newsletter = await openSendingNewsletter(7, ({ stage, to }) => {
    if (stage === 'rcpt' && to.startsWith('reader0@')) return { reply: '550 5.1.1 no such user <reader0@example.org>' }
    if (stage === 'rcpt' && to.startsWith('reader1@')) return { reply: '450 4.2.1 try later' }
    if (stage === 'dot' && to.startsWith('reader2@')) return { reply: '552 5.2.2 mailbox full' }
    return stage === 'accepted' && to.startsWith('reader3@') ? 'drop' : undefined
  })
  const id = await editionOf(newsletter)
  const subscriptions = createSubscriptions({ db: newsletter.db, keys: KEYS, now: () => DUE, wake: wakeNobody })
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', newsletter.ids[4] ?? ''))
  expect((await readEditionAccount(newsletter.db, id))?.equation).toMatchObject({ due: 7, pending: 7, missing: 0 })
  await drain(newsletter.ports, 'deliveries', HOLD)
  await reconcileIn(newsletter)

  const sending = await readEditionAccount(newsletter.db, id)
  expect(sending).toMatchObject({ status: 'sending', completedAt: null, resent: 0 })
  const equation = { due: 7, sent: 2, failed: 2, skipped: 1, pending: 1, unknown: 1, canceled: 0, missing: 0 }
  expect(sending?.equation).toEqual(equation)
  expect((await listEditions(newsletter.db, 10))[0]?.equation).toEqual(equation)
  expect(sending?.counts.map(({ state, reason, count }) => [state, reason, count])).toEqual(
    expect.arrayContaining([
      ['sent', null, 2],
      ['failed', 'refused at rcpt 550 5.1.1', 1],
      ['failed', 'refused at message 552 5.2.2', 1],
      ['skipped', 'no longer wanted', 1],
      ['deferred', 'refused at rcpt 450 4.2.1', 1],
      ['unknown', 'outcome unknown', 1],
    ]),
  )
  const missed = await missedOf(newsletter, id)
  expect(missed.map(({ email, state, said }) => [email, state, said])).toEqual([
    ['reader0@example.org', 'failed', '550 5.1.1 no such user <address>'],
    ['reader2@example.org', 'failed', '552 5.2.2 mailbox full'],
    ['reader3@example.org', 'unknown', null],
    ['reader4@example.org', 'skipped', null],
  ])
  expect((await missedOf(newsletter, id, '552 5.2')).map((row) => row.email)).toEqual(['reader2@example.org'])

  await newsletter.db.updateTable('deliveries').set({ state: 'sent' }).where('state', '=', 'deferred').execute()
  await reconcileIn(newsletter)
  const complete = { status: 'complete', completedAt: expect.any(Date), equation: { sent: 3, pending: 0, unknown: 1 } }
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject(complete)
  // An erased subscriber, and a month that is dropped, take nothing from what an old edition came to.
  expect(await eraseFrom(newsletter.db, newsletter.ids[5] ?? '')).toBe('erased')
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject(complete)
  await sql`drop table deliveries_2026_04`.execute(newsletter.db)
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject(complete)
  expect(await reconcileIn(newsletter)).toEqual([])
  await expect(resendMissed(newsletter.db, id, { states: ['failed'], subscriber: null })).rejects.toThrow(
    /dropped with their month/,
  )
})

test('an edition that does not add up is logged as an error, and never called complete', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const id = await editionOf(newsletter)
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  await sql`delete from deliveries where subscriber_id = ${newsletter.ids[1]}`.execute(newsletter.db)
  expect(await reconcileIn(newsletter)).toEqual([{ edition: id, due: 3, missing: 1 }])
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject({
    status: 'broken',
    completedAt: null,
    equation: { due: 3, sent: 2, missing: 1 },
  })
  expect((await listEditions(newsletter.db, 1))[0]).toMatchObject({ status: 'broken' })
  expect(await readFigures(newsletter.db, DUE)).toMatchObject({ brokenEditions: 1, openEditions: 1 })
})

test('the reply of the server to each mail is kept, with its time', async () => {
  await using newsletter = await openSendingNewsletter(1)
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  const day = await readMailDay(newsletter.db, 'reader0@example.org', '2026-04-15')
  expect(day?.mails).toEqual([
    {
      id: expect.any(String),
      what: 'digest',
      edition: await editionOf(newsletter),
      dueAt: DUE,
      state: 'sent',
      reason: null,
      failedBefore: null,
      attempts: 1,
      resent: 0,
      attemptedAt: expect.any(Date),
      sentAt: expect.any(Date),
      code: 250,
      enhanced: '2.0.0',
      said: '250 2.0.0 Ok: queued',
    },
  ])
  expect(await readMailDay(newsletter.db, 'nobody@example.org', '2026-04-15')).toBeNull()
})

test('a digest of unknown outcome that is held goes out only when it is released, once, with the same Message-ID', async () => {
  let died = false
  await using newsletter = await openSendingNewsletter(1, ({ stage }) => {
    if (stage !== 'accepted' || died) return undefined
    died = true
    return 'drop'
  })
  const id = await editionOf(newsletter)
  await drain(newsletter.ports, 'deliveries', HOLD)
  await letTimePass(newsletter)
  await reconcileIn(newsletter, 'hold')
  expect(await drain(newsletter.ports, 'deliveries', HOLD)).toBe(0)
  expect(newsletter.sink.messages).toHaveLength(1)
  expect(await readFigures(newsletter.db, DUE)).toMatchObject({ openEditions: 0 })
  expect(await resendMissed(newsletter.db, id, { states: ['failed'], subscriber: null })).toMatchObject({ requeued: 0 })

  expect(await resendMissed(newsletter.db, id, { states: ['unknown'], subscriber: null })).toMatchObject({
    requeued: 1,
  })
  expect(await drain(newsletter.ports, 'deliveries', HOLD)).toBe(1)
  expect(await drain(newsletter.ports, 'deliveries', HOLD)).toBe(0)
  const ids = messageIds(newsletter, 'reader0@example.org')
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(1)
  await reconcileIn(newsletter, 'hold')
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject({
    status: 'complete',
    resent: 1,
    equation: { sent: 1, unknown: 0 },
  })
})

test('when a mailer dies, digests are held if so configured and letters never, and a late result still counts', async () => {
  await using newsletter = await openSendingNewsletter(2)
  await newsletter.db.updateTable('letters').set({ state: 'queued' }).where('kind', '=', 'welcome').execute()
  const [letter] = await claim(newsletter.db, 'letters', 1)
  const [first, second] = await claim(newsletter.db, 'deliveries', 2)
  if (letter === undefined || first === undefined || second === undefined) throw new Error('nothing was claimed')
  for (const table of ['letters', 'deliveries'] as const)
    await newsletter.db
      .updateTable(table)
      .set({ lease_until: new Date(0) })
      .where('state', '=', 'sending')
      .execute()
  await reconcileIn(newsletter, 'hold')
  expect(await newsletter.states()).toMatchObject(Array(2).fill({ state: 'unknown', resent: 0 }))
  expect(await claim(newsletter.db, 'deliveries', 10)).toEqual([])
  expect((await claim(newsletter.db, 'letters', 10)).map((mail) => mail.id)).toContain(letter.id)

  const late = { reason: null, retryAfterMs: 0, counts: true, resend: false, reply: null }
  expect(await record(newsletter.db, 'deliveries', [{ ...first, ...late, state: 'deferred' }])).toBe(0)
  expect(await record(newsletter.db, 'deliveries', [{ ...first, ...late, state: 'sent' }])).toBe(1)
  expect((await newsletter.states()).map((one) => one.state).sort()).toEqual(['sent', 'unknown'])
  const id = await editionOf(newsletter)
  await resendMissed(newsletter.db, id, { states: ['unknown'], subscriber: null })
  expect(await record(newsletter.db, 'deliveries', [{ ...second, ...late, state: 'sent' }])).toBe(0)
})

test('a resend reaches those who did not get the digest, and not those who have it or no longer want it', async () => {
  let refusing = true
  await using newsletter = await openSendingNewsletter(4, ({ stage, to }) =>
    refusing && stage === 'dot' && !to.startsWith('reader0@') ? { reply: '552 5.2.2 mailbox full' } : undefined,
  )
  const id = await editionOf(newsletter)
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  await reconcileIn(newsletter)
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject({
    status: 'complete',
    equation: { sent: 1, failed: 3 },
  })
  refusing = false
  await stopMail(newsletter.db, newsletter.ids[1] ?? '', 'unsubscribed')
  await expect(
    resendMissed(newsletter.db, id, { states: ['failed'], subscriber: { email: 'nobody@example.org' } }),
  ).rejects.toThrow(UnusableEdition)
  expect(
    await resendMissed(newsletter.db, id, { states: ['failed'], subscriber: { email: 'reader2@example.org' } }),
  ).toMatchObject({
    requeued: 1,
  })
  expect(await resendMissed(newsletter.db, id, { states: ['failed'], subscriber: null })).toMatchObject({
    from: { failed: 2 },
  })
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(2)
  expect(newsletter.sink.messages.map((message) => message.to).sort()).toEqual(
    [0, 2, 3].map((n) => `reader${n}@example.org`),
  )
  await reconcileIn(newsletter)
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject({
    status: 'complete',
    equation: { sent: 3, skipped: 1 },
  })
  // What became of it since does not hide why it failed first.
  const failedBefore = 'refused at message 552 5.2.2'
  expect((await readEditionAccount(newsletter.db, id))?.counts).toContainEqual(
    expect.objectContaining({ state: 'skipped', reason: `no longer wanted; failed before: ${failedBefore}` }),
  )
  expect(await missedOf(newsletter, id, '552')).toMatchObject([{ email: 'reader1@example.org', failedBefore }])
  expect((await readMailDay(newsletter.db, 'reader2@example.org', '2026-04-15'))?.mails).toMatchObject([
    { state: 'sent', failedBefore },
  ])
  expect(await resendMissed(newsletter.db, id, { states: ['failed', 'unknown'], subscriber: null })).toMatchObject({
    requeued: 0,
  })
})

test('a paused edition finishes what is claimed and no more, and continues from there', async () => {
  await using newsletter = await openSendingNewsletter(70)
  const id = await editionOf(newsletter)
  const send = newsletter.ports.send
  let begun = 0
  newsletter.ports.send = async (envelope, mayBegin) => {
    begun += 1
    if (begun === 5) await pauseEdition(newsletter.db, id, { by: 'Ada', why: 'a wrong title' })
    return send(envelope, mayBegin)
  }
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  const before = newsletter.sink.messages.length
  // What a lane with three connections claims at a time.
  expect(before).toBe(26)
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(0)
  await reconcileIn(newsletter)
  expect(await readEditionAccount(newsletter.db, id)).toMatchObject({
    status: 'paused',
    paused: { by: 'Ada', why: 'a wrong title' },
    equation: { sent: 26, pending: 44 },
  })
  await resumeEdition(newsletter.db, id)
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(44)
  expect(new Set(newsletter.sink.messages.map((message) => message.to)).size).toBe(70)
  expect(newsletter.sink.messages).toHaveLength(70)
  await expect(resumeEdition(newsletter.db, id)).rejects.toThrow(/not paused/)
  await reconcileIn(newsletter)
  await expect(pauseEdition(newsletter.db, id, { by: null, why: null })).rejects.toThrow(/complete/)
})

test('two schedulers that reconcile at once do the work once', async () => {
  await using newsletter = await openSendingNewsletter(1)
  await claim(newsletter.db, 'deliveries', 1)
  await newsletter.db
    .updateTable('deliveries')
    .set({ lease_until: new Date(0) })
    .execute()
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  // A lock on the row keeps the first in the middle of its work.
  const blocker = newsletter.db.transaction().execute(async (trx) => {
    await sql`select from deliveries for update`.execute(trx)
    await held
  })
  await expect
    .poll(async () => (await sql`select from deliveries for update skip locked`.execute(newsletter.db)).rows.length)
    .toBe(0)
  const first = reconcile({ db: newsletter.db, log: SILENT, wake: wakeNobody })
  await expect
    .poll(
      async () =>
        (
          await sql`select from pg_locks where locktype = 'advisory' and granted
            and database = (select oid from pg_database where datname = current_database())`.execute(newsletter.db)
        ).rows.length,
    )
    .toBeGreaterThan(0)
  expect(await reconcile({ db: newsletter.db, log: SILENT, wake: wakeNobody })).toBe(false)
  release()
  await blocker
  expect(await first).toBe(true)
  expect(await newsletter.states()).toMatchObject([{ state: 'queued', resent: 1 }])
  expect(await requeueExpired(newsletter.db, 'deliveries')).toBe(0)
})
