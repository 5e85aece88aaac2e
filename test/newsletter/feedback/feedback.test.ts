import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { deriveToken } from '../../../src/core/token.ts'
import { type Report, recordFeedback, suppressFailing } from '../../../src/newsletter/feedback/feedback.ts'
import { addSuppression, removeSuppression } from '../../../src/newsletter/feedback/suppressions.ts'
import { maintain } from '../../../src/newsletter/maintenance.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../../src/store/database.ts'
import { claim } from '../../../src/store/outbox/claims.ts'
import { newDeliveryId } from '../../../src/store/outbox/delivery-id.ts'
import { readSubscriber } from '../../../src/store/subscribers.ts'
import { readSuppression, readSuppressionLog } from '../../../src/store/suppressions.ts'
import { KEYS, LONDON_DAILY, openNewsletter, SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'
import { bounce, complaint, openSent, stateOf } from '../../support/fixtures/sent-edition.ts'

const NOW = new Date('2026-04-16T08:00:00Z')

test('a hard bounce suppresses its reader at once, and keeps why, without an address', async () => {
  await using sent = await openSent(2)
  const { db, ports, mail, reader } = sent
  expect(await recordFeedback(ports, mail(0), bounce('hard'), 'mail')).toBe('suppressed')
  expect(await stateOf(db, reader(0))).toBe('suppressed')
  expect(await stateOf(db, reader(1))).toBe('active')
  const row = await readSuppression(db, 'reader1@example.com')
  expect(row).toMatchObject({
    class: 'hard',
    code: '5.1.1',
    source: 'mail',
    state_before: 'active',
    edition_id: sent.edition,
  })
  expect(`${row?.diagnostic} ${row?.reason}`).not.toContain('@')
})

test('a repeated report changes nothing, not even after an operator undid the first', async () => {
  await using sent = await openSent(1)
  const { db, ports, mail, reader } = sent
  await recordFeedback(ports, mail(0), bounce('hard'), 'mail')
  expect(await recordFeedback(ports, mail(0), bounce('hard'), 'mail')).toBe('known')
  const by = { whom: 'ada', why: 'they wrote to us' }
  expect(await removeSuppression(db, NOW, 'Reader1@example.com', by)).toEqual({
    email: 'reader1@example.com',
    state: 'active',
  })
  expect(await recordFeedback(ports, mail(0), bounce('hard'), 'mail')).toBe('known')
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
  for (const of of ['soft', 'hard', 'soft'] as const) await recordFeedback(ports, mail(0), bounce(of), 'mail')
  for (const of of ['hard', 'soft', 'soft'] as const) await recordFeedback(ports, mail(1), bounce(of), 'mail')
  for (const n of [0, 1]) expect(await stateOf(db, reader(n))).toBe('suppressed')
  expect(await db.selectFrom('mail_feedback').select('class').execute()).toEqual([{ class: 'hard' }, { class: 'hard' }])
})

test.each([
  ['an auto-reply', { ...bounce('hard'), kind: 'auto-reply', class: null } as Report],
  ['a delay', { ...bounce('soft'), kind: 'delay' } as Report],
  ['a report of a failed authentication', complaint('auth-failure')],
])('%s changes nothing', async (_, report) => {
  await using sent = await openSent(1)
  expect(await recordFeedback(sent.ports, sent.mail(0), report, 'mail')).toBe('ignored')
  expect(await stateOf(sent.db, sent.reader(0))).toBe('active')
})

test('feedback changes nothing on a mail that is unknown, not sent or older than 30 days, nor when dated in the future', async () => {
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
  for (const one of foreign) expect(await recordFeedback(ports, one, bounce('hard'), 'mail')).toBe('foreign')
  const later = new Date(Date.now() + 3 * 86_400_000)
  expect(await recordFeedback(ports, mail(3), bounce('hard'), 'mail', later)).toBe('foreign')
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
      select ${day}::date, ${newDeliveryId(sql`${subscriberId}::uuid`, sql`${day}::date`)}, ${subscriberId}, ${edition}, d.id, ${state},
        case when ${state} = 'sent' then now() - ${ago} * interval '1 day' end, now() - ${ago} * interval '1 day',
        452, '4.2.2', 'mailbox full'
      from digests d limit 1 returning id`.execute(db)
    ids.push(made.rows[0]?.id ?? '')
  }
  return ids
}

test('soft bounces suppress a reader when three digests in a row failed over a week, unless one arrived', async () => {
  await using sent = await openSent(2)
  const { db, ports, reader, edition } = sent
  await sql`delete from deliveries`.execute(db)
  const soft = bounce('soft', '5.2.2')
  const ids = await giveHistory(db, reader(0), edition, [21, 14, 7])
  const outcomes: string[] = []
  for (const id of ids) outcomes.push(await recordFeedback(ports, { stream: 'deliveries', id }, soft, 'mail'))
  expect(outcomes).toEqual(['recorded', 'recorded', 'suppressed'])
  expect(await readSuppression(db, 'reader1@example.com')).toMatchObject({ class: 'soft' })

  const [first, , third, fourth] = await giveHistory(db, reader(1), edition, [28, 21, 14, 7])
  for (const id of [first, third, fourth])
    expect(await recordFeedback(ports, { stream: 'deliveries', id: id ?? '' }, soft, 'mail')).toBe('recorded')
  expect(await stateOf(db, reader(1))).toBe('active')
})

test('digests that a server refused for a week suppress their reader', async () => {
  await using sent = await openSent(1)
  const { db, ports, reader, edition } = sent
  await sql`delete from deliveries`.execute(db)
  await sql`update editions set cutoff = now()`.execute(db)
  await giveHistory(db, reader(0), edition, [14, 7], 'failed')
  expect(await suppressFailing(ports)).toBe(0)
  await giveHistory(db, reader(0), edition, [0], 'failed')
  expect(await suppressFailing(ports)).toBe(1)
  expect(await stateOf(db, reader(0))).toBe('suppressed')
})

test('digests that failed for everybody for a week suppress nobody, and the reader who alone fails is suppressed', async () => {
  await using sent = await openSent(30)
  const { db, ports, reader } = sent
  const domains = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example', 'f.example']
  const readers = Array.from({ length: 30 }, (_, n) => reader(n))
  for (const [n, id] of readers.entries())
    await sql`update subscribers set email = ${`reader${n}@${domains[n % 6]}`} where id = ${id}`.execute(db)
  await sql`delete from deliveries`.execute(db)
  const editions: number[] = []
  for (const days of [14, 7, 0]) {
    const { rows } = await sql<{ id: number }>`
      insert into editions (cutoff, due) values (now() - ${days} * interval '1 day', 30) returning id`.execute(db)
    const edition = rows[0]?.id ?? 0
    editions.push(edition)
    for (const id of readers) await giveHistory(db, id, edition, [days], 'failed')
  }
  expect(await suppressFailing(ports)).toBe(0)
  expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([])

  await sql`update deliveries set state = 'sent', sent_at = attempted_at - interval '3 days'
    where subscriber_id <> ${reader(7)}`.execute(db)
  expect(await suppressFailing(ports)).toBe(1)
  expect(await readSuppression(db, 'reader7@b.example')).toMatchObject({ class: 'soft', edition_id: editions[2] })
})

test('a complaint suppresses its reader at once, and only they lift that, by subscribing and confirming again', async () => {
  await using sent = await openSent(1)
  const { db, ports, mail, reader } = sent
  const email = 'reader1@example.com'
  expect(await recordFeedback(ports, mail(0), complaint(), 'feedback loop')).toBe('suppressed')
  expect(await stateOf(db, reader(0))).toBe('suppressed')

  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody })
  const ask = async () => {
    await subscriptions.requestSubscription(email, LONDON_DAILY)
    await answerSignUps({ db, keys: KEYS, log: SILENT })
  }
  await ask()
  await ask()
  const letters = await db.selectFrom('letters').select(['id', 'kind']).execute()
  expect(letters.map(({ kind }) => kind)).toEqual(['confirmation'])
  expect(await claim(db, 'letters', 10)).toHaveLength(1)
  expect(await readSuppression(db, email)).toBeDefined()
  expect(await subscriptions.confirm(deriveToken(KEYS, 'confirm', letters[0]?.id ?? ''))).toBe('confirmed')
  expect(await readSuppression(db, email)).toBeUndefined()
  expect(await stateOf(db, reader(0))).toBe('active')
  // The old complaint is known: repeated, it does not suppress them.
  expect(await recordFeedback(ports, mail(0), complaint(), 'feedback loop')).toBe('known')
  expect(await stateOf(db, reader(0))).toBe('active')
})

test('an operator who undoes a complaint resubscribes nobody', async () => {
  await using sent = await openSent(1)
  const { db, ports, mail } = sent
  await recordFeedback(ports, mail(0), complaint(), 'feedback loop')
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
