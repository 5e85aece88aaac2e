/** Readers whose topics are gone: nothing of theirs ends, and they are told. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { publishDue } from '../../../src/newsletter/publishing/publisher.ts'
import type { Database } from '../../../src/store/database.ts'
import {
  issuesOf,
  LONDON_DAILY,
  openNewsletter,
  SILENT,
  storeDay,
  subscribe,
  wakeNobody,
} from '../../support/fixtures/newsletter.ts'

const DAYS = ['2026-04-08', '2026-04-09', '2026-04-10', '2026-04-13', '2026-04-14', '2026-04-15', '2026-04-16']
const at = (text: string): Date => new Date(text)

/** A subscriber who chose topics when these were offered, and was sent a digest by them. */
const subscribeTo = async (db: Database, name: string, topics: string[]): Promise<string> => {
  const id = await subscribe(
    db,
    `${name}@example.org`,
    { ...LONDON_DAILY, topics: ['code'] },
    at('2026-04-14T05:00:00Z'),
  )
  await sql`update subscribers set topics = ${topics} where id = ${id}`.execute(db)
  await sql`update digests set topics = ${topics}
    where id = (select last_digest_id from subscribers where id = ${id})`.execute(db)
  return id
}

test('of several topics the rest goes on and the change is told once; who had no other gets what trends, and is told why', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  for (const day of DAYS) await storeDay(db, day)
  const some = await subscribeTo(db, 'ada', ['alchemy', 'code'])
  const none = await subscribeTo(db, 'grace', ['alchemy'])
  for (const day of ['15', '16', '17'])
    await publishDue({ db, log: SILENT, wake: wakeNobody }, at(`2026-04-${day}T06:00:00Z`))

  const [, ...ofSome] = await issuesOf(db, some)
  expect(ofSome.map(({ note }) => note)).toEqual(['“alchemy” is no longer offered.', null, null])
  for (const issue of ofSome) expect(issue.topics).toEqual(['Code generation & software engineering'])

  const [, ...ofNone] = await issuesOf(db, none)
  expect(ofNone.map(({ onlyTrending, note }) => [onlyTrending, note])).toEqual(
    Array.from({ length: 3 }, () => [
      true,
      '“alchemy” is no longer offered. You get what trends in all topics until you choose others in your settings.',
    ]),
  )
  for (const issue of ofNone) expect(issue.cards.length).toBeGreaterThan(0)
  const { rows } = await sql<{ topics: string[] }>`select topics from subscribers where id = ${none}`.execute(db)
  expect(rows).toEqual([{ topics: ['alchemy'] }])
})
