/** Mail that waits for a throttled destination: no statement changes more of it than it was told to. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Database } from '../../../src/store/database.ts'
import { deferThrottled, expireDeferred, requeueDeferred } from '../../../src/store/outbox/deferred-mail.ts'
import { forgetRoute } from '../../../src/store/outbox/throttled-routes.ts'
import { LONDON_DAILY, openNewsletter, subscribe } from '../../support/fixtures/newsletter.ts'
import { oweEdition } from '../../support/fixtures/owed-edition.ts'

const LONG_AGO = new Date(0)

/** A destination that has taken nothing for more than a day. */
const throttle = (db: Database, domain: string) =>
  db
    .insertInto('throttled_routes')
    .values({
      kind: 'destination',
      name: domain,
      domains: [domain],
      cause: 'away',
      reason: 'no answer',
      since: LONG_AGO,
      not_before: new Date('2100-01-01'),
      concurrency: 1,
      successes: 0,
      failures: 9,
    })
    .execute()

test('deliveries are deferred, requeued and given up in batches, the rest by the next call', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await oweEdition(db, 5, 1, 1)
  await throttle(db, 'example.com')
  const inBatches = async (run: typeof deferThrottled) => [
    await run(db, 'deliveries', 3),
    await run(db, 'deliveries', 3),
    await run(db, 'deliveries', 3),
  ]
  expect(await inBatches(deferThrottled)).toEqual([3, 2, 0])
  expect(await expireDeferred(db, 'deliveries', 3)).toBe(0)

  await forgetRoute(db, 'example.com')
  expect(await inBatches(requeueDeferred)).toEqual([3, 2, 0])

  await throttle(db, 'example.com')
  await deferThrottled(db, 'deliveries', 5)
  await db.updateTable('deliveries').set({ created_at: LONG_AGO }).execute()
  expect(await inBatches(expireDeferred)).toEqual([3, 2, 0])
  const rows = await db.selectFrom('deliveries').select(['state', 'reason', 'waits_for']).distinct().execute()
  expect(rows).toEqual([
    { state: 'failed', reason: 'expired: example.com has taken no mail for a day: no answer', waits_for: null },
  ])
})

test('letters are deferred, requeued and given up alike', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (let n = 0; n < 3; n++) await subscribe(db, `reader${n}@example.com`, LONDON_DAILY, LONG_AGO)
  await db.updateTable('letters').set({ state: 'sent' }).where('kind', '!=', 'welcome').execute()
  await throttle(db, 'example.com')
  expect(await deferThrottled(db, 'letters', 2)).toBe(2)
  expect(await deferThrottled(db, 'letters', 2)).toBe(1)
  await forgetRoute(db, 'example.com')
  expect(await requeueDeferred(db, 'letters', 5)).toBe(3)
  await throttle(db, 'example.com')
  await deferThrottled(db, 'letters', 5)
  await db.updateTable('letters').set({ created_at: LONG_AGO }).execute()
  expect(await expireDeferred(db, 'letters', 2)).toBe(2)
  expect(await expireDeferred(db, 'letters', 2)).toBe(1)
})

test('deferring looks at as many mails as it was told, however many are pending', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await oweEdition(db, 2_000, 1, 1)
  await sql`analyze`.execute(db)
  await throttle(db, 'elsewhere.example')
  const read = await db.transaction().execute(async (trx) => {
    expect(await deferThrottled(trx, 'deliveries', 10)).toBe(0)
    const { rows } = await sql<{ rows: number }>`
      select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_xact_user_tables
      where relname like 'deliveries%'`.execute(trx)
    return rows[0]?.rows ?? 0
  })
  expect(read).toBeGreaterThan(0)
  expect(read).toBeLessThanOrEqual(100)
})
