/** Which transactions are noted as changes of what pages show, and who learns of them. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { readArchiveChange } from '../../src/store/archive-changes.ts'
import type { Database } from '../../src/store/database.ts'
import { openNewsletter, storeDay } from '../support/fixtures/newsletter.ts'

const openWatch = async (db: Database) => {
  let { snapshot } = await readArchiveChange(db, null)
  /** Whether anything changed since it was asked for last. */
  return async (): Promise<boolean> => {
    const answer = await readArchiveChange(db, snapshot)
    snapshot = answer.snapshot
    return answer.changed
  }
}

test('a change is told once, from its commit on, however many transactions began and ended meanwhile', async () => {
  await using newsletter = await openNewsletter()
  const { db } = newsletter
  await storeDay(db, '2026-04-13')
  expect((await readArchiveChange(db, null)).changed).toBe(true)
  const hasChanged = await openWatch(db)
  expect(await hasChanged()).toBe(false)
  const long = await db.startTransaction().execute()
  await sql`update papers set hidden_at = now()`.execute(long)
  expect(await hasChanged()).toBe(false)
  await storeDay(db, '2026-04-14')
  expect([await hasChanged(), await hasChanged()]).toEqual([true, false])
  await long.commit().execute()
  expect([await hasChanged(), await hasChanged()]).toEqual([true, false])
  const undone = await db.startTransaction().execute()
  await sql`delete from observations`.execute(undone)
  await undone.rollback().execute()
  expect(await hasChanged()).toBe(false)
})
