/** Figures by the day: counted from records, kept when the records are gone, and not known where nobody counted. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { deriveToken } from '../../src/core/token.ts'
import { type ChartQuery, type Charts, periodsOf, readCharts } from '../../src/newsletter/charts.ts'
import { countDailyFigures } from '../../src/newsletter/daily-figures.ts'
import { maintain } from '../../src/newsletter/maintenance.ts'
import { deletePersonalData } from '../../src/newsletter/personal-retention.ts'
import { publishDue } from '../../src/newsletter/publishing/publisher.ts'
import { reconcile } from '../../src/newsletter/sending/reconciler.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { unsubscribe } from '../../src/newsletter/subscription/unsubscription.ts'
import type { Database } from '../../src/store/database.ts'
import { suppress } from '../../src/store/suppressions.ts'
import {
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'

const at = (text: string): Date => new Date(text)
const DAILY: ChartQuery = { range: 30, by: 'day' }

const leave = async (db: Database, id: string, when: string): Promise<void> => {
  const origin = { source: 'link', form: null, client: null }
  const token = deriveToken(KEYS, 'unsubscribe', id)
  expect(await unsubscribe({ db, keys: KEYS, now: () => at(when) }, token, origin)).toBe('unsubscribed')
}

const suppressFor = async (db: Database, id: string, of: 'hard' | 'complaint', when: string): Promise<void> => {
  await suppress(db, id, { class: of, reason: 'test', code: null, diagnostic: null, source: 'smtp' })
  // It has the time of the database, which no test can set.
  await sql`update suppression_log set at = ${at(when)} where id = (select max(id) from suppression_log)`.execute(db)
}

/** The days that are not all zero, as `2026-04-14 confirmed 2`. */
const lines = ({ periods, series }: Charts['joined']): string[] =>
  periods.flatMap(({ last }, n) =>
    series.flatMap(({ name, values }) => ((values[n] ?? 0) === 0 ? [] : [`${last} ${name} ${values[n]}`])),
  )

const unknownDays = ({ periods, series }: Charts['joined']): string[] =>
  periods.flatMap(({ last }, n) => (series.every(({ values }) => values[n] === null) ? [last] : []))

test('what records tell of the days before is counted the first time; the states of subscribers are known from then on', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const [ada, bob, cyd, dan] = [
    await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-01T10:00:00Z')),
    await subscribe(db, 'bob@example.org', LONDON_DAILY, at('2026-04-01T11:00:00Z')),
    await subscribe(db, 'cyd@example.org', LONDON_DAILY, at('2026-04-03T23:59:59Z')),
    await subscribe(db, 'dan@example.org', LONDON_DAILY, at('2026-04-12T10:00:00Z')),
    await subscribe(db, 'eve@example.org', LONDON_DAILY, at('2026-04-12T10:00:00Z')),
  ]
  await leave(db, ada, '2026-04-05T10:00:00Z')
  await suppressFor(db, bob, 'complaint', '2026-04-06T10:00:00Z')
  await suppressFor(db, cyd, 'hard', '2026-04-06T12:00:00Z')
  // Who left before is not lost a second time.
  await suppressFor(db, ada, 'hard', '2026-04-07T10:00:00Z')
  await db
    .updateTable('subscribers')
    .set({ paused_until: '2026-06-01', state: 'paused' })
    .where('id', '=', dan)
    .execute()
  expect((await countDailyFigures(db, { now: at('2026-04-14T09:00:00Z') })).length).toBe(7)

  const charts = await readCharts(db, at('2026-04-14T09:30:00Z'), DAILY)
  expect(lines(charts.joined)).toEqual([
    '2026-04-01 confirmed 2',
    '2026-04-03 confirmed 1',
    '2026-04-12 requested 2',
    '2026-04-12 confirmed 2',
  ])
  expect(lines(charts.left)).toEqual(['2026-04-05 unsubscribed 1', '2026-04-06 complaint 1', '2026-04-06 bounce 1'])
  expect(unknownDays(charts.left).at(-1)).toBe('2026-03-31')
  expect(unknownDays(charts.readers).at(-1)).toBe('2026-04-13')
  expect([...lines(charts.readers), ...lines(charts.others)]).toEqual([
    '2026-04-14 active 1',
    '2026-04-14 paused 1',
    '2026-04-14 suppressed 3',
  ])
  expect(charts.readers.since).toBe('2026-04-14')
  expect(charts.topics.slice(0, 2).map(({ slug, readers }) => [slug, readers])).toEqual([
    ['diffusion-lm', 2],
    ['robotics', 2],
  ])
})

test('requests that nobody confirmed, and the past of those who are erased, stay counted when they are gone', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-01T10:00:00Z'))
  const site = createSubscriptions({ db, keys: KEYS, now: () => at('2026-04-01T12:00:00Z'), wake: wakeNobody })
  await site.requestSubscription('nobody@example.org', LONDON_DAILY)
  // What a request leaves that is answered.
  await sql`insert into consent_records (at, event, subscriber_id, address_hash, source)
    values ('2026-04-01T12:00:00Z', 'requested', gen_random_uuid(), '\\x00', 'form')`.execute(db)
  await countDailyFigures(db, { now: at('2026-04-01T20:00:00Z') })
  await leave(db, id, '2026-04-01T21:00:00Z')
  await countDailyFigures(db, { now: at('2026-04-02T00:01:00Z') })
  const later = at('2029-06-01T10:00:00Z')
  await deletePersonalData({ db, keys: KEYS, now: () => later }, {})
  await deletePersonalData({ db, keys: KEYS, now: () => at('2033-06-01T10:00:00Z') }, {})
  expect(await db.selectFrom('consent_records').selectAll().where('event', '<>', 'erased').execute()).toEqual([])
  await countDailyFigures(db, { now: at('2033-06-01T10:00:00Z') })
  const charts = await readCharts(db, at('2026-04-02T10:00:00Z'), DAILY)
  expect(lines(charts.joined)).toEqual(['2026-04-01 requested 2', '2026-04-01 confirmed 1'])
  expect(lines(charts.left)).toEqual(['2026-04-01 unsubscribed 1'])
})

test('deliveries stay counted by their edition when their month is dropped, and change as long as they are not settled', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14')
  await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-13T05:00:00Z'))
  await subscribe(db, 'bob@example.org', LONDON_DAILY, at('2026-04-13T05:00:00Z'))
  const due = at('2026-04-15T06:00:00Z')
  await publishDue({ db, log: SILENT, wake: wakeNobody }, due)
  await countDailyFigures(db, { now: at('2026-04-15T06:01:00Z') })
  const read = async (now = at('2026-04-15T12:00:00Z')) => readCharts(db, now, DAILY)
  expect(lines((await read()).deliveries)).toEqual(['2026-04-15 pending 2'])

  const [first] = await db.selectFrom('deliveries').select(['id', 'subscriber_id', 'edition_id']).execute()
  if (first === undefined) throw new Error('no delivery')
  await sql`update deliveries set state = 'sent', sent_at = now()`.execute(db)
  await sql`update deliveries set state = 'failed', reason = 'refused at rcpt' where id = ${first.id}`.execute(db)
  await reconcile({ db, log: SILENT, wake: wakeNobody, onUnknown: 'resend' } as never)
  await sql`insert into mail_feedback (mail_id, kind, stream, subscriber_id, edition_id, class, source)
    values (${first.id}, 'bounce', 'deliveries', ${first.subscriber_id}, ${first.edition_id}, 'hard', 'smtp')`.execute(
    db,
  )
  // Within the hour nothing is counted again.
  expect(await countDailyFigures(db, { now: at('2026-04-15T06:59:00Z') })).toEqual([])
  await countDailyFigures(db, { now: at('2026-04-20T07:01:00Z') })
  await maintain(db, { now: at('2026-11-20T07:01:00Z'), keepDays: 90 })
  expect(await db.selectFrom('deliveries').selectAll().execute()).toEqual([])
  await countDailyFigures(db, { now: at('2026-11-20T07:01:00Z') })
  const charts = await read(at('2026-04-20T12:00:00Z'))
  expect(lines(charts.deliveries)).toEqual(['2026-04-15 sent 1', '2026-04-15 failed 1'])
  expect(lines(charts.bounceShare)).toEqual(['2026-04-15 hard 0.5'])
  expect(charts.complaintShare.series[0]?.values.filter((value) => value !== null)).toEqual([0])
  // Days between without an edition are known to have had none.
  expect(unknownDays(charts.deliveries).at(-1)).toBe('2026-04-14')
})

test('days on which nobody counted the states are not known; a week is known by its last day', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-01T10:00:00Z'))
  await countDailyFigures(db, { now: at('2026-04-07T23:00:00Z') })
  await countDailyFigures(db, { now: at('2026-04-10T01:00:00Z') })
  const now = at('2026-04-14T12:00:00Z')
  const active = (charts: Charts) =>
    charts.readers.periods.map(({ last }, n) => [last.slice(5), charts.readers.series[0]?.values[n]])
  expect(active(await readCharts(db, now, DAILY)).slice(-8)).toEqual([
    ['04-07', 1],
    ['04-08', null],
    ['04-09', null],
    ['04-10', 1],
    ['04-11', null],
    ['04-12', null],
    ['04-13', null],
    ['04-14', null],
  ])
  const weeks = await readCharts(db, now, { range: 30, by: 'week' })
  expect(active(weeks).slice(-3)).toEqual([
    ['04-05', null],
    ['04-12', 1],
    ['04-14', null],
  ])
  // Of the week in which the first record falls only a part is known, and of the last week not all days were counted yet.
  const joined = ({ joined }: Charts) => joined.series.map(({ name, values }) => [name, values.slice(-3)])
  expect(joined(weeks).slice(1)).toEqual([['confirmed', [null, null, null]]])
  // Records tell of them: they are counted as soon as somebody counts again.
  await countDailyFigures(db, { now })
  expect(joined(await readCharts(db, now, { range: 30, by: 'week' })).slice(1)).toEqual([['confirmed', [null, 0, 0]]])
})

test.each([
  [{ range: 30, by: 'day' }, 30, '2026-10-31', '2026-10-31'],
  [{ range: 30, by: 'week' }, 5, '2026-10-26', '2026-11-01'],
  [{ range: 90, by: 'month' }, 3, '2026-09-01', '2026-09-30'],
  [{ range: 365, by: 'month' }, 13, '2025-11-01', '2025-11-30'],
] as const)('%j has whole periods that follow one another up to today', (query, count, first, last) => {
  const periods = periodsOf(query, '2026-11-29')
  expect([periods.length, periods[0], periods.at(-1)?.last]).toEqual([count, { first, last }, '2026-11-29'])
})
