/** Permits of a source: one at a time whatever the number of processes, with the gap and the back-off that it wants. */
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { acquirePermit, releasePermit } from '../../src/store/source-permits.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

const MINUTE = 60_000
const take = (db: Database, leaseMs = MINUTE, source = 'arxiv') => acquirePermit(db, source, randomUUID(), leaseMs)
const taken = async (db: Database): Promise<string> => {
  const permit = await take(db)
  if (permit.kind !== 'granted') throw new Error(`the permit is ${permit.kind}`)
  return permit.holder
}
/** Lets time pass in the table, not in the test. */
const passTime = (db: Database, ms: number) =>
  sql`update source_permits set next_at = next_at - ${ms}::float8 * interval '1 ms',
    not_before = not_before - ${ms}::float8 * interval '1 ms'`.execute(db)

test('of many that ask at once one gets the permit, and the others learn how long it may take', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const permits = await Promise.all(Array.from({ length: 12 }, () => take(db)))
  expect(permits.filter((permit) => permit.kind === 'granted')).toHaveLength(1)
  const late = await take(db)
  expect(late).toMatchObject({ kind: 'busy' })
  if (late.kind === 'busy') expect(Math.abs(late.waitMs - MINUTE)).toBeLessThan(20_000)
  expect(await take(db, MINUTE, 'huggingface')).toMatchObject({ kind: 'granted' })
})

test('the next permit is granted after the gap', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await releasePermit(db, 'arxiv', await taken(db), 30_000, 'answered')
  expect(await take(db)).toMatchObject({ kind: 'busy' })
  await passTime(db, 30_000)
  expect(await take(db)).toMatchObject({ kind: 'granted' })
})

test('a holder that dies blocks the others no longer than its lease, and cannot release theirs afterwards', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const dead = await taken(db)
  await passTime(db, MINUTE)
  await taken(db)
  await releasePermit(db, 'arxiv', dead, 0, 'answered')
  expect(await take(db)).toMatchObject({ kind: 'busy' })
})

test('a refusal is kept by all, each in a row is longer, and an answer ends the row', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const backOffAfter = async (backOffMs: number): Promise<number> => {
    await releasePermit(db, 'arxiv', await taken(db), 0, { backOffMs })
    const permit = await take(db)
    if (permit.kind !== 'backing off') throw new Error(`the permit is ${permit.kind}`)
    await passTime(db, permit.waitMs + 1)
    return Math.round(permit.waitMs / MINUTE)
  }
  expect([await backOffAfter(5 * MINUTE), await backOffAfter(5 * MINUTE), await backOffAfter(5 * MINUTE)]).toEqual([
    5, 10, 20,
  ])
  // A failure that asks for nothing neither lengthens the row nor ends it.
  await releasePermit(db, 'arxiv', await taken(db), 0, 'failed')
  expect(await backOffAfter(5 * MINUTE)).toBe(40)
  await releasePermit(db, 'arxiv', await taken(db), 0, 'answered')
  expect([await backOffAfter(0), await backOffAfter(9999 * MINUTE)]).toEqual([1, 24 * 60])
})
