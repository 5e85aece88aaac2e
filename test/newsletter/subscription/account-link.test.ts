/** Account links: they work once and for a quarter of an hour, few are mailed, and renewing ends what was sent before. */
import { expect, test } from 'vitest'
import { deriveToken, type Purpose } from '../../../src/core/token.ts'
import { createArchive } from '../../../src/newsletter/archive/archive.ts'
import { createAccounts } from '../../../src/newsletter/subscription/accounts.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../../src/store/database.ts'
import {
  eraseFrom,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T05:00:00Z')
const MINUTE = 60_000

const openAccounts = (db: Database, minutes = 0) =>
  createAccounts({ db, keys: KEYS, now: () => new Date(NOW.getTime() + minutes * MINUTE), wake: wakeNobody })

/** The letters of a kind, the oldest first. */
const lettersOf = (db: Database, kind: 'account' | 'links') =>
  db.selectFrom('letters').selectAll().where('kind', '=', kind).orderBy('created_at').execute()

/** The account link that was asked for last. */
const newestLink = async (db: Database, epoch = 0) => {
  const letter = (await lettersOf(db, 'account')).at(-1)
  return deriveToken(KEYS, 'account', letter?.id ?? '', epoch)
}

const openWithReader = async () => {
  const newsletter = await openNewsletter()
  const { db } = newsletter
  const id = await subscribe(db, 'ada@example.org', LONDON_DAILY, NOW)
  return {
    db,
    id,
    preferences: deriveToken(KEYS, 'preferences', id),
    [Symbol.asyncDispose]: newsletter[Symbol.asyncDispose],
  }
}

test('the link of a preferences page leads to the account once, within fifteen minutes of the service’s clock', async () => {
  await using newsletter = await openWithReader()
  const { db, preferences } = newsletter
  expect(await openAccounts(db).requestLink(preferences)).toBe(true)
  const token = await newestLink(db)
  const account = { email: 'ada@example.org', state: 'active', subscribed: true }
  for (const minutes of [0, 1, 15]) expect(await openAccounts(db, minutes).read(token)).toEqual(account)
  expect(await openAccounts(db, 15.1).read(token)).toBe('ended')
  expect(await openAccounts(db, 15.1).renewLinks(token)).toBe('ended')
  const pressed = await Promise.all([1, 2, 3].map(() => openAccounts(db, 1).renewLinks(token)))
  expect(pressed.filter((outcome) => outcome === 'renewed')).toHaveLength(1)
  expect(await openAccounts(db, 1).renewLinks(token)).toBeNull()
})

test('a mailbox is not filled by whoever has a forwarded digest: one waits, three a day, ten in thirty days', async () => {
  await using newsletter = await openWithReader()
  const { db, preferences } = newsletter
  for (let press = 0; press < 20; press++) await openAccounts(db, press).requestLink(preferences)
  expect(await lettersOf(db, 'account')).toHaveLength(1)
  // What waited that long is still good for a quarter of an hour.
  expect((await lettersOf(db, 'account'))[0]?.requested_at).toEqual(new Date(NOW.getTime() + 19 * MINUTE))
  for (let day = 0; day < 6; day++) {
    for (let press = 0; press < 5; press++) {
      await db.updateTable('letters').set({ state: 'sent' }).execute()
      expect(await openAccounts(db).requestLink(preferences)).toBe(true)
    }
    expect(await lettersOf(db, 'account')).toHaveLength(Math.min(10, 3 * (day + 1)))
    const dayAgo = new Date(Date.now() - 25 * 60 * MINUTE - day)
    await db.updateTable('letters').set({ created_at: dayAgo }).where('kind', '=', 'account').execute()
  }
})

test('renewing ends the links to settings and digests that were sent before, and not those that stop mail', async () => {
  await using newsletter = await openWithReader()
  const { db, id, preferences } = newsletter
  const ports = { db, keys: KEYS, now: () => NOW }
  await storeDay(db, '2026-04-13')
  const reader = await subscribe(db, 'grace@example.net', LONDON_DAILY, NOW)
  const welcome = await db.selectFrom('letters').selectAll().where('kind', '=', 'welcome').execute()
  const own = welcome.find((letter) => letter.subscriber_id === id)?.id ?? ''
  const other = welcome.find((letter) => letter.subscriber_id === reader)?.id ?? ''
  const archive = createArchive(ports)
  const subscriptions = createSubscriptions({ ...ports, wake: wakeNobody })
  await openAccounts(db).requestLink(preferences)
  const account = await newestLink(db)
  expect(await archive.readDigest(deriveToken(KEYS, 'view', own))).not.toBeNull()

  expect(await openAccounts(db).renewLinks(account)).toBe('renewed')
  expect(await subscriptions.readPreferences(preferences)).toBeNull()
  expect(await subscriptions.changePreferences(preferences, LONDON_DAILY)).toBeNull()
  expect(await openAccounts(db).requestLink(preferences)).toBe(false)
  expect(await archive.readDigest(deriveToken(KEYS, 'view', own))).toBeNull()
  expect(await archive.readDigest(deriveToken(KEYS, 'view', other))).not.toBeNull()
  expect(await subscriptions.readPreferences(deriveToken(KEYS, 'preferences', id, 1))).toMatchObject({
    state: 'active',
  })
  const letters = await lettersOf(db, 'links')
  expect(letters.map((letter) => letter.subscriber_id)).toEqual([id])
  // The letter with the new links holds an account link of its own.
  expect(await openAccounts(db).read(deriveToken(KEYS, 'account', letters[0]?.id ?? '', 1))).toMatchObject({
    email: 'ada@example.org',
  })
  expect(await subscriptions.readUnsubscription(deriveToken(KEYS, 'unsubscribe', id))).toMatchObject({
    state: 'active',
  })
  expect(await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))).toBe('unsubscribed')
})

test('no other token opens the account, and an account link opens nothing else', async () => {
  await using newsletter = await openWithReader()
  const { db, id, preferences } = newsletter
  await openAccounts(db).requestLink(preferences)
  const letter = (await lettersOf(db, 'account'))[0]?.id ?? ''
  const accounts = openAccounts(db)
  for (const purpose of [
    'confirm',
    'preferences',
    'unsubscribe',
    'view',
    'never',
    'address',
    'undo',
    'feed',
  ] as Purpose[])
    for (const named of [letter, id]) {
      expect(await accounts.read(deriveToken(KEYS, purpose, named))).toBeNull()
      expect(await accounts.renewLinks(deriveToken(KEYS, purpose, named))).toBeNull()
    }
  expect(await accounts.read(deriveToken(KEYS, 'account', id))).toBeNull()
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody })
  for (const token of [deriveToken(KEYS, 'account', letter), deriveToken(KEYS, 'account', id)])
    expect([
      await subscriptions.readConfirmation(token),
      await subscriptions.readPreferences(token),
      await subscriptions.readUnsubscription(token),
      await subscriptions.unsubscribe(token),
      await subscriptions.readOptOut(token),
      await accounts.requestLink(token),
    ]).toEqual([null, null, null, null, null, false])
  await eraseFrom(db, id)
  for (const epoch of [0, 1]) expect(await accounts.read(deriveToken(KEYS, 'account', letter, epoch))).toBeNull()
})

test('the data is handed out once, and erasing leaves nothing that a link could find', async () => {
  await using newsletter = await openWithReader()
  const { db, id, preferences } = newsletter
  await openAccounts(db).requestLink(preferences)
  const first = await newestLink(db)
  expect(await openAccounts(db).takeData(first)).toMatchObject({
    subscriber: { id, email: 'ada@example.org' },
    letters: [{ kind: 'confirmation' }, { kind: 'welcome' }, { kind: 'account' }],
    before: null,
  })
  expect(await openAccounts(db).takeData(first)).toBe('ended')
  expect(await openAccounts(db).erase(first, { ip: '192.0.2.1' })).toBe('ended')
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  await openAccounts(db).requestLink(preferences)
  const second = await newestLink(db)
  expect(await openAccounts(db).erase(second, { ip: '192.0.2.1' })).toBe('erased')
  expect(await openAccounts(db).erase(second, { ip: '192.0.2.1' })).toBeNull()
  expect(await db.selectFrom('subscribers').select('email').where('id', '=', id).executeTakeFirst()).toEqual({
    email: null,
  })
  expect(await openAccounts(db).requestLink(preferences)).toBe(false)
})
