/** Changing the address: confirmed by the new one, told to the old one, undone by it; and nobody learns who subscribes. */
import { expect, test } from 'vitest'
import type { Preferences } from '../../../src/core/subscriber/preferences.ts'
import { NO_LIMITS } from '../../../src/core/subscriber/sign-up-limits.ts'
import { deriveToken } from '../../../src/core/token.ts'
import { createAccounts } from '../../../src/newsletter/subscription/accounts.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import { createTastes } from '../../../src/newsletter/tastes.ts'
import { createVotes } from '../../../src/newsletter/votes.ts'
import type { Database, LetterKind } from '../../../src/store/database.ts'
import { storeSaved } from '../../../src/store/saved-papers.ts'
import { preferencesOf } from '../../../src/store/subscribers.ts'
import { suppressAddress } from '../../../src/store/suppressions.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T05:00:00Z')
const DAY = 86_400_000
const OLD = 'ada@example.org'
const NEW = 'countess@example.net'
const FROM = { ip: '192.0.2.1' }

const portsAt = (db: Database, days: number) => ({
  db,
  keys: KEYS,
  now: () => new Date(NOW.getTime() + days * DAY),
  wake: wakeNobody,
  limits: NO_LIMITS,
})
const accountsAt = (db: Database, days = 0) => createAccounts(portsAt(db, days))
const byAddress = (db: Database, email: string) =>
  db.selectFrom('subscribers').selectAll().where('email', '=', email).executeTakeFirst()

/** The letters of a kind to an address, the oldest first. */
const lettersTo = async (db: Database, email: string, kind: LetterKind) =>
  db
    .selectFrom('letters')
    .innerJoin('subscribers', 'subscribers.id', 'letters.subscriber_id')
    .select(['letters.id', 'letters.state', 'subscribers.epoch'])
    .where('subscribers.email', '=', email)
    .where('letters.kind', '=', kind)
    .orderBy('letters.created_at')
    .execute()

const newestTo = async (db: Database, email: string, kind: LetterKind) => {
  const letter = (await lettersTo(db, email, kind)).at(-1)
  if (letter === undefined) throw new Error(`${email} has no letter ${kind}`)
  return letter
}

/** A day later, as far as limits of letters are concerned; all letters have been sent. */
const passDay = async (db: Database) => {
  await db.updateTable('letters').set({ state: 'sent' }).execute()
  await db.deleteFrom('letter_limits').execute()
}

/** Asks for the subscription of one address to move to another, by a fresh account link. */
const askToMove = async (db: Database, from: string, to: string, days = 0) => {
  const reader = await byAddress(db, from)
  if (reader === undefined) throw new Error(`nobody has ${from}`)
  await accountsAt(db, days).requestLink(deriveToken(KEYS, 'preferences', reader.id, reader.epoch))
  const { id, epoch } = await newestTo(db, from, 'account')
  const outcome = await accountsAt(db, days).changeAddress(deriveToken(KEYS, 'account', id, epoch), to, FROM)
  await answerSignUps({ db, keys: KEYS, log: SILENT, limits: NO_LIMITS })
  await db.updateTable('letters').set({ state: 'sent' }).where('kind', '=', 'account').execute()
  return outcome
}

const addressLink = async (db: Database, to: string) =>
  deriveToken(KEYS, 'address', (await newestTo(db, to, 'new-address')).id)
const undoLink = async (db: Database, to: string) =>
  deriveToken(KEYS, 'undo', (await newestTo(db, to, 'address-changed')).id)

const move = async (db: Database, from: string, to: string, days = 0) => {
  await askToMove(db, from, to, days)
  await accountsAt(db, days).confirmAddressChange(await addressLink(db, to), FROM)
}

const OWN: Preferences = { ...LONDON_DAILY, keywords: ['Lean 4'], hour: 9 }

test('until the new address confirms nothing changes, and then topics, history and what is due are there', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13')
  const id = await subscribe(db, OLD, OWN, NOW)
  const savedAt = new Date(NOW.getTime() - 1_000)
  await storeSaved(db, { subscriberId: id, paperId: '2604.13010', at: savedAt, digestDate: null })
  const voted = '2604.13010'
  expect(await createVotes(portsAt(db, 0)).vote(deriveToken(KEYS, 'vote', id), voted)).toMatchObject({
    outcome: 'counts',
  })
  await createTastes(portsAt(db, 0)).press(deriveToken(KEYS, 'vote', id), voted, 'more')
  const before = await byAddress(db, OLD)
  expect(before).toMatchObject({ has_taste: true })
  expect(await askToMove(db, OLD, NEW)).toEqual({ held: null })
  expect(await byAddress(db, OLD)).toEqual(before)
  // It may be a stranger's, mistyped: nothing of the reader is stored with it yet.
  expect(await byAddress(db, NEW)).toMatchObject({ state: 'pending', topics: [], keywords: [], next_due_at: null })
  const token = await addressLink(db, NEW)
  expect(await accountsAt(db, 6.9).readAddressChange(token)).toEqual({
    email: 'c•••@example.net',
    preferences: OWN,
    confirmed: false,
  })
  expect(await accountsAt(db, 7.1).readAddressChange(token)).toBeNull()

  const confirmed = { email: 'c•••@example.net', preferences: OWN, confirmed: true }
  expect(await accountsAt(db, 1).confirmAddressChange(token, FROM)).toEqual(confirmed)
  expect(await accountsAt(db, 1).confirmAddressChange(token, FROM)).toEqual(confirmed)
  const [old, fresh] = [await byAddress(db, OLD), await byAddress(db, NEW)]
  expect(old).toMatchObject({ id, state: 'unsubscribed', next_due_at: null })
  expect(fresh).toMatchObject({
    state: 'active',
    next_due_at: before?.next_due_at,
    last_digest_id: before?.last_digest_id,
    last_cutoff: before?.last_cutoff,
    last_due_at: before?.last_due_at,
  })
  if (fresh === undefined) throw new Error('nobody moved')
  expect(preferencesOf(fresh)).toEqual(OWN)
  // What waited to be sent goes along: nobody loses the welcome they were owed.
  expect((await issuesOf(db, fresh.id)).map(({ kind }) => kind)).toEqual(['welcome'])
  expect(await lettersTo(db, OLD, 'address-changed')).toHaveLength(1)
  expect(await lettersTo(db, NEW, 'new-address')).toHaveLength(1)
  const consent = await db.selectFrom('consent_records').select(['event', 'subscriber_id']).orderBy('id').execute()
  expect(consent.slice(-3)).toEqual([
    { event: 'requested', subscriber_id: fresh.id },
    { event: 'confirmed', subscriber_id: fresh.id },
    { event: 'unsubscribed', subscriber_id: id },
  ])
  // What was learnt of their taste goes along.
  expect([old?.has_taste, fresh.has_taste]).toEqual([false, true])
  expect(
    await createTastes(portsAt(db, 1)).read(deriveToken(KEYS, 'preferences', fresh.id, fresh.epoch)),
  ).toMatchObject({
    on: true,
    presses: [{ id: voted, direction: 'more' }],
  })
  // What was voted for counts once, and stays theirs.
  const voters = await db.selectFrom('votes').select('subscriber_id').execute()
  expect(voters).toEqual([{ subscriber_id: fresh.id }])
  expect(await createVotes(portsAt(db, 1)).vote(deriveToken(KEYS, 'vote', fresh.id), voted)).toMatchObject({
    outcome: 'counted',
    paper: { votes: 1 },
  })
  expect(await createVotes(portsAt(db, 1)).vote(deriveToken(KEYS, 'vote', id), voted)).toEqual({
    outcome: 'not subscribed',
  })
  const saved = await db.selectFrom('saved_papers').select(['subscriber_id', 'at']).execute()
  expect(saved).toEqual([{ subscriber_id: fresh.id, at: savedAt }])
  // Links that one address was sent do not reach the other.
  const subscriptions = createSubscriptions(portsAt(db, 1))
  expect(await subscriptions.unsubscribe(deriveToken(KEYS, 'unsubscribe', id))).toBe('unsubscribed')
  await subscriptions.optOut(deriveToken(KEYS, 'never', id))
  expect(await byAddress(db, NEW)).toMatchObject({ state: 'active' })
})

test('the old address undoes it within seven days, wherever the subscription has gone meanwhile, and only once', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, OLD, OWN, NOW)
  await move(db, OLD, NEW)
  const undo = await undoLink(db, OLD)
  await passDay(db)
  await move(db, NEW, 'third@example.com', 1)
  const later = await undoLink(db, NEW)
  expect(await accountsAt(db, 6.9).readAddressUndo(undo)).toEqual({ email: 'a•••@example.org' })
  expect(await accountsAt(db, 7.1).undoAddressChange(undo, FROM)).toBe('ended')
  expect(await accountsAt(db, 2).undoAddressChange(undo, FROM)).toEqual({ email: 'a•••@example.org' })
  const back = await byAddress(db, OLD)
  expect(back).toMatchObject({ state: 'active', epoch: 1, moved_to: null, moved_from: null })
  if (back === undefined) throw new Error('nobody came back')
  expect(preferencesOf(back)).toEqual(OWN)
  for (const email of [NEW, 'third@example.com'])
    expect(await byAddress(db, email)).toMatchObject({ state: 'unsubscribed', next_due_at: null })
  expect(await accountsAt(db, 2).undoAddressChange(undo, FROM)).toBe('ended')
  // Whoever had it in between cannot take it back.
  expect(await accountsAt(db, 2).undoAddressChange(later, FROM)).toBe('ended')
  expect(await byAddress(db, OLD)).toMatchObject({ state: 'active' })
})

test('what was stopped or erased after it was moved away begins again where it was', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, OLD, OWN, NOW)
  await move(db, OLD, NEW)
  const thief = await byAddress(db, NEW)
  await createSubscriptions(portsAt(db, 0)).unsubscribe(deriveToken(KEYS, 'unsubscribe', thief?.id ?? ''))
  expect(await accountsAt(db, 1).undoAddressChange(await undoLink(db, OLD), FROM)).toMatchObject({
    email: 'a•••@example.org',
  })
  const back = await byAddress(db, OLD)
  expect(back).toMatchObject({ state: 'active' })
  if (back === undefined) throw new Error('nobody came back')
  expect(preferencesOf(back)).toEqual(OWN)
})

test('the answer is the same whatever is known of the new address, and the letter to it says what is so', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, OLD, OWN, NOW)
  await subscribe(db, 'grace@example.com', LONDON_DAILY, NOW)
  await suppressAddress(db, 'gone@example.com', {
    class: 'hard',
    reason: 'no such mailbox',
    code: null,
    diagnostic: null,
    source: 'smtp',
  })
  await passDay(db)
  const grace = await byAddress(db, 'grace@example.com')
  const answers = []
  for (const to of [NEW, 'grace@example.com', 'gone@example.com']) {
    answers.push(await askToMove(db, OLD, to))
    // Three account letters a day are all that a reader gets.
    await db
      .updateTable('letters')
      .set({ created_at: new Date(Date.now() - 2 * DAY) })
      .where('kind', '=', 'account')
      .execute()
  }
  expect(answers).toEqual([{ held: null }, { held: null }, { held: null }])
  expect(await lettersTo(db, NEW, 'new-address')).toHaveLength(1)
  expect(await lettersTo(db, 'grace@example.com', 'already-subscribed')).toHaveLength(1)
  expect(await byAddress(db, 'grace@example.com')).toEqual(grace)
  expect(await byAddress(db, 'gone@example.com')).toBeUndefined()
  expect(await byAddress(db, OLD)).toMatchObject({ state: 'active' })
})

test('a mailbox is asked once a day and three times in all, whoever asks', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, OLD, OWN, NOW)
  await subscribe(db, 'grace@example.com', LONDON_DAILY, NOW)
  await askToMove(db, OLD, 'victim@gmail.com')
  await askToMove(db, 'grace@example.com', 'v.ictim+a@googlemail.com')
  const written = await db.selectFrom('letters').select('id').where('kind', '=', 'new-address').execute()
  expect(written).toHaveLength(1)
})

test('renewed links call a change of address off, and one that subscribed by itself keeps its own', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, OLD, OWN, NOW)
  await askToMove(db, OLD, NEW)
  const token = await addressLink(db, NEW)
  await db.updateTable('subscribers').set({ epoch: 1 }).where('email', '=', OLD).execute()
  expect(await accountsAt(db).readAddressChange(token)).toBeNull()
  expect(await accountsAt(db).confirmAddressChange(token, FROM)).toBeNull()
  await passDay(db)
  await askToMove(db, OLD, NEW)
  const second = await addressLink(db, NEW)
  await passDay(db)
  await subscribe(db, NEW, LONDON_DAILY, NOW)
  expect(await accountsAt(db).confirmAddressChange(second, FROM)).toBeNull()
  expect(await byAddress(db, OLD)).toMatchObject({ state: 'active' })
})

test('the data of somebody who moved holds both addresses, and both are erased', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await subscribe(db, OLD, OWN, NOW)
  await move(db, OLD, NEW)
  const link = async () => {
    const reader = await byAddress(db, NEW)
    await accountsAt(db).requestLink(deriveToken(KEYS, 'preferences', reader?.id ?? ''))
    return deriveToken(KEYS, 'account', (await newestTo(db, NEW, 'account')).id)
  }
  expect(await accountsAt(db).takeData(await link())).toMatchObject({
    subscriber: { email: NEW },
    before: { subscriber: { email: OLD }, before: null },
  })
  await passDay(db)
  expect(await accountsAt(db).erase(await link(), FROM)).toBe('erased')
  expect(await db.selectFrom('subscribers').select('email').where('email', 'is not', null).execute()).toEqual([])
})
