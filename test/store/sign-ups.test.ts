/** How often a mailbox may be written to because somebody typed it in, however many do so at once. */
import { expect, test } from 'vitest'
import { allowLetter, forgetLetterLimits, storeSignUp, takeSignUp } from '../../src/store/sign-ups.ts'
import { LONDON_DAILY, openNewsletter } from '../support/fixtures/newsletter.ts'

const ADA = Buffer.alloc(32, 1)
const GRACE = Buffer.alloc(32, 2)
const HOUR = 3_600_000

test('of many requests at once one letter is allowed, for each mailbox and kind of letter', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const allowed = await Promise.all(Array.from({ length: 30 }, () => allowLetter(db, ADA, 'confirmation', 3)))
  expect(allowed.filter((one) => one)).toHaveLength(1)
  expect(await allowLetter(db, ADA, 'links', 3)).toBe(true)
  expect(await allowLetter(db, GRACE, 'confirmation', 3)).toBe(true)
})

test('a day must pass between two letters, a refused one does not delay the next, and confirming lifts the limit', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ask = () => allowLetter(db, ADA, 'confirmation', 3)
  const lastWas = (hoursAgo: number) =>
    db
      .updateTable('letter_limits')
      .set({ last_at: new Date(Date.now() - hoursAgo * HOUR) })
      .execute()
  expect(await ask()).toBe(true)
  await lastWas(23)
  expect(await ask()).toBe(false)
  await lastWas(25)
  expect(await ask()).toBe(true)
  await lastWas(25)
  expect(await ask()).toBe(true)
  await lastWas(25)
  expect(await ask()).toBe(false)
  await forgetLetterLimits(db, ADA)
  expect(await ask()).toBe(true)
})

test('a sign-up is taken once, in order, and is there again when the transaction fails', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const requestedAt = new Date('2026-04-14T05:00:00Z')
  for (const email of ['ada@example.org', 'grace@example.org'])
    await storeSignUp(db, { kind: 'links', email, preferences: null, requestedAt })
  await expect(
    db.transaction().execute(async (trx) => {
      expect(await takeSignUp(trx)).toMatchObject({ email: 'ada@example.org' })
      // Another passes over what the first one holds.
      expect(await db.transaction().execute(takeSignUp)).toMatchObject({ email: 'grace@example.org' })
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  expect(await takeSignUp(db)).toMatchObject({
    email: 'ada@example.org',
    kind: 'links',
    preferences: null,
    requestedAt,
  })
  expect(await takeSignUp(db)).toBeNull()
})

test('a sign-up from before there were custom terms is read as one without any', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const { topics, frequency, hour, weekday, timeZone } = LONDON_DAILY
  const old = { topics, frequency, hour, weekday, timeZone } as typeof LONDON_DAILY
  await storeSignUp(db, { kind: 'subscribe', email: 'ada@example.org', preferences: old, requestedAt: new Date() })
  expect((await takeSignUp(db))?.preferences).toEqual(LONDON_DAILY)
})
