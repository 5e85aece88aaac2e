import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { checkEditions, createEditionCheck } from '../../../src/newsletter/feedback/edition-alarm.ts'
import { recordFeedback } from '../../../src/newsletter/feedback/feedback.ts'
import { readFigures } from '../../../src/newsletter/figures.ts'
import { claim } from '../../../src/store/outbox/claims.ts'
import { SILENT } from '../../support/fixtures/newsletter.ts'
import { bounce, openSent } from '../../support/fixtures/sent-edition.ts'

const NOW = new Date('2026-04-16T08:00:00Z')

test('a hundred refusals of us suppress nobody and throttle no route', async () => {
  await using sent = await openSent(100)
  const { db, ports, mail } = sent
  const told: string[] = []
  const log = { ...SILENT, warn: (_: object, event: string) => void told.push(event) }
  for (let n = 0; n < 100; n++) await recordFeedback({ ...ports, log }, mail(n), bounce('ours', '5.7.1'), 'mail')
  expect(await db.selectFrom('suppressions').selectAll().execute()).toEqual([])
  expect(told).toHaveLength(100)
  await sql`update editions set cutoff = now()`.execute(db)
  expect(await readFigures(db, NOW)).toMatchObject({ feedback: { ours: 100, hard: 0, complaint: 0 } })
  expect(await db.selectFrom('throttled_routes').selectAll().execute()).toEqual([])
})

test('editions are checked once in ten seconds, however many reports come', async () => {
  await using sent = await openSent(20)
  const { db, mail, edition } = sent
  let monotonic = 0
  const check = createEditionCheck({ db, log: SILENT }, () => monotonic)
  const isPaused = async () =>
    (await db.selectFrom('editions').select('paused_at').where('id', '=', edition).executeTakeFirst())?.paused_at !==
    null
  for (let n = 0; n < 12; n++)
    await recordFeedback({ db, log: SILENT, checkEditions: check }, mail(n), bounce('hard'), 'mail')
  expect(await isPaused()).toBe(false)
  monotonic += 10_000
  await check()
  expect(await isPaused()).toBe(true)
})

test('an edition with too many bounces is paused, once', async () => {
  await using sent = await openSent(300)
  const { db, ports, mail, edition } = sent
  await sql`update deliveries set state = 'queued', sent_at = null
    where id in (select id from deliveries where id <> all(${Array.from({ length: 12 }, (_, n) => mail(n).id)}::uuid[]) limit 100)`.execute(
    db,
  )
  for (let n = 0; n < 9; n++) await recordFeedback(ports, mail(n), bounce('hard'), 'mail')
  expect(await claim(db, 'deliveries', 1)).toHaveLength(1)
  await recordFeedback(ports, mail(9), bounce('hard'), 'mail')
  expect(await claim(db, 'deliveries', 1)).toEqual([])
  const paused = await db.selectFrom('editions').select(['paused_by', 'paused_why']).executeTakeFirstOrThrow()
  expect(paused).toMatchObject({ paused_by: 'alarm', paused_why: expect.stringContaining('10 of 200') })
  await sql`update editions set paused_at = null, paused_by = null, paused_why = null where id = ${edition}`.execute(db)
  await recordFeedback(ports, mail(10), bounce('hard'), 'mail')
  expect(await checkEditions(ports)).toBe(0)
  expect(await claim(db, 'deliveries', 1)).toHaveLength(1)
})
