/** Maintenance: months of deliveries are there before they are needed, and go when they are old, while others work. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { publishDue } from '../../src/newsletter/publisher.ts'
import { readMonths } from '../../src/store/months.ts'
import { LONDON_DAILY, openNewsletter, QUIET, SILENT, storeDay, subscribe } from '../support/fixtures/newsletter.ts'

const at = (text: string): Date => new Date(text)
const SPRING = at('2026-04-14T05:00:00Z')
const AUTUMN = at('2026-09-15T05:00:00Z')

/** A reader who is owed the digest of the 15th of April, which was sent or was not. */
const openPublished = async (state: 'sent' | 'queued') => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14')
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, SPRING)
  await publishDue({ db, log: SILENT, wake: QUIET }, at('2026-04-15T06:00:00Z'))
  await db.updateTable('deliveries').set({ state }).execute()
  return { ...newsletter, id }
}
const monthsOf = async ({ db }: Pick<Awaited<ReturnType<typeof openNewsletter>>, 'db'>) =>
  (await readMonths(db)).map(({ month }) => month)

test('makes the months to come and drops the old ones, and finds nothing to do a second time', async () => {
  await using newsletter = await openPublished('sent')
  const options = { now: AUTUMN, keepDays: 90 }
  const made = ['2026-09', '2026-10', '2026-11']
  const done = { created: made, dropped: ['2026-04', '2026-05'], kept: [] }
  expect(await maintain(newsletter.db, { ...options, dryRun: true })).toEqual(done)
  expect(await monthsOf(newsletter)).toContain('2026-04')
  expect(await maintain(newsletter.db, options)).toEqual(done)
  expect(await monthsOf(newsletter)).toEqual(['2026-06', ...made])
  expect(await maintain(newsletter.db, options)).toEqual({ created: [], dropped: [], kept: [] })
  // The edition goes on without the month it wrote to.
  expect(await newsletter.db.selectFrom('deliveries').selectAll().execute()).toEqual([])
  expect(await newsletter.db.selectFrom('editions').selectAll().execute()).toHaveLength(1)
  expect(await publishDue({ db: newsletter.db, log: SILENT, wake: QUIET }, AUTUMN)).toMatchObject({ owed: 1 })
})

test('keeps an old month with mail that is not settled, and says so', async () => {
  await using newsletter = await openPublished('queued')
  const done = await maintain(newsletter.db, { now: AUTUMN, keepDays: 90 })
  expect(done).toMatchObject({ dropped: ['2026-05'], kept: [{ month: '2026-04', unsettled: 1 }] })
  expect(await monthsOf(newsletter)).toContain('2026-04')
})

test('waits for nobody who writes: months are made while a transaction holds rows of the others', async () => {
  await using newsletter = await openPublished('sent')
  await newsletter.db.transaction().execute(async (trx) => {
    await trx.updateTable('deliveries').set({ resent: 1 }).execute()
    await trx.updateTable('subscribers').set({ epoch: 1 }).execute()
    const made = await maintain(newsletter.db, { now: SPRING, keepDays: 90, months: ['2027-01'] })
    expect(made).toEqual({ created: ['2027-01'], dropped: [], kept: [] })
  })
})

test('two at once do the work once', async () => {
  await using newsletter = await openNewsletter()
  const both = await Promise.all([1, 2].map(() => maintain(newsletter.db, { now: AUTUMN, keepDays: 90 })))
  expect(both.flatMap((done) => done?.created ?? [])).toEqual(['2026-09', '2026-10', '2026-11'])
})

test('goes on with a month whose dropping was broken off', async () => {
  await using newsletter = await openPublished('sent')
  const { db } = newsletter
  // The half of it that takes the month out, and no more.
  await sql`alter table deliveries detach partition deliveries_2026_04`.execute(db)
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ dropped: ['2026-04', '2026-05'] })
  expect(await monthsOf(newsletter)).not.toContain('2026-04')
})

test('an edition whose month is missing says what to do, and goes on once it is there', async () => {
  await using newsletter = await openPublished('sent')
  const { db } = newsletter
  const december = at('2026-12-15T07:00:00Z')
  const publish = () => publishDue({ db, log: SILENT, wake: QUIET }, december)
  await expect(publish()).rejects.toThrow('run: node workers/main.ts maintain --month 2026-12')
  expect(await db.selectFrom('deliveries').selectAll().execute()).toHaveLength(1)
  await maintain(db, { now: december, keepDays: 3650 })
  expect(await publish()).toMatchObject({ owed: 1 })
})
