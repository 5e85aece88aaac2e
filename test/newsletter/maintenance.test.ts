/** Maintenance: months of deliveries are there before they are needed, and go when they are old, while others work. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { addDays } from '../../src/core/calendar.ts'
import { AGE_BUCKETS, TREND_LIST_DAYS } from '../../src/core/digest/trend.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../src/store/database.ts'
import { readMonths } from '../../src/store/months.ts'
import { readCandidates, readTrendHistory } from '../../src/store/papers/papers.ts'
import {
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { runProgram, startProgram } from '../support/processes/program.ts'

const at = (text: string): Date => new Date(text)
const SPRING = at('2026-04-14T05:00:00Z')
const NOTHING = {
  letters: 0,
  announcementMails: 0,
  digests: 0,
  observations: 0,
  letterLimits: 0,
  signUpCounts: 0,
  providerEvents: 0,
  suggestions: 0,
  webhookMessages: 0,
  groupMembers: 0,
  groupLists: 0,
}
const AUTUMN = at('2026-09-15T05:00:00Z')

/** A reader who is owed the digest of the 15th of April, which was sent or was not. */
const openPublished = async (state: 'sent' | 'queued') => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14')
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, SPRING)
  await publishDue({ db, log: SILENT, wake: wakeNobody }, at('2026-04-15T06:00:00Z'))
  await db.updateTable('deliveries').set({ state }).execute()
  return { ...newsletter, id }
}
const monthsOf = async ({ db }: Pick<Awaited<ReturnType<typeof openNewsletter>>, 'db'>) =>
  (await readMonths(db)).map(({ month }) => month)

test('makes the months to come and drops the old ones, and finds nothing to do a second time', async () => {
  await using newsletter = await openPublished('sent')
  const options = { now: AUTUMN, keepDays: 90 }
  const made = ['2026-09', '2026-10', '2026-11']
  const done = { created: made, dropped: ['2026-04', '2026-05'], kept: [], deleted: NOTHING }
  expect(await maintain(newsletter.db, { ...options, dryRun: true })).toEqual(done)
  expect(await monthsOf(newsletter)).toContain('2026-04')
  expect(await maintain(newsletter.db, options)).toEqual(done)
  expect(await monthsOf(newsletter)).toEqual(['2026-06', ...made])
  expect(await maintain(newsletter.db, options)).toEqual({ created: [], dropped: [], kept: [], deleted: NOTHING })
  // The edition goes on without the month it wrote to.
  expect(await newsletter.db.selectFrom('deliveries').selectAll().execute()).toEqual([])
  expect(await newsletter.db.selectFrom('editions').selectAll().execute()).toHaveLength(1)
  expect(await publishDue({ db: newsletter.db, log: SILENT, wake: wakeNobody }, AUTUMN)).toMatchObject({ owed: 1 })
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
    expect(made).toEqual({ created: ['2027-01'], dropped: [], kept: [], deleted: NOTHING })
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
  const publish = () => publishDue({ db, log: SILENT, wake: wakeNobody }, december)
  await expect(publish()).rejects.toThrow('run: node workers/main.ts maintain --month 2026-12')
  expect(await db.selectFrom('deliveries').selectAll().execute()).toHaveLength(1)
  await maintain(db, { now: december, keepDays: 3650 })
  expect(await publish()).toMatchObject({ owed: 1 })
})

const digestsOf = async (db: Database) =>
  (await db.selectFrom('digests').select(['kind', 'local_date']).orderBy('id').execute()).map(
    ({ kind, local_date }) => `${kind} ${local_date}`,
  )

test('deletes old letters, and digests once no reader, no delivery and no letter points to them', async () => {
  await using newsletter = await openPublished('sent')
  const { db } = newsletter
  const both = ['welcome 2026-04-14', 'daily 2026-04-15']
  expect(await digestsOf(db)).toEqual(both)

  // The welcome's letter waits; the digest of April is what the next one must not repeat.
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ deleted: NOTHING })
  expect(await digestsOf(db)).toEqual(both)

  await db.updateTable('letters').set({ state: 'sent' }).execute()
  const deleted = { ...NOTHING, letters: 2, digests: 1 }
  expect(await maintain(db, { now: AUTUMN, keepDays: 90, dryRun: true })).toMatchObject({ deleted })
  expect(await digestsOf(db)).toEqual(both)
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ deleted })
  expect(await digestsOf(db)).toEqual(['daily 2026-04-15'])

  await publishDue({ db, log: SILENT, wake: wakeNobody }, AUTUMN)
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ deleted: { ...NOTHING, digests: 1 } })
  expect(await digestsOf(db)).toEqual(['daily 2026-09-14'])
})

test('keeps the digest of a delivery whose month stays, and letters that are young', async () => {
  await using newsletter = await openPublished('sent')
  const { db } = newsletter
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  await db.updateTable('subscribers').set({ last_digest_id: null }).execute()
  // Its first half is older than 90 days, and so is no whole month.
  expect(await maintain(db, { now: at('2026-07-20T05:00:00Z'), keepDays: 90 })).toMatchObject({
    dropped: [],
    deleted: { ...NOTHING, letters: 2 },
  })
  expect(await digestsOf(db)).toEqual(['welcome 2026-04-14', 'daily 2026-04-15'])
  expect(await maintain(db, { now: at('2026-08-20T05:00:00Z'), keepDays: 90 })).toMatchObject({
    dropped: ['2026-04'],
    deleted: { ...NOTHING, digests: 2 },
  })
})

/** Thirty list days, the last on the 30th of June, each observed three times on its own day and twice on the next. */
const openObserved = async () => {
  const newsletter = await openNewsletter()
  const days = Array.from({ length: 30 }, (_, n) => addDays('2026-06-01', n))
  for (const day of days)
    for (const seen of [`${day}T09:00:00Z`, `${day}T12:00:00Z`, `${day}T15:00:00Z`, `${addDays(day, 1)}T09:00:00Z`])
      await storeDay(newsletter.db, day, ['robotics'], seen)
  // What a source without counts said last must not hide those of the one before.
  await sql`insert into observations select paper_id, observed_at + interval '1 hour', true, null, null, null
    from observations where extract(hour from observed_at) = 15`.execute(newsletter.db)
  return { ...newsletter, days }
}

test('thins observations of papers that no trend is compared with, to the last of each day', async () => {
  await using newsletter = await openObserved()
  const { db, days } = newsletter
  const now = at('2026-07-01T10:00:00Z')
  const history = () => readTrendHistory(db, now, TREND_LIST_DAYS, AGE_BUCKETS)
  const shown = () => Promise.all(days.map((day) => readCandidates(db, now, { listDays: [day] })))
  const before = { history: await history(), shown: await shown() }
  const papers = before.shown[0]?.length ?? 0
  // Of the two days before the last 28, the sightings at 9 and at 12.
  expect(await maintain(db, { now, keepDays: 90, dryRun: true })).toMatchObject({
    deleted: { observations: 2 * 2 * papers },
  })
  expect(await maintain(db, { now, keepDays: 90 })).toMatchObject({ deleted: { observations: 2 * 2 * papers } })
  expect({ history: await history(), shown: await shown() }).toEqual(before)
  const { rows } = await sql<{ hour: number }>`select distinct extract(hour from observed_at)::int as hour
    from observations o join papers p on p.id = o.paper_id where p.list_day < '2026-06-03' order by 1`.execute(db)
  expect(rows.map(({ hour }) => hour)).toEqual([9, 15, 16])
  expect(await maintain(db, { now, keepDays: 90 })).toMatchObject({ deleted: NOTHING })
})

test('forgets limits of letters after 90 days, events of providers after 40, and counts of sign-ups after some hours', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await sql`insert into letter_limits (mailbox, kind, last_at, times)
    select decode(lpad(n::text, 4, '0'), 'hex'), 'links', now() - n * interval '1 day', 1 from generate_series(80, 99) n`.execute(
    db,
  )
  await sql`insert into provider_events (provider, event, at)
    select 'ses', n::text, now() - n * interval '1 day' from generate_series(30, 49) n`.execute(db)
  await sql`insert into sign_up_counts (scope, window_at, count, previous)
    select decode(lpad(n::text, 4, '0'), 'hex'), date_trunc('hour', now()) - n * interval '1 hour', 1, 0
    from generate_series(0, 9) n`.execute(db)
  const deleted = { ...NOTHING, letterLimits: 10, signUpCounts: 7, providerEvents: 10 }
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ deleted })
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ deleted: NOTHING })
})

test('forgets suggestions after 90 days, whatever was decided', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await sql`insert into suggestions (paper_id, note, at)
    select '2604.' || n, 'because', ${AUTUMN}::timestamptz - (n - 10000) * interval '1 day' from generate_series(10080, 10099) n`.execute(
    db,
  )
  const deleted = { ...NOTHING, suggestions: 9 }
  expect(await maintain(db, { now: AUTUMN, keepDays: 90, dryRun: true })).toMatchObject({ deleted })
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ deleted })
  expect(await maintain(db, { now: AUTUMN, keepDays: 90 })).toMatchObject({ deleted: NOTHING })
})

test('killed half-way it has done half, and the next one does the rest', async () => {
  await using newsletter = await openObserved()
  const { db, url } = newsletter
  await db
    .insertInto('provider_events')
    .values({ provider: 'ses', event: 'old', at: at('2020-01-01T00:00:00Z') })
    .execute()
  await sql`insert into letter_limits values ('\\x01', 'links', now() - interval '1 year', 1)`.execute(db)
  const left = async () => ({
    observations: (await maintain(db, { now: at('2026-07-01T10:00:00Z'), keepDays: 90, dryRun: true }))?.deleted
      .observations,
    limits: (await db.selectFrom('letter_limits').selectAll().execute()).length,
    events: (await db.selectFrom('provider_events').selectAll().execute()).length,
  })
  const whole = await left()
  const settings = { DATABASE_URL: url, CLOCK: '2026-07-01T10:00:00Z' }
  await db.transaction().execute(async (trx) => {
    // Somebody is about to write what it was going to delete last.
    await sql`select from letter_limits for update`.execute(trx)
    await using killed = startProgram('main', ['maintain'], settings)
    const waiting = sql`from pg_stat_activity
      where datname = current_database() and application_name = 'paper-round maintain' and wait_event_type = 'Lock'`
    const isWaiting = async () => (await sql`select ${waiting}`.execute(db)).rows.length > 0
    while (!(await isWaiting())) await new Promise((resume) => setTimeout(resume, 20))
    await killed.end('SIGKILL')
    // Its statement would be ended by the server, or done to its end: here the former.
    await sql`select pg_terminate_backend(pid) ${waiting}`.execute(db)
    while (await isWaiting()) await new Promise((resume) => setTimeout(resume, 20))
  })
  expect(whole.observations).toBeGreaterThan(0)
  expect(await left()).toEqual({ observations: 0, limits: 1, events: 1 })
  const again = await runProgram('main', ['maintain', '--json'], settings)
  expect(JSON.parse(again.stdout)).toMatchObject({ deleted: { ...NOTHING, letterLimits: 1, providerEvents: 1 } })
  expect(await left()).toEqual({ observations: 0, limits: 0, events: 0 })
})
