import { expect, test } from 'vitest'
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
