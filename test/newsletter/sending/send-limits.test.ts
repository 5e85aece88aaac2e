/** Caps: however many mailers there are and whatever becomes of them, no more is sent than the operator allows. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { destinationOfDomain } from '../../../src/core/sending/destination.ts'
import type { Database } from '../../../src/store/database.ts'
import { requeueExpired } from '../../../src/store/outbox/leases.ts'
import { storeLetter } from '../../../src/store/outbox/outbox.ts'
import { claimRestricted } from '../../../src/store/outbox/restricted-claims.ts'
import { readSendLimits, setSendLimit } from '../../../src/store/outbox/send-limits.ts'
import { stopMail } from '../../../src/store/subscribers.ts'
import { openRateLimitedNewsletter } from '../../support/fixtures/rate-limited-newsletter.ts'
import { thorough } from '../../support/thoroughness.ts'

const people = (count: number, domain = 'example.org') =>
  Array.from({ length: count }, (_, n) => `reader${n}@${domain}`)
const RELAY = { kind: 'relay' as const, name: 'sink', domains: [] }
const NO_CAPS = { perSecond: null, perHour: null, perDay: null }

const capRelay = (db: Database, caps: Partial<typeof NO_CAPS | Record<keyof typeof NO_CAPS, number>>) =>
  setSendLimit(db, RELAY, { caps: { ...NO_CAPS, ...caps }, fromSettings: false })

/** Lets so many hours pass for all that caps look at. */
const passHours = async (db: Database, hours: number): Promise<void> => {
  const by = sql`${hours} * interval '1 hour'`
  // In two steps, since no two minutes of a route may meet on the way.
  await sql`update send_counts set minute = minute - interval '10 years'`.execute(db)
  await sql`update send_counts set minute = minute + interval '10 years' - ${by}`.execute(db)
  await sql`update send_limits set warm_up_since = warm_up_since - ${by}, next_slot = next_slot - ${by}`.execute(db)
}

const oweLetters = async (db: Database, count: number): Promise<void> => {
  const readers = await db.selectFrom('subscribers').select('id').limit(count).execute()
  for (const { id } of readers)
    await storeLetter(db, { subscriberId: id, kind: 'already-subscribed', digestId: null, requestedAt: new Date(0) })
}

test('a warm-up sends its number each day and not one more, over two mailers, and ends after its last step', async () => {
  const start = thorough ? 200 : 20
  await using newsletter = await openRateLimitedNewsletter(people(start * 15))
  const { db } = newsletter
  await setSendLimit(db, RELAY, { warmUp: { limit: start, growth: 2, until: start * 4 } })
  const mailers = [newsletter.openMailer(), newsletter.openMailer()]
  const days: number[] = []
  for (let day = 0; day < 4; day++) {
    const before = newsletter.sink.count()
    // Twice in a day: what went in the morning counts in the evening.
    for (const hours of [0, 10]) {
      await passHours(db, hours)
      for (let sent = 1; sent > 0; )
        sent = (await Promise.all(mailers.map((by) => newsletter.send({ lanes: 2 }, by)))).reduce((a, b) => a + b)
    }
    days.push(newsletter.sink.count() - before)
    // The first minute of the day before has to be over, too.
    await passHours(db, 14.1)
  }
  // Of 15 times the start 1 + 2 + 4 are gone, and then the plan is over.
  expect(days).toEqual([start, start * 2, start * 4, start * 8])
  expect(await readSendLimits(db)).toEqual([])
})

test('two mailers share a cap a second: every mail has a slot of its own', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(30))
  const { db } = newsletter
  await capRelay(db, { perSecond: 20 })
  await sql`update send_limits set next_slot = now()`.execute(db)
  const readNext = async () => {
    const { next_slot } = await db.selectFrom('send_limits').select('next_slot').executeTakeFirstOrThrow()
    return next_slot?.getTime() ?? 0
  }
  const before = await readNext()
  const claimAll = () => claimRestricted(db, 'deliveries', { relay: 'sink', limit: 32, connections: 32 })
  const claims = (await Promise.all([claimAll(), claimAll()])).map(({ claimed }) => claimed)
  for (const claimed of claims) {
    const begin = claimed.map(({ beginInMs = 0 }) => beginInMs)
    for (const [n, at] of begin.slice(1).entries()) expect(at - (begin[n] ?? 0)).toBeCloseTo(50, 5)
  }
  // Both at the same moment: together they took no more slots than there were until the next free one.
  const taken = claims.flat().length
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThanOrEqual(Math.ceil(((await readNext()) - before) / 50))
})

test('all are sent under a cap a second, and a mailer that ran out of slots says when it is to be woken', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(30))
  await capRelay(newsletter.db, { perSecond: 200 })
  const mailer = newsletter.openMailer()
  const waits: number[] = []
  mailer.wakeIn = (ms) => waits.push(ms)
  for (let sent = 0; sent < 30; ) {
    await sql`update send_limits set next_slot = null`.execute(newsletter.db)
    sent += await newsletter.send({}, mailer)
  }
  expect(newsletter.sink.messages).toHaveLength(30)
  await sql`update send_limits set next_slot = now() + interval '30 seconds'`.execute(newsletter.db)
  await sql`update deliveries set state = 'queued' where id = (select id from deliveries limit 1)`.execute(
    newsletter.db,
  )
  expect(await newsletter.send({}, mailer)).toBe(0)
  expect(waits.at(-1)).toBeGreaterThan(20_000)
})

test('what a killed mailer had claimed counts: with what its successor sends the cap is not exceeded', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(60))
  const { db } = newsletter
  await capRelay(db, { perDay: 19 })
  // It dies after it claimed these, whether it had sent them or not.
  const killed = await claimRestricted(db, 'deliveries', { relay: 'sink', limit: 10, connections: 4 })
  expect(killed.claimed).toHaveLength(10)
  expect(await requeueExpired(db, 'deliveries', { all: true })).toBe(10)
  expect(await newsletter.send()).toBe(9)
  expect(await newsletter.send()).toBe(0)
  await passHours(db, 24.1)
  expect(await newsletter.send()).toBe(19)
})

test('what is put back does not count, and what was sent before there was a cap does', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(40))
  const { db } = newsletter
  let left = 5
  expect(await newsletter.send({ lanes: 1, connections: 1, stopping: () => left-- <= 0 })).toBeGreaterThan(0)
  const before = newsletter.sink.count()
  await capRelay(db, { perHour: before + 10 })
  expect((await readSendLimits(db))[0]?.used).toEqual({ hour: before, day: before })
  // A stop in the middle of a group of ten: the rest of it is put back, and not lost for the cap.
  let more = 6
  await newsletter.send({ lanes: 1, connections: 1, stopping: () => more-- <= 0 })
  const sent = newsletter.sink.count()
  expect(sent - before).toBeLessThan(10)
  expect((await readSendLimits(db))[0]?.used.hour).toBe(sent)
  await newsletter.send()
  expect(newsletter.sink.count()).toBe(before + 10)
  await passHours(db, 1.1)
  await newsletter.send()
  expect(newsletter.sink.count()).toBe(Math.min(40, 2 * (before + 10)))
})

test('letters go first within a cap, digests leave them a share, and no warm-up holds them up', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(80))
  const { db } = newsletter
  await capRelay(db, { perDay: 40 })
  await oweLetters(db, 6)
  // 2 of 40 are kept for letters, and 6 letters are ready.
  expect(await newsletter.send()).toBe(40 - 2 - 6)
  expect(await newsletter.send({}, newsletter.openMailer(), 'letters')).toBe(6)
  expect(await newsletter.send()).toBe(0)
  await oweLetters(db, 3)
  expect(await newsletter.send({}, newsletter.openMailer(), 'letters')).toBe(2)

  await capRelay(db, {})
  await setSendLimit(db, RELAY, { warmUp: { limit: 1, growth: 2, until: 8 } })
  expect(await newsletter.send({}, newsletter.openMailer(), 'letters')).toBe(1)
  expect(await newsletter.send()).toBe(0)
})

test('a cap on a destination holds up no other, and its mail is neither given up nor forgotten', async () => {
  await using newsletter = await openRateLimitedNewsletter([...people(90, 'gmail.com'), ...people(30, 'example.org')])
  const { db } = newsletter
  const gmail = { kind: 'destination' as const, ...destinationOfDomain('googlemail.com') }
  await setSendLimit(db, gmail, { caps: { ...NO_CAPS, perHour: 21 }, fromSettings: false })
  const drainAll = async () => {
    for (let sent = 1; sent > 0; ) sent = await newsletter.send()
  }
  await drainAll()
  expect(await newsletter.states('@example.org')).toEqual({ 'sent 1': 30 })
  // One of 21 is kept for letters.
  expect(await newsletter.states('@gmail.com')).toEqual({ 'sent 1': 20, 'queued 0': 70 })
  await passHours(db, 1.1)
  await drainAll()
  expect(await newsletter.states('@gmail.com')).toEqual({ 'sent 1': 40, 'queued 0': 50 })
  await setSendLimit(db, gmail, { caps: NO_CAPS, fromSettings: false })
  await newsletter.sweep()
  await drainAll()
  expect(await newsletter.states('@gmail.com')).toEqual({ 'sent 1': 90 })
})

test('a relay that is closed is probed within its cap', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(40))
  const { db } = newsletter
  await capRelay(db, { perDay: 10 })
  const route = { ...RELAY, cause: 'relay' as const, reason: 'away', not_before: new Date(0) }
  await db
    .insertInto('throttled_routes')
    .values({ ...route, concurrency: 1, successes: 0, failures: 1 })
    .execute()
  await newsletter.send()
  expect(newsletter.sink.messages).toHaveLength(10)
  expect(await newsletter.throttled()).toEqual([])
})

test('a mail that two connections find unwanted at once is given back once', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(4))
  const { db } = newsletter
  await capRelay(db, { perDay: 10 })
  const mailer = newsletter.openMailer()
  let late = 0
  mailer.monotonic = () => performance.now() + late
  const { send } = mailer
  const begun = Promise.withResolvers<void>()
  let sent = 0
  mailer.send = async (envelope, mayBegin) => {
    const outcome = await send(envelope, mayBegin)
    if (++sent === 2) {
      const served = newsletter.sink.messages.map(({ to }) => to)
      const others = await db.selectFrom('subscribers').select('id').where('email', 'not in', served).execute()
      for (const { id } of others) await stopMail(db, id, 'unsubscribed')
      // Both connections check at the same moment what is left, each the mail that the other has in hand.
      late = 2_500
      begun.resolve()
    }
    await begun.promise
    return outcome
  }
  expect(await newsletter.send({ lanes: 1, connections: 2 }, mailer)).toBe(2)
  expect(await newsletter.states()).toEqual({ 'sent 1': 2, 'skipped 0': 2 })
  expect((await readSendLimits(db))[0]?.used.day).toBe(2)
  expect(newsletter.logged).toEqual([])
})

test('digests leave the slots of a second to letters that are ready, unless nobody takes these', async () => {
  await using newsletter = await openRateLimitedNewsletter(people(40))
  const { db } = newsletter
  await capRelay(db, { perSecond: 10 })
  await oweLetters(db, 6)
  const claimAll = (stream: 'letters' | 'deliveries') =>
    claimRestricted(db, stream, { relay: 'sink', limit: 32, connections: 32 })
  expect((await claimAll('deliveries')).claimed).toHaveLength(4)
  expect((await claimAll('letters')).claimed).toHaveLength(6)

  await oweLetters(db, 6)
  await sql`update letters set next_attempt_at = now() - interval '2 minutes' where state = 'queued'`.execute(db)
  await sql`update send_limits set next_slot = null`.execute(db)
  expect((await claimAll('deliveries')).claimed).toHaveLength(10)
})
