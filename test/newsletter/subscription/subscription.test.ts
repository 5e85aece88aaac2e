/** What the use cases behind the pages do and refuse: limits, purposes of links, and links that can only reduce mail. */
import { expect, test } from 'vitest'
import { NO_LIMITS } from '../../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken, type Purpose } from '../../../src/core/token.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../../src/store/database.ts'
import { preferencesOf } from '../../../src/store/subscribers.ts'
import {
  eraseFrom,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T05:00:00Z')
const openSubscriptions = (db: Database) => createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody })
const letters = (db: Database) =>
  db.selectFrom('letters').select(['kind', 'subscriber_id']).orderBy('created_at').execute()
/** A day later, as far as limits of letters are concerned. */
const passDay = (db: Database) =>
  db
    .updateTable('letter_limits')
    .set({ last_at: new Date(Date.now() - 25 * 3_600_000) })
    .execute()
const timesCounted = async (db: Database) =>
  Object.fromEntries(
    (await db.selectFrom('letter_limits').selectAll().execute()).map(({ kind, times }) => [kind, times]),
  )
const stateOf = (db: Database, id: string) =>
  db.selectFrom('subscribers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

test('a mailbox gets one mail, however its address is spelled and however often it is typed in', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ports = { db, keys: KEYS, limits: NO_LIMITS }
  const subscriptions = createSubscriptions({ ...ports, now: () => NOW, wake: wakeNobody })
  const spellings = ['victim@gmail.com', 'Victim@Gmail.com', 'v.i.c.t.i.m@gmail.com', 'victim+a@googlemail.com']
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => subscriptions.requestSubscription(spellings[n % 4] ?? '', LONDON_DAILY)),
  )
  await Promise.all([answerSignUps({ ...ports, log: SILENT }), answerSignUps({ ...ports, log: SILENT })])
  expect(await letters(db)).toHaveLength(1)
  expect(await db.selectFrom('sign_ups').selectAll().execute()).toEqual([])
})

test('a mailbox that never confirms gets three confirmations in all, on three days', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (let day = 0; day < 6; day++) {
    await openSubscriptions(db).requestSubscription('ada@example.org', LONDON_DAILY)
    await answerSignUps({ db, keys: KEYS, log: SILENT })
    await db.updateTable('letters').set({ state: 'sent' }).execute()
    await passDay(db)
  }
  expect(await letters(db)).toHaveLength(3)
})

test('a letter that the relay has not taken yet is not written twice, and counts once', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ask = async () => {
    await openSubscriptions(db).requestSubscription('ada@example.org', LONDON_DAILY)
    await answerSignUps({ db, keys: KEYS, log: SILENT })
  }
  for (const state of ['queued', 'sending', 'deferred'] as const) {
    await ask()
    await db
      .updateTable('letters')
      .set({ state, lease_until: state === 'sending' ? new Date() : null })
      .execute()
    await passDay(db)
  }
  await ask()
  expect(await letters(db)).toHaveLength(1)
  expect(await timesCounted(db)).toEqual({ confirmation: 1, letter: 1 })
})

test('a letter that never left uses up nobody’s day: the next sign-up gets one, and it is the first that counts', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ask = async () => {
    await openSubscriptions(db).requestSubscription('ada@example.org', LONDON_DAILY)
    await answerSignUps({ db, keys: KEYS, log: SILENT })
    return (await letters(db)).length
  }
  expect(await ask()).toBe(1)
  await db.updateTable('letters').set({ state: 'failed', reason: 'expired: the quota was used up for days' }).execute()
  expect(await ask()).toBe(2)
  expect(await timesCounted(db)).toEqual({ confirmation: 1, letter: 1 })
  // One that may have arrived, or has, is the one of the day.
  await db.updateTable('letters').set({ state: 'failed', resent: 1 }).where('state', '=', 'queued').execute()
  expect(await ask()).toBe(2)
})

test('an address that must not be mailed gets nothing, by either form', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await db
    .insertInto('suppressions')
    .values({ email: 'ada@example.org', reason: 'no such mailbox', code: '550 5.1.1', source: 'smtp', class: 'hard' })
    .execute()
  await openSubscriptions(db).requestSubscription('Ada@example.org', LONDON_DAILY)
  await openSubscriptions(db).requestLinks('ada@example.org')
  await answerSignUps({ db, keys: KEYS, log: SILENT })
  expect(await letters(db)).toEqual([])
})

test('an address that opted out gets no mail, by either form and in any spelling', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const subscriptions = openSubscriptions(db)
  const enter = async () => {
    await subscriptions.requestSubscription('Ada@example.org', LONDON_DAILY)
    await answerSignUps({ db, keys: KEYS, log: SILENT })
  }
  await enter()
  const [letter] = await letters(db)
  const id = letter?.subscriber_id ?? ''
  const token = deriveToken(KEYS, 'never', id)
  expect(await subscriptions.optOut(deriveToken(KEYS, 'unsubscribe', id))).toBeNull()
  expect(await subscriptions.unsubscribe(token)).toBeNull()
  expect(await subscriptions.readOptOut(token)).toEqual({ email: 'a•••@example.org' })
  expect((await stateOf(db, id)).state).toBe('pending')
  expect(await subscriptions.optOut(token)).toEqual({ email: 'a•••@example.org' })
  expect(await subscriptions.optOut(token)).toEqual({ email: 'a•••@example.org' })
  expect((await stateOf(db, id)).state).toBe('suppressed')
  await db.deleteFrom('letter_limits').execute()
  await enter()
  await subscriptions.requestLinks('ada@example.org')
  await answerSignUps({ db, keys: KEYS, log: SILENT })
  expect(await letters(db)).toHaveLength(1)
})

test('a token of another purpose, of an erased subscriber, or of nobody opens nothing', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const subscriptions = openSubscriptions(db)
  const acts = (token: string) => [
    subscriptions.readConfirmation(token),
    subscriptions.confirm(token),
    subscriptions.readPreferences(token),
    subscriptions.changePreferences(token, LONDON_DAILY),
    subscriptions.pause(token, '2026-05-01'),
    subscriptions.readUnsubscription(token),
    subscriptions.unsubscribe(token),
    subscriptions.reduce(token, { frequency: 'weekly' }),
  ]
  for (const purpose of ['confirm', 'view'] as Purpose[])
    expect(await Promise.all(acts(deriveToken(KEYS, purpose, id)))).toEqual(Array(8).fill(null))
  expect(await Promise.all(acts(deriveToken([Buffer.alloc(32, 9)], 'preferences', id)))).toEqual(Array(8).fill(null))
  await db
    .updateTable('subscribers')
    .set({ state: 'erased', email: null, next_due_at: null })
    .where('id', '=', id)
    .execute()
  for (const purpose of ['preferences', 'unsubscribe'] as Purpose[])
    expect(await Promise.all(acts(deriveToken(KEYS, purpose, id)))).toEqual(Array(8).fill(null))
})

test('raising the epoch ends preferences links, and leaves unsubscribing alone', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  await db.updateTable('subscribers').set({ epoch: 1 }).where('id', '=', id).execute()
  const subscriptions = openSubscriptions(db)
  expect(await subscriptions.readPreferences(deriveToken(KEYS, 'preferences', id, 0))).toBeNull()
  expect(await subscriptions.readPreferences(deriveToken(KEYS, 'preferences', id, 1))).toMatchObject({
    state: 'active',
  })
  expect(await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))).toBe('unsubscribed')
})

test('the unsubscribe link never brings more mail', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const subscriptions = openSubscriptions(db)
  const token = deriveToken(KEYS, 'unsubscribe', id)
  const weekly = { preferences: expect.objectContaining({ frequency: 'weekly' }) }
  expect(await subscriptions.reduce(token, { frequency: 'weekly' })).toEqual({ ...weekly, pausedUntil: null })
  const paused = { ...weekly, pausedUntil: '2026-06-01' }
  expect(await subscriptions.reduce(token, { pauseUntil: '2026-06-01' })).toEqual(paused)
  // What a page says then is the longer pause, which stays.
  expect(await subscriptions.reduce(token, { pauseUntil: '2026-05-01' })).toEqual(paused)
  expect(await stateOf(db, id)).toMatchObject({ frequency: 'weekly', state: 'paused', paused_until: '2026-06-01' })
  await subscriptions.unsubscribe(token)
  expect(await subscriptions.reduce(token, { frequency: 'weekly' })).toBe('not-subscribed')
  expect(await stateOf(db, id)).toMatchObject({ state: 'unsubscribed', next_due_at: null })
})

test('what the unsubscribe link did last is undone by one press, within an hour and once', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const own = { ...LONDON_DAILY, keywords: ['Lean 4'] }
  const id = await subscribe(db, 'ada@example.org', own, NOW)
  const token = deriveToken(KEYS, 'unsubscribe', id)
  const after = (minutes: number) =>
    createSubscriptions({
      db,
      keys: KEYS,
      now: () => new Date(NOW.getTime() + minutes * 60_000),
      wake: wakeNobody,
    })
  const before = await stateOf(db, id)
  expect(await after(0).undoReduced(token)).toBe('too-late')
  await after(0).unsubscribe(token)
  expect(await after(0).readUnsubscription(token)).toMatchObject({ state: 'unsubscribed', undoable: true })
  expect(await after(61).readUnsubscription(token)).toMatchObject({ undoable: false })
  expect(await after(61).undoReduced(token)).toBe('too-late')
  expect(await after(60).undoReduced(token)).toEqual({ preferences: own, pausedUntil: null })
  expect(await stateOf(db, id)).toEqual(before)
  expect(await after(60).undoReduced(token)).toBe('too-late')

  await after(0).reduce(token, { pauseUntil: '2026-06-01' })
  await after(0).unsubscribe(token)
  expect(await after(1).undoReduced(token)).toEqual({ preferences: own, pausedUntil: '2026-06-01' })
  expect(await stateOf(db, id)).toMatchObject({ state: 'paused', paused_until: '2026-06-01' })
  await after(0).pause(deriveToken(KEYS, 'preferences', id), null)
  await after(0).reduce(token, { frequency: 'weekly' })
  expect(await after(1).undoReduced(token)).toEqual({ preferences: own, pausedUntil: null })
  // What was changed since is not undone.
  await after(0).reduce(token, { frequency: 'weekly' })
  await after(0).changePreferences(deriveToken(KEYS, 'preferences', id), { ...own, hour: 9 })
  expect(await after(1).undoReduced(token)).toBe('too-late')
})

test('somebody who withdrew a request cannot be subscribed by undoing that', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const subscriptions = openSubscriptions(db)
  await subscriptions.requestSubscription('ada@example.org', LONDON_DAILY)
  await answerSignUps({ db, keys: KEYS, log: SILENT })
  const { id } = await db.selectFrom('subscribers').select('id').executeTakeFirstOrThrow()
  const token = deriveToken(KEYS, 'unsubscribe', id)
  await subscriptions.unsubscribe(token)
  expect(await subscriptions.undoReduced(token)).toBe('too-late')
  expect(await stateOf(db, id)).toMatchObject({ state: 'unsubscribed' })
})

test('no link but the one to the account shows an address in clear', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const subscriptions = openSubscriptions(db)
  const confirmation = await db.selectFrom('letters').select('id').where('kind', '=', 'confirmation').executeTakeFirst()
  const preferences = deriveToken(KEYS, 'preferences', id)
  const shown = [
    await subscriptions.readConfirmation(deriveToken(KEYS, 'confirm', confirmation?.id ?? '')),
    await subscriptions.readPreferences(preferences),
    await subscriptions.changePreferences(preferences, LONDON_DAILY),
    await subscriptions.pause(preferences, '2026-06-01'),
    await subscriptions.readUnsubscription(deriveToken(KEYS, 'unsubscribe', id)),
    await subscriptions.readOptOut(deriveToken(KEYS, 'never', id)),
    await subscriptions.optOut(deriveToken(KEYS, 'never', id)),
  ]
  expect(shown.map((one) => (one === 'stale' ? one : one?.email))).toEqual(Array(7).fill('a•••@example.org'))
})

test('settings that were changed from an old page replace nothing newer; saved twice they are saved', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const subscriptions = openSubscriptions(db)
  const token = deriveToken(KEYS, 'preferences', id)
  const seen = (await subscriptions.readPreferences(token))?.revision ?? ''
  const [first, second] = [9, 18].map((hour) => ({ ...LONDON_DAILY, hour }))
  const answers = await Promise.all(
    [first, second].map((preferences = LONDON_DAILY) => subscriptions.changePreferences(token, preferences, seen)),
  )
  expect(answers.filter((answer) => answer === 'stale')).toHaveLength(1)
  const kept = preferencesOf(await stateOf(db, id))
  expect(answers.map((answer) => (answer === 'stale' ? answer : answer?.preferences.hour))).toContain(kept.hour)
  expect(await subscriptions.changePreferences(token, kept, seen)).toMatchObject({ preferences: kept })
  const revision = (await subscriptions.readPreferences(token))?.revision ?? ''
  expect(await subscriptions.changePreferences(token, LONDON_DAILY, revision)).toMatchObject({
    preferences: LONDON_DAILY,
  })
})

test('the day of the next digest is told for settings that are not stored yet', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  const subscriptions = openSubscriptions(db)
  const token = deriveToken(KEYS, 'preferences', id)
  const weekly = { ...LONDON_DAILY, frequency: 'weekly' as const, weekday: 5, hour: 18 }
  const told = await subscriptions.findNextDigest(token, weekly)
  const changed = await subscriptions.changePreferences(token, weekly)
  expect(told).toEqual(changed === 'stale' ? null : changed?.nextDigestAt)
  await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))
  expect(await subscriptions.findNextDigest(token, weekly)).toBeNull()
})

test('three confirmations at once make one welcome', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const subscriptions = openSubscriptions(db)
  await subscriptions.requestSubscription('ada@example.org', LONDON_DAILY)
  await answerSignUps({ db, keys: KEYS, log: SILENT })
  const letter = await db.selectFrom('letters').select('id').executeTakeFirstOrThrow()
  const token = deriveToken(KEYS, 'confirm', letter.id)
  const outcomes = await Promise.all([
    subscriptions.confirm(token),
    subscriptions.confirm(token),
    subscriptions.confirm(token),
  ])
  expect(outcomes.sort()).toEqual(['already', 'already', 'confirmed'])
  expect((await letters(db)).map((one) => one.kind)).toEqual(['confirmation', 'welcome'])
})

test('custom terms survive what reduces mail, and nothing of them is kept when a subscriber is erased', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const subscriptions = openSubscriptions(db)
  const own = {
    topics: [],
    keywords: ['Lean 4'],
    authors: ['Grace Hopper'],
    muted: ['survey'],
    whenEmpty: 'send' as const,
  }
  const id = await subscribe(db, 'ada@example.org', { ...LONDON_DAILY, ...own }, NOW)
  expect(await subscriptions.reduce(deriveToken(KEYS, 'unsubscribe', id), { frequency: 'weekly' })).toMatchObject({
    preferences: { frequency: 'weekly' },
  })
  const stored = await stateOf(db, id)
  expect(preferencesOf(stored)).toEqual({ ...LONDON_DAILY, ...own, frequency: 'weekly' })
  await eraseFrom(db, id)
  expect(await stateOf(db, id)).toMatchObject({ email: null, keywords: [], authors: [], muted: [] })
})
