/** How often a mailbox may be written to because somebody typed it in, however many do so at once. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import {
  allowLetter,
  countSignUp,
  forgetLetterLimits,
  hasSignUps,
  releaseSignUp,
  storeSignUp,
  takeSignUp,
} from '../../src/store/sign-ups.ts'
import { LONDON_DAILY, openNewsletter } from '../support/fixtures/newsletter.ts'

const ADA = Buffer.alloc(32, 1)
const GRACE = Buffer.alloc(32, 2)
const CONFIRMATION = { name: 'confirmation', most: 3, everyDays: 1 }
const LINKS = { name: 'links', most: 3, everyDays: 1 }
const HOUR = 3_600_000

test('of many requests at once one letter is allowed, for each mailbox and limit', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const allowed = await Promise.all(Array.from({ length: 30 }, () => allowLetter(db, ADA, [CONFIRMATION])))
  expect(allowed.filter((one) => one)).toHaveLength(1)
  expect(await allowLetter(db, ADA, [LINKS])).toBe(true)
  expect(await allowLetter(db, GRACE, [CONFIRMATION])).toBe(true)
})

test('a day must pass between two letters, a refused one does not delay the next, and confirming lifts the limit', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ask = () => allowLetter(db, ADA, [CONFIRMATION])
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
  await forgetLetterLimits(db, ADA, ['confirmation'])
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

test('a letter counts under all of its limits, or under none', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const any = { name: 'letter', most: 100, everyDays: 1 }
  expect(await allowLetter(db, ADA, [any])).toBe(true)
  expect(await allowLetter(db, ADA, [any, CONFIRMATION])).toBe(false)
  expect(await db.selectFrom('letter_limits').select(['kind', 'times']).execute()).toEqual([
    { kind: 'letter', times: 1 },
  ])
})

test('a scope has room again as its hour passes, and an hour of its most is never exceeded by those that were counted', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const scopes = [{ scope: ADA, most: 10, within: 3_600, ofAll: false }]
  const pass = (hours: number) =>
    sql`update sign_up_counts set window_at = window_at - ${hours} * interval '1 hour'`.execute(db)
  const fill = async (factor = 1) => {
    const counted = await Promise.all(Array.from({ length: 40 }, () => countSignUp(db, scopes, factor)))
    return counted.filter((one) => one).length
  }
  expect(await fill()).toBe(10)
  expect(await fill(2)).toBe(10)
  await pass(1)
  // The twenty of the hour before count for what is left of this one: all of the room is there only when hardly any is left.
  const { rows } = await sql<{ left: number }>`
    select 1 - extract(epoch from now() - date_bin('1 hour', now(), 'epoch'))::float8 / 3600 as left`.execute(db)
  const left = rows[0]?.left ?? 1
  const room = await fill()
  const roomAt = (share: number) => Math.min(10, Math.max(0, Math.ceil(10 - 20 * share)))
  expect(room).toBeGreaterThanOrEqual(roomAt(left))
  expect(room).toBeLessThanOrEqual(roomAt(left - 0.01))
  await pass(2)
  expect(await fill()).toBe(10)
  // A full scope uses up nothing of those after it.
  expect(await countSignUp(db, [...scopes, { scope: GRACE, most: 1, within: 3_600, ofAll: false }], 1)).toBe(false)
  expect(await countSignUp(db, [{ scope: GRACE, most: 1, within: 3_600, ofAll: false }], 1)).toBe(true)
})

test('a held sign-up is taken when its time has come, after all others, or at once when work is proven for it', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const scopes = [{ scope: ADA, most: 1, within: 3_600, ofAll: false }]
  const ask = (email: string) =>
    storeSignUp(db, { kind: 'links', email, preferences: null, requestedAt: new Date() }, scopes)
  expect(await ask('first@example.org')).toBeNull()
  expect(await countSignUp(db, scopes, 1)).toBe(true)
  const ticket = (await ask('held@example.org')) ?? ''
  expect(await ask('slow@example.org')).not.toBeNull()
  expect(await takeSignUp(db)).toMatchObject({ email: 'first@example.org', held: false, proven: false })
  expect(await takeSignUp(db)).toBeNull()
  expect(await hasSignUps(db)).toBe(false)
  expect(await releaseSignUp(db, ticket)).toBe(true)
  expect(await releaseSignUp(db, ticket)).toBe(false)
  await sql`update sign_ups set not_before = not_before - interval '51 minutes'`.execute(db)
  expect(await takeSignUp(db)).toMatchObject({ email: 'held@example.org', held: false, proven: true })
  expect(await releaseSignUp(db, ticket)).toBe(false)
  expect(await takeSignUp(db)).toMatchObject({ email: 'slow@example.org', held: true, proven: false })
})

test('those that wait to be counted fill a limit too, so that a burst is asked for work before it is counted', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const ask = (client: Buffer, all: number, own: number) =>
    storeSignUp(db, { kind: 'links', email: 'ada@example.org', preferences: null, requestedAt: new Date(), client }, [
      { scope: client, most: own, within: 3_600, ofAll: false },
      { scope: Buffer.alloc(32, 3), most: all, within: 3_600, ofAll: true },
    ])
  const held = async (client: Buffer, all: number, own: number) => (await ask(client, all, own)) !== null
  for (const expected of [false, false, false, false, true]) expect(await held(ADA, 1000, 5)).toBe(expected)
  expect(await held(GRACE, 1000, 5)).toBe(false)
  expect(await held(GRACE, 5, 1000)).toBe(true)
})
