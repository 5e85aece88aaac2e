/** A confirmation's link that is too old: what it tells, and asking again by it. */
import { expect, test } from 'vitest'
import { DAY } from '../../../src/core/calendar.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import { readConsent } from '../../../src/store/consent.ts'
import type { Database } from '../../../src/store/database.ts'
import { forgetUnconfirmed, preferencesOf } from '../../../src/store/subscribers.ts'
import { KEYS, LONDON_DAILY, openNewsletter, SILENT, wakeNobody } from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T12:00:00Z')
const later = (days: number) => new Date(NOW.getTime() + days * DAY)
const at = (db: Database, now: Date) => createSubscriptions({ db, keys: KEYS, now: () => now, wake: wakeNobody })
const answer = (db: Database) => answerSignUps({ db, keys: KEYS, log: SILENT })

/** The tokens of all confirmations, the oldest first. */
const tokensOf = async (db: Database) => {
  const letters = await db
    .selectFrom('letters')
    .select('id')
    .where('kind', '=', 'confirmation')
    .orderBy('requested_at')
    .execute()
  return letters.map(({ id }) => deriveToken(KEYS, 'confirm', id))
}

/** Signs up and has the confirmation sent; a day passes, as far as limits of letters are concerned. */
const signUp = async (db: Database) => {
  await at(db, NOW).requestSubscription('ada@example.org', LONDON_DAILY)
  await answer(db)
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  await db
    .updateTable('letter_limits')
    .set({ last_at: new Date(Date.now() - 1.1 * DAY) })
    .execute()
  const [token = ''] = await tokensOf(db)
  return token
}

test('after seven days it confirms nothing, and one press brings another with the same choices', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const token = await signUp(db)
  expect(await at(db, later(7)).readExpiredConfirmation(token)).toBeNull()
  expect(await at(db, later(7)).requestAgain(token)).toBeNull()
  const subscriptions = at(db, later(8))
  expect(await subscriptions.confirm(token)).toBeNull()
  expect(await subscriptions.readExpiredConfirmation(token)).toEqual({ email: 'a•••@example.org' })
  expect(await subscriptions.requestAgain(token)).toEqual({ email: 'a•••@example.org', held: null })
  await answer(db)
  const [, fresh = '', ...more] = await tokensOf(db)
  expect(more).toEqual([])
  expect((await subscriptions.readConfirmation(fresh))?.preferences).toEqual(LONDON_DAILY)
  expect(await subscriptions.confirm(fresh)).toBe('confirmed')
  // The older link leads to the subscription that stands.
  expect((await subscriptions.readConfirmation(token))?.confirmed).toBe(true)
  expect(await subscriptions.readExpiredConfirmation(token)).toBeNull()
  expect(await subscriptions.requestAgain(token)).toBeNull()
})

test('pressed many times, and at once, it brings one email', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const token = await signUp(db)
  const subscriptions = at(db, later(8))
  await Promise.all(Array.from({ length: 20 }, () => subscriptions.requestAgain(token)))
  await answer(db)
  expect(await tokensOf(db)).toHaveLength(2)
})

test('it says the same once the request was answered or is forgotten, and then asks for nothing', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const token = await signUp(db)
  const [{ id = '' } = {}] = await db.selectFrom('subscribers').select('id').execute()
  const subscriptions = at(db, later(8))
  for (const state of ['unsubscribed', 'suppressed', 'active', 'paused'] as const) {
    const subscribed = { paused_until: state === 'paused' ? '2026-05-01' : null, next_due_at: later(9) }
    await db
      .updateTable('subscribers')
      .set({ state, ...(state === 'active' || state === 'paused' ? subscribed : {}) })
      .execute()
    expect([state, await subscriptions.readExpiredConfirmation(token)]).toEqual([state, { email: null }])
    expect(await subscriptions.requestAgain(token)).toBeNull()
  }
  await db.updateTable('subscribers').set({ state: 'pending', paused_until: null, next_due_at: null }).execute()
  expect(await forgetUnconfirmed(db, later(7))).toBe(1)
  expect(await subscriptions.readExpiredConfirmation(token)).toEqual({ email: null })
  expect(await subscriptions.requestAgain(token)).toBeNull()
  // Nobody who made a token up is told that it was one of ours.
  for (const other of [deriveToken(KEYS, 'never', id), deriveToken([Buffer.alloc(32, 8)], 'confirm', id), 'x'])
    expect(await subscriptions.readExpiredConfirmation(other)).toBeNull()
})

test('the time that is chosen while confirming is what is stored, recorded as agreed to, and gone by', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const token = await signUp(db)
  const time = { hour: 18, timeZone: 'Asia/Kolkata' }
  expect(await at(db, NOW).confirm(token, undefined, time)).toBe('confirmed')
  const subscriber = await db.selectFrom('subscribers').selectAll().executeTakeFirstOrThrow()
  expect(preferencesOf(subscriber)).toEqual({ ...LONDON_DAILY, ...time })
  expect(subscriber.next_due_at).toEqual(new Date('2026-04-15T12:30:00Z'))
  // A second press with another time changes nothing.
  expect(await at(db, NOW).confirm(token, undefined, { hour: 3, timeZone: 'UTC' })).toBe('already')
  expect(preferencesOf(await db.selectFrom('subscribers').selectAll().executeTakeFirstOrThrow()).hour).toBe(18)
  const [, confirmed] = await readConsent(db, { subscriberId: subscriber.id, hashes: [] })
  expect(confirmed?.preferences).toMatchObject(time)
})
