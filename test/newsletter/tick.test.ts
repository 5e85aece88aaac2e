import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { LittleSpace } from '../../src/core/disk-space.ts'
import { recordFeedback } from '../../src/newsletter/feedback/feedback.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import { tick } from '../../src/newsletter/tick.ts'
import {
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../support/fixtures/newsletter.ts'
import { bounce, openSent } from '../support/fixtures/sent-edition.ts'

const LIST_DAY = '2026-04-13'
const at = (instant: string): Date => new Date(instant)

test('a tick wakes the mailers for what waits, whether they were woken before or not', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, LIST_DAY)
  await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-14T05:00:00Z'))
  const woken: string[] = []
  await tick({ db, log: SILENT, wake: async (queueName) => void woken.push(queueName) }, at('2026-04-14T05:01:00Z'))
  expect(woken).toContain('letters')
})

test('a tick wakes the mailers for what was asked on the site while no wake reached them', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const woken: string[] = []
  const ports = { db, log: SILENT, wake: async (queueName: string) => void woken.push(queueName) }
  await tick(ports, at('2026-04-14T05:00:00Z'))
  expect(woken).toEqual([])
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => at('2026-04-14T05:00:00Z'), wake: wakeNobody })
  await subscriptions.requestSubscription('ada@example.org', LONDON_DAILY)
  await tick(ports, at('2026-04-14T05:01:00Z'))
  expect(woken).toEqual(['letters'])
})

test('an edition waits while the disk is nearly full, and is published when it is not', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, LIST_DAY)
  await subscribe(db, 'ada@example.org', LONDON_DAILY, at('2026-04-12T05:00:00Z'))
  const ports = { db, log: SILENT, wake: wakeNobody }
  const requireSpace = () => Promise.reject(new LittleSpace('1 MB is free'))
  const due = at('2026-04-14T06:01:00Z')
  const editions = () => db.selectFrom('editions').selectAll().execute()
  await expect(tick({ ...ports, requireSpace }, due)).rejects.toThrow('1 check of the tick failed: editions')
  expect(await editions()).toHaveLength(0)
  await tick({ ...ports, requireSpace: wakeNobody }, due)
  expect(await editions()).toHaveLength(1)
})

test('a month that is missing stops the edition alone: what is checked after it is checked, and the tick fails by its name', async () => {
  await using sent = await openSent(100)
  const { db, ports, mail, edition } = sent
  const december = at('2026-12-15T07:00:00Z')
  await sql`update subscribers set requested_at = ${december}`.execute(db)
  await sql`insert into subscribers (email, state, topics, frequency, hour, weekday, time_zone, requested_at)
    values ('late@example.org', 'pending', '{code}', 'daily', 7, 6, 'UTC', ${at('2026-12-01T07:00:00Z')})`.execute(db)
  await sql`update deliveries set state = 'queued', sent_at = null where id = ${mail(99).id}`.execute(db)
  for (let n = 0; n < 10; n++)
    await recordFeedback({ db, log: SILENT, checkEditions: wakeNobody }, mail(n), bounce('hard'), 'mail')
  const failed: unknown[] = []
  const log = { ...SILENT, error: (facts: object, event: string) => void failed.push({ ...facts, event }) }

  const ticked = tick({ ...ports, log, wake: wakeNobody }, december)
  await expect(ticked).rejects.toThrow('1 check of the tick failed: editions')
  expect(failed).toContainEqual(
    expect.objectContaining({
      check: 'editions',
      error: expect.objectContaining({ message: expect.stringContaining('maintain --month 2026-12') }),
    }),
  )
  expect(await db.selectFrom('subscribers').selectAll().where('state', '=', 'pending').execute()).toEqual([])
  const paused = await db.selectFrom('editions').select('paused_by').where('id', '=', edition).executeTakeFirst()
  expect(paused).toEqual({ paused_by: 'alarm' })
})
