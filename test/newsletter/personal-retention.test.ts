/** Retention of personal data by the clock: each thing goes when its time is over, not before, and once. */
import { expect, test } from 'vitest'
import { DAY } from '../../src/core/calendar.ts'
import { NO_LIMITS } from '../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken } from '../../src/core/token.ts'
import { deletePersonalData } from '../../src/newsletter/personal-retention.ts'
import { exportPersonalData } from '../../src/newsletter/subscription/personal-data.ts'
import { answerSignUps } from '../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../src/store/database.ts'
import { KEYS, LONDON_DAILY, openNewsletter, SILENT, subscribe, wakeNobody } from '../support/fixtures/newsletter.ts'

const START = new Date('2026-04-14T05:00:00Z')
const after = (days: number): Date => new Date(START.getTime() + days * DAY)
const RETENTION = { unconfirmed: 7, leavers: 28, consent: 365, clients: 60 }
const CLIENT = '198.51.100.7'

const maintain = (db: Database, days: number, dryRun = false) =>
  deletePersonalData({ db, keys: KEYS, now: () => after(days) }, { retention: RETENTION, dryRun })
const subscriptionsOf = (db: Database, days = 0) =>
  createSubscriptions({ db, keys: KEYS, now: () => after(days), wake: wakeNobody, limits: NO_LIMITS })
const ask = async (db: Database, email: string, days = 0) => {
  await subscriptionsOf(db, days).requestSubscription(email, LONDON_DAILY, {
    ip: CLIENT,
    form: '/subscribe',
    source: 'form',
  })
  await answerSignUps({ db, keys: KEYS, log: SILENT, limits: NO_LIMITS })
}
/** Letters so far have left, and the mailbox may have another. */
const passLetters = async (db: Database): Promise<void> => {
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  await db.deleteFrom('letter_limits').execute()
}
const leave = (db: Database, id: string, days: number) =>
  subscriptionsOf(db, days).unsubscribe(deriveToken(KEYS, 'unsubscribe', id))
const held = (db: Database, email: string) => exportPersonalData({ db, keys: KEYS, now: () => START }, { email })
const stateOf = async (db: Database, id: string) =>
  (await db.selectFrom('subscribers').select('state').where('id', '=', id).executeTakeFirst())?.state
const NOTHING = { leavers: 0, clients: 0, consent: 0 }

test('the address of somebody who left is erased after its days, and one who came back meanwhile stays', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const gone = await subscribe(db, 'gone@example.org', LONDON_DAILY, START)
  const back = await subscribe(db, 'back@example.org', LONDON_DAILY, START)
  const active = await subscribe(db, 'active@example.org', LONDON_DAILY, START)
  await leave(db, gone, 1)
  await leave(db, back, 1)
  expect(await maintain(db, 2)).toEqual(NOTHING)
  await passLetters(db)
  await subscribe(db, 'back@example.org', LONDON_DAILY, after(3))
  expect(await maintain(db, 2 + 28)).toEqual(NOTHING)
  expect(await maintain(db, 2 + 28.1, true)).toMatchObject({ leavers: 1 })
  expect(await maintain(db, 2 + 28.1)).toMatchObject({ leavers: 1 })
  expect(await Promise.all([gone, back, active].map((id) => stateOf(db, id)))).toEqual(['erased', 'active', 'active'])
  expect(await held(db, 'gone@example.org')).toMatchObject({ subscriber: null, suppression: { class: 'erased' } })
  // Whoever left again counts from then.
  await leave(db, back, 40)
  expect(await maintain(db, 41)).toEqual(NOTHING)
  expect(await stateOf(db, back)).toBe('unsubscribed')
})

test('the address of the client goes from a record of consent after its days, and the record stays', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, 'ada@example.org', LONDON_DAILY, START)
  await passLetters(db)
  await db.updateTable('subscribers').set({ state: 'unsubscribed', next_due_at: null }).execute()
  await ask(db, 'ada@example.org', 1)
  const { letter_id } = await db
    .selectFrom('consent_records')
    .select('letter_id')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  await subscriptionsOf(db, 1).confirm(deriveToken(KEYS, 'confirm', letter_id ?? ''), { ip: CLIENT })
  const clients = async () => (await held(db, 'ada@example.org'))?.consent.map(({ client }) => client)
  expect(await clients()).toEqual([null, null, CLIENT, CLIENT])
  expect(await maintain(db, 61)).toEqual(NOTHING)
  expect(await maintain(db, 61.1)).toEqual({ ...NOTHING, clients: 2 })
  expect(await clients()).toEqual([null, null, null, null])
})

test('the record of a request that nobody confirmed goes with the request, and one that was confirmed stays', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, 'ada@example.org', LONDON_DAILY, START)
  await ask(db, 'eve@example.org')
  expect(await maintain(db, 7)).toEqual(NOTHING)
  expect(await maintain(db, 7.1)).toEqual({ ...NOTHING, consent: 1 })
  expect((await held(db, 'eve@example.org'))?.consent).toEqual([])
  expect((await held(db, 'ada@example.org'))?.consent).toHaveLength(2)
})

test('the record of consent of somebody who left goes after its days, which count from when they left', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, START)
  expect(await maintain(db, 1000)).toEqual(NOTHING)
  await leave(db, id, 1000)
  await maintain(db, 1000)
  expect(await maintain(db, 1030)).toMatchObject({ leavers: 1 })
  expect((await held(db, 'ada@example.org'))?.consent.map(({ event }) => event)).toEqual([
    'requested',
    'confirmed',
    'unsubscribed',
    'erased',
  ])
  expect(await maintain(db, 1365)).toEqual(NOTHING)
  expect(await maintain(db, 1365.1)).toEqual({ ...NOTHING, consent: 4 })
  expect((await held(db, 'ada@example.org'))?.consent).toEqual([])
})
