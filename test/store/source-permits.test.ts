/** Turns at a source: one at a time whatever the number of processes, with the pause and the rest that it wants. */
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { endTurn, takeTurn } from '../../src/store/source-permits.ts'
import { openNewsletter } from '../support/fixtures/newsletter.ts'

const MINUTE = 60_000
const take = (db: Database, leaseMs = MINUTE, source = 'arxiv') => takeTurn(db, source, randomUUID(), leaseMs)
const taken = async (db: Database): Promise<string> => {
  const turn = await take(db)
  if (turn.kind !== 'taken') throw new Error(`the turn is ${turn.kind}`)
  return turn.holder
}
/** Lets time pass in the table, not in the test. */
const passTime = (db: Database, ms: number) =>
  sql`update source_turns set next_at = next_at - ${ms}::float8 * interval '1 ms',
    not_before = not_before - ${ms}::float8 * interval '1 ms'`.execute(db)

test('of many who ask at once one gets the turn, and the others learn how long it may take', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const turns = await Promise.all(Array.from({ length: 12 }, () => take(db)))
  expect(turns.filter((turn) => turn.kind === 'taken')).toHaveLength(1)
  const late = await take(db)
  expect(late).toMatchObject({ kind: 'busy' })
  if (late.kind === 'busy') expect(Math.abs(late.waitMs - MINUTE)).toBeLessThan(20_000)
  expect(await take(db, MINUTE, 'huggingface')).toMatchObject({ kind: 'taken' })
})

test('the next turn begins after the pause', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await endTurn(db, 'arxiv', await taken(db), 30_000, 'answered')
  expect(await take(db)).toMatchObject({ kind: 'busy' })
  await passTime(db, 30_000)
  expect(await take(db)).toMatchObject({ kind: 'taken' })
})

test('whoever dies in a turn keeps the others waiting no longer than its lease, and cannot end theirs afterwards', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const dead = await taken(db)
  await passTime(db, MINUTE)
  await taken(db)
  await endTurn(db, 'arxiv', dead, 0, 'answered')
  expect(await take(db)).toMatchObject({ kind: 'busy' })
})

test('a refusal is kept by all, each in a row is longer, and an answer ends the row', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  const restAfter = async (restMs: number): Promise<number> => {
    await endTurn(db, 'arxiv', await taken(db), 0, { restMs })
    const turn = await take(db)
    if (turn.kind !== 'resting') throw new Error(`the turn is ${turn.kind}`)
    await passTime(db, turn.waitMs + 1)
    return Math.round(turn.waitMs / MINUTE)
  }
  expect([await restAfter(5 * MINUTE), await restAfter(5 * MINUTE), await restAfter(5 * MINUTE)]).toEqual([5, 10, 20])
  // A failure that asks for nothing neither lengthens the row nor ends it.
  await endTurn(db, 'arxiv', await taken(db), 0, 'failed')
  expect(await restAfter(5 * MINUTE)).toBe(40)
  await endTurn(db, 'arxiv', await taken(db), 0, 'answered')
  expect([await restAfter(0), await restAfter(9999 * MINUTE)]).toEqual([1, 24 * 60])
})
