/** Calling an edition off: what is not sent any more, what its readers go back to, and what happens to who is at work on it. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { cancelEdition, finishCancellations } from '../../src/newsletter/edition-cancellation.ts'
import { pauseEdition, resendMissed, resumeEdition } from '../../src/newsletter/edition-control.ts'
import { listEditions, readEditionAccount } from '../../src/newsletter/editions.ts'
import { readFigures } from '../../src/newsletter/figures.ts'
import { maintainMonths } from '../../src/newsletter/maintenance.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { drain } from '../../src/newsletter/sending/delivery.ts'
import { tick } from '../../src/newsletter/tick.ts'
import type { Database } from '../../src/store/database.ts'
import { markCanceled } from '../../src/store/edition-cancellation.ts'
import { beginEdition } from '../../src/store/editions.ts'
import { claim } from '../../src/store/outbox/claims.ts'
import { record } from '../../src/store/outbox/outcomes.ts'
import {
  issuesOf,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { DUE, OPTIONS, openSendingNewsletter } from '../support/fixtures/sending-newsletter.ts'

const at = (text: string) => new Date(text)
const NEXT_MORNING = at('2026-04-16T06:00:00Z')
const HOW = { by: 'Ada', why: 'a wrong title', again: false, dryRun: false }

const editionIds = async (db: Database) =>
  (await db.selectFrom('editions').select('id').orderBy('id').execute()).map(({ id }) => id)
const portsOf = (db: Database, now = DUE) => ({ db, log: SILENT, now: () => now })
const publish = (db: Database, when: Date) => publishDue({ db, log: SILENT, wake: wakeNobody }, when)

/** The reader as publishing sees them. */
const readerOf = (db: Database, id: string) =>
  db
    .selectFrom('subscribers')
    .select(['next_due_at', 'last_digest_id', 'last_cutoff', 'last_due_at', 'last_local_date'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()

/** A newsletter with one daily and one weekly reader, who were welcomed on 14 April and are not published yet. */
const openWithReaders = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of ['2026-04-10', '2026-04-13', '2026-04-14']) await storeDay(db, day, LONDON_DAILY.topics)
  const daily = await subscribe(db, 'daily@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
  const weekly = await subscribe(
    db,
    'weekly@example.org',
    { ...LONDON_DAILY, frequency: 'weekly', weekday: 5 },
    at('2026-04-14T05:00:00Z'),
  )
  return { ...newsletter, daily, weekly, [Symbol.asyncDispose]: () => newsletter[Symbol.asyncDispose]() }
}

test('what mailers have is finished and the rest is never sent; its papers come with a later digest to these readers alone', async () => {
  await using newsletter = await openSendingNewsletter(70)
  const { db } = newsletter
  const [id = 0] = await editionIds(db)
  const send = newsletter.ports.send
  let begun = 0
  newsletter.ports.send = async (envelope, mayBegin) => {
    begun += 1
    if (begun === 5) {
      const planned = await cancelEdition(portsOf(db), id, { ...HOW, dryRun: true })
      expect(planned).toMatchObject({ canceled: 44, returned: 44, lastDue: NEXT_MORNING })
      expect(await listEditions(db, 1)).toMatchObject([{ status: 'sending', equation: { canceled: 0 } }])
      expect(await cancelEdition(portsOf(db), id, HOW)).toMatchObject({
        canceled: 44,
        returned: 44,
        kept: 0,
        firstDue: NEXT_MORNING,
      })
    }
    return send(envelope, mayBegin)
  }
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  expect(newsletter.sink.messages).toHaveLength(26)
  expect(await readFigures(db, DUE)).toMatchObject({ pausedEditions: 0, deliveries: { sent: 26, canceled: 44 } })
  await tick({ db, log: SILENT, wake: wakeNobody }, DUE)
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(0)
  const equation = { due: 70, sent: 26, failed: 0, skipped: 0, pending: 0, unknown: 0, canceled: 44, missing: 0 }
  const canceled = { by: 'Ada', why: 'a wrong title' }
  expect(await readEditionAccount(db, id)).toMatchObject({ status: 'canceled', canceled, equation, paused: null })
  expect(await listEditions(db, 1)).toMatchObject([{ status: 'canceled', completedAt: expect.any(Date), equation }])
  for (const attempt of [
    () => resumeEdition(db, id),
    () => pauseEdition(db, id, { by: null, why: null }),
    () => resendMissed(db, id, { states: ['failed'], subscriber: null }),
  ])
    await expect(attempt()).rejects.toThrow(/is canceled/)
  await expect(cancelEdition(portsOf(db), id, HOW)).rejects.toThrow(/canceled already/)

  await storeDay(db, '2026-04-15', LONDON_DAILY.topics)
  expect(await publish(db, NEXT_MORNING)).toMatchObject({ owed: 70, digests: 2 })
  const had = new Set(newsletter.sink.messages.map((message) => message.to))
  for (const reader of ['had', 'had not'] as const) {
    const n = Array.from({ length: 70 }, (_, at) => at).find(
      (at) => had.has(`reader${at}@example.org`) === (reader === 'had'),
    )
    const { id } = await db
      .selectFrom('subscribers')
      .select('id')
      .where('email', '=', `reader${n}@example.org`)
      .executeTakeFirstOrThrow()
    const [first, second] = (await issuesOf(db, id))
      .slice(-2)
      .map((issue) => issue.entries.map((entry) => entry.paperId))
    const again = second?.filter((paper) => first?.includes(paper))
    expect(again?.length, reader).toBe(reader === 'had' ? 0 : first?.length)
  }
})

test('a publisher that is at work on it stops, and whoever was due and not published moves on to their next regular time', async () => {
  await using newsletter = await openWithReaders()
  const { db, daily, weekly } = newsletter
  const before = await readerOf(db, daily)
  const edition = await beginEdition(db, DUE)
  let publishing: Promise<unknown> = Promise.resolve()
  const warnings: string[] = []
  await db.transaction().execute(async (trx) => {
    await sql`select from editions for update`.execute(trx)
    const log = { ...SILENT, warn: (_: object, message: string) => warnings.push(message) }
    publishing = publishDue({ db, log, wake: wakeNobody }, DUE)
    await expect
      .poll(async () => {
        const { rows } = await sql`select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
        return rows.length
      })
      .toBe(1)
    await markCanceled(trx, edition.id, { by: null, why: null, dueAgain: false })
  })
  expect(await publishing).toMatchObject({ owed: 0 })
  expect(warnings).toEqual([expect.stringContaining('canceled')])
  expect(await db.selectFrom('deliveries').select('id').execute()).toEqual([])
  expect(await cancelEdition(portsOf(db), edition.id, HOW)).toMatchObject({ canceled: 0, notPublished: 1 })
  expect(await readerOf(db, daily)).toEqual({ ...before, next_due_at: NEXT_MORNING })
  expect(await readerOf(db, weekly)).toMatchObject({ next_due_at: at('2026-04-17T06:00:00Z') })
  expect(await publish(db, DUE)).toMatchObject({ subscribers: 0 })
  expect(await listEditions(db, 10)).toMatchObject([{ status: 'canceled', completedAt: expect.any(Date) }])
})

test('one that was broken off after its first moment is finished by the tick, and a mail that comes back meanwhile is canceled, too', async () => {
  await using newsletter = await openSendingNewsletter(4)
  const { db, ids } = newsletter
  const [id = 0] = await editionIds(db)
  const [deferred, unknown] = await claim(db, 'deliveries', 2)
  if (deferred === undefined || unknown === undefined) throw new Error('nothing was claimed')
  await db.transaction().execute((trx) => markCanceled(trx, id, { by: null, why: null, dueAgain: false }))
  await tick({ db, log: SILENT, wake: wakeNobody }, DUE)
  expect(await listEditions(db, 1)).toMatchObject([{ equation: { pending: 2, canceled: 2 }, completedAt: null }])
  const result = { reason: null, retryAfterMs: 0, counts: true, reply: null, resend: false }
  await record(db, 'deliveries', [
    { ...deferred, ...result, state: 'deferred' },
    { ...unknown, ...result, state: 'queued', resend: true },
  ])
  await tick({ db, log: SILENT, wake: wakeNobody }, DUE)
  expect(await listEditions(db, 1)).toMatchObject([
    { equation: { pending: 0, canceled: 3, unknown: 1, missing: 0 }, completedAt: expect.any(Date) },
  ])
  for (const reader of ids) {
    const mayHave = reader === unknown.subscriberId
    expect(await readerOf(db, reader)).toMatchObject({
      last_local_date: mayHave ? '2026-04-15' : null,
      next_due_at: NEXT_MORNING,
    })
  }
})

test('after an edition of a mistyped year everybody is due at their next regular time, those who have it, too', async () => {
  await using newsletter = await openWithReaders()
  const { db, daily, weekly } = newsletter
  const mistyped = at('2027-04-15T06:00:00Z')
  await maintainMonths(db, { now: DUE, keepDays: 90, months: ['2027-04'] })
  expect(await publish(db, mistyped)).toMatchObject({ owed: 2 })
  const [id = 0] = await editionIds(db)
  await sql`update deliveries set state = 'sent', sent_at = now() where subscriber_id = ${daily}`.execute(db)
  const now = at('2026-04-15T05:30:00Z')
  expect((await readerOf(db, daily)).next_due_at).toEqual(at('2027-04-16T06:00:00Z'))
  expect(await cancelEdition(portsOf(db, now), id, HOW)).toMatchObject({ canceled: 0, settled: 1, returned: 1 })
  // Twenty hours after the digest that they have.
  expect(await readerOf(db, daily)).toMatchObject({ next_due_at: NEXT_MORNING, last_due_at: now })
  expect(await readerOf(db, weekly)).toMatchObject({ next_due_at: at('2026-04-17T06:00:00Z'), last_local_date: null })
  expect(await publish(db, at('2026-04-17T06:00:00Z'))).toMatchObject({ owed: 2 })

  // All of it was sent: it is complete, and can be taken back all the same.
  expect(await publish(db, at('2027-04-20T06:00:00Z'))).toMatchObject({ owed: 2 })
  const last = (await editionIds(db)).at(-1) ?? 0
  await sql`update deliveries set state = 'sent', sent_at = now() where edition_id = ${last}`.execute(db)
  await tick({ db, log: SILENT, wake: wakeNobody }, at('2026-04-17T07:00:00Z'))
  expect(await readEditionAccount(db, last)).toMatchObject({ status: 'complete' })
  expect(await cancelEdition(portsOf(db, at('2026-04-17T07:00:00Z')), last, HOW)).toMatchObject({ settled: 2 })
  expect(await readEditionAccount(db, last)).toMatchObject({ status: 'canceled', equation: { sent: 2, missing: 0 } })
  expect((await readerOf(db, daily)).next_due_at).toEqual(at('2026-04-18T06:00:00Z'))
})

test('with --again a new edition of the same date takes the place of the canceled one, and both add up', async () => {
  await using newsletter = await openSendingNewsletter(3)
  const { db } = newsletter
  const [id = 0] = await editionIds(db)
  await sql`update deliveries set state = 'sent', sent_at = now() where subscriber_id = ${newsletter.ids[0]}`.execute(
    db,
  )
  expect(await cancelEdition(portsOf(db), id, { ...HOW, again: true })).toMatchObject({ canceled: 2, firstDue: DUE })
  expect(await publish(db, DUE)).toMatchObject({ subscribers: 2, owed: 2 })
  expect(await drain(newsletter.ports, 'deliveries', OPTIONS)).toBe(2)
  await tick({ db, log: SILENT, wake: wakeNobody }, DUE)
  expect(await listEditions(db, 2)).toMatchObject([
    { status: 'complete', cutoff: new Date(DUE.getTime() + 1), equation: { due: 2, sent: 2, canceled: 0, missing: 0 } },
    { status: 'canceled', cutoff: DUE, equation: { due: 3, sent: 1, canceled: 2, missing: 0 } },
  ])
  expect(await readEditionAccount(db, id)).toMatchObject({ equation: { sent: 1, canceled: 2, missing: 0 } })
  expect((await readerOf(db, newsletter.ids[1] ?? '')).next_due_at).toEqual(NEXT_MORNING)
})

test('a reader whose time zone this machine does not know keeps nobody else from going back', async () => {
  await using newsletter = await openSendingNewsletter(2)
  const { db, ids } = newsletter
  const [id = 0] = await editionIds(db)
  await sql`update subscribers set time_zone = 'Mars/Olympus' where id = ${ids[0]}`.execute(db)
  expect(await cancelEdition(portsOf(db), id, HOW)).toMatchObject({ canceled: 2, returned: 2 })
  expect((await readerOf(db, ids[0] ?? '')).next_due_at).toEqual(at('2026-04-15T07:00:00Z'))
  await finishCancellations(portsOf(db))
  expect(await listEditions(db, 1)).toMatchObject([{ status: 'canceled', completedAt: expect.any(Date) }])
})

test('of an edition that is complete there is nothing to cancel, nor of one that does not exist', async () => {
  await using newsletter = await openSendingNewsletter(1)
  const [id = 0] = await editionIds(newsletter.db)
  await drain(newsletter.ports, 'deliveries', OPTIONS)
  await tick({ db: newsletter.db, log: SILENT, wake: wakeNobody }, DUE)
  await expect(cancelEdition(portsOf(newsletter.db), id, HOW)).rejects.toThrow(/complete: nothing of it waits/)
  await expect(cancelEdition(portsOf(newsletter.db), 7_000, HOW)).rejects.toThrow(/there is no edition 7000/)
})
