/** Answering sign-ups: each by itself, so that one that cannot be answered keeps nobody else waiting. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { answerSignUps } from '../../../src/newsletter/subscription/sign-up.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { hasSignUps, storeSignUp } from '../../../src/store/sign-ups.ts'
import { KEYS, LONDON_DAILY, openNewsletter, SILENT } from '../../support/fixtures/newsletter.ts'

const NOW = new Date('2026-04-14T05:00:00Z')

/** A row that the subscribers' table refuses, followed by one of a reader. */
const storeBadAndGood = async (db: Database): Promise<void> => {
  const bad = { ...LONDON_DAILY, hour: 99 }
  await storeSignUp(db, { kind: 'subscribe', email: 'bad@example.org', preferences: bad, requestedAt: NOW })
  await storeSignUp(db, { kind: 'subscribe', email: 'ada@example.org', preferences: LONDON_DAILY, requestedAt: NOW })
}

const lettersTo = async (db: Database) =>
  (
    await db
      .selectFrom('letters')
      .innerJoin('subscribers', 'subscribers.id', 'letters.subscriber_id')
      .select('email')
      .execute()
  ).map(({ email }) => email)

test('a sign-up that cannot be answered is passed over, and set aside after three attempts', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const errors: object[] = []
  const log = { ...SILENT, error: (facts: object) => void errors.push(facts) }
  await storeBadAndGood(db)

  expect(await answerSignUps({ db, keys: KEYS, log })).toBe(1)
  expect(await lettersTo(db)).toEqual(['ada@example.org'])
  expect(await hasSignUps(db)).toBe(true)
  for (let n = 0; n < 5; n++) await answerSignUps({ db, keys: KEYS, log })
  expect(await hasSignUps(db)).toBe(false)
  const [bad] = await db.selectFrom('sign_ups').selectAll().execute()
  expect(bad).toMatchObject({ attempts: 3, set_aside_at: expect.any(Date), reason: expect.stringContaining('hour') })
  // Told once, by the number that the operator's command takes.
  expect(errors).toEqual([expect.objectContaining({ signUp: bad?.id })])
  expect(JSON.stringify(errors)).not.toContain('bad@example.org')
})

test('a database that is away counts against no sign-up', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeBadAndGood(db)
  const away = openDatabase(newsletter.url, { connections: 1, name: 'away', onError: () => undefined })
  await sql`alter table subscribers rename to elsewhere`.execute(db)
  for (let n = 0; n < 3; n++)
    await expect(answerSignUps({ db: away, keys: KEYS, log: SILENT })).rejects.toThrow('does not exist')
  await sql`alter table elsewhere rename to subscribers`.execute(db)
  await away.destroy()
  await expect(answerSignUps({ db: away, keys: KEYS, log: SILENT })).rejects.toThrow()
  expect(await db.selectFrom('sign_ups').select('attempts').execute()).toEqual([{ attempts: 0 }, { attempts: 0 }])
  expect(await answerSignUps({ db, keys: KEYS, log: SILENT })).toBe(1)
})
