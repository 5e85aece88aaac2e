/** Confirming: the welcome is composed before the reader is locked, from papers that were loaded for others, too. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { deriveToken } from '../../../src/core/token.ts'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { createSubscriptions } from '../../../src/newsletter/subscription/subscription.ts'
import type { Database } from '../../../src/store/database.ts'
import { holdTable, untilSomeWait } from '../../support/fixtures/due-newsletter.ts'
import {
  issuesOf,
  KEYS,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T12:00:00Z')

/** Signs up; returns the reader and the token of their confirmation. */
const signUp = async (db: Database, email: string, preferences = LONDON_DAILY) => {
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody })
  await subscriptions.requestSubscription(email, preferences)
  await answerSignUps({ db, keys: KEYS, log: SILENT })
  const letter = await db
    .selectFrom('letters')
    .innerJoin('subscribers', 'subscribers.id', 'letters.subscriber_id')
    .select(['letters.id', 'subscribers.id as subscriber_id'])
    .where('email', '=', email)
    .executeTakeFirstOrThrow()
  return { id: letter.subscriber_id, token: deriveToken(KEYS, 'confirm', letter.id) }
}

test('while the papers of a welcome are loaded the reader is not locked, and what changes meanwhile counts', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14')
  const { id, token } = await signUp(db, 'ada@example.org')
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody })
  await using held = await holdTable(db, 'paper_news')
  const confirming = Promise.all([subscriptions.confirm(token), subscriptions.confirm(token)])
  await untilSomeWait(db)
  await db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = '1s'`.execute(trx)
    await sql`select from subscribers where id = ${id} for update`.execute(trx)
    await sql`update letters set preferences = preferences || '{"topics": ["code"]}' where subscriber_id = ${id}`.execute(
      trx,
    )
  })
  await held.release()
  expect((await confirming).sort()).toEqual(['already', 'confirmed'])
  const issues = await issuesOf(db, id)
  expect(issues.map((issue) => issue.topics)).toEqual([['Code generation & software engineering']])
})

test('who opts out while their welcome is composed gets none', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-14')
  const { id, token } = await signUp(db, 'ada@example.org')
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody })
  await using held = await holdTable(db, 'paper_news')
  const confirming = subscriptions.confirm(token)
  await untilSomeWait(db)
  await subscriptions.optOut(deriveToken(KEYS, 'never', id))
  await held.release()
  expect(await confirming).toBeNull()
  expect(await issuesOf(db, id)).toEqual([])
})

test('those who confirm one after the other share the papers, until there are newer ones', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13')
  const [ada, grace, lin] = [
    await signUp(db, 'ada@example.org'),
    await signUp(db, 'grace@example.org'),
    await signUp(db, 'lin@example.org'),
  ]
  const subscriptions = createSubscriptions({ db, keys: KEYS, now: () => NOW, wake: wakeNobody })
  expect(await subscriptions.confirm(ada.token)).toBe('confirmed')
  await using held = await holdTable(db, 'paper_news')
  const waits = untilSomeWait(db).then(() => 'waits for papers')
  expect(await Promise.race([subscriptions.confirm(grace.token), waits])).toBe('confirmed')
  await held.release()
  await storeDay(db, '2026-04-14')
  expect(await subscriptions.confirm(lin.token)).toBe('confirmed')
  expect((await issuesOf(db, grace.id))[0]?.listDays).toEqual(['2026-04-13'])
  expect((await issuesOf(db, lin.id))[0]?.listDays).toEqual(['2026-04-13', '2026-04-14'])
})
