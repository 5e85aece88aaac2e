/** Subscribers who cannot be published to: they are set aside, and everybody else is served. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { deriveToken } from '../../../src/core/token.ts'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import { readSetAside, retrySetAside } from '../../../src/newsletter/set-aside.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../../src/store/database.ts'
import { beginEdition } from '../../../src/store/editions.ts'
import { openDue } from '../../support/fixtures/due-newsletter.ts'
import { KEYS, LONDON_DAILY, SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'

const at = (text: string): Date => new Date(text)
const DUE = at('2026-04-15T06:00:00Z')
const NEXT_DAY = at('2026-04-16T06:00:00Z')

/** Publishes, and keeps what is logged as wrong. */
const createPublisher = (db: Database) => {
  const told: { level: string; facts: object; event: string }[] = []
  const tell = (level: string) => (facts: object, event: string) => void told.push({ level, facts, event })
  const ports = { db, log: { ...SILENT, warn: tell('warn'), error: tell('error') }, wake: wakeNobody }
  return { told, publish: (cutoff: Date) => publishDue(ports, cutoff) }
}

/** Makes every delivery to these subscribers fail, as a row that a constraint refuses does; returns how that ends. */
const refuseDeliveries = async (db: Database, ids: string[] | 'all') => {
  const whom = ids === 'all' ? sql`true` : sql`new.subscriber_id = any(${sql.lit(`{${ids.join()}}`)}::uuid[])`
  await sql`create or replace function refuse() returns trigger language plpgsql as
    $$ begin raise 'refused for the test'; end $$`.execute(db)
  await sql`create trigger refuse before insert on deliveries for each row when (${whom}) execute function refuse()`.execute(
    db,
  )
  return () => sql`drop trigger refuse on deliveries`.execute(db)
}

const servedOf = async (db: Database) =>
  new Set((await db.selectFrom('deliveries').select('subscriber_id').execute()).map((row) => row.subscriber_id))

test('a subscriber with a time zone that nobody knows is served by UTC, and the operator is told', async () => {
  await using newsletter = await openDue(5)
  const { db, ids } = newsletter
  await sql`update subscribers set time_zone = 'Mars/Olympus_Mons' where id = ${ids[2]}`.execute(db)
  const { told, publish } = createPublisher(db)
  expect(await publish(at('2026-04-15T08:00:00Z'))).toMatchObject({ subscribers: 5, owed: 5 })
  expect(told).toEqual([
    { level: 'warn', facts: { timeZone: 'Mars/Olympus_Mons' }, event: expect.stringContaining('UTC') },
  ])
  const reader = await db
    .selectFrom('subscribers')
    .select('next_due_at')
    .where('id', '=', ids[2] ?? '')
    .execute()
  expect(reader).toEqual([{ next_due_at: at('2026-04-16T07:00:00Z') }])
})

test('subscribers whose rows make publishing throw are set aside, told of once, and everybody else is served', async () => {
  await using newsletter = await openDue(8)
  const { db, ids } = newsletter
  const [calendar = '', refused = '', ...others] = ids
  await sql`update subscribers set next_due_at = '-infinity' where id = ${calendar}`.execute(db)
  await refuseDeliveries(db, [refused])
  const { told, publish } = createPublisher(db)

  expect(await publish(DUE)).toMatchObject({ owed: 6 })
  expect(await servedOf(db)).toEqual(new Set(others))
  const { subscribers } = await readSetAside(db)
  expect(subscribers.map(({ id }) => id).sort()).toEqual([calendar, refused].sort())
  expect(subscribers.find(({ id }) => id === refused)?.reason).toBe('refused for the test')
  // In any order: due groups come as the database hashes them.
  expect(told).toHaveLength(2)
  expect(told.map(({ level, facts }) => ({ level, ...facts }))).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ level: 'error', subscribers: [calendar] }),
      expect.objectContaining({ level: 'error', subscribers: [refused] }),
    ]),
  )
  const editions = await db.selectFrom('editions').select(['published_at', 'due']).execute()
  expect(editions).toEqual([{ published_at: expect.any(Date), due: 6 }])

  // The next minutes have nothing to do with it; a day later both are tried again, and not told of again. By then one has
  // a due time that the calendar knows.
  expect(await publish(at('2026-04-15T06:01:00Z'))).toMatchObject({ subscribers: 0 })
  expect(await publish(NEXT_DAY)).toMatchObject({ owed: 7 })
  expect(told).toHaveLength(2)
  expect((await readSetAside(db)).subscribers).toMatchObject([{ id: refused, attempts: 2 }])
})

test('who was set aside is served when their preferences change, or when an operator says so', async () => {
  await using newsletter = await openDue(6)
  const { db, ids } = newsletter
  const [changes = '', retried = ''] = ids
  const { publish } = createPublisher(db)
  const end = await refuseDeliveries(db, [changes, retried])
  expect(await publish(DUE)).toMatchObject({ owed: 4 })
  await end()

  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => DUE, wake: wakeNobody })
  await subscriptions.changePreferences(deriveToken(KEYS, 'preferences', changes, 0), { ...LONDON_DAILY, hour: 9 })
  expect((await readSetAside(db)).subscribers.map(({ id }) => id)).toEqual([retried])
  expect(await publish(at('2026-04-15T08:00:00Z'))).toMatchObject({ owed: 1 })

  expect(await retrySetAside(db, 'all')).toEqual({ subscribers: 1, signUps: 0 })
  expect((await readSetAside(db)).subscribers).toEqual([])
  expect(await publish(at('2026-04-15T08:01:00Z'))).toMatchObject({ owed: 1 })
  expect((await servedOf(db)).size).toBe(6)
})

test('many of one cohort are set aside together', async () => {
  await using newsletter = await openDue(70)
  const { db, ids } = newsletter
  await refuseDeliveries(db, ids.slice(0, 60))
  const { told, publish } = createPublisher(db)
  expect(await publish(DUE)).toMatchObject({ owed: 10 })
  expect((await readSetAside(db)).subscribers).toHaveLength(60)
  expect(told).toEqual([expect.objectContaining({ facts: expect.objectContaining({ count: 60 }) })])
})

test('what nobody can be published to sets nobody aside: it fails, and goes on when the cause is over', async () => {
  await using newsletter = await openDue(5)
  const { db } = newsletter
  const { publish } = createPublisher(db)
  const end = await refuseDeliveries(db, 'all')
  await expect(publish(DUE)).rejects.toThrow('refused for the test')
  await expect(publish(at('2026-04-15T06:01:00Z'))).rejects.toThrow('refused for the test')
  expect((await readSetAside(db)).subscribers).toEqual([])
  await end()
  expect(await publish(at('2026-04-15T06:02:00Z'))).toMatchObject({ owed: 5 })
})

test('an edition that cannot be published to its end does not hold up a newer one', async () => {
  await using newsletter = await openDue(5)
  const { db } = newsletter
  // Its month is gone; that of the newer one is there.
  await beginEdition(db, DUE)
  await sql`drop table deliveries_2026_04`.execute(db)
  const { publish } = createPublisher(db)
  await expect(publish(at('2026-05-02T06:00:00Z'))).rejects.toThrow('maintain --month 2026-04')
  expect((await servedOf(db)).size).toBe(5)
  // Nobody is due of it any more.
  expect(await publish(at('2026-05-02T06:01:00Z'))).toMatchObject({ owed: 0 })
  expect(await db.selectFrom('editions').selectAll().where('published_at', 'is', null).execute()).toEqual([])
})
